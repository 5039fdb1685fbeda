"""Start ``bedside worker`` in forks of a process that has imported it: 0.1 s instead of 4 s, for the short form alone.

As a program (``python -m tests.reliability.forks``) this is the server: each line of standard input is a request as
JSON; it prints ``pid N`` for each, and ``ended N STATUS`` when that process ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class ForkedProcess:
    """A process that a server has forked, with the methods of `subprocess.Popen` that this suite uses."""

    stdout = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = threading.Event()

    def end(self, status: int) -> None:
        """Record that it has ended."""
        self.returncode = status
        self._ended.set()

    def poll(self) -> int | None:
        """Return its exit status; None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raise `subprocess.TimeoutExpired` after `timeout` s."""
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired("bedside", timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Forks:
    """A server of forks, inside its context."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[str] | None = None
        self._processes: dict[int, ForkedProcess] = {}
        self._started: queue.Queue[ForkedProcess] = queue.Queue()
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, name="forks")

    def __enter__(self) -> Self:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.forks"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in list(self._processes.values()):
            process.kill()
        assert self._server is not None
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait(60)
        self._reader.join(10)
        self._server.stdout.close()

    def start(self, arguments: list[str], env: dict[str, str], log: Path) -> ForkedProcess:
        """Start a command with its output appended to a file."""
        with self._lock:
            assert self._server is not None
            assert self._server.stdin is not None
            self._server.stdin.write(json.dumps({"arguments": arguments, "env": env, "log": str(log)}) + "\n")
            self._server.stdin.flush()
            return self._started.get(timeout=60)

    def _read(self) -> None:
        assert self._server is not None
        assert self._server.stdout is not None
        for line in self._server.stdout:
            word, pid, *status = line.split()
            if word == "pid":
                self._processes[int(pid)] = ForkedProcess(int(pid))
                self._started.put(self._processes[int(pid)])
            else:
                self._processes.pop(int(pid)).end(int(status[0]))


def serve() -> None:
    """Fork a command for each request until standard input ends."""
    import model.pipeline.analysis
    import model.serving.service
    from monitor.cli import main

    model.pipeline.analysis.load_models(None, None)  # imports what a worker imports
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children: set[int] = set()
    requests: queue.Queue[str] = queue.Queue()

    def read_requests() -> None:
        for line in sys.stdin:
            requests.put(line)
            os.write(writer, b"\0")
        requests.put("")
        os.write(writer, b"\0")

    threading.Thread(target=read_requests, daemon=True).start()
    while True:
        os.read(reader, 4096)
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG) if children else (0, 0)
            if not pid:
                break
            children.discard(pid)
            print("ended", pid, os.waitstatus_to_exitcode(status), flush=True)
        while not requests.empty():
            line = requests.get()
            if not line:
                return
            pid = os.fork()
            if pid == 0:
                _child(json.loads(line), main)
            children.add(pid)
            print("pid", pid, flush=True)


def _child(request: dict[str, Any], main: Callable[[list[str]], int]) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    log = os.open(request["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.clear()
    os.environ.update(request["env"])
    status = 1
    try:
        status = main(request["arguments"])
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve()
