"""What the network sees of an hour: seven vitals, carried forward, bounded, with their recent course.

Nothing here says whether or when a value was measured, how long the patient has been in intensive care, or how old
they are: these say what the staff expects, and differ between hospitals. All arrays are float64; n is beds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from stream.wire.numerics_message import NumericName

Floats = npt.NDArray[np.float64]

VITALS: Final[tuple[NumericName, ...]] = (
    "heart_rate",
    "nibp_mean",
    "nibp_systolic",
    "spo2",
    "respiration_rate",
    "temperature",
    "nibp_diastolic",
)
"""Inputs, in their order; all but the last are forecast."""

FORECAST: Final[tuple[NumericName, ...]] = VITALS[:6]
MEAN_PRESSURE: Final = VITALS.index("nibp_mean")

CENTRE: Final = np.array([84.0, 77.0, 118.5, 98.0, 18.0, 37.06, 58.5])
"""Medians of set A of the Challenge 2019; in place of what has not been measured yet."""

SCALE: Final = np.array([17.0, 16.0, 23.0, 3.0, 5.0, 0.75, 13.5])
"""About one standard deviation, in the units of the vitals."""

BOUND: Final = 4.0
"""Inputs lie within so many scales of the centre."""

FAST, SLOW = 1 / 6, 1 / 24
"""Shares of a new hour in the running means: of level and variability, and of the long level."""

LOW_MMHG: Final = 65.0
"""Below this mean pressure a patient is hypotensive."""

FEATURES: Final = 5 * len(VITALS) + 3


class InputState(NamedTuple):
    """The course of the vitals so far, in scales from the centre.

    Attributes
    ----------
    seen : ndarray of bool, shape (n, 7)
        Measured at least once.
    level, mean, long_mean, variability : ndarray, shape (n, 7)
        The carried value, its running means over 6 h and 24 h, and the running mean of its hourly changes.
    low : ndarray, shape (n, 3)
        Of the mean pressure: shares of 6 h and 24 h with hypotension, and the lowest level, forgotten over 24 h.
    """

    seen: npt.NDArray[np.bool_]
    level: Floats
    mean: Floats
    long_mean: Floats
    variability: Floats
    low: Floats


def begin(n: int) -> InputState:
    """Return the state of n beds before their first hour."""
    level, mean, long_mean, variability = (np.zeros((n, len(VITALS))) for _ in range(4))
    return InputState(np.zeros((n, len(VITALS)), np.bool_), level, mean, long_mean, variability, np.zeros((n, 3)))


def values_of(measured: Mapping[str, float | None]) -> Floats:
    """Return the vitals of one bed, shape (7,), NaN where missing; a pressure of an arterial line replaces a cuff's."""
    found = []
    for name in VITALS:
        line = measured.get(name.replace("nibp", "abp")) if name.startswith("nibp") else None
        value = line if line is not None else measured.get(name)
        found.append(np.nan if value is None else float(value))
    return np.array(found)


def step(state: InputState, values: Floats) -> tuple[Floats, InputState]:
    """Process one hour.

    Parameters
    ----------
    state : InputState
    values : ndarray, shape (n, 7)
        Measured in this hour, in their units; NaN is missing.

    Returns
    -------
    ndarray, shape (n, FEATURES)
    InputState
    """
    new = ~np.isnan(values)
    scaled = np.clip((values - CENTRE) / SCALE, -BOUND, BOUND)
    level = np.where(new, scaled, state.level)
    first = new & ~state.seen
    before, mean, long_mean = (np.where(first, scaled, old) for old in (state.level, state.mean, state.long_mean))
    change = level - before
    mean = mean + FAST * (level - mean)
    long_mean = long_mean + SLOW * (level - long_mean)
    variability = state.variability + FAST * (np.abs(change) - state.variability)
    pressure = level[:, MEAN_PRESSURE]
    hypotensive = pressure < (LOW_MMHG - CENTRE[MEAN_PRESSURE]) / SCALE[MEAN_PRESSURE]
    lowest = np.minimum(pressure, state.low[:, 2] + SLOW * (pressure - state.low[:, 2]))
    shares = [state.low[:, i] + rate * (hypotensive - state.low[:, i]) for i, rate in enumerate((FAST, SLOW))]
    low = np.stack([*shares, lowest], axis=1)
    parts = [level, change, level - mean, level - long_mean, 3 * variability, 3 * low[:, :2], lowest[:, None]]
    return np.concatenate(parts, axis=1), InputState(state.seen | new, level, mean, long_mean, variability, low)


def carried(state: InputState) -> Floats:
    """Return the carried values in their units, shape (n, 7); the population's median where none was measured."""
    return CENTRE + SCALE * state.level
