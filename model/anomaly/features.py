"""Features of the anomaly score: deviation of the signal from its forecasts, per patch, over the last second.

Seven **channels** are measured on each patch and lead. Their moving averages give eight **levels**, as logarithms;
`model.anomaly.template_matching` adds seven. Levels at several delays, relative to the patient's own recent peaks, are
the **features** that `model.anomaly.classifier` combines. docs/experiments.md reports how they were chosen.

- *Votes*: the error at each of four horizons, relative to the predicted scale. A wide ectopic complex deviates at short
  horizons too, and for longer. A premature beat of normal shape is predicted well again after about 30 ms.
- *Slow*: the signed error. Noise averages out, a wide complex does not.
- *Rough*: the second difference of the error. High for noise.
- *Steep*: the slope of the observed samples. Low for a wide complex, relative to its error.
- *Template match*: how well the last 200 ms fit the patient's own complexes, independent of timing, and the power of
  the signal. A premature beat or a pause deviates from the forecast, but its shape is known.

The loops work patch by patch: results are bit-identical for any number of patches per call.
"""

from __future__ import annotations

import math

import numpy as np

from model.anomaly import template_matching
from model.signal.arrays import Float32Array, FloatArray
from model.signal.compiled import compiled, compiled_part
from stream.timebase import FS

LAGS = (3, 6, 13, 24)
"""Horizons of the votes, in patches."""

FORECAST_HISTORY = max(LAGS)
"""Past forecasts that the votes need."""

SHAPE_HORIZON = LAGS.index(13)
"""Index in `LAGS` of the horizon whose error gives the channels slow and rough."""

MIN_AVERAGE = 0.02
"""Lower bound of the averages. Without it, any signal after a flat line would be an anomaly."""

VOTES = len(LAGS)
"""Number of votes."""

CHANNELS = VOTES + 3
"""Number of channels."""

SIGNAL_LEVELS = VOTES + 4
"""Number of levels of the channels; those of `model.anomaly.template_matching` follow them."""

LEVELS = SIGNAL_LEVELS + template_matching.LEVELS
"""Number of all levels."""

UNIT_PATCHES = 5
"""Patches in the moving average of the votes, 56 ms; the other averages are over multiples of it."""

SLOW_UNITS = (4, 8)
"""Lengths of the two moving averages of slow, in units; those of rough and steep are two units long."""

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

QUANTILES = (0.1, 0.5, 0.9)
"""Quantiles of the patient's recent peaks, one peak per block. Features are relative to the last one. Its distances to
the others are features too; they measure how much the patient's beats vary."""

FEATURES = len(TAPS) + 2 * LEVELS
"""Number of features."""

DEVIATION = 6
"""Number of values that describe a deviation, see `find_largest_deviation`."""


@compiled
def keep_forecast(kept: Float32Array, patch: int, forecast: Float32Array) -> None:
    """Keep the parts of a forecast that the votes need; they replace the oldest ones.

    Parameters
    ----------
    kept : ndarray, shape (FORECAST_HISTORY, VOTES, samples per patch, leads)
        The forecasts of the last origins, at the horizons `LAGS`; that made at the end of patch i is at index
        ``i % FORECAST_HISTORY``.
    patch : int
        Index of the patch at whose end the forecast was made.
    forecast : ndarray, shape (horizon, leads)
    """
    of_patch = kept[patch % FORECAST_HISTORY]
    samples, leads = of_patch.shape[1], of_patch.shape[2]
    for vote in range(VOTES):
        for i in range(samples):
            for lead in range(leads):
                of_patch[vote, i, lead] = forecast[(LAGS[vote] - 1) * samples + i, lead]


@compiled
def measure_channels(
    mean: Float32Array, scale: Float32Array, patch: int, before: FloatArray, now: FloatArray, channels: FloatArray
) -> float:
    """Compare a new patch with its forecasts; return its mean vote.

    Parameters
    ----------
    mean, scale : ndarray, shape (FORECAST_HISTORY, VOTES, samples per patch, leads), mV
        From `keep_forecast`; NaN before the epoch.
    patch : int
        Index of the patch.
    before, now : ndarray, shape (samples per patch, leads), mV
        The previous and the new patch; NaN before the epoch.
    channels : ndarray, shape (leads, CHANNELS)
        Receives the votes by horizon, then slow, rough and steep; NaN where unknown.
    """
    samples, leads = now.shape
    votes = 0.0
    for lead in range(leads):
        values = channels[lead]
        for vote in range(VOTES):
            origin = (patch - LAGS[vote]) % FORECAST_HISTORY
            total = 0.0
            for i in range(samples):
                distance = abs(now[i, lead] - mean[origin, vote, i, lead])
                # The root of the errors limits the weight of one sample; the root of the scale that of the scale.
                total += math.sqrt(distance / np.sqrt(scale[origin, vote, i, lead]))
            values[vote] = total / samples
            votes += total / samples

        origin = (patch - LAGS[SHAPE_HORIZON]) % FORECAST_HISTORY
        slow, rough, steep, total_scale = 0.0, 0.0, 0.0, np.float32(0)
        root_scale = np.sqrt(scale[origin, SHAPE_HORIZON, 0, lead])
        last, last_but_one = 0.0, 0.0
        for i in range(samples):
            error = now[i, lead] - mean[origin, SHAPE_HORIZON, i, lead]
            slow += error
            steep += math.sqrt(abs(now[i, lead] - before[i, lead]))
            total_scale += scale[origin, SHAPE_HORIZON, i, lead]
            if i >= 2:
                rough += math.sqrt(abs(error - 2 * last + last_but_one) / root_scale)
            last, last_but_one = error, last
        values[VOTES] = slow / samples / np.sqrt(total_scale / np.float32(samples))
        values[VOTES + 1] = rough / (samples - 2)
        values[VOTES + 2] = steep / samples
    mean_vote: float = votes / (leads * VOTES)
    return mean_vote


