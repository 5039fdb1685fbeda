"""How rare the log-odds of a second are for this patient: the null distribution of the anomaly score.

A Gumbel distribution of a block's highest log-odds, the same for all patients; if a patient's stay high, it is shifted
upwards, and never downwards. Beside it, the quantiles of the patient's recent peaks, which features are relative to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from model.anomaly.features import QUANTILES
from model.anomaly.state import AnomalyConfig, Usual
from model.signal.arrays import FloatArray

LOCATION, SPREAD = -6.6, 1.0
"""The Gumbel distribution of a second's highest log-odds, for all patients. With it, and with weights fitted to the
other groups of records, scores of 2, 2.5 and 3 came in 14.6, 4.6 and 1.5 of 1,000 seconds without a ventricular beat,
mean over the records of DS1; in the median record in 6.3, 1.4 and 0, in the worst in 106, 39 and 8."""

USUAL_SHARE, USUAL_LOG_ODDS = 0.4, -3.5
"""If this quantile of a patient's highest log-odds lies above this value, the null distribution is shifted upwards by
the difference."""


def rarity(log_odds: FloatArray) -> FloatArray:
    """Return ``-log10`` of the chance that a block of the usual rhythm has log-odds as high."""
    y = np.maximum((log_odds - LOCATION) / SPREAD, -5.0)
    # Beyond 30 the chance is exp(-y) to the last digit, and would underflow later.
    return np.where(y > 30, y / math.log(10), -np.log10(-np.expm1(-np.exp(-np.minimum(y, 30)))))


def learn(config: AnomalyConfig, usual: Usual, peaks: FloatArray) -> Usual:
    """Remember the highest levels of a block, unless one was never known."""
    if not np.isfinite(peaks).all():
        return usual
    kept = np.concatenate([usual.peaks, peaks[None]])[-config.memory :]
    if len(kept) < config.warm:
        return replace(usual, peaks=kept)
    return replace(usual, peaks=kept, quantiles=_quantiles(kept, QUANTILES))


def learn_log_odds(config: AnomalyConfig, usual: Usual, highest: float) -> Usual:
    """Remember the highest log-odds of a block, and shift the null distribution if many of the patient's are high."""
    if not math.isfinite(highest):
        return usual
    kept = np.append(usual.log_odds, highest)[-config.long_memory :]
    if len(kept) < config.warm:
        return replace(usual, log_odds=kept)
    shift = float(_quantiles(kept, (USUAL_SHARE,))[0]) - USUAL_LOG_ODDS
    return replace(usual, log_odds=kept, shift=max(shift, 0.0))


def _quantiles(values: FloatArray, shares: Sequence[float]) -> FloatArray:
    """Return quantiles along the first axis, interpolated: numpy's own take five times as long for so few values."""
    place = np.array(shares) * (len(values) - 1)
    below = place.astype(np.int64)
    ordered = np.sort(values, axis=0)
    part = (place - below).reshape(-1, *(1,) * (values.ndim - 1))
    low: FloatArray = ordered[below]
    return low + (ordered[np.minimum(below + 1, len(values) - 1)] - low) * part
