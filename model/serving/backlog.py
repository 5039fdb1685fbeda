"""Messages that a worker has not processed yet, in order of each bed; what waits, and for how long. No sockets.

A round takes the oldest chunk of each bed, with what precedes it in its bed: so all beds advance together, in one
batch, and a bed that sends ten times as much as the others delays only itself.

The chunks in a message of a shard stay together, except those of beds of which chunks wait that came alone. What else
comes of a bed meanwhile waits behind the last message of its shard that has a chunk of it.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
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

BATCH_SAMPLES = 36_000
"""Samples of a round, in beds × samples; beyond, further beds wait for the next round. About 0.15 s of work."""


TOGETHER_S = 1.0
"""Longest chunks in s that stay together: what a chunk may wait, and what interrupts a bed, depend on longer ones."""


_SHED = Waveform | Wave | Numerics
"""What is shed of a bed."""


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


@dataclass(eq=False)
class _Ward:
    """Chunks of a message of a shard: the beds, and their places in its columns."""

    chunks: WardChunks
    rows: dict[str, int]
    since_ns: int
    left: bool = False

    def take(self, names: Iterable[str]) -> list[Waveform]:
        """Remove and return the chunks of some beds, as far as there are any."""
        rows = [self.rows.pop(name) for name in names if name in self.rows]
        return list(self.chunks.message.chunks_at(rows))

    @property
    def rest(self) -> WardChunks:
        """The chunks that are left."""
        return WardChunks(self.chunks.message, list(self.rows.values()))


class _Waiting(NamedTuple):
    """A message of one bed, and the chunks of its shard that come before it, if there are any."""

    message: Message
    behind: _Ward | None

    @property
    def may_leave(self) -> bool:
        return self.behind is None or self.behind.left


@dataclass
class _Bed:
    """Messages of one bed, and of its chunks the time of arrival and the duration, both in ns."""

    messages: deque[_Waiting] = field(default_factory=deque)
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
        self._beds = OrderedDict[str, _Bed]()  # the one of which nothing has come for longest first
        self._waiting: dict[str, _Bed] = {}  # those of which there are messages
        self._wards: list[_Ward] = []

    def __bool__(self) -> bool:
        return bool(self._waiting or self._wards)

    @property
    def is_together(self) -> bool:
        """Whether chunks wait, and all of them came with others of their shard."""
        return bool(self._wards) and not any(bed.chunks for bed in self._waiting.values())

    def put(self, name: str, message: Message, now_ns: int) -> None:
        """Append a message of a bed."""
        bed = self._waiting[name] = self._bed(name)
        behind = next((ward for ward in reversed(self._wards) if name in ward.rows), None)
        bed.messages.append(_Waiting(message, behind))
        if isinstance(message, Waveform):
            bed.arrive(now_ns, _duration_ns(message))
            bed.chunks.append((now_ns, _duration_ns(message)))

    def put_ward(self, chunks: WardChunks, now_ns: int) -> None:
        """Append chunks of a message of a shard."""
        message, rows = chunks
        names, longest_s = message.names, float(message.durations_s().max())
        ward = _Ward(chunks, {}, now_ns)
        self._wards.append(ward)  # its beds wait from now on: none of them is forgotten for another
        for row in rows:
            name = names[row]
            bed = self._bed(name)
            if longest_s <= TOGETHER_S and not bed.chunks:
                bed.arrive(now_ns, 0)
                ward.rows[name] = row
            else:
                [chunk] = message.chunks_at([row])
                self.put(name, chunk, now_ns)
        if not ward.rows:
            self._wards.remove(ward)

    def next_round(self) -> Round:
        """Remove and return what comes next.

        It has the oldest chunk of each bed, those that have waited longest first, at most about `BATCH_SAMPLES`.
        """
        found, samples = Round([], [], []), 0
        shards: dict[int, _Ward] = {}
        for ward in self._wards:
            shards.setdefault(ward.chunks.message.shard, ward)
        leaving = []
        items: list[_Bed | _Ward] = [*self._waiting.values(), *shards.values()]
        for item in sorted(items, key=attrgetter("since_ns")):  # beds without a chunk first
            if samples >= BATCH_SAMPLES:
                break
            if isinstance(item, _Ward):
                leaving.append(item)
                found.wards.append(item.rest)
                samples += len(item.rows) * int(item.chunks.message.sample_counts().max())
                continue
            while item.messages and item.messages[0].may_leave:
                message = item.messages.popleft().message
                if isinstance(message, Waveform):
                    item.chunks.popleft()
                    found.chunks.append(message)
                    samples += message.n
                    break
                found.others.append(message)
        for ward in leaving:  # what is behind it comes in the next round
            self._leave(ward)
        self._waiting = {name: bed for name, bed in self._waiting.items() if bed.messages}
        return found

    def _leave(self, ward: _Ward) -> None:
        ward.left = True
        self._wards.remove(ward)

    def shed(self, names: Iterable[str]) -> list[Waveform]:
        """Remove the chunks, waves and numerics of beds that wait; return the chunks. Commands and status stay."""
        own = [name for name in names if name in self._beds]
        chunks = [chunk for ward in self._wards for chunk in ward.take(own)]
        for ward in [ward for ward in self._wards if not ward.rows]:
            self._leave(ward)
        for name in own:
            bed = self._waiting.get(name)
            if bed is None:
                continue
            chunks += [waiting.message for waiting in bed.messages if isinstance(waiting.message, Waveform)]
            kept = (waiting for waiting in bed.messages if not isinstance(waiting.message, _SHED))
            bed.messages = deque(kept)
            bed.chunks.clear()
            if not bed.messages:
                del self._waiting[name]
        return chunks

    def waiting(self, now_ns: int) -> list[Wait]:
        """Return how long the oldest chunk of each bed has waited, and may wait.

        Beds whose chunks came with others of their shard are left out while their share is at most `LATE_SHARE`.
        """
        waits: dict[str, Wait] = {}
        for ward in self._wards:  # the oldest first, and older than what came of a bed alone
            waited_s = (now_ns - ward.since_ns) / 1e9
            if waited_s <= LATE_SHARE * self._max_wait_s:
                break
            for name in ward.rows:
                if name not in waits:
                    waits[name] = Wait(name, waited_s, self._allowed_s(self._beds[name], now_ns, 0))
        for name, bed in self._waiting.items():
            if bed.chunks and name not in waits:
                allowed_s = self._allowed_s(bed, now_ns, bed.chunks[0][1])
                waits[name] = Wait(name, (now_ns - bed.since_ns) / 1e9, allowed_s)
        return list(waits.values())

    def _bed(self, name: str) -> _Bed:
        bed = self._beds.get(name)
        if bed is None:
            self._forget_one()
            bed = self._beds[name] = _Bed()
        else:
            self._beds.move_to_end(name)
        return bed

    def _forget_one(self) -> None:
        """Drop what is remembered of a bed of which nothing waits, if there are too many."""
        if len(self._beds) >= self._max_beds:
            idle = (name for name, bed in self._beds.items() if not bed.messages and not self._waits_in_ward(name))
            self._beds.pop(next(idle, ""), None)

    def _waits_in_ward(self, name: str) -> bool:
        """Return whether a chunk of a bed waits that came with others of its shard."""
        return any(name in ward.rows for ward in self._wards)

    def _allowed_s(self, bed: _Bed, now_ns: int, duration_ns: int) -> float:
        """Return how long a chunk may wait: as long as it lasts, if it is a long one."""
        catching_up = CATCH_UP_WAIT_S if now_ns < bed.catching_up_until_ns else 0.0
        return max(self._max_wait_s, catching_up, duration_ns / 1e9)


def _duration_ns(chunk: Waveform) -> int:
    return round(chunk.n * 1e9 / (chunk.fs * chunk.speed))
