"""Pixels of a curve over hours: computed as an array, as the lines of all numbers of a bed would take long to draw."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.common.ring_buffer import FloatArray


def curve_pixels(
    values: FloatArray, columns: int, height: int, limits: tuple[float, float], width: float = 2.0
) -> npt.NDArray[np.bool_]:
    """Return which pixels a curve covers, shape (height, columns).

    It covers minimum to maximum of each column, and is connected to the next column if there is no gap.

    Parameters
    ----------
    values : array of shape (n,)
        NaN where there is none.
    columns, height : int
    limits : tuple of float
        The values at the lower and at the upper edge.
    width : float
        Width of the line, px.
    """
    low, high = column_extremes(values, columns)
    filled = np.flatnonzero(np.isfinite(low))
    if not len(filled):
        return np.zeros((height, columns), np.bool_)
    scale = height / (limits[1] - limits[0])
    # If a column is shorter than a second, columns between two seconds are empty, which is not a gap.
    bridged = _bridged(filled, columns, max(columns / len(values), 1.0) * 2.5)
    upper, lower = (
        np.where(bridged, np.interp(np.arange(columns), filled, height - (edge[filled] - limits[0]) * scale), np.nan)
        for edge in (high, low)
    )
    with np.errstate(invalid="ignore"):
        falls, rises = lower[:-1] < upper[1:], lower[1:] < upper[:-1]
    middle = np.where(falls, lower[:-1] + upper[1:], upper[:-1] + lower[1:]) / 2
    lower[:-1], upper[1:] = np.where(falls, middle, lower[:-1]), np.where(falls, middle, upper[1:])
    upper[:-1], lower[1:] = np.where(rises, middle, upper[:-1]), np.where(rises, middle, lower[1:])
    y = np.arange(height)[:, None] + 0.5
    covered: npt.NDArray[np.bool_] = (y >= upper - width / 2) & (y <= lower + width / 2)
    return covered


def _bridged(filled: npt.NDArray[np.intp], columns: int, max_distance: float) -> npt.NDArray[np.bool_]:
    """Return which columns have values, or are between two with values that are not too far apart."""
    at = np.arange(columns)
    before = filled[np.maximum(np.searchsorted(filled, at, side="right") - 1, 0)]
    after = filled[np.minimum(np.searchsorted(filled, at), len(filled) - 1)]
    bridged: npt.NDArray[np.bool_] = (before <= at) & (at <= after) & (after - before <= max_distance)
    return bridged


def column_extremes(values: FloatArray, columns: int) -> tuple[FloatArray, FloatArray]:
    """Return minimum and maximum of the values in each of a number of columns; NaN in empty columns."""
    low = np.full(columns, np.inf, np.float32)
    high = np.full(columns, -np.inf, np.float32)
    known = np.flatnonzero(np.isfinite(values))
    at = known * columns // len(values)
    np.minimum.at(low, at, values[known])
    np.maximum.at(high, at, values[known])
    empty = np.isinf(low)
    low[empty] = high[empty] = np.nan
    return low, high
