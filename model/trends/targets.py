"""What an hour is followed by: values, hypotension, the label of sepsis. Of whole records; never of a live bed."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from model.trends.vital_inputs import FORECAST, LOW_MMHG, MEAN_PRESSURE, Floats

HORIZONS_H: Final = (1, 2, 3, 6)
RISK_HORIZONS_H: Final = (1, 3, 6)
FROM_MMHG: Final = 70.0
"""Mean pressure from which on it is scored whether hypotension follows."""


def ahead(values: Floats, hours: int) -> Floats:
    """Return the values so many hours later, shape as ``values`` (beds, hours, …); NaN beyond the end."""
    later = np.full_like(values, np.nan)
    later[:, :-hours] = values[:, hours:]
    return later


def values_ahead(values: Floats) -> Floats:
    """Return what is measured at each horizon, shape (beds, hours, vitals, horizons), NaN where nothing is."""
    return np.stack([ahead(values[..., : len(FORECAST)], h) for h in HORIZONS_H], axis=-1)


def hypotension(values: Floats) -> Floats:
    """Return whether a mean pressure below 65 mmHg is measured within 1, 3, 6 h: 1, 0, or NaN if none is measured.

    Parameters
    ----------
    values : ndarray, shape (beds, hours, 7)

    Returns
    -------
    ndarray, shape (beds, hours, 3)
    """
    pressure = values[..., MEAN_PRESSURE]
    found = []
    lowest = np.full_like(pressure, np.nan)
    for h in range(1, max(RISK_HORIZONS_H) + 1):
        lowest = np.fmin(lowest, ahead(pressure, h))
        if h in RISK_HORIZONS_H:
            found.append(np.where(np.isnan(lowest), np.nan, lowest < LOW_MMHG))
    return np.stack(found, axis=-1)


def padded(rows: list[Floats]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return tables as one array, shape (beds, hours, columns), NaN after each end, and their lengths."""
    lengths = np.array([len(row) for row in rows], np.int64)
    table = np.full((len(rows), int(lengths.max(initial=0)), rows[0].shape[1]), np.nan)
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return table, lengths
