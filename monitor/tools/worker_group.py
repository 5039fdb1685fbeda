"""``bedside worker --workers N``: one process per shard of the beds, and a spare one that replaces the first that dies.

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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

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
    """What a process is told to serve.

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


class WorkerGroup:
    """Keeps a process on each shard.

    Parameters
    ----------
    group : ProcessGroup
        Starts the processes.
    command : str
    arguments : sequence of str
        Those of a process.
    count : int
        Number of shards.

    Attributes
    ----------
    status : int
        The worst exit status of a process, once `run` has ended; that of one that replaced another does not count.
    """

    def __init__(self, group: ProcessGroup, command: str, arguments: Sequence[str], count: int) -> None:
        self.status = 0
        self._group = group
        self._command = command
        self._arguments = arguments
        self._count = count
        self._spare: Child | None = None
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
            await self._end()

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
        child = await self._assign(assignment)
        status = await child.wait()
        if status == WorkerError.status:
            raise WorkerError(child.last_line.removeprefix("error: "))
        self._group.children.remove(child)
        return _reason(status)

    async def _assign(self, assignment: Assignment) -> Child:
        """Let the spare process, or a new one, serve a shard, and start the next spare one."""
        async with self._lock:
            spare, self._spare = self._spare, None
            if spare is not None and spare.process.returncode is not None:
                self._group.children.remove(spare)
                spare = None
            child = spare or await self._start()
            assert child.process.stdin is not None
            child.process.stdin.write(assignment.line.encode())
            with contextlib.suppress(OSError):  # without a spare one, the next is started when it is needed
                self._spare = await self._start()
            return child

    async def _start(self) -> Child:
        return await self._group.start(self._command, *self._arguments)

    async def _end(self) -> None:
        """End all processes, and set `status`."""
        children = list(self._group.children)
        results = await asyncio.gather(*(child.end() for child in children), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, BedsideError):
                raise result
        self.status = max(exit_status(child.process.returncode or 0) for child in children)


def exit_status(code: int) -> int:
    """Return the exit status of a process as shells report it; 0 if it ended as it was told to, by SIGTERM."""
    return code if code >= 0 else 0 if code == -signal.SIGTERM else 128 - code


def _reason(code: int) -> str:
    return f"status {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
