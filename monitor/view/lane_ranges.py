"""Amplitude ranges of the lanes of a sweep; they follow the signal with hysteresis."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.view.autoscale import Range, adapt_range, move_range
from monitor.view.signal_buffer import SignalBuffer
from monitor.view.trace import View

DEFAULT_RANGE: Range = (-1.0, 1.5)
"""Range of a lane before its first sample, mV."""


class LaneRanges:
    """Amplitude range of each lead.

    Parameters
    ----------
    leads : int
    """

    def __init__(self, leads: int) -> None:
        self._ranges: list[Range | None] = [None] * leads
        self._view: View | None = None
        self._limits: npt.NDArray[np.float32] | None = None

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The mV at the lower and upper edge of each lane."""
        return tuple(known or DEFAULT_RANGE for known in self._ranges)

    def update(self, signal: SignalBuffer, first: int, before: int, cursor: int, view: View) -> bool:
        """Update the ranges if a new sample would be clipped, at the start of a sweep, and if the view changed.

        Parameters
        ----------
        signal : SignalBuffer
        first, before, cursor : int
            The first sample shown; the samples after the last drawn, before and now.
        view : View

        Returns
        -------
        bool
            True when a range has changed.
        """
        at_wrap = cursor // view.span != before // view.span
        if view == self._view and not at_wrap and self._limits is not None:
            new = signal.ecg(before, cursor)
            if not ((new < self._limits[0]) | (new > self._limits[1])).any():
                return False
        if self._view is not None and (view.lane_height_mv is None) != (self._view.lane_height_mv is None):
            self._ranges = [None] * len(self._ranges)
        self._view = view
        mv = signal.ecg(first, cursor)
        if view.lane_height_mv is None:
            ranges = [adapt_range(current, mv[:, lead], at_wrap) for lead, current in enumerate(self._ranges)]
        else:
            height_mv = view.lane_height_mv[len(self._ranges) - 1]
            ranges = [move_range(current, mv[:, lead], height_mv, at_wrap) for lead, current in enumerate(self._ranges)]
        changed, self._ranges = ranges != self._ranges, ranges
        known = [span for span in ranges if span is not None]
        self._limits = np.array(known, np.float32).T if len(known) == len(ranges) else None
        return changed
