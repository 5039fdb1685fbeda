"""Forecasts at the ends of strides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple, overload

import numpy as np

from model.pipeline.vitals_output import StrideForecast
from model.signal.arrays import Float32Array, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class StrideForecasts(Sequence[StrideForecast]):
    """Forecasts of one bed at the ends of k strides, in order: columns of `StrideForecast`.

    Attributes
    ----------
    origin : ndarray of int64, shape (k,)
        Index of the last observed sample; ``mean[j, i]`` is for sample ``origin[j] + 1 + i``.
    observed : ndarray, shape (k,)
        That sample on the first lead, mV; NaN where invalid.
    mean, scale : ndarray of float32, shape (k, horizon, leads)
        mV; ``scale`` is the predicted standard deviation.
    score : ndarray, shape (k,)
        The highest anomaly score of each stride, ``-log10`` of a probability per second; NaN while learning.
    personal_mean, personal_scale : ndarray of float32, shape (k, offsets, leads)
        The forecast that knows the patient, mV, `model.forecast.personal_forecast.OFFSETS` samples after the origin.
    """

    origin: IntArray
    observed: FloatArray
    mean: Float32Array
    scale: Float32Array
    score: FloatArray
    personal_mean: Float32Array
    personal_scale: Float32Array

    def __len__(self) -> int:
        return len(self.origin)

    def __iter__(self) -> Iterator[StrideForecast]:
        return map(
            StrideForecast,
            self.origin.tolist(),
            self.observed.tolist(),
            self.mean,
            self.scale,
            self.score.tolist(),
            self.personal_mean,
            self.personal_scale,
        )

    @overload
    def __getitem__(self, index: int) -> StrideForecast: ...

    @overload
    def __getitem__(self, index: slice) -> StrideForecasts: ...

    def __getitem__(self, index: int | slice) -> StrideForecast | StrideForecasts:
        if isinstance(index, slice):
            return StrideForecasts(*(getattr(self, field.name)[index] for field in fields(self)))
        return StrideForecast(
            int(self.origin[index]),
            float(self.observed[index]),
            self.mean[index],
            self.scale[index],
            float(self.score[index]),
            self.personal_mean[index],
            self.personal_scale[index],
        )


class GroupForecasts(NamedTuple):
    """Forecasts of several beds at the ends of k strides each: the columns of `StrideForecasts` with an axis of beds.

    Attributes
    ----------
    origin : ndarray of int64, shape (beds, k)
    observed : ndarray, shape (beds, k), mV
    mean, scale : ndarray of float32, shape (beds, k, horizon, leads), mV
    score : ndarray, shape (beds, k)
    personal_mean, personal_scale : ndarray of float32, shape (beds, k, offsets, leads), mV
    """

    origin: IntArray
    observed: FloatArray
    mean: Float32Array
    scale: Float32Array
    score: FloatArray
    personal_mean: Float32Array
    personal_scale: Float32Array

    def of_beds(self) -> Iterator[StrideForecasts]:
        """Yield the forecasts of each bed."""
        return map(StrideForecasts, *self)


NONE = StrideForecasts(
    np.zeros(0, np.int64),
    np.zeros(0),
    np.zeros((0, 0, 0), np.float32),
    np.zeros((0, 0, 0), np.float32),
    np.zeros(0),
    np.zeros((0, 0, 0), np.float32),
    np.zeros((0, 0, 0), np.float32),
)
"""No forecasts."""
