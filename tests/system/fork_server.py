"""Start and end commands in forks of a process that has done all imports, see `tests.system.forks`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Forks:
    """Commands started in forks, without the cost of their imports."""

    def __init__(self, server: subprocess.Popen[str]) -> None:
        self._server = server
        self._pid = 0

    def start(self, *arguments: str) -> None:
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(arguments) + "\n")
        self._server.stdin.flush()
        self._pid = int(self._read_line())

    def end(self, number: signal.Signals) -> int:
        """Send a signal to the command; return its exit status."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, number)
        status = int(self._read_line())
        self._pid = 0
        return status

    def stop(self) -> None:
        """Kill the command if it runs."""
        if self._pid:
            self.end(signal.SIGKILL)

    def _read_line(self) -> str:
        assert self._server.stdout is not None
        return self._server.stdout.readline()


@contextmanager
def forks(env: dict[str, str], log: Path, module: str = "tests.system.forks") -> Iterator[Forks]:
    """Run the server, with the output of all commands in a file."""
    with log.open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            env=env,
        )
    with server:  # at the end its standard input is closed, and it exits
        commands = Forks(server)
        try:
            yield commands
        finally:
            commands.stop()
