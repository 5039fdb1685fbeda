"""The last stage of training: the first samples of the forecast, refitted by least squares.

The samples of a window are so alike that gradient descent hardly tells them apart, and one sample ahead it stays behind
an AR model. But the forecast is linear in the window and in what the LSTM says, so the best weights can be worked out:
by ridge regression of the errors that are left, on both. Further ahead that fits the records that it is worked out from
and no others (docs/experiments.md), so the change fades out.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import torch

from model.datasets.mitdb import Signals
from model.forecast.config import WARM_S, ScalingConfig
from model.forecast.network import Network
from model.forecast.torch_runtime import denormals_flushed
from model.signal.arrays import FloatArray
from model.training.stretches import steps
from stream.timebase import FS

SAMPLES = 8
"""Samples, 22 ms, over which the change fades out: all of it at the first, an eighth at the last."""

RIDGE = 1e-5
"""Penalty on the square of a change, as a share of the mean square of what it weighs."""

LEAST_RMSE_MV = 0.005
"""No lead counts as known better than to a step of the converter, lest a flat line outweigh all others."""

CHUNK = 900
"""Steps of the network at once: ten seconds."""


def refit(network: Network, scaling: ScalingConfig, signals: Signals) -> Network:
    """Return the network with new weights for the mean of its first samples; scales and all others stay.

    The squares are those of errors in mV. Each lead counts by one over the mean square of its errors one sample ahead
    before, so that all become better by the same share, the noisy and the quiet.

    Parameters
    ----------
    network : Network
        In evaluation mode; it is left as it is.
    scaling : ScalingConfig
    signals : Signals
        Records to fit to, each longer than `WARM_S`.
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
    """Return the mean products of window, hidden state, 1 and first errors with each other, relative to the error's.

    Parameters
    ----------
    lead : ndarray of float64, shape (n,)
        mV.

    Returns
    -------
    ndarray of float64, shape (window + hidden + 1 + SAMPLES, window + hidden + 1 + SAMPLES)
    """
    trial = steps(lead[None], replace(network.config, horizon=SAMPLES), scaling)
    n, warm = trial.scale.shape[1], WARM_S * FS // network.config.patch
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
