"""The mV that each lane of the sweep spans: they follow the signal, but not with every sample."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.view.autoscale import Range, adapt, place
from monitor.view.signal_buffer import SignalBuffer
from monitor.view.trace import View

DEFAULT: Range = (-1.0, 1.5)
"""mV of a lane before its first sample."""


class LaneRanges:
    """One range for each lead.

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
        """mV at the lower and upper edge of each lane."""
        return tuple(known or DEFAULT for known in self._ranges)

    def update(self, signal: SignalBuffer, first: int, before: int, cursor: int, view: View) -> bool:
        """Move the lanes where a new sample would be cut off, where the sweep starts anew, and for another view.

        Parameters
        ----------
        signal : SignalBuffer
        first, before, cursor : int
            The first sample shown; the ones after the last drawn before, and now.
        view : View

        Returns
        -------
        bool
            True when a lane has moved.
        """
        at_wrap = cursor // view.span != before // view.span
        if view == self._view and not at_wrap and self._limits is not None:
            new = signal.ecg(before, cursor)
            if not ((new < self._limits[0]) | (new > self._limits[1])).any():
                return False
        if self._view is not None and (view.tall_mv is None) != (self._view.tall_mv is None):
            self._ranges = [None] * len(self._ranges)
        self._view = view
        mv = signal.ecg(first, cursor)
        if view.tall_mv is None:
            ranges = [adapt(current, mv[:, lead], at_wrap) for lead, current in enumerate(self._ranges)]
        else:
            tall = view.tall_mv[len(self._ranges) - 1]
            ranges = [place(current, mv[:, lead], tall, at_wrap) for lead, current in enumerate(self._ranges)]
        moved, self._ranges = ranges != self._ranges, ranges
        known = [span for span in ranges if span is not None]
        self._limits = np.array(known, np.float32).T if len(known) == len(ranges) else None
        return moved
