"""A lecture's one-step forecast of an ECG by its own protocol, and the baselines that it left out.

The first 2,000 samples of SciPy's ``electrocardiogram`` are normalised by the minimum and maximum of their first 70 %
alone; ``LSTM(1, 50)`` with ``Linear(50, 1)`` learns to say the next sample from the 50 before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor, nn

from model.signal.arrays import FloatArray

SAMPLES, TRAINING, WINDOW = 2000, 1400, 50
"""Samples used, how many of them train (70 %), samples in a window."""

EPOCHS, LR, SEED, HIDDEN = 100, 0.01, 42, 50
"""Full-batch steps of Adam, its learning rate, the seed, units of the LSTM."""


@dataclass(frozen=True)
class Trace:
    """The lecture's signal.

    Attributes
    ----------
    x : ndarray of float64, shape (SAMPLES,)
        Normalised: the training span lies in 0 … 1.
    low, high : float
        mV that 0 and 1 stand for.
    """

    x: FloatArray
    low: float
    high: float

    @property
    def training(self) -> FloatArray:
        """The first 70 %."""
        return self.x[:TRAINING]

    @property
    def test(self) -> FloatArray:
        """The rest."""
        return self.x[TRAINING:]

    def mv(self, x: FloatArray) -> FloatArray:
        """Return normalised values in mV."""
        return self.low + x * (self.high - self.low)


def normalise(mv: FloatArray) -> Trace:
    """Return the trace in units of its training span's range; the test span has no say in it.

    Parameters
    ----------
    mv : ndarray of float64, shape (SAMPLES,)
    """
    low, high = float(mv[:TRAINING].min()), float(mv[:TRAINING].max())
    return Trace((mv - low) / (high - low), low, high)


def pairs(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return windows of 50 samples, shape (n - 50, 50), and the sample after each, shape (n - 50,)."""
    rows = sliding_window_view(x, WINDOW + 1)
    return rows[:, :WINDOW], rows[:, WINDOW]


class Lecture(nn.Module):
    """The lecture's model, layers made in its order, so that its seed gives its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, HIDDEN, batch_first=True)
        self.out = nn.Linear(HIDDEN, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the next sample, shape (batch, 1), from windows of shape (batch, WINDOW, 1)."""
        hidden, _ = self.lstm(x)
        y: Tensor = self.out(hidden[:, -1])
        return y


def train_lecture(
    training: FloatArray, epochs: int = EPOCHS, progress: Callable[[], None] = lambda: None
) -> tuple[Lecture, list[float]]:
    """Train as the lecture does; return the model and the loss of each epoch, before its step.

    Parameters
    ----------
    training : ndarray of float64, shape (TRAINING,)
        Normalised.
    epochs : int
        Full-batch steps.
    progress : callable
        Called after each.
    """
    windows, following = pairs(training)
    x, target = column(windows), torch.tensor(following, dtype=torch.float32)[:, None]
    losses = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = Lecture()
        optimiser = torch.optim.Adam(model.parameters(), lr=LR)
        for _ in range(epochs):
            optimiser.zero_grad()
            loss = nn.functional.mse_loss(model(x), target)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(loss.item())
            progress()
    return model, losses


# --- what the lecture left out --------------------------------------------------------------------------------------


def persistence(windows: FloatArray) -> FloatArray:
    """Say that the next sample is the last one."""
    return windows[:, -1]


def linear(windows: FloatArray) -> FloatArray:
    """Draw a straight line through the last two samples."""
    return 2 * windows[:, -1] - windows[:, -2]


def fit_ar50(training: FloatArray) -> FloatArray:
    """Return 50 weights and a constant, by least squares."""
    windows, following = pairs(training)
    weights, *_ = np.linalg.lstsq(_with_constant(windows), following, rcond=None)
    return np.asarray(weights)


def ar50(weights: FloatArray, windows: FloatArray) -> FloatArray:
    """Say the next sample as a weighted sum of the window."""
    return np.asarray(_with_constant(windows) @ weights)


def column(windows: FloatArray) -> Tensor:
    """Return windows as the lecture's model takes them, shape (n, WINDOW, 1)."""
    return torch.tensor(windows.copy(), dtype=torch.float32)[:, :, None]


def _with_constant(windows: FloatArray) -> FloatArray:
    return np.concatenate([windows, np.ones((len(windows), 1))], axis=1)
