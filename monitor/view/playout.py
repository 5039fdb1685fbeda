"""Which sample the cursor has reached: samples come in chunks, but the trace must glide.

A chunk is sent when its last sample is due, so the cursor follows the due times at a constant distance: one chunk,
so that the next is there before this one is used up, and a margin for jitter. Sender and monitor may disagree about
the time of day; the smallest difference seen between arrival and due time stands for that disagreement and the
fastest transit together. Whatever comes later than that is late, and shows as data age. Only the last minute or two
count: a clock that was set, or a laptop that slept, is believed again after that.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

from stream.wire.messages import Waveform

MARGIN_S = 0.1
"""Distance between cursor and newest sample beyond one chunk, in seconds: also the time the worker has to answer."""

RENEW_NS = 60_000_000_000


@dataclass(frozen=True, slots=True)
class Playout:
    """The newest chunk, and what its arrival shows about the clocks.

    Attributes
    ----------
    start, n : int
        Index of the chunk's first sample, and number of its samples.
    t0_ns, due_ns : int
        When its first and its last sample were due, by the sender's clock.
    rate : float
        Samples per second of wall time: fs × speed.
    transit_ns : int
        The smallest arrival − due of late; negative where the sender's clock is ahead of ours.
    lowest, highest : tuple of int
        The smallest and the largest of the last whole minute, and of the present one.
    renewed_ns : int
        When the present one began, by our clock.
    """

    start: int
    n: int
    t0_ns: int
    due_ns: int
    rate: float
    transit_ns: int
    lowest: tuple[int, int]
    highest: tuple[int, int]
    renewed_ns: int

    @property
    def chunk_s(self) -> float:
        """Seconds of wall time from one chunk to the next."""
        return self.n / self.rate

    @property
    def jitter_s(self) -> float:
        """Seconds between the fastest and the slowest arrival of the last minute or two."""
        return (max(self.highest) - self.transit_ns) / 1e9

    def cursor(self, now_ns: int) -> int:
        """Return the index after the last sample to draw."""
        behind_s = (now_ns - self.transit_ns - self.t0_ns) / 1e9 - self.chunk_s - MARGIN_S
        return self.start + floor(min(behind_s * self.rate, self.n - 1)) + 1

    def age_s(self, now_ns: int) -> float:
        """Return the seconds since the newest sample was due."""
        return max(now_ns - self.transit_ns - self.due_ns, 0) / 1e9


def follow(before: Playout | None, chunk: Waveform, received_ns: int) -> Playout:
    """Return the playout after another chunk of the same session."""
    transit = received_ns - chunk.due_ns
    if before is None:
        lowest = highest = (transit, transit)
        renewed_ns = received_ns
    elif abs(received_ns - before.renewed_ns) < RENEW_NS:
        lowest = (before.lowest[0], min(before.lowest[1], transit))
        highest = (before.highest[0], max(before.highest[1], transit))
        renewed_ns = before.renewed_ns
    else:
        lowest, highest = (before.lowest[1], transit), (before.highest[1], transit)
        renewed_ns = received_ns
    return Playout(
        start=chunk.start,
        n=chunk.n,
        t0_ns=chunk.t0_ns,
        due_ns=chunk.due_ns,
        rate=chunk.fs * chunk.speed,
        transit_ns=min(transit, *lowest),
        lowest=lowest,
        highest=highest,
        renewed_ns=renewed_ns,
    )
