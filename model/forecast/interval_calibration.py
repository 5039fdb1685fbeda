"""Causal calibration of the predicted scale, separately for each patient.

How well an ECG can be forecast differs between patients, and the network was trained on few. So each stream has a
factor for each of some horizons. The factor grows when a sample lies outside the 90 % interval predicted for it, and
shrinks by less when the sample lies inside, until a tenth lies outside. This is adaptive conformal inference (Gibbs and
Candès 2021) on the logarithm of the scale. The indicator "outside" is smooth: with a hard edge, a rounding error could
change a factor by a whole step, and results would depend on how the signal is cut into chunks.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from model.forecast.elementary import exp2
from model.signal.arrays import Float32Array, FloatArray, IntArray
from model.signal.compiled import compiled

LAGS = (1, 4, 9, 18)
"""Monitored horizons in patches: 3 to 11, 36 to 44, 92 to 100 and 192 to 200 ms with patches of 4."""

ADAPTATION_RATE = 5e-4
"""Step of the log factor per patch. Twice the expected rate outside is corrected in about a minute."""

MAX_LOG_FACTOR = 0.7
"""Largest absolute log factor: half to twice the network's scale."""

Z90 = 1.6448536269514722
"""Half width of the central 90 % of a Gaussian, in standard deviations."""

EDGE_WIDTH = 0.1
"""Width of the edge of the smooth indicator, in units of log |z|."""

EDGE_POWER = round(1 / EDGE_WIDTH)
"""The logistic function of log |z| / EDGE_WIDTH is a fraction of |z| to this power."""

MIN_ERROR_MV, MAX_RATIO = 1e-9, 1e3
"""Bounds of the error, a divisor, and of the ratio of interval to error. Both lie far beyond the edge."""

EXPECTED_OUTSIDE = 0.1088
"""Mean of the smooth indicator for a standard Gaussian, by numerical integration."""


class CalibrationState(NamedTuple):
    """State of each stream; a band is one of the monitored horizons.

    Attributes
    ----------
    log_factor : ndarray of float64, shape (streams, bands)
        Natural logarithm of the factor.
    patches : ndarray of int64, shape (streams,)
        Patches observed.
    pending : ndarray of float32, shape (streams, sum of the lags, 2, patch)
        Mean and uncalibrated scale in mV that forecasts gave for samples to come; NaN before the first forecast. Each
        band is a ring of as many entries as its lag has patches; that for patch t is at index ``t % lag``.
    """

    log_factor: FloatArray
    patches: IntArray
    pending: Float32Array


@cache
def lags(horizon: int, patch: int) -> tuple[int, ...]:
    """Return the monitored lags within a horizon of so many samples."""
    return tuple(lag for lag in LAGS if lag * patch <= horizon)


def begin(streams: int, horizon: int, patch: int) -> CalibrationState:
    """Return the state before the first sample: all factors are 1."""
    monitored = lags(horizon, patch)
    return CalibrationState(
        np.zeros((streams, len(monitored))),
        np.zeros(streams, np.int64),
        np.full((streams, sum(monitored), 2, patch), np.nan, np.float32),
    )


def after_gap(state: CalibrationState, fresh: CalibrationState) -> CalibrationState:
    """Return the state after lost samples: the factors are kept, the forecasts of lost samples are not."""
    return fresh._replace(log_factor=state.log_factor)


@compiled
def compare(state: CalibrationState, i: int, patch: FloatArray) -> None:
    """Update the factors of stream `i`, in place, with an observed patch in mV.

    The logistic function of a logarithm is a fraction of powers: the smooth indicator "inside" is ``r / (r + 1 / f)``,
    where ``r`` is the ratio of the uncalibrated half width of the 90 % interval to the absolute error, and ``f`` the
    factor, each to the tenth power (`EDGE_POWER`).
    """
    first = 0
    for band in range(state.log_factor.shape[1]):
        entry = first + state.patches[i] % LAGS[band]
        mean, scale = state.pending[i, entry, 0], state.pending[i, entry, 1]
        first += LAGS[band]
        if np.isnan(mean[0]):
            continue
        before = state.log_factor[i, band]
        edge = math.exp(-EDGE_POWER * before)
        inside = 0.0
        for j in range(len(patch)):
            ratio = min(Z90 * scale[j] / (abs(patch[j] - mean[j]) + MIN_ERROR_MV), MAX_RATIO)
            squared = ratio * ratio
            power = squared * squared * squared * squared * squared  # EDGE_POWER
            inside += power / (power + edge)
        after = before + ADAPTATION_RATE * (1 - inside / len(patch) - EXPECTED_OUTSIDE)
        state.log_factor[i, band] = min(max(after, -MAX_LOG_FACTOR), MAX_LOG_FACTOR)


@compiled
def calibrate(
    state: CalibrationState,
    i: int,
    weights: Float32Array,
    mean: Float32Array,
    scale: Float32Array,
    scratch: Float32Array,
) -> None:
    """Multiply the scale of a new forecast of stream `i` by the factor, in place, and note the forecast for later.

    Parameters
    ----------
    state : CalibrationState
        The forecasts of the patch that has just been observed are replaced.
    i : int
    weights : ndarray of float32, shape (bands, horizon)
        Of `interpolation_weights`.
    mean, scale, scratch : ndarray of float32, shape (horizon,)
        mV.
    """
    pending = state.pending[i]
    bands, patch, first = len(weights), pending.shape[2], 0
    for band in range(bands):
        entry = first + state.patches[i] % LAGS[band]
        first += LAGS[band]
        for j in range(patch):
            pending[entry, 0, j] = mean[(LAGS[band] - 1) * patch + j]
            pending[entry, 1, j] = scale[(LAGS[band] - 1) * patch + j]
    state.patches[i] += 1
    for j in range(len(scratch)):
        scratch[j] = 0
    for band in range(bands):
        log_factor = np.float32(state.log_factor[i, band])
        for j in range(len(scratch)):
            scratch[j] += log_factor * weights[band, j]
    for j in range(len(scale)):
        scale[j] *= exp2(scratch[j])


@cache
def interpolation_weights(horizon: int, patch: int) -> Float32Array:
    """Return weights, shape (bands, horizon), that interpolate log factors over the logarithm of the horizon.

    They also convert natural logarithms to base two.
    """
    monitored = lags(horizon, patch)
    centres = np.log([(lag - 0.5) * patch + 0.5 for lag in monitored])
    ahead = np.log(np.arange(1, horizon + 1))
    rows = [np.interp(ahead, centres, row) for row in np.eye(len(monitored))]
    return (np.stack(rows) / math.log(2)).astype(np.float32)
