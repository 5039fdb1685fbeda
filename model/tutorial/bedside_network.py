"""A small version of the forecaster's network for the tutorial's five seconds, one sample ahead.

Architecture and training were selected by five-fold cross-validation on the training span; the test span was not used.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor, nn

from model.forecast.config import NetworkConfig
from model.forecast.network import Network
from model.forecast.torch_runtime import denormals_flushed
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.tutorial.lecture_model import SEED, WINDOW

CONFIG = NetworkConfig(patch=1, window=32, horizon=1, hidden=32, layers=1, dropout=0.3)

EPOCHS, LR, RISE, CLIP = 300, 5e-3, 20, 1.0
"""Steps of Adam, highest learning rate, steps of its rise, bound of the gradient norm."""

LINEAR_LR = 0.1
"""Learning rate of the linear skip relative to the LSTM's; it starts at its least-squares solution."""

UNIT = 0.1
"""Input scale of the network in normalised units."""

RIDGE = 0.1
"""Ridge penalty of the linear skip, in units of the network's input."""

SCORED, WARM = 64, 48
"""Steps of a training row, and unscored steps before them that warm up the state."""

GAIN = 0.6
"""Standard deviation of the random logarithmic gain of each training row; the span has only a few beats."""


def inputs(x: FloatArray) -> tuple[Tensor, Tensor]:
    """Return windows and targets relative to the last sample of the window, in units of `UNIT`.

    Returns
    -------
    windows : Tensor, shape (n - 32, 32)
    target : Tensor, shape (n - 32,)
    """
    rows = (sliding_window_view(x, CONFIG.window + 1) - x[CONFIG.window - 1 : -1, None]) / UNIT
    rows = rows.astype(np.float32)
    return torch.from_numpy(rows[:, :-1].copy()), torch.from_numpy(rows[:, -1].copy())


def train(training: FloatArray, epochs: int = EPOCHS, update: Callable[[int], None] = lambda _: None) -> Network:
    """Train on the 1,350 targets of the lecture: the linear skip in closed form, then all weights.

    Parameters
    ----------
    training : ndarray of float64, shape (TRAINING,)
        Normalised.
    epochs : int
        Full-batch steps of Adam.
    update : callable
        Called with the number of completed epochs.
    """
    windows, target = inputs(training)
    first = WINDOW - CONFIG.window
    rng = np.random.default_rng(SEED)
    with torch.random.fork_rng(devices=[]), denormals_flushed():
        torch.manual_seed(SEED)
        network = Network(CONFIG).train()
        start_linear(network, windows[first:], target[first:])
        rest = [weight for name, weight in network.named_parameters() if name != "linear.weight"]
        groups: list[dict[str, Any]] = [{"params": rest}, {"params": [network.linear.weight]}]
        optimiser = torch.optim.Adam(groups)
        for epoch in range(epochs):
            lr = LR * min(1, (epoch + 1) / RISE) * 0.5 * (1 + math.cos(math.pi * epoch / epochs))
            optimiser.param_groups[0]["lr"], optimiser.param_groups[1]["lr"] = lr, LINEAR_LR * lr
            steps, scored = (torch.from_numpy(a) for a in rows_of(first, len(target), rng))
            gain = torch.exp(GAIN * torch.randn(len(steps), 1))
            y, _ = network(windows[steps] * gain[:, :, None])
            error = y[:, :, 0, 0] - target[steps] * gain
            loss = error[scored].square().mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimiser.step()
            update(epoch + 1)
    return network.eval()


@torch.no_grad()
def start_linear(network: Network, windows: Tensor, target: Tensor) -> None:
    """Set the linear skip to its ridge regression, and the output of the LSTM to zero."""
    a, b = windows.double(), target.double()
    weights = torch.linalg.solve(a.T @ a + RIDGE * torch.eye(a.shape[1]), a.T @ b)
    network.linear.weight.copy_(weights[None])
    nn.init.zeros_(network.head.weight)
    nn.init.zeros_(network.head.bias)


def rows_of(first: int, n: int, rng: np.random.Generator) -> tuple[IntArray, BoolArray]:
    """Cut steps 0 … n - 1 into rows at a random offset, each preceded by steps that warm up the state.

    Returns
    -------
    steps : ndarray of int64, shape (rows, WARM + SCORED)
    scored : ndarray of bool, shape (rows, WARM + SCORED)
        Marks each step from `first` on exactly once.
    """
    start = np.arange(rng.integers(SCORED) - SCORED, n, SCORED)
    steps = start[:, None] + np.arange(-WARM, SCORED)
    scored = (steps >= first) & (steps < n)
    scored[:, :WARM] = False
    return steps.clip(0, n - 1), scored


@torch.inference_mode()
def stream(network: Network, x: FloatArray) -> FloatArray:
    """Predict each sample from the 33rd on, one after the other, with carried state; shape (n - 32,)."""
    with denormals_flushed():
        y, _ = network(inputs(x)[0][None])
    return np.asarray(x[CONFIG.window - 1 : -1] + UNIT * y[0, :, 0, 0].numpy().astype(np.float64))
