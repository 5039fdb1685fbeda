"""Geometry of a sweep: conversion from sample and mV to pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitor.common.ring_buffer import FloatArray
from monitor.gui.style.polyline import FloatArray64

LANE_PADDING = 8.0
"""Space above and below each lane, px."""


@dataclass(frozen=True)
class Layout:
    """Conversion from sample and mV to pixels for one size of the widget.

    A page is one pass of the cursor over the sweep, `span` samples.

    Attributes
    ----------
    width, height : float
        Pixels of the whole sweep.
    span : int
        Samples from the gutter to the right edge.
    ranges : tuple of (float, float)
        mV at the lower and upper edge, for each lead.
    origin : int
        A sample at the left edge; page 0 starts there.
    gutter : int
        Pixels left of the trace, for lead name and scale.
    header_height : int
        Pixels above the first lane.
    padding : float
        Space above and below each lane, px.
    """

    width: float
    height: float
    span: int
    ranges: tuple[tuple[float, float], ...]
    origin: int
    gutter: int
    header_height: int = 0
    padding: float = LANE_PADDING

    @property
    def per_sample(self) -> float:
        """Pixels per sample."""
        return (self.width - self.gutter) / self.span

    def x(self, index: float, page: int) -> float:
        """Return the pixel of a sample on a page."""
        return self.gutter + (index - self.origin - page * self.span) * self.per_sample

    def xs(self, index: np.ndarray, page: int) -> FloatArray64:
        """Return the pixels of an array of samples on a page."""
        return np.asarray(index * self.per_sample + self.x(0, page), np.float64)

    def page(self, index: int) -> int:
        """Return the page of a sample."""
        return (index - self.origin) // self.span

    def lane(self, lead: int) -> tuple[float, float]:
        """Return the top and bottom pixel of a lead's lane."""
        height = (self.height - self.header_height) / len(self.ranges)
        top = self.header_height + lead * height
        return top + self.padding, top + height - self.padding

    def y(self, lead: int, mv: FloatArray) -> FloatArray64:
        """Return the pixels of amplitudes of a lead, in mV."""
        top, bottom = self.lane(lead)
        low, high = self.ranges[lead]
        return bottom - (mv.astype(np.float64) - low) * ((bottom - top) / (high - low))

    def px_per_mv(self, lead: int) -> float:
        """Return the pixels per mV of a lead."""
        top, bottom = self.lane(lead)
        return (bottom - top) / (self.ranges[lead][1] - self.ranges[lead][0])

    def columns(self, first: int, stop: int) -> list[tuple[int, int]]:
        """Return the pixel columns of the samples ``first`` to ``stop - 1``: left and right for each page."""
        columns = []
        for page in range(self.page(first), self.page(stop - 1) + 1):
            left = max(round(self.x(first, page)), self.gutter)
            right = min(round(self.x(stop, page)), round(self.width))
            if left < right:
                columns.append((left, right))
        return columns
