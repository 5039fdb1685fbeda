"""Real processes: Mosquitto and ``bedside`` commands, started, stopped and killed by their process id."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tests.reliability.forks import ForkedProcess, Forks

STOP_TIMEOUT_S = 15.0


class NoMosquittoError(Exception):
    """Mosquitto is not installed."""


def mosquitto_program() -> str:
    """Return the path of Mosquitto.

    Raises
    ------
    NoMosquittoError
        It is not installed.
    """
    # Debian installs it into a folder that is only in root's PATH.
    program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        raise NoMosquittoError("Mosquitto is not installed; on Debian: apt-get install mosquitto")
    return program


def free_port() -> int:
    """Return a TCP port of loopback that is free at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Process:
    """A running program with its output in a file.

    Parameters
    ----------
    name : str
        Name of its log file.
    command : list of str
    folder : Path
    env : dict of str to str
    forks : Forks, optional
        Starts it instead; then `command` has the arguments alone.
    options
        For `subprocess.Popen`.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        folder: Path,
        env: dict[str, str],
        forks: Forks | None = None,
        **options: Any,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.popen: subprocess.Popen[bytes] | ForkedProcess
        if forks is not None:
            self.popen = forks.start(command, env, self.log)
        else:
            with self.log.open("ab") as file:
                # A session of its own: Ctrl-C of the terminal reaches the suite alone, which ends its processes.
                options = {"stdout": file, "stderr": file, "stdin": subprocess.DEVNULL, **options}
                self.popen = subprocess.Popen(command, env=env, start_new_session=True, **options)
        self.pid = self.popen.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.popen.poll() is None

    @property
    def text(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors="replace")

    @property
    def stdout(self) -> IO[bytes]:
        """Its standard output, if started with a pipe."""
        assert self.popen.stdout is not None
        return self.popen.stdout

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        self.popen.kill()
        self.popen.wait()

    def pause(self) -> None:
        """Stop it with SIGSTOP."""
        self.popen.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Continue it."""
        self.popen.send_signal(signal.SIGCONT)

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> int | None:
        """Terminate it; return its exit status, or None if it had to be killed."""
        if self.alive:
            self.popen.send_signal(signal.SIGTERM)
            self.popen.send_signal(signal.SIGCONT)
        try:
            return self.popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def ended(self, timeout_s: float) -> int | None:
        """Return the exit status once it has ended by itself; None if it has not within `timeout_s`."""
        try:
            return self.popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def memory_bytes(self) -> int:
        """Return the memory that this process alone has written to.

        Pages of libraries do not count: they become private when the last other process that maps them ends.
        """
        lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()
        [dirty] = (int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:"))
        return 1024 * dirty


class Ward:
    """A broker and the processes that use it. Leaving the context ends each by its process id, whatever happened.

    Parameters
    ----------
    folder : Path
    settings : str
        Lines of Mosquitto's configuration.
    env : dict of str to str, optional
        Further environment variables of the ``bedside`` commands.
    forks : Forks, optional
        Starts the workers.
    """

    def __init__(
        self,
        folder: Path,
        settings: str = "allow_anonymous true",
        env: dict[str, str] | None = None,
        forks: Forks | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.env = {
            **os.environ,
            "QT_QPA_PLATFORM": "offscreen",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
        }
        self._more = env or {}
        self._forks = forks
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nuser root\n{settings}\n"
            "log_type error\nlog_type warning\nlog_type notice\n"
        )
        self._program = mosquitto_program()
        self._processes: list[Process] = []
        self._count = 0
        self.broker: Process | None = None

    def __enter__(self) -> Self:
        self.start_broker()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The broker goes last: its clients can say goodbye.
        running = [process for process in self._processes if process.alive]
        for process in reversed(running):
            if process is not self.broker:
                with contextlib.suppress(ProcessLookupError):
                    process.popen.send_signal(signal.SIGTERM)
                    process.popen.send_signal(signal.SIGCONT)
        for process in reversed(running):
            if process is not self.broker:
                process.stop(10)
        if self.broker is not None:
            self.broker.stop(5)

    def start_broker(self) -> Process:
        """Start Mosquitto, on the same port each time, and wait until it listens."""
        self.broker = Process("mosquitto", [self._program, "-c", str(self._config)], self.folder, self.env)
        self._processes.append(self.broker)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                if not self.broker.alive or time.monotonic() > deadline:
                    raise RuntimeError(f"Mosquitto did not start: {self.broker.text[-300:]}") from None
                time.sleep(0.02)
            else:
                return self.broker

    def start(
        self,
        *arguments: str,
        via: int | None = None,
        env: dict[str, str] | None = None,
        prefix: tuple[str, ...] = (),
        **options: Any,
    ) -> Process:
        """Start a ``bedside`` command.

        Parameters
        ----------
        arguments : str
        via : int, optional
            Port of a proxy to connect through; by default that of the broker.
        env : dict of str to str, optional
            Further environment variables.
        prefix : tuple of str
            A program that executes the command.
        options
            For `subprocess.Popen`.
        """
        self._count += 1
        forks = self._forks if arguments[0] == "worker" else None
        process = Process(
            f"{self._count:03d}-{arguments[0]}",
            [*arguments] if forks else [*prefix, sys.executable, "-m", "monitor.cli", *arguments],
            self.folder,
            {**self.env, "BEDSIDE_BROKER": f"mqtt://127.0.0.1:{via or self.port}", **self._more, **(env or {})},
            forks,
            **options,
        )
        self._processes.append(process)
        return process

    def tracebacks(self) -> list[str]:
        """Return the names of the processes that printed a traceback."""
        return sorted({p.name for p in self._processes if "Traceback (most recent call last)" in p.text})
