"""From log-odds to scores: ``-log10`` of the probability under the null distribution, an extreme-value (Gumbel) law.

The null distribution is that of the highest log-odds in a block of normal rhythm. It is shifted upwards for patients
whose log-odds stay high, and never downwards.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from model.anomaly import patient_history
from model.anomaly.blocks import split_at_blocks
from model.anomaly.state import AnomalyConfig, AnomalyState
from model.signal.arrays import FloatArray

GUMBEL_LOCATION, GUMBEL_SCALE = -6.6, 1.0
"""Null distribution of the highest log-odds of a second, for all patients. With it, and with weights fitted to the
other groups of records, scores of 2, 2.5 and 3 were reached in 14.6, 4.6 and 1.5 of 1,000 seconds without a ventricular
beat, mean over the records of DS1; in the median record in 6.3, 1.4 and 0, in the worst in 106, 39 and 8."""


def gumbel_score(log_odds: FloatArray) -> FloatArray:
    """Return ``-log10`` of the probability that a block of normal rhythm has log-odds at least as high."""
    y = np.maximum((log_odds - GUMBEL_LOCATION) / GUMBEL_SCALE, -5.0)
    # Beyond 30 the probability equals exp(-y) in double precision, and would underflow later.
    return np.where(y > 30, y / math.log(10), -np.log10(-np.expm1(-np.exp(-np.minimum(y, 30)))))


def score_log_odds(
    config: AnomalyConfig, state: AnomalyState, first: int, log_odds: FloatArray
) -> tuple[FloatArray, AnomalyState]:
    """Return the scores of patches, the first of which is patch ``first``, and learn the log-odds of full blocks.

    Parameters
    ----------
    config : AnomalyConfig
    state : AnomalyState
    first : int
    log_odds : ndarray, shape (k,)
        NaN where unknown.

    Returns
    -------
    ndarray, shape (k,)
    AnomalyState
    """
    history, peak = state.history, state.block_log_odds
    shift = np.empty(len(log_odds))
    for begins, ends, full in split_at_blocks(config.block, first, len(log_odds)):
        shift[begins:ends] = history.shift
        peak = float(np.fmax(peak, np.fmax.reduce(log_odds[begins:ends])))
        if full:
            history, peak = patient_history.add_log_odds(config, history, peak), math.nan
    return gumbel_score(log_odds - shift), replace(state, history=history, block_log_odds=peak)
