"""Child processes: started, supervised and stopped.

Each child has its own session, so that Ctrl-C reaches only the parent, which then stops its children in order. If the
parent exits, even by SIGKILL, each child reads the end of its standard input and exits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import signal
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from stream.errors import BedsideError

EXIT_TIMEOUT_S = 10.0
"""Timeout from SIGTERM to the exit of a child, s: usually a fraction of a second, several on a busy machine."""

BEDSIDE = (sys.executable, "-P", "-m", "monitor.cli")
"""The ``bedside`` command. Without -P, Python looks for modules in the working directory first, and a user's model.py
or stream.py there would be imported instead of this program's packages."""

EXIT_WITH_PARENT = "BEDSIDE_EXIT_WITH_PARENT"
"""Set in the environment of a child that calls `exit_with_parent`."""


class Log(Protocol):
    """Receives lines, such as a text file."""

    def write(self, text: str, /) -> object:
        """Write a line, which ends with a line break."""

    def flush(self) -> object:
        """Make what was written visible."""


class ChildExitError(BedsideError, RuntimeError):
    """A child process exited unexpectedly, or was not ready in time."""

    status = 1


class ForcedEndError(BedsideError, TimeoutError):
    """A child process did not exit in time after SIGTERM and was killed."""

    status = 1


@dataclass
class Child:
    """A running ``bedside`` command.

    Attributes
    ----------
    name : str
        The command, such as ``worker``.
    process : asyncio.subprocess.Process
    tail : deque of str
        The last lines of its standard error.
    reader : asyncio.Task or None
        Copies its standard error to the log.
    """

    name: str
    process: asyncio.subprocess.Process
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    reader: asyncio.Task[None] | None = None

    async def wait(self) -> int:
        """Wait for its exit and return the exit status."""
        status = await self.process.wait()
        if self.reader is not None:
            await self.reader
        return status

    async def end(self, timeout_s: float = EXIT_TIMEOUT_S) -> None:
        """Stop the process: SIGTERM, and SIGKILL after ``timeout_s``.

        Raises
        ------
        ForcedEndError
            It had to be killed.
        ChildExitError
            It exited with an error. Termination by SIGTERM, as during its start, is not an error.
        """
        expected: tuple[int, ...] = (0,)
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
            expected = (0, -signal.SIGTERM)
            try:
                async with asyncio.timeout(timeout_s):
                    await self.process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self.process.kill()
                await self.wait()
                raise ForcedEndError(f"{self.name} did not end within {timeout_s:g} s and was killed") from None
        if await self.wait() not in expected:
            raise self.exit_error()

    @property
    def last_line(self) -> str:
        """The last line that it printed."""
        return next((line for line in reversed(self.tail) if line.strip()), "it printed nothing")

    def exit_error(self) -> ChildExitError:
        """Return the error that describes its exit."""
        return ChildExitError(f"{self.name} ended with status {self.process.returncode}: {self.last_line}")


class ProcessGroup:
    """The running children.

    Parameters
    ----------
    log : Log
        Receives the children's standard error, each line after the child's name.
    environment : mapping
        Added to this process's own environment.
    """

    def __init__(self, log: Log, environment: Mapping[str, str]) -> None:
        self.children: list[Child] = []
        self._log = log
        self._environment = {**os.environ, **environment, EXIT_WITH_PARENT: "1"}

    async def start(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Child:
        """Start ``bedside name arguments…``."""
        return await self.start_program(name, *BEDSIDE, name, *arguments, environment=environment)

    async def start_program(self, name: str, *command: str, environment: Mapping[str, str] | None = None) -> Child:
        """Start any program; it must end when its standard input does (see `exit_with_parent`)."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={**self._environment, **(environment or {})},
            start_new_session=True,
        )
        child = Child(name, process)
        child.reader = asyncio.create_task(self._read(child))
        self.children.append(child)
        return child

    async def end(self, name: str, timeout_s: float = EXIT_TIMEOUT_S) -> None:
        """Stop the children of this name, each within ``timeout_s``.

        Raises
        ------
        ForcedEndError, ChildExitError
            As `Child.end` does.
        """
        for child in [c for c in self.children if c.name == name]:
            try:
                await child.end(timeout_s)
            finally:
                if child.process.returncode is not None:
                    self.children.remove(child)

    async def first_exit(self) -> Child:
        """Wait until a child exits and return it."""
        waits = {asyncio.create_task(child.process.wait()): child for child in self.children}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        child = waits[done.pop()]
        await child.wait()
        return child

    async def wait_for(self, goal: Coroutine[Any, Any, object], timeout_s: float) -> None:
        """Wait for a coroutine while the children run.

        Raises
        ------
        ChildExitError
            A child exited first, or the coroutine did not finish in time.
        """
        reached = asyncio.create_task(goal)
        first_exit = asyncio.create_task(self.first_exit())
        try:
            await asyncio.wait([reached, first_exit], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if first_exit.done():
                raise first_exit.result().exit_error()
            if reached.done():
                reached.result()
            else:
                names = ", ".join(child.name for child in self.children)
                raise ChildExitError(f"{names} were not ready within {timeout_s:.0f} s")
        finally:
            for task in (reached, first_exit):
                task.cancel()
            await asyncio.gather(reached, first_exit, return_exceptions=True)

    async def kill(self) -> None:
        """Kill all running children."""
        for child in self.children:
            with contextlib.suppress(ProcessLookupError):
                child.process.kill()
        for child in self.children:
            await child.wait()
        self.children.clear()

    async def _read(self, child: Child) -> None:
        assert child.process.stderr is not None
        # Read in blocks: StreamReader.readline() fails on a line that is longer than its buffer.
        partial = b""
        while block := await child.process.stderr.read(65536):
            *lines, partial = (partial + block)[-1_000_000:].split(b"\n")
            self._log_lines(child, lines)
        self._log_lines(child, [partial] if partial else [])

    def _log_lines(self, child: Child, lines: Sequence[bytes]) -> None:
        for raw in lines:
            line = raw.decode(errors="replace").rstrip().removeprefix(f"bedside {child.name}: ")
            child.tail.append(line)
            self._log.write(f"{child.name}: {line}\n")
        self._log.flush()


@asynccontextmanager
async def process_group(log: Log, environment: Mapping[str, str]) -> AsyncIterator[ProcessGroup]:
    """Provide a process group; on exit, children that still run are killed."""
    group = ProcessGroup(log, environment)
    try:
        yield group
    finally:
        await group.kill()


_lines: queue.SimpleQueue[str] = queue.SimpleQueue()


def line_from_parent() -> str:
    """In a child of a `ProcessGroup`: wait for the next line that the parent writes to its standard input."""
    return _lines.get()


def exit_with_parent() -> None:
    """In a child of a `ProcessGroup`: send SIGTERM to this process when the parent exits. Elsewhere: no effect."""
    if os.environ.pop(EXIT_WITH_PARENT, None) is None:
        return

    def wait_for_parent() -> None:
        with open(0, "rb", closefd=False) as written:
            for line in written:
                _lines.put(line.decode())
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_parent, name="exit-with-parent", daemon=True).start()
