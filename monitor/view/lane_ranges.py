"""Amplitude ranges of the lanes of a sweep; they follow the signal with hysteresis."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.view.autoscale import BLOCK, MEMORY, Range, adapt_range, centred_range, is_clipped, move_range
from monitor.view.signal_buffer import SignalBuffer
from monitor.view.trace import GAINS, View

DEFAULT_RANGE: Range = (-1.0, 1.5)
"""Range of a lane before its first sample, mV."""

_FIRST_GAIN = GAINS[1]
"""Gain of a fitted lane until a block of samples is known, mm/mV."""


class LaneRanges:
    """Amplitude range of each lead shown."""

    def __init__(self) -> None:
        self._ranges: list[Range | None] = []
        self._rows: tuple[int, ...] = ()
        self._fitted = False
        self._view: View | None = None
        self._limits: npt.NDArray[np.float32] | None = None

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The mV at the lower and upper edge of each lane."""
        return tuple(known or DEFAULT_RANGE for known in self._ranges)

    def update(
        self, signal: SignalBuffer, rows: tuple[int, ...], first: int, before: int, cursor: int, view: View
    ) -> bool:
        """Update the ranges at the start of a sweep, if the view changed, and if samples would be clipped.

        A fitted lane changes for clipped samples only if they are many; see `monitor.view.autoscale`.

        Parameters
        ----------
        signal : SignalBuffer
        rows : tuple of int
            The leads shown, from top to bottom.
        first, before, cursor : int
            The first sample shown; the samples after the last drawn, before and now.
        view : View

        Returns
        -------
        bool
            True when a range has changed.
        """
        at_wrap = cursor // view.span != before // view.span
        changed = view != self._view or rows != self._rows
        learned = view.gain is None and not self._fitted and cursor - signal.first >= BLOCK
        if not (changed or at_wrap or learned) and self._limits is not None:
            new = signal.ecg(before, cursor)[:, rows]
            if not ((new < self._limits[0]) | (new > self._limits[1])).any():
                return False
        if changed:
            self._ranges = [None] * len(rows)
        self._view, self._rows = view, rows
        if view.gain is None:
            ranges = self._fit(signal, cursor, view, refit=changed or at_wrap or learned)
        else:
            height, mv = view.lane_mm(len(self._ranges)) / view.gain, signal.ecg(first, cursor)[:, rows]
            ranges = [move_range(current, mv[:, lead], height, at_wrap) for lead, current in enumerate(self._ranges)]
        changed, self._ranges = ranges != self._ranges, ranges
        known = [span for span in ranges if span is not None]
        self._limits = np.array(known, np.float32).T if len(known) == len(ranges) else None
        return changed

    def _fit(self, signal: SignalBuffer, cursor: int, view: View, *, refit: bool) -> list[Range | None]:
        """Return the ranges of fitted lanes; all of them if ``refit``, else those whose samples are clipped."""
        height_mm = view.lane_mm(len(self._ranges))
        start = max(cursor - MEMORY, signal.first)
        self._fitted = cursor - start >= BLOCK
        if not self._fitted:
            mv = signal.ecg(start, cursor)[:, self._rows]
            return [current or _first_range(mv[:, lead], height_mm) for lead, current in enumerate(self._ranges)]
        recent = signal.ecg(cursor - BLOCK, cursor)[:, self._rows]
        mv = signal.ecg(start, cursor)[:, self._rows] if refit else recent
        return [
            adapt_range(current, mv[:, lead], height_mm)
            if refit or current is None or is_clipped(current, recent[:, lead])
            else current
            for lead, current in enumerate(self._ranges)
        ]


def _first_range(mv: npt.NDArray[np.float32], height_mm: float) -> Range | None:
    """Return the range at the usual gain around the first samples."""
    finite = mv[np.isfinite(mv)]
    if not len(finite):
        return None
    middle = float(np.median(finite))
    return centred_range((middle, middle), height_mm / _FIRST_GAIN)
