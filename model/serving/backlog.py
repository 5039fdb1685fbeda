"""Messages that a worker has not processed yet, in order of each bed; what waits, and for how long. No sockets.

A round takes the oldest chunk of each bed, with what precedes it in its bed: so all beds advance together, in one
batch, and a bed that sends ten times as much as the others delays only itself.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from model.serving.shedding import MAX_WAIT_S, Wait
from stream.wire.messages import Message, Waveform
from stream.wire.wave_message import Wave

INTERRUPTION_NS = 3_000_000_000
"""Time in ns without a chunk of a bed (or 2.5 chunks, if longer), after which what comes is late already."""

CATCH_UP_NS = 30_000_000_000
"""Time in ns after an interruption during which the chunks of the bed may wait longer."""

CATCH_UP_WAIT_S = 10.0
"""Longest wait of a chunk during that time, in s."""

BATCH_SAMPLES = 7200
"""Samples of a round, in beds × samples; beyond, further beds wait for the next round. About 0.2 s of work."""


@dataclass
class _Bed:
    """Messages of one bed, and of its chunks the time of arrival and the duration, both in ns."""

    messages: deque[Message] = field(default_factory=deque)
    chunks: deque[tuple[int, int]] = field(default_factory=deque)
    arrived_ns: int | None = None
    catching_up_until_ns: int = 0


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
        self._waiting: dict[str, _Bed] = {}  # those of which there are messages

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, name: str, message: Message, now_ns: int) -> None:
        """Append a message of a bed."""
        bed = self._beds.get(name)
        if bed is None:
            self._forget_one()
            bed = self._beds[name] = _Bed()
        bed.messages.append(message)
        self._waiting[name] = bed
        if isinstance(message, Waveform):
            duration_ns = round(message.n * 1e9 / (message.fs * message.speed))
            if bed.arrived_ns is not None and now_ns - bed.arrived_ns > max(INTERRUPTION_NS, 2.5 * duration_ns):
                bed.catching_up_until_ns = now_ns + CATCH_UP_NS
            bed.arrived_ns = now_ns
            bed.chunks.append((now_ns, duration_ns))

    def next_round(self) -> tuple[list[Message], list[Waveform]]:
        """Remove and return what comes next.

        Returns
        -------
        others : list of Message
            What precedes the chunks in their beds.
        chunks : list of Waveform
            The oldest chunk of each bed, those that have waited longest first, at most about `BATCH_SAMPLES`.
        """
        others: list[Message] = []
        chunks: list[Waveform] = []
        samples = 0
        for bed in sorted(self._waiting.values(), key=lambda bed: bed.chunks[0][0] if bed.chunks else 0):
            while bed.messages and samples < BATCH_SAMPLES:
                message = bed.messages.popleft()
                if isinstance(message, Waveform):
                    bed.chunks.popleft()
                    chunks.append(message)
                    samples += message.n
                    break
                others.append(message)
        self._waiting = {name: bed for name, bed in self._waiting.items() if bed.messages}
        return others, chunks

    def shed(self, name: str) -> list[Waveform]:
        """Remove the chunks and waves of a bed that wait; return the chunks. Commands and status stay."""
        bed = self._beds.get(name)
        if bed is None or not bed.messages:
            return []
        chunks = [message for message in bed.messages if isinstance(message, Waveform)]
        bed.messages = deque(message for message in bed.messages if not isinstance(message, Waveform | Wave))
        bed.chunks.clear()
        if not bed.messages:
            del self._waiting[name]
        return chunks

    def waiting(self, now_ns: int) -> list[Wait]:
        """Return how long the oldest chunk of each bed has waited, and may wait."""
        return [
            Wait(name, (now_ns - bed.chunks[0][0]) / 1e9, self._allowed_s(bed, now_ns))
            for name, bed in self._waiting.items()
            if bed.chunks
        ]

    def _forget_one(self) -> None:
        """Drop what is remembered of a bed of which nothing waits, if there are too many."""
        if len(self._beds) >= self._max_beds:
            idle = (name for name, bed in self._beds.items() if not bed.messages)
            self._beds.pop(min(idle, key=lambda name: self._beds[name].arrived_ns or 0, default=""), None)

    def _allowed_s(self, bed: _Bed, now_ns: int) -> float:
        """Return how long the oldest chunk may wait: as long as it lasts, if it is a long one."""
        catching_up = CATCH_UP_WAIT_S if now_ns < bed.catching_up_until_ns else 0.0
        return max(self._max_wait_s, catching_up, bed.chunks[0][1] / 1e9)
