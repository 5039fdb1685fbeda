"""Messages that a worker has not processed yet, in order of each bed; what waits, and for how long. No sockets.

A round takes the oldest chunk of each bed, with what precedes it in its bed: so all beds advance together, in one
batch, and a bed that sends ten times as much as the others delays only itself.

The chunks in a message of a shard stay together, except those of beds of which something else waits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from model.serving.shedding import LATE_SHARE, MAX_WAIT_S, Wait
from stream.wire.both_ways import WardChunks
from stream.wire.messages import Message, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.wave_message import Wave

INTERRUPTION_NS = 3_000_000_000
"""Time in ns without a chunk of a bed (or 2.5 chunks, if longer), after which what comes is late already."""

CATCH_UP_NS = 30_000_000_000
"""Time in ns after an interruption during which the chunks of the bed may wait longer."""

CATCH_UP_WAIT_S = 10.0
"""Longest wait of a chunk during that time, in s."""

BATCH_SAMPLES = 7200
"""Samples of a round, in beds × samples; beyond, further beds wait for the next round. About 0.2 s of work."""


TOGETHER_S = 1.0
"""Longest chunks in s that stay together: what a chunk may wait, and what interrupts a bed, depend on longer ones."""


class Round(NamedTuple):
    """What is processed next.

    Attributes
    ----------
    others : list of Message
        What precedes the chunks in their beds.
    chunks : list of Waveform
        Chunks of different beds.
    wards : list of WardChunks
        Chunks of further beds, in messages of different shards.
    """

    others: list[Message]
    chunks: list[Waveform]
    wards: list[WardChunks]


@dataclass
class _Bed:
    """Messages of one bed, and of its chunks the time of arrival and the duration, both in ns."""

    messages: deque[Message] = field(default_factory=deque)
    chunks: deque[tuple[int, int]] = field(default_factory=deque)
    arrived_ns: int | None = None
    catching_up_until_ns: int = 0

    @property
    def since_ns(self) -> int:
        """Time of arrival of the oldest chunk; 0 if there is none."""
        return self.chunks[0][0] if self.chunks else 0

    def arrive(self, now_ns: int, duration_ns: int) -> None:
        """Note that a chunk has come."""
        if self.arrived_ns is not None and now_ns - self.arrived_ns > max(INTERRUPTION_NS, 2.5 * duration_ns):
            self.catching_up_until_ns = now_ns + CATCH_UP_NS
        self.arrived_ns = now_ns

    def append(self, chunk: Waveform, arrived_ns: int) -> None:
        self.messages.append(chunk)
        self.chunks.append((arrived_ns, _duration_ns(chunk)))


@dataclass
class _Ward:
    """Chunks of a message of a shard: the beds, and their places in its columns."""

    chunks: WardChunks
    rows: dict[str, int]
    since_ns: int

    def take(self, name: str) -> list[Waveform]:
        """Remove and return the chunk of a bed, if there is one."""
        row = self.rows.pop(name, None)
        return [] if row is None else list(self.chunks.message.chunks_at([row]))

    @property
    def rest(self) -> WardChunks:
        """The chunks that are left."""
        return WardChunks(self.chunks.message, list(self.rows.values()))


class Backlog:
    """Messages by bed, in order of arrival. Times are monotonic, in ns.

    Parameters
    ----------
    max_wait_s : float
        How long a chunk may wait, in s, if nothing allows it to wait longer.
    max_beds : int
        Beds that are remembered while nothing of them waits; more than a worker serves.
    """

    def __init__(self, max_wait_s: float = MAX_WAIT_S, max_beds: int = 256) -> None:
        self._max_wait_s = max_wait_s
        self._max_beds = max_beds
        self._beds: dict[str, _Bed] = {}
        self._waiting: dict[str, _Bed] = {}  # those of which there are messages; none is in `_wards`
        self._wards: list[_Ward] = []

    def __bool__(self) -> bool:
        return bool(self._waiting or self._wards)

    @property
    def is_together(self) -> bool:
        """Whether chunks wait, and all of them came with others of their shard."""
        return bool(self._wards) and not any(bed.chunks for bed in self._waiting.values())

    def put(self, name: str, message: Message, now_ns: int) -> None:
        """Append a message of a bed."""
        bed = self._bed(name)
        self._take_apart(name, bed)
        self._waiting[name] = bed
        if isinstance(message, Waveform):
            bed.arrive(now_ns, _duration_ns(message))
            bed.append(message, now_ns)
        else:
            bed.messages.append(message)

    def put_ward(self, chunks: WardChunks, now_ns: int) -> None:
        """Append chunks of a message of a shard."""
        message, rows = chunks
        names, longest_s = message.names, float(message.durations_s().max())
        together: dict[str, int] = {}
        for row in rows:
            name = names[row]
            if longest_s <= TOGETHER_S and name not in self._waiting:
                self._bed(name).arrive(now_ns, 0)
                together[name] = row
            else:
                [chunk] = message.chunks_at([row])
                self.put(name, chunk, now_ns)
        if together:
            self._wards.append(_Ward(chunks, together, now_ns))

    def _take_apart(self, name: str, bed: _Bed) -> None:
        """Move the chunks of a bed out of the messages of its shard."""
        for ward in self._wards:
            for chunk in ward.take(name):
                bed.append(chunk, ward.since_ns)
                self._waiting[name] = bed

    def next_round(self) -> Round:
        """Remove and return what comes next.

        It has the oldest chunk of each bed, those that have waited longest first, at most about `BATCH_SAMPLES`.
        """
        found, samples = Round([], [], []), 0
        shards: dict[int, _Ward] = {}
        for ward in self._wards:
            shards.setdefault(ward.chunks.message.shard, ward)
        items: list[_Bed | _Ward] = [*self._waiting.values(), *shards.values()]
        for item in sorted(items, key=attrgetter("since_ns")):
            if samples >= BATCH_SAMPLES:
                break
            if isinstance(item, _Ward):
                self._wards.remove(item)
                if item.rows:  # none is left if each bed has had another message
                    found.wards.append(item.rest)
                    samples += len(item.rows) * int(item.chunks.message.sample_counts().max())
                continue
            while item.messages:
                message = item.messages.popleft()
                if isinstance(message, Waveform):
                    item.chunks.popleft()
                    found.chunks.append(message)
                    samples += message.n
                    break
                found.others.append(message)
        self._waiting = {name: bed for name, bed in self._waiting.items() if bed.messages}
        return found

    def shed(self, name: str) -> list[Waveform]:
        """Remove the chunks, waves and numerics of a bed that wait; return the chunks. Commands and status stay."""
        bed = self._beds.get(name)
        if bed is None:
            return []
        self._take_apart(name, bed)
        self._wards = [ward for ward in self._wards if ward.rows]  # else those of resting beds would pile up
        if not bed.messages:
            return []
        chunks = [message for message in bed.messages if isinstance(message, Waveform)]
        bed.messages = deque(message for message in bed.messages if not isinstance(message, Waveform | Wave | Numerics))
        bed.chunks.clear()
        if not bed.messages:
            del self._waiting[name]
        return chunks

    def waiting(self, now_ns: int) -> list[Wait]:
        """Return how long the oldest chunk of each bed has waited, and may wait.

        Beds whose chunks came with others of their shard are left out while their share is at most `LATE_SHARE`.
        """
        waits = {
            name: Wait(name, (now_ns - bed.since_ns) / 1e9, self._allowed_s(bed, now_ns, bed.chunks[0][1]))
            for name, bed in self._waiting.items()
            if bed.chunks
        }
        for ward in self._wards:
            waited_s = (now_ns - ward.since_ns) / 1e9
            if waited_s <= LATE_SHARE * self._max_wait_s:
                break
            for name in ward.rows:
                waits.setdefault(name, Wait(name, waited_s, self._allowed_s(self._beds[name], now_ns, 0)))
        return list(waits.values())

    def _bed(self, name: str) -> _Bed:
        bed = self._beds.get(name)
        if bed is None:
            self._forget_one()
            bed = self._beds[name] = _Bed()
        return bed

    def _forget_one(self) -> None:
        """Drop what is remembered of a bed of which nothing waits, if there are too many."""
        if len(self._beds) >= self._max_beds:
            together = {name for ward in self._wards for name in ward.rows}
            idle = (name for name, bed in self._beds.items() if not bed.messages and name not in together)
            self._beds.pop(min(idle, key=lambda name: self._beds[name].arrived_ns or 0, default=""), None)

    def _allowed_s(self, bed: _Bed, now_ns: int, duration_ns: int) -> float:
        """Return how long a chunk may wait: as long as it lasts, if it is a long one."""
        catching_up = CATCH_UP_WAIT_S if now_ns < bed.catching_up_until_ns else 0.0
        return max(self._max_wait_s, catching_up, duration_ns / 1e9)


def _duration_ns(chunk: Waveform) -> int:
    return round(chunk.n * 1e9 / (chunk.fs * chunk.speed))
