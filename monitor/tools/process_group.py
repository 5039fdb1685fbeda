"""Child processes of this program: started, supervised and ended, none left behind.

Each child gets a session of its own, so that Ctrl-C reaches the parent alone, which then ends its children in order.
A child whose parent is gone, even by SIGKILL, reads the end of its standard input and exits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TextIO

from stream.errors import BedsideError

END_WITHIN_S = 10.0
"""From SIGTERM to the end of a child: a fraction of a second as a rule, some seconds on a busy machine."""

BEDSIDE = (sys.executable, "-P", "-m", "monitor.cli")
"""The ``bedside`` command. Without -P, Python looks for modules in the working directory first, and a user's model.py
or stream.py there would be imported instead of this program's packages."""

_WATCH = "BEDSIDE_WATCH_STDIN"


class ChildDiedError(BedsideError, RuntimeError):
    """A child process ended by itself with an error, or was not ready in time."""

    status = 1


class ForcedEndError(BedsideError, TimeoutError):
    """A child process did not end in time after SIGTERM, and was killed by its parent."""

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
        Its last lines on standard error.
    reader : asyncio.Task or None
        Copies its standard error to the log.
    """

    name: str
    process: asyncio.subprocess.Process
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    reader: asyncio.Task[None] | None = None

    async def wait(self) -> int:
        """Wait for its end, and return its exit status."""
        status = await self.process.wait()
        if self.reader is not None:
            await self.reader
        return status

    async def end(self, timeout_s: float = END_WITHIN_S) -> None:
        """Send SIGTERM, and SIGKILL after ``timeout_s``.

        Raises
        ------
        ForcedEndError
            It had to be killed.
        ChildDiedError
            It ended by an error. An end by SIGTERM itself, as during its start, is none.
        """
        good: tuple[int, ...] = (0,)
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
            good = (0, -signal.SIGTERM)
            try:
                async with asyncio.timeout(timeout_s):
                    await self.process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self.process.kill()
                await self.wait()
                raise ForcedEndError(f"{self.name} did not end within {timeout_s:g} s and was killed") from None
        if await self.wait() not in good:
            raise self.death()

    def death(self) -> ChildDiedError:
        """Return the error that describes its end."""
        last = next((line for line in reversed(self.tail) if line.strip()), "it printed nothing")
        return ChildDiedError(f"{self.name} ended with status {self.process.returncode}: {last}")


class ProcessGroup:
    """The children that run.

    Parameters
    ----------
    log : text file
        Everything that children write on standard error goes here, each line after the child's name.
    environment : mapping
        Added to this process's own environment.
    """

    def __init__(self, log: TextIO, environment: Mapping[str, str]) -> None:
        self.children: list[Child] = []
        self._log = log
        self._environment = {**os.environ, **environment, _WATCH: "1"}

    async def start(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Child:
        """Start ``bedside name arguments…``."""
        process = await asyncio.create_subprocess_exec(
            *BEDSIDE,
            name,
            *arguments,
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

    async def end(self, name: str, timeout_s: float = END_WITHIN_S) -> None:
        """End the children of this name, each within ``timeout_s``.

        Raises
        ------
        ForcedEndError, ChildDiedError
            As `Child.end` does.
        """
        for child in [c for c in self.children if c.name == name]:
            try:
                await child.end(timeout_s)
            finally:
                if child.process.returncode is not None:
                    self.children.remove(child)

    async def first_death(self) -> Child:
        """Wait until a child ends by itself, and return it."""
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

    async def unless_one_dies(self, goal: Coroutine[Any, Any, object], timeout_s: float) -> None:
        """Wait for a goal.

        Raises
        ------
        ChildDiedError
            A child ended by itself first, or the goal was not reached in time.
        """
        reached = asyncio.create_task(goal)
        death = asyncio.create_task(self.first_death())
        try:
            await asyncio.wait([reached, death], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if death.done():
                raise death.result().death()
            if reached.done():
                reached.result()
            else:
                names = ", ".join(child.name for child in self.children)
                raise ChildDiedError(f"{names} were not ready within {timeout_s:.0f} s")
        finally:
            for task in (reached, death):
                task.cancel()
            await asyncio.gather(reached, death, return_exceptions=True)

    async def kill(self) -> None:
        """Kill all that still run."""
        for child in self.children:
            with contextlib.suppress(ProcessLookupError):
                child.process.kill()
        for child in self.children:
            await child.wait()
        self.children.clear()

    async def _read(self, child: Child) -> None:
        assert child.process.stderr is not None
        # Read in blocks: a StreamReader gives up on a line that is longer than its buffer.
        rest = b""
        while block := await child.process.stderr.read(65536):
            *lines, rest = (rest + block)[-1_000_000:].split(b"\n")
            self._note(child, lines)
        self._note(child, [rest] if rest else [])

    def _note(self, child: Child, lines: Sequence[bytes]) -> None:
        for raw in lines:
            line = raw.decode(errors="replace").rstrip()
            child.tail.append(line)
            self._log.write(f"{child.name}: {line}\n")
        self._log.flush()


@asynccontextmanager
async def process_group(log: TextIO, environment: Mapping[str, str]) -> AsyncIterator[ProcessGroup]:
    """Provide a group of processes; on leaving, those that still run are killed."""
    group = ProcessGroup(log, environment)
    try:
        yield group
    finally:
        await group.kill()


def leave_with_parent() -> None:
    """In a child: end this process, as by SIGTERM, once the parent is gone. Elsewhere: nothing."""
    if os.environ.pop(_WATCH, None) is None:
        return

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="leave-with-parent", daemon=True).start()
