"""Features of the anomaly score: deviation of the signal from its forecasts, per patch, over the last second.

Seven **channels** are measured on each patch and lead. Their moving averages give eight **levels**, as logarithms;
`model.anomaly.template_memory` adds seven. Levels at several delays, relative to the patient's own recent peaks, are
the **features** that `model.anomaly.classifier` combines. docs/experiments.md reports how they were chosen.

- *Votes*: the error at each of four horizons, relative to the predicted scale. A wide ectopic complex deviates at short
  horizons too, and for longer. A premature beat of normal shape is predicted well again after about 30 ms.
- *Slow*: the signed error. Noise averages out, a wide complex does not.
- *Rough*: the second difference of the error. High for noise.
- *Steep*: the slope of the observed samples. Low for a wide complex, relative to its error.
- *Template match*: how well the last 200 ms fit the patient's own complexes, independent of timing, and the power of
  the signal. A premature beat or a pause deviates from the forecast, but its shape is known.

All functions are pure and work row by row: results are bit-identical for any number of patches per call.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from model.anomaly import template_memory
from model.signal.arrays import Float32Array, FloatArray
from stream.timebase import FS

LAGS = (3, 6, 13, 24)
"""Horizons of the votes, in patches."""

FORECAST_ROW, VOTE_INDEX = max(LAGS) - np.array(LAGS), np.arange(len(LAGS))
"""Row, in the array of forecasts, of the forecast for the first patch, and index in `LAGS`; of each vote."""

SHAPE_HORIZON = LAGS.index(13)
"""Index in `LAGS` of the horizon whose error gives the channels slow and rough."""

MIN_AVERAGE = 0.02
"""Lower bound of the averages. Without it, any signal after a flat line would be an anomaly."""

VOTES = len(LAGS)
"""Number of votes."""

CHANNELS = VOTES + 3
"""Number of channels."""

SIGNAL_LEVELS = VOTES + 4
"""Number of levels that `levels` returns; those of `model.anomaly.template_memory` follow them."""

LEVELS = SIGNAL_LEVELS + template_memory.LEVELS
"""Number of all levels."""

UNIT_PATCHES = 5
"""Patches in the moving average of the votes, 56 ms; the other averages are over multiples of it."""

SLOW_UNITS = (4, 8)
"""Lengths of the two moving averages of slow, in units; those of rough and steep are two units long."""

UNIT_OFFSETS = UNIT_PATCHES * np.arange(max(SLOW_UNITS))
"""Delays in patches of the units in the longest average."""

CHANNEL_HISTORY = UNIT_PATCHES * max(SLOW_UNITS) - 1
"""Past patches of channels that the moving averages need."""

VOTE_DELAYS = tuple(range(0, 90, 5))
SLOW_DELAYS = (0,)
EDGE_DELAYS = (0, 10, 20, 30)
TEMPLATE_DELAYS = tuple(range(0, 50, 5))
"""Delays in patches at which the levels are features: votes over a second, slow without delay, rough and steep over
0.4 s, template matches over half a second."""

TAPS = np.array(
    [(level, delay) for level in range(VOTES) for delay in VOTE_DELAYS]
    + [(level, delay) for level in (VOTES, VOTES + 1) for delay in SLOW_DELAYS]
    + [(level, delay) for level in (VOTES + 2, VOTES + 3) for delay in EDGE_DELAYS]
    + [(level, delay) for level in range(SIGNAL_LEVELS, LEVELS) for delay in TEMPLATE_DELAYS]
)
"""Level and delay of each feature that is a level."""

LEVEL_HISTORY = int(TAPS[:, 1].max())
"""Past patches of levels that the features need."""

TAP_INDEX = (LEVEL_HISTORY - TAPS[:, 1]) * LEVELS + TAPS[:, 0]
"""Index of each tap of the first patch in the flattened levels."""

QUANTILES = (0.1, 0.5, 0.9)
"""Quantiles of the patient's recent peaks, one peak per block. Features are relative to the last one. Its distances to
the others are features too; they measure how much the patient's beats vary."""

FEATURES = len(TAPS) + 2 * LEVELS
"""Number of features."""


def compare(mean: Float32Array, scale: Float32Array, observed: FloatArray) -> FloatArray:
    """Compare new patches with their forecasts.

    Parameters
    ----------
    mean, scale : ndarray, shape (max(LAGS) + k, len(LAGS), patch, leads), mV
        Earlier forecasts, followed by those made at the ends of the new patches (see `ahead`); NaN before the epoch.
    observed : ndarray, shape (1 + k, patch, leads), mV
        The previous patch, followed by the new ones; NaN before the epoch.

    Returns
    -------
    ndarray, shape (k, leads, CHANNELS)
        The votes by horizon, then slow, rough and steep; NaN where unknown.
    """
    k, patch, leads = len(observed) - 1, *observed.shape[1:]
    predicted, scale_then = _forecasts_for(mean, k), _forecasts_for(scale, k)
    signed = observed[1:, None] - predicted

    # The root of the errors limits the weight of one sample; the root of the scale limits the weight of the scale.
    root_scale = np.sqrt(scale_then)
    channels = np.empty((k, leads, CHANNELS))
    channels[:, :, :VOTES] = (np.sqrt(np.abs(signed) / root_scale).sum(axis=2) / patch).transpose(0, 2, 1)
    smooth, its_scale = signed[:, SHAPE_HORIZON], scale_then[:, SHAPE_HORIZON]
    channels[:, :, VOTES] = smooth.sum(axis=1) / patch / np.sqrt(its_scale.sum(axis=1) / patch)
    curvature = np.abs(smooth[:, 2:] - 2 * smooth[:, 1:-1] + smooth[:, :-2])
    channels[:, :, VOTES + 1] = np.sqrt(curvature / root_scale[:, SHAPE_HORIZON, :1]).sum(axis=1) / (patch - 2)
    channels[:, :, VOTES + 2] = np.sqrt(np.abs(observed[1:] - observed[:-1])).sum(axis=1) / patch
    return channels


