"""Features of the anomaly score: distance of the signal from its forecasts, patch by patch, over the last second.

Seven **channels** are measured on each patch and lead; averages over stretches of them give eight **levels**, in
logarithms, and `model.anomaly.template_memory` seven more; levels at several delays, relative to the patient's own
recent peaks, are the **features** that `model.anomaly.classifier` combines. The choice is reported in
docs/experiments.md.

- *Votes*, one for each of four horizons: a wide ectopic complex deviates from the forecast at short horizons too, and
  for longer; an early but ordinary beat is known for what it is after some 30 ms.
- *Slow*: the error with its sign kept, so that noise averages out and a wide complex does not.
- *Rough*: how jagged the error is. High where there is noise.
- *Steep*: how fast the observed samples change. A wide complex is smooth for the size of its error.
- *Template match*: how well the last 200 ms fit the patient's own complexes, independent of timing; and how much signal
  there is to fit. An early beat or a pause deviates from the forecast; the shape that comes is known.

All functions are pure and work row by row: how many patches come at once changes no bit of the result.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from model.anomaly import template_memory
from model.signal.arrays import Float32Array, FloatArray
from stream.timebase import FS

LAGS = (3, 6, 13, 24)
"""Horizons that vote, in patches ahead."""

BEFORE_LAG, EACH_VOTE = max(LAGS) - np.array(LAGS), np.arange(len(LAGS))
"""Where among the forecasts, from that of the longest lag on, each vote finds its own; and which of its horizons."""

SMOOTH_ERROR = LAGS.index(13)
"""The horizon, among `LAGS`, whose error is measured for being slow or rough."""

LEAST = 0.02
"""Averages below count as this, so that a flat line does not make everything after it an anomaly."""

VOTES = len(LAGS)
CHANNELS = VOTES + 3
MEASURED = VOTES + 4
"""Levels that `levels` returns; those of `model.anomaly.template_memory` follow them."""

LEVELS = MEASURED + template_memory.LEVELS

UNIT = 5
"""Patches under the average over votes, 56 ms; the other averages are over multiples of it."""

SLOW_UNITS = (4, 8)
"""The two averages over slow, in units; those over rough and steep are over two."""

UNITS_BACK = UNIT * np.arange(max(SLOW_UNITS))
RAW_KEPT = UNIT * max(SLOW_UNITS) - 1
"""Patches of channels that later averages need."""

VOTE_DELAYS = tuple(range(0, 90, 5))
SLOW_DELAYS = (0,)
EDGE_DELAYS = (0, 10, 20, 30)
TEMPLATE_DELAYS = tuple(range(0, 50, 5))
"""How many patches before the present one each level is used: votes over a second, rough and steep over 0.4 s,
template matches over half a second."""

TAPS = np.array(
    [(level, delay) for level in range(VOTES) for delay in VOTE_DELAYS]
    + [(level, delay) for level in (VOTES, VOTES + 1) for delay in SLOW_DELAYS]
    + [(level, delay) for level in (VOTES + 2, VOTES + 3) for delay in EDGE_DELAYS]
    + [(level, delay) for level in range(MEASURED, LEVELS) for delay in TEMPLATE_DELAYS]
)
"""Level and delay of each feature of the signal."""

LEVELS_KEPT = int(TAPS[:, 1].max())

PLACES = (LEVELS_KEPT - TAPS[:, 1]) * LEVELS + TAPS[:, 0]
"""Where each tap of the first patch lies among the levels, one patch after the other."""

QUANTILES = (0.1, 0.5, 0.9)
"""Of the patient's recent peaks, one a block. Features are relative to the last; its distances to the others say how
unlike each other the patient's beats are."""

FEATURES = len(TAPS) + 2 * LEVELS


def compare(mean: Float32Array, scale: Float32Array, observed: FloatArray) -> FloatArray:
    """Compare new patches with what was forecast for them.

    Parameters
    ----------
    mean, scale : ndarray, shape (max(LAGS) + k, len(LAGS), patch, leads), mV
        The forecasts made at the ends of the new patches (see `ahead`), after those made before; NaN before the epoch.
    observed : ndarray, shape (1 + k, patch, leads), mV
        The new patches after the one before; NaN before the epoch.

    Returns
    -------
    ndarray, shape (k, leads, CHANNELS)
        The votes, by horizon, then slow, rough and steep; NaN where nothing is known.
    """
    k, patch, leads = len(observed) - 1, *observed.shape[1:]
    predicted, scale_then = _predicted(mean, k), _predicted(scale, k)
    signed = observed[1:, None] - predicted

    # Roots of the errors, so that no sample outvotes a stretch; of the scale, so that it is trusted in part only.
    trusted = np.sqrt(scale_then)
    channels = np.empty((k, leads, CHANNELS))
    channels[:, :, :VOTES] = (np.sqrt(np.abs(signed) / trusted).sum(axis=2) / patch).transpose(0, 2, 1)
    smooth, its_scale = signed[:, SMOOTH_ERROR], scale_then[:, SMOOTH_ERROR]
    channels[:, :, VOTES] = smooth.sum(axis=1) / patch / np.sqrt(its_scale.sum(axis=1) / patch)
    bends = np.abs(smooth[:, 2:] - 2 * smooth[:, 1:-1] + smooth[:, :-2])
    channels[:, :, VOTES + 1] = np.sqrt(bends / trusted[:, SMOOTH_ERROR, :1]).sum(axis=1) / (patch - 2)
    channels[:, :, VOTES + 2] = np.sqrt(np.abs(observed[1:] - observed[:-1])).sum(axis=1) / patch
    return channels


