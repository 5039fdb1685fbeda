"""Range of a wave in its lane: pressures on round limits, waves without a unit fitted to their size."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monitor.common.ring_buffer import FloatArray
from monitor.view.autoscale import Range, is_clipped, usual_extremes
from stream.wire.wave_message import Signal


@dataclass(frozen=True, slots=True)
class Scale:
    """How a wave is fitted.

    Attributes
    ----------
    cycle_s : int
        Length of a block that contains a whole pulse or breath, s.
    step : float
        Grid of the limits in mmHg; 0 for a wave without a unit.
    smallest : float
        Smallest height of the range in mmHg.
    from_zero : bool
        The lower limit is 0.
    start : tuple of (float, float)
        The range before the first cycle.
    """

    cycle_s: int
    step: float
    smallest: float
    from_zero: bool
    start: Range


SCALES: dict[Signal, Scale] = {
    "pleth": Scale(2, 0.0, 0.0, False, (0.0, 1.0)),
    "abp": Scale(2, 10.0, 40.0, False, (0.0, 150.0)),
    "pap": Scale(2, 5.0, 20.0, False, (0.0, 60.0)),
    "cvp": Scale(6, 5.0, 10.0, False, (0.0, 30.0)),
    "resp": Scale(6, 0.0, 0.0, False, (-1.0, 1.0)),
    "co2": Scale(6, 10.0, 40.0, True, (0.0, 50.0)),
}

_BLOCKS = 5
_MARGIN = 0.1
_SHRINK = 0.6
_HISTORY_S, _QUARTILE = 600, 75.0
"""Seconds whose usual size counts when a wave is first shown, which may be after its pulses have ceased."""

_LEAST = 0.25
"""A fitted wave is drawn at least at this share of the largest size that it had: the noise of a sensor that is off must
not fill the lane."""


class WaveRange:
    """Range of one wave, with hysteresis: it grows within a second, and shrinks only at the start of a sweep."""

    def __init__(self, signal: Signal) -> None:
        self.scale = SCALES[signal]
        self.current: Range = self.scale.start
        self._fitted = False
        self._largest = 0.0

    def update(self, last: Callable[[int], FloatArray], fs: float, *, at_wrap: bool) -> None:
        """Adapt the range.

        Parameters
        ----------
        last : callable
            Returns the values of a number of seconds before the cursor.
        fs : float
            Hz.
        at_wrap : bool
            A sweep starts.
        """
        recent = last(2 * self.scale.cycle_s)
        clipped = is_clipped(self.current, recent)
        if self._fitted and not at_wrap and not clipped:
            return
        block = max(round(self.scale.cycle_s * fs), 1)
        if not self._fitted:
            self._largest = _usual_height(last(_HISTORY_S), block)
        wanted = usual_extremes(last(_BLOCKS * self.scale.cycle_s) if self._fitted and not clipped else recent, block)
        if wanted is None:
            return
        self._fitted = self._fitted or int(np.isfinite(recent).sum()) >= block
        fitted = self._limits(wanted)
        contains = self.current[0] <= fitted[0] and fitted[1] <= self.current[1]
        size = fitted[1] - fitted[0]
        if not (at_wrap and contains and size > _SHRINK * (self.current[1] - self.current[0])):
            self.current = fitted

    def _limits(self, extremes: Range) -> Range:
        low, high = extremes
        if self.scale.step:
            step = self.scale.step
            low = 0.0 if self.scale.from_zero else math.floor(low / step) * step
            high = max(math.ceil(high / step) * step, low + self.scale.smallest)
            return low, high
        self._largest = max(self._largest, high - low)
        size = max(high - low, _LEAST * self._largest, 1e-6)
        middle = (low + high) / 2
        return middle - (0.5 + _MARGIN) * size, middle + (0.5 + _MARGIN) * size


def _usual_height(values: FloatArray, block: int) -> float:
    """Return the upper quartile of the heights of the blocks of a wave; 0 without a whole block."""
    blocks = values[len(values) % block :].reshape(-1, block) if len(values) >= block else np.empty((0, block))
    blocks = blocks[np.isfinite(blocks).any(axis=1)]
    if not len(blocks):
        return 0.0
    return float(np.percentile(np.nanmax(blocks, axis=1) - np.nanmin(blocks, axis=1), _QUARTILE))
