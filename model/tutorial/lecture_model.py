"""A lecture's one-step ECG forecast with its own protocol, and the baselines that the lecture omits.

The first 2,000 samples of SciPy's ``electrocardiogram`` are normalised by the minimum and maximum of their first 70 %.
``LSTM(1, 50)`` with ``Linear(50, 1)`` is trained to predict the next sample from the 50 before it.
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
"""Samples used, samples of the training span (70 %), samples in a window."""

EPOCHS, LR, SEED, HIDDEN = 100, 0.01, 42, 50
"""Full-batch steps of Adam, learning rate, seed, LSTM units."""


@dataclass(frozen=True)
class Trace:
    """The lecture's signal.

    Attributes
    ----------
    x : ndarray of float64, shape (SAMPLES,)
        Normalised: the training span has the range 0 … 1.
    low, high : float
        mV of 0 and 1.
    """

    x: FloatArray
    low: float
    high: float

    @property
    def training(self) -> FloatArray:
        """The training span: the first 70 %."""
        return self.x[:TRAINING]

    @property
    def test(self) -> FloatArray:
        """The test span: the rest."""
        return self.x[TRAINING:]

    def mv(self, x: FloatArray) -> FloatArray:
        """Convert normalised values to mV."""
        return self.low + x * (self.high - self.low)


def normalise(mv: FloatArray) -> Trace:
    """Normalise the trace by the range of its training span; the test span is not used.

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
    """The lecture's model. Layers are created in its order, so that its seed gives the same initial weights."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, HIDDEN, batch_first=True)
        self.out = nn.Linear(HIDDEN, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Predict the next sample, shape (batch, 1), from windows of shape (batch, WINDOW, 1)."""
        hidden, _ = self.lstm(x)
        y: Tensor = self.out(hidden[:, -1])
        return y


def train_lecture(
    training: FloatArray, epochs: int = EPOCHS, update: Callable[[int], None] = lambda _: None
) -> tuple[Lecture, list[float]]:
    """Train with the lecture's protocol; return the model and the loss of each epoch before its step.

    Parameters
    ----------
    training : ndarray of float64, shape (TRAINING,)
        Normalised.
    epochs : int
        Full-batch steps.
    update : callable
        Called with the number of completed epochs.
    """
    windows, following = pairs(training)
    x, target = column(windows), torch.tensor(following, dtype=torch.float32)[:, None]
    losses = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = Lecture()
        optimiser = torch.optim.Adam(model.parameters(), lr=LR)
        for epoch in range(epochs):
            optimiser.zero_grad()
            loss = nn.functional.mse_loss(model(x), target)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(loss.item())
            update(epoch + 1)
    return model, losses


# --- baselines ------------------------------------------------------------------------------------------------------


def persistence(windows: FloatArray) -> FloatArray:
    """Predict that the next sample equals the last one."""
    return windows[:, -1]


def linear(windows: FloatArray) -> FloatArray:
    """Extrapolate linearly from the last two samples."""
    return 2 * windows[:, -1] - windows[:, -2]


def fit_ar50(training: FloatArray) -> FloatArray:
    """Fit AR(50) by least squares: 50 weights and a constant."""
    windows, following = pairs(training)
    weights, *_ = np.linalg.lstsq(_with_constant(windows), following, rcond=None)
    return np.asarray(weights)


def ar50(weights: FloatArray, windows: FloatArray) -> FloatArray:
    """Predict the next sample as a weighted sum of the window."""
    return np.asarray(_with_constant(windows) @ weights)


def column(windows: FloatArray) -> Tensor:
    """Return windows as input of the lecture's model, shape (n, WINDOW, 1)."""
    return torch.tensor(windows.copy(), dtype=torch.float32)[:, :, None]


def _with_constant(windows: FloatArray) -> FloatArray:
    return np.concatenate([windows, np.ones((len(windows), 1))], axis=1)
