"""Scale of a drawn trace: conversion between pixels, samples and millivolts, and caliper measurements. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stream.timebase import FS

MIN_RATE_INTERVAL_MS = 100.0
"""Shortest interval for which calipers show a rate, ms: a shorter one is not a heart cycle."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Lane of one lead: pixels of its upper and lower edge, and mV at its lower and upper edge."""

    lead: str
    top: float
    bottom: float
    low: float
    high: float

    def mv(self, y: float) -> float:
        """Return the mV at a pixel, limited to the lane."""
        y = min(max(y, self.top), self.bottom)
        return self.low + (self.bottom - y) / (self.bottom - self.top) * (self.high - self.low)

    def y(self, mv: float) -> float:
        """Return the pixel of an amplitude in mV."""
        return self.bottom - (mv - self.low) / (self.high - self.low) * (self.bottom - self.top)


@dataclass(frozen=True, slots=True)
class Ruler:
    """Scale of a drawn trace.

    Attributes
    ----------
    left, right : float
        Pixels of the left and right edge of the trace.
    start : int
        The sample at the left edge.
    per_sample : float
        Pixels per sample.
    lanes : tuple of Lane
    seam : int or None
        On a sweep: the sample after the newest. Samples to its right are one `span` older.
    span : int
        Samples across a sweep.
    """

    left: float
    right: float
    start: int
    per_sample: float
    lanes: tuple[Lane, ...]
    seam: int | None = None
    span: int = 0

    def sample(self, x: float) -> float:
        """Return the fractional sample index at a pixel."""
        at = self.start + (min(max(x, self.left), self.right) - self.left) / self.per_sample
        return at - self.span if self.seam is not None and at >= self.seam else at

    def x(self, sample: float) -> float:
        """Return the pixel of a sample; outside of the trace for a sample that is not shown."""
        if self.seam is not None and self.seam - self.span <= sample < self.start:
            sample += self.span
        return self.left + (sample - self.start) * self.per_sample

    def lane(self, y: float) -> int:
        """Return the index of the lane nearest to a pixel."""
        return min(range(len(self.lanes)), key=lambda i: max(self.lanes[i].top - y, y - self.lanes[i].bottom))


@dataclass(frozen=True, slots=True)
class CaliperLines:
    """Two vertical caliper lines, at samples, and two horizontal ones, at mV of one lead."""

    samples: tuple[float, float]
    mv: tuple[float, float]
    lane: int

    @property
    def ms(self) -> float:
        """Milliseconds from one vertical line to the other."""
        return abs(self.samples[1] - self.samples[0]) * 1000 / FS

    def text(self, ruler: Ruler) -> str:
        """Return the measurement as text: interval in ms, rate in 1/min, amplitude in mV of the lead."""
        rate = f" · {60_000 / self.ms:.0f}/min" if self.ms >= MIN_RATE_INTERVAL_MS else ""
        lead = ruler.lanes[self.lane].lead
        return f"Δt {self.ms:.0f} ms{rate} · {lead} Δ {abs(self.mv[1] - self.mv[0]):.2f} mV"

    def moved(self, which: int, ruler: Ruler, x: float, y: float) -> CaliperLines:
        """Return the lines with one line moved to a pixel: 0 and 1 are vertical, 2 and 3 horizontal."""
        if which < 2:
            at = ruler.sample(x)
            return replace(self, samples=(at, self.samples[1]) if which == 0 else (self.samples[0], at))
        mv = ruler.lanes[self.lane].mv(y)
        return replace(self, mv=(mv, self.mv[1]) if which == 2 else (self.mv[0], mv))

    def nearest(self, ruler: Ruler, x: float, y: float, max_distance: float) -> int | None:
        """Return the nearest line within a distance of a pixel, or None."""
        lane = ruler.lanes[self.lane]
        distances = [abs(ruler.x(sample) - x) for sample in self.samples] + [abs(lane.y(mv) - y) for mv in self.mv]
        if not lane.top - max_distance <= y <= lane.bottom + max_distance:
            distances[2:] = [max_distance + 1.0] * 2
        best = min(range(4), key=distances.__getitem__)
        return best if distances[best] <= max_distance else None


def lines_between(ruler: Ruler, one: tuple[float, float], other: tuple[float, float]) -> CaliperLines:
    """Return the lines around the rectangle between two pixels; the first one determines the lead."""
    lane = ruler.lane(one[1])
    mv = ruler.lanes[lane].mv
    return CaliperLines((ruler.sample(one[0]), ruler.sample(other[0])), (mv(one[1]), mv(other[1])), lane)
