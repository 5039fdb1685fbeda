"""Amplitude range of a lane: of a given gain, or fitted to the signal in steps of gain.

A fitted lane shows the size of the patient's complexes, not of single artefacts: its range is taken from the extremes
of 2 s blocks over 30 s, without the most extreme of them.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from stream.timebase import FS

Range = tuple[float, float]

GAIN_STEPS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0, 40.0)
"""Gains of a fitted lane, mm/mV."""

BLOCK = 2 * FS
"""Length of a block in samples: it contains a complex at 30/min."""

MEMORY = 15 * BLOCK
"""Samples from which a lane is fitted: 30 s."""

MIN_AMPLITUDE_MV = 0.6
"""A smaller signal is drawn as if it had this size, mV: the noise of asystole must not fill the lane."""

_STEP_MV = 0.1
_RECORDING_STEP_MV, _RECORDING_MIN_MV, _RECORDING_MARGIN_MV = 0.5, 2.5, 0.2
_FILLED = 0.84
"""Largest share of a lane that the signal fills."""

_IGNORED_SHARE = 0.13
"""Share of the blocks whose extremes may lie outside: two of fifteen."""

_TRIM = 2.5
"""Share of the samples beyond the trimmed extremes of the last blocks, per cent on each side."""

_CLIPPED_SHARE = 0.05


def fit_range(mv: npt.NDArray[np.float32]) -> Range | None:
    """Return a range that contains all samples of a recording, at least 2.5 mV high; None without samples."""
    finite = mv[np.isfinite(mv)]
    if not len(finite):
        return None
    low = math.floor((float(finite.min()) - _RECORDING_MARGIN_MV) / _RECORDING_STEP_MV) * _RECORDING_STEP_MV
    high = math.ceil((float(finite.max()) + _RECORDING_MARGIN_MV) / _RECORDING_STEP_MV) * _RECORDING_STEP_MV
    while high - low < _RECORDING_MIN_MV:
        high += _RECORDING_STEP_MV
        if high - low < _RECORDING_MIN_MV:
            low -= _RECORDING_STEP_MV
    return low, high


def usual_extremes(values: npt.NDArray[np.float32], block: int = BLOCK) -> Range | None:
    """Return minimum and maximum without single outliers; None without samples.

    These are the extremes of blocks, without the most extreme 13 % of the blocks, extended to the 2.5th and 97.5th
    percentile of the last two blocks: so a change of rhythm counts before it fills many blocks.

    Parameters
    ----------
    values : array of shape (n,)
        NaN where unknown.
    block : int
        Samples of a block.
    """
    recent = values[-2 * block :]
    recent = recent[np.isfinite(recent)]
    whole = values[len(values) % block :] if len(values) >= block else values
    blocks = whole.reshape(-1, block) if len(values) >= block else whole[np.newaxis]
    blocks = blocks[np.isfinite(blocks).any(axis=1)]
    if not len(blocks):
        return None
    lows, highs = np.sort(np.nanmin(blocks, axis=1)), np.sort(np.nanmax(blocks, axis=1))
    ignored = int(len(blocks) * _IGNORED_SHARE + 0.1)
    low, high = float(lows[ignored]), float(highs[-1 - ignored])
    if len(recent):
        trimmed = np.percentile(recent, [_TRIM, 100 - _TRIM])
        low, high = min(low, float(trimmed[0])), max(high, float(trimmed[1]))
    return low, high


def centred_range(extremes: Range, height_mv: float) -> Range:
    """Return a range of a given height around the signal, on a grid of 0.1 mV."""
    low = round((sum(extremes) / 2 - height_mv / 2) / _STEP_MV) * _STEP_MV
    return low, low + height_mv


def fitting_gain(extremes: Range, height_mm: float) -> float:
    """Return the largest of `GAIN_STEPS` at which the signal fits into a lane of a height in mm."""
    size = max(extremes[1] - extremes[0], MIN_AMPLITUDE_MV)
    return max((gain for gain in GAIN_STEPS if size * gain <= _FILLED * height_mm), default=GAIN_STEPS[0])


def adapt_range(current: Range | None, mv: npt.NDArray[np.float32], height_mm: float) -> Range | None:
    """Return the range of a fitted lane for the next sweep.

    A lane keeps its gain until the signal is too large for it or two steps too small, and its centre until the signal
    leaves the lane or lies an eighth of its height from the centre: a trace that changes often cannot be read.

    Parameters
    ----------
    current : tuple of (float, float) or None
    mv : array of shape (n,)
        The last `MEMORY` samples; NaN where unknown.
    height_mm : float
        Height of the lane.
    """
    extremes = usual_extremes(mv)
    if extremes is None:
        return current
    gain = fitting_gain(extremes, height_mm)
    if current is not None:
        before = height_mm / (current[1] - current[0])
        if gain >= before - 1e-6 and sum(before + 1e-6 < step <= gain for step in GAIN_STEPS) < 2:
            gain = before
            off_centre = abs(sum(extremes) - sum(current)) / 2 > (current[1] - current[0]) / 8
            if current[0] <= extremes[0] and extremes[1] <= current[1] and not off_centre:
                return current
    return centred_range(extremes, height_mm / gain)


def is_clipped(current: Range, recent: npt.NDArray[np.float32]) -> bool:
    """Return whether more than 5 % of the recent samples lie outside of a range: too many for an artefact."""
    outside = (recent < current[0]) | (recent > current[1])
    return int(outside.sum()) > _CLIPPED_SHARE * len(recent)


def move_range(current: Range | None, mv: npt.NDArray[np.float32], height_mv: float, at_wrap: bool) -> Range | None:
    """Return the range of a lane of fixed height for the next samples.

    The lane moves if a sample would be clipped that a moved lane can hold, and at the start of a sweep if the signal is
    far from its centre.
    """
    finite = mv[np.isfinite(mv)]
    if not len(finite):
        return current
    low, high = float(finite.min()), float(finite.max())
    wanted = centred_range((low, high), height_mv)
    if current is None or abs(current[1] - current[0] - height_mv) > 1e-6:
        return wanted
    clipped = low < current[0] or high > current[1]
    if (clipped and high - low <= height_mv - 2 * _STEP_MV) or (
        at_wrap and abs(wanted[0] - current[0]) > height_mv / 4
    ):
        return wanted
    return current