def largest_deviations(mean: Float32Array, scale: Float32Array, observed: FloatArray) -> FloatArray:
    """Return the sample of each patch that deviates most from its forecast.

    Parameters
    ----------
    mean, scale
        As in `compare`.
    observed : ndarray, shape (k, patch, leads), mV

    Returns
    -------
    ndarray, shape (k, 6)
        Distance in predicted scales (NaN where unknown), index of the sample in the patch, lead, horizon in ms,
        observed and predicted value in mV.
    """
    k, patch, leads = observed.shape
    predicted = _forecasts_for(mean, k)
    in_scales = np.abs(observed[:, None] - predicted) / _forecasts_for(scale, k)
    best = np.where(np.isfinite(in_scales), in_scales, -1.0).reshape(k, VOTES * patch * leads).argmax(axis=1)
    lag, within, lead = best // (patch * leads), best // leads % patch, best % leads
    rows = np.arange(k)
    at = (rows, lag, within, lead)
    horizon_ms = ((np.array(LAGS)[lag] - 1) * patch + within + 1) * 1000 / FS
    return np.stack([in_scales[at], within, lead, horizon_ms, observed[rows, within, lead], predicted[at]], axis=1)


def _forecasts_for(forecasts: Float32Array, k: int) -> Float32Array:
    """Return the forecasts for each of the last k patches, one for each lag."""
    return np.asarray(forecasts[np.arange(k)[:, None] + FORECAST_ROW, VOTE_INDEX])


@cache
def ahead(patch: int) -> npt.NDArray[np.int64]:
    """Return the indices of the samples of a forecast that are compared, shape (len(LAGS), patch)."""
    return (np.array(LAGS, dtype=np.int64)[:, None] - 1) * patch + np.arange(patch)


def levels(channels: FloatArray) -> FloatArray:
    """Return the levels.

    Parameters
    ----------
    channels : ndarray, shape (CHANNEL_HISTORY + k, leads, CHANNELS)

    Returns
    -------
    ndarray, shape (k, leads, SIGNAL_LEVELS)
        Levels of the last k patches: logarithms of the averages of the votes over 56 ms, of slow over 222 and 444 ms,
        of rough and steep over 111 ms. NaN where a patch is unknown.
    """
    k = len(channels) - CHANNEL_HISTORY
    n = len(channels) - UNIT_PATCHES + 1
    unit: FloatArray = channels[:n] + channels[1 : n + 1]
    for i in range(2, UNIT_PATCHES):
        unit += channels[i : n + i]
    unit /= UNIT_PATCHES
    result = np.empty((k, channels.shape[1], SIGNAL_LEVELS))
    result[:, :, :VOTES] = unit[n - k :, :, :VOTES]
    slow = unit[:, :, VOTES][np.arange(n - k, n)[:, None] - UNIT_OFFSETS]
    for i, units in enumerate(SLOW_UNITS):
        result[:, :, VOTES + i] = np.sqrt(np.abs(slow[:, :units].sum(axis=1) / units))
    result[:, :, -2:] = (unit[n - k - UNIT_PATCHES : n - UNIT_PATCHES, :, -2:] + unit[n - k :, :, -2:]) / 2
    np.maximum(result, MIN_AVERAGE, out=result)
    return np.log(result, out=result)


def features(recent: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Return the features of beds.

    Parameters
    ----------
    recent : ndarray, shape (beds, LEVEL_HISTORY + k, LEVELS)
        Mean levels over the leads, followed by those of `model.anomaly.template_memory`.
    quantiles : ndarray, shape (beds, k, len(QUANTILES), LEVELS)
        Quantiles of the patient's peaks, as known at each of the last k patches.

    Returns
    -------
    ndarray, shape (beds, k, FEATURES)
    """
    beds, k = quantiles.shape[:2]
    places = TAP_INDEX + LEVELS * np.arange(k)[:, None]
    high = quantiles[:, :, 2]
    result = np.empty((beds, k, FEATURES))
    taps = recent.reshape(beds, -1).take(places, axis=1)
    np.subtract(taps, high.take(TAPS[:, 0], axis=2), out=result[:, :, : len(TAPS)])
    np.subtract(high, quantiles[:, :, 0], out=result[:, :, -2 * LEVELS : -LEVELS])
    np.subtract(high, quantiles[:, :, 1], out=result[:, :, -LEVELS:])
    return result
