"""The geometry of a sweep: from sample and mV to pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitor.common.ring_buffer import FloatArray
from monitor.gui.style.polyline import FloatArray64

PAD = 8.0
"""Pixels above and below each lane."""


@dataclass(frozen=True)
class Layout:
    """From sample and mV to pixels, for one size of the widget.

    Attributes
    ----------
    width, height : float
        Pixels of the whole sweep.
    span : int
        Samples from the gutter to the right edge.
    ranges : tuple of (float, float)
        mV at the lower and upper edge, for each lead.
    origin : int
        A sample at the left edge.
    gutter : int
        Pixels left of the trace.
    head : int
        Pixels above the first lane.
    """

    width: float
    height: float
    span: int
    ranges: tuple[tuple[float, float], ...]
    origin: int
    gutter: int
    head: int = 0

    @property
    def per_sample(self) -> float:
        """Pixels from one sample to the next."""
        return (self.width - self.gutter) / self.span

    def x(self, index: float, page: int) -> float:
        """Return the pixel of a sample, on one passage of the sweep."""
        return self.gutter + (index - self.origin - page * self.span) * self.per_sample

    def xs(self, index: np.ndarray, page: int) -> FloatArray64:
        """Return the pixels of many."""
        return np.asarray(index * self.per_sample + self.x(0, page), np.float64)

    def page(self, index: int) -> int:
        """Return the passage on which a sample lies."""
        return (index - self.origin) // self.span

    def lane(self, lead: int) -> tuple[float, float]:
        """Return top and bottom of a lead's lane."""
        height = (self.height - self.head) / len(self.ranges)
        return self.head + lead * height + PAD, self.head + (lead + 1) * height - PAD

    def y(self, lead: int, mv: FloatArray) -> FloatArray64:
        """Return the pixels of some mV of a lead."""
        top, bottom = self.lane(lead)
        low, high = self.ranges[lead]
        return bottom - (mv.astype(np.float64) - low) * ((bottom - top) / (high - low))

    def px_per_mv(self, lead: int) -> float:
        """Return the pixels of 1 mV."""
        top, bottom = self.lane(lead)
        return (bottom - top) / (self.ranges[lead][1] - self.ranges[lead][0])

    def columns(self, first: int, stop: int) -> list[tuple[int, int]]:
        """Return the whole pixel columns of the samples ``first`` to ``stop - 1``, one pair for each page touched."""
        found = []
        for page in range(self.page(first), self.page(stop - 1) + 1):
            left = max(round(self.x(first, page)), self.gutter)
            right = min(round(self.x(stop, page)), round(self.width))
            if left < right:
                found.append((left, right))
        return found
