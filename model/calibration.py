"""Causal calibration of the predicted scale, patient by patient.

Patients differ in how well they can be forecast, and the network has seen few of them. So each stream carries a
factor for near and far horizons: it grows by a little when a sample falls outside the 90 % interval that was
predicted for it, and shrinks by less when it falls inside, until a tenth lies outside. This is adaptive conformal
inference (Gibbs and Candès 2021) on the logarithm of the scale. Inside and outside pass into each other smoothly:
a hard edge would turn the last bit of a sum into a visible step, and another cutting into chunks into another result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import torch

Array = npt.NDArray[np.float64]
Array32 = npt.NDArray[np.float32]

LAGS = (1, 4, 9, 18)
"""Horizons that are watched, in patches: 3 to 11, 36 to 44, 92 to 100 and 192 to 200 ms with patches of 4."""

RATE = 5e-4
"""Step of the log factor per patch; a patient who is outside twice too often is mended in about a minute."""

LIMIT = 0.7
"""Largest absolute log factor: half to double the network's scale."""

Z90 = 1.6448536269514722
"""Half the width of the Gaussian's central 90 %, in standard deviations."""

SOFTNESS = 0.1
"""Width of the edge, in units of log |z|."""

LEAST_Z = 1e-9
"""So that the logarithm of a perfect forecast's error is a number."""

OUTSIDE = 0.1088
"""Mean of the soft indicator for a standard Gaussian, by numerical integration."""


@dataclass(frozen=True)
class CalibrationState:
    """What is remembered of each stream.

    Attributes
    ----------
    log_factor : ndarray of float64, shape (bands, streams)
    waiting : ndarray of float32, shape (longest lag, 2, patch, bands, streams)
        Mean and uncalibrated scale, in mV, of the watched samples of the last forecasts; NaN before the first.
    """

    log_factor: Array
    waiting: Array32


@cache
def lags(horizon: int, patch: int) -> tuple[int, ...]:
    """Return the watched lags that a horizon reaches."""
    return tuple(lag for lag in LAGS if lag * patch <= horizon)


def begin(streams: int, horizon: int, patch: int) -> CalibrationState:
    """Return the state before the first sample: the network is believed."""
    watched = lags(horizon, patch)
    return CalibrationState(
        np.zeros((len(watched), streams)),
        np.full((watched[-1], 2, patch, len(watched), streams), np.nan, np.float32),
    )


def advance(state: CalibrationState, patches: Array, forecasts: Array32) -> tuple[Array32, CalibrationState]:
    """Compare what came with what had been forecast, and calibrate the forecasts made since.

    Parameters
    ----------
    state : CalibrationState
    patches : ndarray of float64, shape (streams, k, patch)
        Observed, in mV.
    forecasts : ndarray of float32, shape (k, streams, 2, horizon)
        Mean and scale of the forecasts made at the end of each patch, in mV.

    Returns
    -------
    factor : ndarray of float32, shape (k, streams, horizon)
        What to multiply the scale by; known at the end of each patch.
    state : CalibrationState
    """
    k, patch = patches.shape[1:]
    horizon = forecasts.shape[3]
    watched = lags(horizon, patch)
    longest = watched[-1]
    known = np.empty((longest + k, *state.waiting.shape[1:]), np.float32)
    known[:longest] = state.waiting
    due = np.empty((k, *state.waiting.shape[1:]), np.float32)  # what had been said of each patch
    for band, lag in enumerate(watched):
        known[longest:, :, :, band] = forecasts[..., (lag - 1) * patch : lag * patch].transpose(0, 2, 3, 1)
        due[:, :, :, band] = known[longest - lag : longest - lag + k, :, :, band]
    mean, half_width = due[:, 0], due[:, 1]
    half_width *= np.float32(Z90)
    z = np.subtract(patches.transpose(1, 2, 0)[:, :, None], mean, dtype=np.float32)
    np.abs(z, out=z)
    z /= half_width
    z += np.float32(LEAST_Z)
    path = _follow(state.log_factor, np.log(z, out=z))
    exponent = path.astype(np.float32).transpose(0, 2, 1) @ _spread(horizon, patch)
    factor = torch.from_numpy(exponent).exp2_().numpy()  # sooner than numpy's
    return factor, CalibrationState(path[-1].copy(), known[k:].copy())


def _follow(log_factor: Array, log_z: Array32) -> Array:
    """Return the log factors after each patch, shape (k, bands, streams).

    The logistic function is written as a hyperbolic tangent, which numpy has, and the mean over the patch as a sum.

    Parameters
    ----------
    log_factor : ndarray of float64, shape (bands, streams)
        Before the first patch.
    log_z : ndarray of float32, shape (k, patch, bands, streams)
        In units of the 90 % interval's half width; NaN where nothing was forecast.
    """
    k, patch = log_z.shape[:2]
    sharp = 1 / (2 * SOFTNESS)  # everything is in units in which the tangent's argument needs no factor
    edges = log_z.reshape(k, patch, -1)
    rate = (edges[:, 0] == edges[:, 0]) * (sharp * RATE / (2 * patch))  # none where it is NaN
    rest = rate * (patch * (1 - 2 * OUTSIDE))
    edges = np.fmax(edges, np.float32(math.log(LEAST_Z)))
    edges *= np.float32(sharp)
    ones = _ones(patch)  # a product with it is a sum, but sooner
    path = np.empty(rate.shape)
    now = sharp * log_factor.ravel()
    for edge, gain, drift, after in zip(edges, rate, rest, path, strict=True):
        outside = np.dot(ones, np.tanh(edge - now.astype(np.float32)))
        now = np.minimum(np.maximum(now + gain * outside + drift, -sharp * LIMIT), sharp * LIMIT, out=after)
    return path.reshape(k, *log_factor.shape) / sharp


@cache
def _ones(n: int) -> Array32:
    return np.ones(n, np.float32)


@cache
def _spread(horizon: int, patch: int) -> Array32:
    """Return weights, shape (bands, horizon), that interpolate between bands over the logarithm of the horizon.

    They turn natural logarithms into those to the base of two.
    """
    watched = lags(horizon, patch)
    centres = np.log([(lag - 0.5) * patch + 0.5 for lag in watched])
    ahead = np.log(np.arange(1, horizon + 1))
    rows = [np.interp(ahead, centres, row) for row in np.eye(len(watched))]
    return (np.stack(rows) / math.log(2)).astype(np.float32)
