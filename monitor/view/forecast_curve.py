"""A forecast at each sample, from the samples that its message contains.

The mean is a cubic Hermite curve whose slope at each known sample is that of the parabola through it and its two
neighbours; straight lines would cut the peaks of QRS complexes. The scale is linear between the known samples, so that
it is never negative. Both are linear in the known values: one matrix for each choice of offsets.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from monitor.common.ring_buffer import FloatArray
from monitor.view.trace import Fan
from stream.wire.messages import Forecast

Z_90 = 1.645
"""Half width of the central 90 % interval of a normal distribution, in standard deviations."""


def fan_chart(forecast: Forecast, observed: FloatArray) -> Fan:
    """Return mean and 90 % interval at each sample, from the last observed one on.

    Parameters
    ----------
    forecast : Forecast
    observed : array of shape (leads,)
        The sample at the forecast's origin, mV. Where it is NaN, the curve begins with the first values known.
    """
    mean, scale = forecast.mean_mv(), forecast.scale_mv()
    missing = np.isnan(observed)
    mean = np.vstack([np.where(missing, mean[0], observed), mean])
    scale = np.vstack([np.where(missing, scale[0], 0), scale])
    curve, half = _product(_cubic(forecast.offsets), mean), Z_90 * _product(_linear(forecast.offsets), scale)
    return Fan(forecast.origin, curve, curve - half, curve + half)


def predicted_mean(forecast: Forecast, first: int, stop: int) -> FloatArray:
    """Return the mean from ``first`` to ``stop - 1`` samples after the origin, shape (stop - first, leads), mV.

    The result is shorter where the forecast ends before.
    """
    mean = forecast.mean_mv()
    return _product(_cubic(forecast.offsets)[first:stop], np.vstack([mean[:1], mean]))


def cubic(
    known: npt.NDArray[np.float64], values: npt.NDArray[np.floating], sample: npt.NDArray[np.int64]
) -> FloatArray:
    """Return a curve through known values, of shape (known, columns), at some samples, of shape (samples, columns).

    Parameters
    ----------
    known : ndarray of float64, shape (known,)
        Ascending, at least two.
    values, sample : ndarray
    """
    slope = np.gradient(values, known, axis=0)
    left = np.searchsorted(known[1:-1], sample, side="right")
    width = np.diff(known)[left, None]
    t = (sample[:, None] - known[left, None]) / width
    ends = (1 + 2 * t) * (1 - t) ** 2 * values[left] + t**2 * (3 - 2 * t) * values[left + 1]
    slopes = t * (1 - t) ** 2 * slope[left] - t**2 * (1 - t) * slope[left + 1]
    curve: FloatArray = (ends + width * slopes).astype(np.float32)
    return curve


def _product(weights: FloatArray, values: FloatArray) -> FloatArray:
    """Return the product of finite matrices."""
    with np.errstate(invalid="ignore"):  # some BLAS libraries report it for vector lanes beyond the matrix
        product: FloatArray = weights @ values
    return product


@functools.lru_cache(maxsize=8)
def _cubic(offsets: tuple[int, ...]) -> FloatArray:
    """Return the weights of the values at the origin and at the offsets, for each sample from the origin on."""
    known = np.array([0, *offsets], np.float64)
    return cubic(known, np.eye(len(known)), np.arange(offsets[-1] + 1))


@functools.lru_cache(maxsize=8)
def _linear(offsets: tuple[int, ...]) -> FloatArray:
    """Return the weights of straight lines, otherwise as `_cubic`."""
    known, sample = (0, *offsets), np.arange(offsets[-1] + 1)
    return np.column_stack([np.interp(sample, known, unit) for unit in np.eye(len(known))]).astype(np.float32)
