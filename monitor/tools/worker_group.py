"""``bedside worker --workers N``: one process per shard of the beds, and a spare one that replaces the first that dies.

`WorkerGroup` keeps them, whatever they are: child processes of this computer, or actors of Ray (`ray_workers`).

All are started alike: each imports, loads the models, and waits for the line of its parent that names its shard. So a
process that dies is replaced at once, by one that only has to connect and to read the checkpoints of its beds. The
parent has no connection to the broker. If it dies, its children end (`process_group`).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import math
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from monitor.tools.process_group import Child, ProcessGroup
from stream.errors import BedsideError
from stream.mqtt.client import CONNECT_TIMEOUT_S
from stream.wire.shard import ALL_BEDS, Shard

log = logging.getLogger("bedside.workers")

STEADY_S = 60.0
"""A process that has lived for this time in s is replaced at once."""

DELAYS_S = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Delay in s before a process is replaced, by the number of those before it that lived shorter than `STEADY_S`."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a process serves.

    Attributes
    ----------
    shard : Shard
    life : int
        How many processes have served this shard before, for this parent.
    """

    shard: Shard
    life: int

    @property
    def connect_timeout_s(self) -> float:
        """Time limit for the first connection; a process that replaces another waits as that one would have."""
        return math.inf if self.life else CONNECT_TIMEOUT_S

    def metrics_port(self, first: int | None) -> int | None:
        """Return the port of its metrics, from that of shard 0."""
        return None if first is None else first + self.shard.index

    def ledger(self, path: Path | None) -> Path | None:
        """Return its ledger: FILE of shard 1 becomes FILE-1, of the next process of this shard FILE-1-1."""
        if path is None or (self.shard == ALL_BEDS and not self.life):
            return path
        life = f"-{self.life}" if self.life else ""
        return path.with_name(f"{path.stem}-{self.shard.index}{life}{path.suffix}")

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read the line that `line` writes."""
        index, count, life = map(int, line.split())
        return cls(Shard(index, count), life)

    @property
    def line(self) -> str:
        """One line of text."""
        return f"{self.shard.index} {self.shard.count} {self.life}\n"


ALONE = Assignment(ALL_BEDS, 0)
"""That of a worker without a parent."""


class WorkerError(BedsideError, RuntimeError):
    """A process ended with an error that a user can correct."""


class ChildLog:
    """Logs what the processes print, except errors: all may have the same one, which ends the command and is shown."""

    def write(self, text: str) -> None:
        """Log a line."""
        line = text.removeprefix("worker: ").rstrip()
        if not line.startswith("error: "):
            log.info("%s", line)

    def flush(self) -> None:
        """Do nothing: each line is logged at once."""


class Member(Protocol):
    """A process that waits until it is given its shard, serves it, and ends."""

    @property
    def ended(self) -> bool:
        """Whether it has ended."""

    def assign(self, assignment: Assignment) -> None:
        """Tell it what to serve."""

    async def wait(self) -> str:
        """Wait until it has ended, and return the reason; raise WorkerError if a user can correct it."""

    async def end(self) -> int:
        """End it if it runs, and return its exit status."""


class WorkerGroup:
    """Keeps a process on each shard.

    Parameters
    ----------
    start : callable
        Starts a process; raises OSError if it cannot.
    count : int
        Number of shards.

    Attributes
    ----------
    status : int
        The worst exit status of a process, once `run` has ended; that of one that replaced another does not count.
    """

    def __init__(self, start: Callable[[], Awaitable[Member]], count: int) -> None:
        self.status = 0
        self._start = start
        self._count = count
        self._serving: list[Member] = []
        self._spare: Member | None = None
        self._lock = asyncio.Lock()

    async def run(self) -> None:
        """Serve until cancelled, and then end all processes.

        Raises
        ------
        WorkerError
            A process has ended with an error that a user can correct; all others are ended.
        """
        keepers = [asyncio.create_task(self._keep(Shard(index, self._count))) for index in range(self._count)]
        try:
            done, _ = await asyncio.wait(keepers, return_when=asyncio.FIRST_COMPLETED)
            for keeper in done:
                keeper.result()
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            if self._spare is not None and self._spare.ended:  # nobody needed it: no failure
                await self._spare.end()
                self._spare = None
            members = [*self._serving, *([self._spare] if self._spare else [])]
            self.status = max(await asyncio.gather(*(member.end() for member in members)), default=0)

    async def _keep(self, shard: Shard) -> None:
        """Replace the process of a shard whenever it dies; raise WorkerError if it ends with an error of the user."""
        short_lives = 0
        for life in itertools.count():
            began_s = time.monotonic()
            try:
                reason = await self._serve(Assignment(shard, life))
            except OSError as error:  # the computer lacks memory, or has too many processes
                reason = f"it could not be started: {error.strerror}"
            short_lives = short_lives + 1 if time.monotonic() - began_s < STEADY_S else 0
            delay_s = DELAYS_S[min(max(short_lives - 1, 0), len(DELAYS_S) - 1)]
            log.warning(
                "the process of shard %s has ended (%s); another goes on with its beds%s",
                shard,
                reason,
                f" in {delay_s:g} s" if delay_s else "",
            )
            await asyncio.sleep(delay_s)

    async def _serve(self, assignment: Assignment) -> str:
        """Let a process serve until it ends, and return the reason.

        Raises
        ------
        WorkerError
            It ended with an error that a user can correct.
        OSError
            It could not be started.
        """
        member = await self._assign(assignment)
        reason = await member.wait()
        self._serving.remove(member)
        return reason

    async def _assign(self, assignment: Assignment) -> Member:
        """Let the spare process, or a new one, serve a shard, and start the next spare one."""
        async with self._lock:
            spare, self._spare = self._spare, None
            if spare is not None and spare.ended:
                await spare.end()
                spare = None
            member = spare or await self._start()
            self._serving.append(member)
            member.assign(assignment)
            with contextlib.suppress(OSError):  # without a spare one, the next is started when it is needed
                self._spare = await self._start()
            return member


class ProcessMember:
    """A child process.

    Parameters
    ----------
    group : ProcessGroup
        Its group.
    child : Child
    """

    def __init__(self, group: ProcessGroup, child: Child) -> None:
        self._group = group
        self._child = child

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._child.process.returncode is not None

    def assign(self, assignment: Assignment) -> None:
        """Write the assignment to its standard input."""
        assert self._child.process.stdin is not None
        self._child.process.stdin.write(assignment.line.encode())

    async def wait(self) -> str:
        """Wait until it has ended, and return the reason; raise WorkerError if a user can correct it."""
        status = await self._child.wait()
        if status == WorkerError.status:
            raise WorkerError(self._child.last_line.removeprefix("error: "))
        self._group.children.remove(self._child)
        return _reason(status)

    async def end(self) -> int:
        """End it if it runs, and return its exit status."""
        with contextlib.suppress(BedsideError):
            await self._child.end()
        self._group.children.remove(self._child)
        return exit_status(self._child.process.returncode or 0)


def exit_status(code: int) -> int:
    """Return the exit status of a process as shells report it; 0 if it ended as requested, by SIGTERM."""
    return code if code >= 0 else 0 if code == -signal.SIGTERM else 128 - code


def _reason(code: int) -> str:
    return f"status {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
