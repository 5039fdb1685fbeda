"""Excerpts of a record with the forecast of each second, made at its beginning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.forecast.personal_forecast import OFFSETS
from model.signal.arrays import Float32Array, FloatArray, IntArray
from stream.timebase import FS, STRIDE

SECONDS = 4
"""Length of an excerpt."""

BETTER = (0.5, 0.9)
"""Share of the excerpts of a record with a smaller error than the typical one, and than the hard one."""


@dataclass(frozen=True, slots=True)
class SecondAhead:
    """Some seconds of a record.

    Attributes
    ----------
    start : int
        Index of its first sample, the origin of the first forecast.
    rmse : float
        mV, at all offsets of its forecasts.
    truth : ndarray of float64, shape (SECONDS * FS + 1,)
        mV.
    mean, scale : ndarray of float32, shape (SECONDS, offsets)
        Forecasts from the beginnings of the seconds, mV.
    """

    start: int
    rmse: float
    truth: FloatArray
    mean: Float32Array
    scale: Float32Array


def excerpts(x: FloatArray, origin: IntArray, mean: Float32Array, scale: Float32Array) -> tuple[SecondAhead, ...]:
    """Return a typical and a hard excerpt: those whose error exceeds the shares `BETTER` of all others.

    Parameters
    ----------
    x : ndarray of float64, shape (n,)
        mV.
    origin : ndarray of int64, shape (k,)
        One for each stride, `SECONDS` or more.
    mean, scale : ndarray of float32, shape (k, offsets)
        Forecasts from them, mV.
    """
    step = FS // STRIDE
    error = ((x[origin[:, None] + np.array(OFFSETS)] - mean) ** 2).mean(axis=1)
    first = np.arange(0, len(origin) - (SECONDS - 1) * step, SECONDS * step)
    square = error[first[:, None] + step * np.arange(SECONDS)].mean(axis=1)
    order = np.argsort(square, kind="stable")
    found = []
    for share in BETTER:
        which = order[int(share * (len(order) - 1))]
        start, rows = int(origin[first[which]]), first[which] + step * np.arange(SECONDS)
        truth = x[start : start + SECONDS * FS + 1]
        found.append(SecondAhead(start, float(np.sqrt(square[which])), truth, mean[rows], scale[rows]))
    return tuple(found)
