"""What is normal for one patient: quantiles of the levels, and the shift of the null distribution.

Both are learnt from one peak per block.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from model.anomaly.features import LEVELS, QUANTILES
from model.anomaly.state import AnomalyConfig, PatientHistory
from model.signal.arrays import FloatArray

SHIFT_QUANTILE, EXPECTED_LOG_ODDS = 0.4, -3.5
"""If this quantile of a patient's block peaks of log-odds exceeds the expected value, the null distribution is shifted
upwards by the difference."""


def begin() -> PatientHistory:
    """Return the history before the first block."""
    return PatientHistory(np.empty((0, LEVELS)), np.full((len(QUANTILES), LEVELS), np.nan), np.empty(0))


def add_levels(config: AnomalyConfig, history: PatientHistory, peaks: FloatArray) -> PatientHistory:
    """Add the highest levels of a block, shape (LEVELS,); a block with an unknown level is ignored."""
    if not np.isfinite(peaks).all():
        return history
    kept = np.concatenate([history.peaks, peaks[None]])[-config.memory :]
    if len(kept) < config.warm:
        return replace(history, peaks=kept)
    return replace(history, peaks=kept, quantiles=_quantiles(kept, QUANTILES))


def add_log_odds(config: AnomalyConfig, history: PatientHistory, peak: float) -> PatientHistory:
    """Add the highest log-odds of a block and update the shift; an unknown value is ignored."""
    if not math.isfinite(peak):
        return history
    kept = np.append(history.log_odds, peak)[-config.long_memory :]
    if len(kept) < config.warm:
        return replace(history, log_odds=kept)
    shift = float(_quantiles(kept, (SHIFT_QUANTILE,))[0]) - EXPECTED_LOG_ODDS
    return replace(history, log_odds=kept, shift=max(shift, 0.0))


def _quantiles(values: FloatArray, shares: Sequence[float]) -> FloatArray:
    """Return interpolated quantiles along the first axis; numpy's take five times as long for so few values."""
    place = np.array(shares) * (len(values) - 1)
    below = place.astype(np.int64)
    ordered = np.sort(values, axis=0)
    part = (place - below).reshape(-1, *(1,) * (values.ndim - 1))
    low: FloatArray = ordered[below]
    return low + (ordered[np.minimum(below + 1, len(values) - 1)] - low) * part
