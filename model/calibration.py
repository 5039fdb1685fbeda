"""Causal calibration of the predicted scale, patient by patient.

Patients differ in how well they can be forecast, and the network has seen few of them. So each stream carries a
factor for near and far horizons: it grows by a little when a sample falls outside the 90 % interval that was
predicted for it, and shrinks by less when it falls inside, until a tenth lies outside. This is adaptive conformal
inference (Gibbs and Candès 2021) on the logarithm of the scale. Inside and outside pass into each other smoothly:
a hard edge would turn the last bit of a sum into a visible step, and another cutting into chunks into another result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

Array = npt.NDArray[np.float64]

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

OUTSIDE = 0.1088
"""Mean of the soft indicator for a standard Gaussian, by numerical integration."""


@dataclass(frozen=True)
class CalibrationState:
    """What is remembered of each stream.

    Attributes
    ----------
    log_factor : ndarray of float64, shape (streams, bands)
    waiting : ndarray of float32, shape (streams, longest lag, bands, patch, 2)
        Mean and uncalibrated scale, in mV, of the watched samples of the last forecasts; NaN before the first.
    """

    log_factor: Array
    waiting: npt.NDArray[np.float32]


def lags(horizon: int, patch: int) -> tuple[int, ...]:
    """Return the watched lags that a horizon reaches."""
    return tuple(lag for lag in LAGS if lag * patch <= horizon)


def begin(streams: int, horizon: int, patch: int) -> CalibrationState:
    """Return the state before the first sample: the network is believed."""
    watched = lags(horizon, patch)
    return CalibrationState(
        np.zeros((streams, len(watched))),
        np.full((streams, watched[-1], len(watched), patch, 2), np.nan, np.float32),
    )


def advance(
    state: CalibrationState, patches: Array, mean: npt.NDArray[np.float32], scale: npt.NDArray[np.float32]
) -> tuple[Array, CalibrationState]:
    """Compare what came with what had been forecast, and calibrate the forecasts made since.

    Parameters
    ----------
    state : CalibrationState
    patches : ndarray of float64, shape (streams, k, patch)
        Observed, in mV.
    mean, scale : ndarray of float32, shape (streams, k, horizon)
        Forecasts made at the end of each patch, in mV.

    Returns
    -------
    factor : ndarray of float64, shape (streams, k, horizon)
        What to multiply `scale` by; known at the end of each patch.
    state : CalibrationState
    """
    streams, k, patch = patches.shape
    horizon = mean.shape[2]
    watched = lags(horizon, patch)
    longest = watched[-1]
    made = np.stack(
        [np.stack([v[:, :, (lag - 1) * patch : lag * patch] for lag in watched], axis=2) for v in (mean, scale)],
        axis=-1,
    )
    forecasts = np.concatenate([state.waiting, made], axis=1)
    due = np.stack([forecasts[:, longest - lag : longest - lag + k, b] for b, lag in enumerate(watched)], axis=2)
    log_z = np.log(np.abs(patches[:, :, None] - due[..., 0]) / due[..., 1] + 1e-9) - np.log(Z90)
    log_factor = state.log_factor
    path = np.empty((streams, k, len(watched)))
    for i in range(k):
        outside = expit((log_z[:, i] - log_factor[:, :, None]) / SOFTNESS).mean(axis=2)
        change = np.where(np.isnan(outside), 0.0, RATE * (outside - OUTSIDE))
        log_factor = np.clip(log_factor + change, -LIMIT, LIMIT)
        path[:, i] = log_factor
    return np.exp(path @ _spread(watched, horizon, patch)), CalibrationState(log_factor, forecasts[:, k:].copy())


def _spread(watched: tuple[int, ...], horizon: int, patch: int) -> Array:
    """Return weights, shape (bands, horizon), that interpolate between bands over the logarithm of the horizon."""
    centres = np.log([(lag - 0.5) * patch + 0.5 for lag in watched])
    ahead = np.log(np.arange(1, horizon + 1))
    return np.stack([np.interp(ahead, centres, row) for row in np.eye(len(watched))])
