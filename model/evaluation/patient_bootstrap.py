"""Bootstrap over patients: 95 % confidence intervals of means and pooled metrics.

Beats of one patient resemble each other, so patients are resampled, not beats. Records of one patient are resampled
together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from model.signal.arrays import FloatArray, IntArray

PATIENT: Mapping[str, str] = {"202": "201"}
"""Records of a patient who has another record."""

ON_BOTH_SIDES = tuple(PATIENT)
"""Records of DS2 whose patient is also in DS1; metrics are reported with and without them."""

DRAWS, SEED = 1000, 0


def draw_records(records: Iterable[str]) -> IntArray:
    """Resample the patients of MIT-BIH records; the draws are always the same.

    Returns
    -------
    ndarray of int64, shape (DRAWS, records)
        How often each record was drawn.
    """
    return draw_patients([PATIENT.get(name, name) for name in records], DRAWS, SEED)


def draw_patients(patients: Sequence[str], draws: int, seed: int) -> IntArray:
    """Draw as many patients as there are, with replacement.

    Parameters
    ----------
    patients : sequence of str
        The patient of each record.
    draws, seed : int

    Returns
    -------
    ndarray of int64, shape (draws, records)
        How often each record was drawn.
    """
    names, which = np.unique(np.array(patients), return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    return drawn[:, which].astype(np.int64)


def interval95(draws: FloatArray) -> FloatArray:
    """Return the 2.5th and the 97.5th percentile over the first axis, NaN ignored.

    Parameters
    ----------
    draws : ndarray, shape (draws, ...)
        A metric of each draw; NaN where it is undefined.

    Returns
    -------
    ndarray, shape (2, ...)
        NaN where the metric is undefined in all draws.
    """
    columns = draws.reshape(len(draws), -1).T
    known = [column[~np.isnan(column)] for column in columns]
    ends = [np.quantile(column, (0.025, 0.975)) if len(column) else np.full(2, np.nan) for column in known]
    return np.stack(ends, axis=1).reshape(2, *draws.shape[1:])
