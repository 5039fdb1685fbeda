"""The personal head: the patient's own recent errors correct level and spread of the forecast.

Each hour, the medians that were forecast for this hour are compared with what is measured. The running mean of the
errors, shrunk, moves the next medians; the running mean of their size against the interval's scales the interval.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from model.trends.targets import HORIZONS_H
from model.trends.vital_inputs import FORECAST, Floats

LONGEST: Final = max(HORIZONS_H)
NORMAL_WIDTH: Final = 0.622
"""Mean absolute error over half the width of the 80 % interval, of a normal distribution: 0.798 / 1.282."""

Settings = tuple[float, float, float]
"""Shares of the mean error that moves the median and of the log spread that scales the interval, and how many hours
of no error are counted beforehand (shrinkage)."""


class PersonalState(NamedTuple):
    """What is known of the patient's errors; v vitals, k horizons, all in scales from the centre.

    Attributes
    ----------
    pending : ndarray, shape (n, LONGEST, v, k)
        Medians that were forecast 1, 2, … hours ago, before their correction; NaN before the first hour.
    width : ndarray, shape (n, LONGEST, v, k)
        Half widths of their intervals.
    number, error, size : ndarray, shape (n, v, k)
        Discounted number of errors, their sum, and the sum of their sizes over the half widths.
    """

    pending: Floats
    width: Floats
    number: Floats
    error: Floats
    size: Floats


MEMORY: Final = 1 - 1 / 24
"""Share of the sums that is kept from hour to hour."""


def begin(n: int) -> PersonalState:
    """Return the state of n beds before their first hour."""
    shape = (len(FORECAST), len(HORIZONS_H))
    nothing = np.full((n, LONGEST, *shape), np.nan)
    return PersonalState(nothing, nothing.copy(), *(np.zeros((n, *shape)) for _ in range(3)))


def learn(state: PersonalState, measured: Floats) -> PersonalState:
    """Process what is measured in this hour, in scales, shape (n, v), NaN where nothing is; before `correct`."""
    due = np.stack([state.pending[:, h - 1, :, k] for k, h in enumerate(HORIZONS_H)], axis=-1)
    width = np.stack([state.width[:, h - 1, :, k] for k, h in enumerate(HORIZONS_H)], axis=-1)
    error = measured[..., None] - due
    known = ~np.isnan(error)
    error = np.where(known, error, 0.0)
    size = np.where(known, np.minimum(np.abs(error) / np.where(known, width, 1.0), 4.0), 0.0)
    number, errors, sizes = (MEMORY * old for old in (state.number, state.error, state.size))
    return state._replace(number=number + known, error=errors + error, size=sizes + size)


def correct(
    state: PersonalState, low: Floats, median: Floats, high: Floats, settings: Settings
) -> tuple[Floats, Floats, Floats, PersonalState]:
    """Return low, median and high of this hour, corrected, each of shape (n, v, k), and the new state."""
    level, spread, prior = settings
    shift = level * state.error / (state.number + prior)
    size = (state.size + prior * NORMAL_WIDTH) / (state.number + prior)
    factor = (size / NORMAL_WIDTH) ** spread
    middle = median + shift
    half = np.maximum((high - low) / 2, 1e-3)
    pending = np.concatenate([median[:, None], state.pending[:, :-1]], axis=1)
    width = np.concatenate([half[:, None], state.width[:, :-1]], axis=1)
    corrected = middle - factor * (median - low), middle, middle + factor * (high - median)
    return *corrected, state._replace(pending=pending, width=width)
