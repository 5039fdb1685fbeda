"""What is normal for one patient: quantiles of the levels, and the shift of the null distribution.

Both are learnt from one peak per block.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from model.anomaly.features import LEVELS, QUANTILES
from model.signal.arrays import FloatArray, IntArray
from model.signal.compiled import compiled, compiled_part

MEMORY, LONG_MEMORY = 120, 300
"""Blocks of the history of levels, and of that of log-odds."""

WARM = 12
"""Blocks needed before the first quantiles, and so before the first score."""

SHIFT_QUANTILE, EXPECTED_LOG_ODDS = 0.4, -3.5
"""If this quantile of a patient's block peaks of log-odds exceeds the expected value, the null distribution is shifted
upwards by the difference."""


class PatientHistory(NamedTuple):
    """Columns over beds: peaks of the patient's past blocks. They change once per block.

    Attributes
    ----------
    peaks : ndarray, shape (beds, LEVELS, MEMORY)
        Highest levels of each of the last blocks; block i is at index ``i % MEMORY``.
    ordered_peaks : ndarray, shape (beds, LEVELS, MEMORY)
        The known peaks of each level, in rising order.
    blocks : ndarray of int64, shape (beds,)
        Number of blocks whose peaks were added.
    quantiles : ndarray, shape (beds, len(QUANTILES), LEVELS)
        Quantiles of the peaks; NaN while learning.
    log_odds, ordered_log_odds : ndarray, shape (beds, LONG_MEMORY)
        Highest log-odds of each of the last blocks, arranged as the peaks are.
    log_odds_blocks : ndarray of int64, shape (beds,)
        Number of blocks whose log-odds were added.
    shift : ndarray, shape (beds,)
        Upward shift of the null distribution.
    """

    peaks: FloatArray
    ordered_peaks: FloatArray
    blocks: IntArray
    quantiles: FloatArray
    log_odds: FloatArray
    ordered_log_odds: FloatArray
    log_odds_blocks: IntArray
    shift: FloatArray


def begin() -> PatientHistory:
    """Return the history of one bed before the first block."""
    return PatientHistory(
        peaks=np.zeros((1, LEVELS, MEMORY)),
        ordered_peaks=np.zeros((1, LEVELS, MEMORY)),
        blocks=np.zeros(1, np.int64),
        quantiles=np.full((1, len(QUANTILES), LEVELS), np.nan),
        log_odds=np.zeros((1, LONG_MEMORY)),
        ordered_log_odds=np.zeros((1, LONG_MEMORY)),
        log_odds_blocks=np.zeros(1, np.int64),
        shift=np.zeros(1),
    )


@compiled
def add_levels(history: PatientHistory, bed: int, peaks: FloatArray) -> None:
    """Add the highest levels of a block, shape (LEVELS,); a block with an unknown level is ignored."""
    for level in range(LEVELS):
        if not math.isfinite(peaks[level]):
            return
    added = history.blocks[bed]
    history.blocks[bed] = added + 1
    for level in range(LEVELS):
        ordered = history.ordered_peaks[bed, level]
        known = _add(history.peaks[bed, level], ordered, added, peaks[level])
        if known >= WARM:
            for i, share in enumerate(QUANTILES):
                history.quantiles[bed, i, level] = _quantile(ordered, known, share)


@compiled
def add_log_odds(history: PatientHistory, bed: int, peak: float) -> None:
    """Add the highest log-odds of a block and update the shift; an unknown value is ignored."""
    if not math.isfinite(peak):
        return
    added = history.log_odds_blocks[bed]
    history.log_odds_blocks[bed] = added + 1
    ordered = history.ordered_log_odds[bed]
    known = _add(history.log_odds[bed], ordered, added, peak)
    if known >= WARM:
        history.shift[bed] = max(_quantile(ordered, known, SHIFT_QUANTILE) - EXPECTED_LOG_ODDS, 0.0)


@compiled_part
def _add(last: FloatArray, ordered: FloatArray, added: int, value: float) -> int:
    """Put a value in the place of the oldest one, in time and in order; return the number of values.

    Moving one value within the order costs much less than sorting all of them.
    """
    size = len(last)
    slot = added % size
    known = min(added + 1, size)
    place = 0
    while place < known - 1 and (added < size or ordered[place] != last[slot]):
        place += 1
    last[slot] = value
    while place > 0 and ordered[place - 1] > value:
        ordered[place] = ordered[place - 1]
        place -= 1
    while place < known - 1 and ordered[place + 1] < value:
        ordered[place] = ordered[place + 1]
        place += 1
    ordered[place] = value
    return known


@compiled_part
def _quantile(ordered: FloatArray, known: int, share: float) -> float:
    """Return the interpolated quantile of the first ``known`` values."""
    place = share * (known - 1)
    below = int(place)
    low: float = ordered[below]
    high: float = ordered[min(below + 1, known - 1)]
    return low + (high - low) * (place - below)
