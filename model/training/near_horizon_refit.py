"""Last stage of training: ridge regression of the nearest horizons.

Neighbouring samples of a window are highly correlated, so gradient descent converges slowly, and one sample ahead the
trained network is worse than an AR model. The predicted mean is linear in the window and in the output of the LSTM, so
the optimal weights follow from a ridge regression of the remaining errors on both. At longer horizons this overfits
(docs/experiments.md), so the correction decreases with the horizon.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import torch

from model.datasets.mitdb import Signals
from model.forecast.config import WARM_UP_S, ScalingConfig
from model.forecast.network import Network
from model.forecast.torch_runtime import denormals_flushed
from model.signal.arrays import FloatArray
from model.training.sequences import to_sequences
from stream.timebase import FS

SAMPLES = 8
"""Corrected horizons, 22 ms: the full correction at the first sample, an eighth of it at the last."""

RIDGE = 1e-5
"""Ridge penalty as a share of the mean square of the regressors."""

LEAST_RMSE_MV = 0.005
"""Lower bound of a lead's error in mV, one step of the converter, which keeps a flat line from dominating the fit."""

CHUNK = 900
"""Network steps processed at once: ten seconds."""


def refit(network: Network, scaling: ScalingConfig, signals: Signals) -> Network:
    """Return a copy of the network with corrected weights for the mean of its first samples.

    Errors are in mV. Each lead is weighted by the inverse mean square of its present error one sample ahead, so that
    noisy and quiet leads improve by the same share.

    Parameters
    ----------
    network : Network
        In evaluation mode; not modified.
    scaling : ScalingConfig
    signals : Signals
        Records to fit, each longer than `WARM_UP_S`.
    """
    products = np.sum(
        [_products(network, scaling, mv[:, lead]) for mv in signals.values() for lead in range(mv.shape[1])], axis=0
    )
    squares, crossed = products[:-SAMPLES, :-SAMPLES], products[:-SAMPLES, -SAMPLES:]
    penalty = RIDGE * np.trace(squares) / len(squares)
    change = np.linalg.solve(squares + penalty * np.eye(len(squares)), crossed)
    change *= np.arange(SAMPLES, 0, -1) / SAMPLES
    window, weights = network.config.window, torch.from_numpy(change.T)
    refitted = deepcopy(network)
    with torch.no_grad():
        refitted.linear.weight[:SAMPLES] += weights[:, :window]
        refitted.head.weight[:SAMPLES] += weights[:, window:-1]
        refitted.head.bias[:SAMPLES] += weights[:, -1]
    return refitted


@torch.inference_mode()
def _products(network: Network, scaling: ScalingConfig, lead: FloatArray) -> FloatArray:
    """Return the mean products of window, hidden state, 1 and first errors, divided by the mean squared first error.

    Parameters
    ----------
    lead : ndarray of float64, shape (n,)
        mV.

    Returns
    -------
    ndarray of float64, shape (window + hidden + 1 + SAMPLES, window + hidden + 1 + SAMPLES)
    """
    trial = to_sequences(lead[None], replace(network.config, horizon=SAMPLES), scaling)
    n, warm = trial.scale.shape[1], WARM_UP_S * FS // network.config.patch
    state = None
    size = network.config.window + network.config.hidden + 1 + SAMPLES
    products = np.zeros((size, size))
    for i in range(0, n, CHUNK):
        span = slice(i, i + CHUNK)
        x = torch.from_numpy(trial.x[:, span])
        with denormals_flushed():
            hidden, state = network.lstm(x, state)
        mean = network.head(hidden)[..., :SAMPLES] + network.linear(x)[..., :SAMPLES]
        error = torch.from_numpy(trial.target[:, span]) - mean
        row = torch.cat([x, hidden, torch.ones_like(x[..., :1]), error], dim=-1)[0]
        in_mv = (row * torch.from_numpy(trial.scale[0, span, None])).double().numpy()[max(0, warm - i) :]
        products += in_mv.T @ in_mv
    mean_square = products[-SAMPLES, -SAMPLES] / (n - warm)
    return np.asarray(products / (n - warm) / max(mean_square, LEAST_RMSE_MV**2))