@compiled
def find_largest_deviation(
    mean: Float32Array, scale: Float32Array, patch: int, observed: FloatArray, deviation: FloatArray
) -> None:
    """Find the sample of a new patch that deviates most from its forecast.

    Parameters
    ----------
    mean, scale, patch
        As in `measure_channels`.
    observed : ndarray, shape (samples per patch, leads), mV
    deviation : ndarray, shape (DEVIATION,)
        Receives the distance in predicted scales, the index of the sample in the patch, the lead, the horizon in ms,
        the observed and the predicted value in mV; NaN where no distance is known.
    """
    samples, leads = observed.shape
    for i in range(DEVIATION):
        deviation[i] = np.nan
    largest = -1.0
    for vote in range(VOTES):
        origin = (patch - LAGS[vote]) % FORECAST_HISTORY
        for i in range(samples):
            for lead in range(leads):
                predicted = mean[origin, vote, i, lead]
                distance = abs(observed[i, lead] - predicted) / scale[origin, vote, i, lead]
                if distance > largest and math.isfinite(distance):
                    largest = distance
                    deviation[0], deviation[1], deviation[2] = distance, i, lead
                    deviation[3] = ((LAGS[vote] - 1) * samples + i + 1) * 1000 / FS
                    deviation[4], deviation[5] = observed[i, lead], predicted


@compiled
def measure_levels(channels: FloatArray, levels: FloatArray) -> None:
    """Measure the levels of new patches, mean over the leads.

    Parameters
    ----------
    channels : ndarray, shape (CHANNEL_HISTORY + k, leads, CHANNELS)
    levels : ndarray, shape (LEVEL_HISTORY + k, LEVELS)
        The first `SIGNAL_LEVELS` columns of the last k rows receive logarithms of the averages of the votes over 56 ms,
        of slow over 222 and 444 ms, of rough and steep over 111 ms; NaN where a patch is unknown.
    """
    leads = channels.shape[1]
    for row in range(len(channels) - CHANNEL_HISTORY):
        end = CHANNEL_HISTORY + row + 1
        values = levels[LEVEL_HISTORY + row]
        for level in range(SIGNAL_LEVELS):
            values[level] = 0.0
        for lead in range(leads):
            for vote in range(VOTES):
                values[vote] += _log(_average(channels, end, lead, vote, 1)) / leads
            for i, units in enumerate(SLOW_UNITS):
                slow = math.sqrt(abs(_average(channels, end, lead, VOTES, units)))
                values[VOTES + i] += _log(slow) / leads
            for channel in (VOTES + 1, VOTES + 2):
                values[channel + 1] += _log(_average(channels, end, lead, channel, 2)) / leads


@compiled_part
def _average(channels: FloatArray, end: int, lead: int, channel: int, units: int) -> float:
    """Return the mean of a channel over the patches before ``end``."""
    n = UNIT_PATCHES * units
    total = 0.0
    for row in range(end - n, end):
        total += channels[row, lead, channel]
    return total / n


@compiled_part
def _log(average: float) -> float:
    return math.log(MIN_AVERAGE if average < MIN_AVERAGE else average)


@compiled
def fill_features(levels: FloatArray, quantiles: FloatArray, features: FloatArray) -> None:
    """Write the features of new patches.

    Parameters
    ----------
    levels : ndarray, shape (LEVEL_HISTORY + k, LEVELS)
        Mean levels over the leads, followed by those of `model.anomaly.template_matching`.
    quantiles : ndarray, shape (len(QUANTILES), LEVELS)
        Quantiles of the patient's peaks.
    features : ndarray, shape (k, FEATURES)
    """
    high = quantiles[2]
    for row in range(len(features)):
        values = features[row]
        for tap in range(len(TAPS)):
            level, delay = TAPS[tap, 0], TAPS[tap, 1]
            values[tap] = levels[LEVEL_HISTORY + row - delay, level] - high[level]
        for level in range(LEVELS):
            values[len(TAPS) + level] = high[level] - quantiles[0, level]
            values[len(TAPS) + LEVELS + level] = high[level] - quantiles[1, level]