def furthest(mean: Float32Array, scale: Float32Array, observed: FloatArray) -> FloatArray:
    """Return of each patch the sample that lay furthest from its forecast.

    Parameters
    ----------
    mean, scale
        As in `compare`.
    observed : ndarray, shape (k, patch, leads), mV

    Returns
    -------
    ndarray, shape (k, 6)
        The distance in predicted scales (NaN where nothing is known), the sample's place in the patch, its lead, the
        horizon in ms, observed and predicted in mV.
    """
    k, patch, leads = observed.shape
    predicted = _predicted(mean, k)
    in_scales = np.abs(observed[:, None] - predicted) / _predicted(scale, k)
    best = np.where(np.isfinite(in_scales), in_scales, -1.0).reshape(k, VOTES * patch * leads).argmax(axis=1)
    lag, within, lead = best // (patch * leads), best // leads % patch, best % leads
    rows = np.arange(k)
    at = (rows, lag, within, lead)
    horizon_ms = ((np.array(LAGS)[lag] - 1) * patch + within + 1) * 1000 / FS
    return np.stack([in_scales[at], within, lead, horizon_ms, observed[rows, within, lead], predicted[at]], axis=1)


def _predicted(forecasts: Float32Array, k: int) -> Float32Array:
    """Return what was forecast for each of the last k patches: by the origin a lag before, for each lag."""
    return np.asarray(forecasts[np.arange(k)[:, None] + BEFORE_LAG, EACH_VOTE])


@cache
def ahead(patch: int) -> npt.NDArray[np.int64]:
    """Return which samples of a forecast are compared, shape (len(LAGS), patch)."""
    return (np.array(LAGS, dtype=np.int64)[:, None] - 1) * patch + np.arange(patch)


def levels(channels: FloatArray) -> FloatArray:
    """Return the levels.

    Parameters
    ----------
    channels : ndarray, shape (RAW_KEPT + k, leads, CHANNELS)

    Returns
    -------
    ndarray, shape (k, leads, MEASURED)
        Of the last k patches; logarithms. The votes over `UNIT` patches, slow over 222 and 444 ms, rough and steep
        over 111 ms. NaN where one of the patches is not known.
    """
    k = len(channels) - RAW_KEPT
    n = len(channels) - UNIT + 1
    unit: FloatArray = channels[:n] + channels[1 : n + 1]
    for i in range(2, UNIT):
        unit += channels[i : n + i]
    unit /= UNIT
    found = np.empty((k, channels.shape[1], MEASURED))
    found[:, :, :VOTES] = unit[n - k :, :, :VOTES]
    slow = unit[:, :, VOTES][np.arange(n - k, n)[:, None] - UNITS_BACK]
    for i, units in enumerate(SLOW_UNITS):
        found[:, :, VOTES + i] = np.sqrt(np.abs(slow[:, :units].sum(axis=1) / units))
    found[:, :, -2:] = (unit[n - k - UNIT : n - UNIT, :, -2:] + unit[n - k :, :, -2:]) / 2
    np.maximum(found, LEAST, out=found)
    return np.log(found, out=found)


def features(recent: FloatArray, usual: FloatArray) -> FloatArray:
    """Return the features of beds.

    Parameters
    ----------
    recent : ndarray, shape (beds, LEVELS_KEPT + k, LEVELS)
        Levels, mean over the leads, and those of `model.anomaly.template_memory`.
    usual : ndarray, shape (beds, k, len(QUANTILES), LEVELS)
        Quantiles of the patient's peaks, as known at each of the last k patches.

    Returns
    -------
    ndarray, shape (beds, k, FEATURES)
    """
    beds, k = usual.shape[:2]
    places = PLACES + LEVELS * np.arange(k)[:, None]
    high = usual[:, :, 2]
    found = np.empty((beds, k, FEATURES))
    tapped = recent.reshape(beds, -1).take(places, axis=1)
    np.subtract(tapped, high.take(TAPS[:, 0], axis=2), out=found[:, :, : len(TAPS)])
    np.subtract(high, usual[:, :, 0], out=found[:, :, -2 * LEVELS : -LEVELS])
    np.subtract(high, usual[:, :, 1], out=found[:, :, -LEVELS:])
    return found
