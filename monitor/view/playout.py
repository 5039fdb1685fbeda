"""Playout: position of the cursor between chunks, so that the trace moves smoothly.

A chunk is sent when its last sample is due. The cursor follows the due times at a constant delay: one chunk, so that
the next chunk arrives before this one is drawn, plus a margin for jitter. The clocks of sender and monitor may differ.
The smallest difference between arrival and due time is taken as clock offset plus fastest transit; later arrivals count
as data age. Only the last one to two minutes are used. A clock that is stepped, or a machine that was suspended, shows
as a step of all differences: the estimate starts anew with the second chunk that agrees. A single chunk with an absurd
due time changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor

from stream.wire.messages import Waveform

JITTER_MARGIN_S = 0.1
"""Delay of the cursor beyond one chunk, s; it is also the time that the worker has to respond."""

WINDOW_NS = 60_000_000_000
"""Length of a window for the extremes of transit, ns; the current and the previous window are used."""


EARLY_NS, LATE_NS = 5_000_000_000, 120_000_000_000
"""How much earlier or later than the fastest transit a chunk may arrive, ns; beyond, a clock was stepped. A chunk is
late after an outage of the broker, by the 30 s of each buffer and what the broker itself keeps."""

AGREEMENT_NS = 1_000_000_000
"""Largest difference in transit of two chunks that agree on a step, ns."""


@dataclass(frozen=True, slots=True)
class Playout:
    """The newest chunk, and the estimate of transit and jitter.

    Attributes
    ----------
    start, n : int
        Index of the chunk's first sample, and number of its samples.
    t0_ns, due_ns : int
        Due times of its first and last sample, by the sender's clock.
    rate : float
        Samples per second of wall time: fs × speed.
    transit_ns : int
        The smallest arrival − due in both windows; negative if the sender's clock is ahead.
    lowest, highest : tuple of int
        The smallest and the largest arrival − due in the previous and in the current window, ns.
    window_start_ns : int
        Start of the current window, by the monitor's clock.
    stepped_ns : int or None
        Arrival − due of the newest chunk if it shows a step of a clock; the next one must agree.
    """

    start: int
    n: int
    t0_ns: int
    due_ns: int
    rate: float
    transit_ns: int
    lowest: tuple[int, int]
    highest: tuple[int, int]
    window_start_ns: int
    stepped_ns: int | None = None

    @property
    def chunk_s(self) -> float:
        """Seconds of wall time from one chunk to the next."""
        return self.n / self.rate

    @property
    def jitter_s(self) -> float:
        """Seconds between the fastest and the slowest arrival of both windows."""
        return (max(self.highest) - self.transit_ns) / 1e9

    def cursor(self, now_ns: int) -> int:
        """Return the index after the last sample to draw."""
        behind_s = (now_ns - self.transit_ns - self.t0_ns) / 1e9 - self.chunk_s - JITTER_MARGIN_S
        return self.start + floor(min(behind_s * self.rate, self.n - 1)) + 1

    def age_s(self, now_ns: int) -> float:
        """Return the seconds since the newest sample was due."""
        return max(now_ns - self.transit_ns - self.due_ns, 0) / 1e9


def update_playout(before: Playout | None, chunk: Waveform, received_ns: int) -> Playout:
    """Return the playout after another chunk of the same session."""
    transit = received_ns - chunk.due_ns
    if before is not None and not -EARLY_NS <= transit - before.transit_ns <= LATE_NS:
        if before.stepped_ns is None or abs(transit - before.stepped_ns) > AGREEMENT_NS:
            return _on_old_clock(before, chunk, transit)
        before = None
    if before is None:
        lowest = highest = (transit, transit)
        window_start_ns = received_ns
    elif abs(received_ns - before.window_start_ns) < WINDOW_NS:
        lowest = (before.lowest[0], min(before.lowest[1], transit))
        highest = (before.highest[0], max(before.highest[1], transit))
        window_start_ns = before.window_start_ns
    else:
        lowest, highest = (before.lowest[1], transit), (before.highest[1], transit)
        window_start_ns = received_ns
    return Playout(
        start=chunk.start,
        n=chunk.n,
        t0_ns=chunk.t0_ns,
        due_ns=chunk.due_ns,
        rate=chunk.fs * chunk.speed,
        transit_ns=min(transit, *lowest),
        lowest=lowest,
        highest=highest,
        window_start_ns=window_start_ns,
    )


def _on_old_clock(before: Playout, chunk: Waveform, transit_ns: int) -> Playout:
    """Return the playout after a chunk whose due time shows a step: due where the chunk before ended."""
    rate = chunk.fs * chunk.speed
    t0_ns = before.due_ns + round((chunk.start - (before.start + before.n - 1)) * 1e9 / rate)
    return replace(
        before,
        start=chunk.start,
        n=chunk.n,
        t0_ns=t0_ns,
        due_ns=t0_ns + chunk.due_ns - chunk.t0_ns,
        rate=rate,
        stepped_ns=transit_ns,
    )
