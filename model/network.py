"""The forecaster's network: an LSTM over patches with a direct head for all horizons at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from model.config import NetworkConfig

LSTMState = tuple[Tensor, Tensor]
"""h and c, each of shape (layers, batch, hidden)."""


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Take denormal floats as zero inside: they slow a recurrent network many times over.

    It is a mode of the processor that holds for the whole thread, so it is left again for everyone else's sake.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread inside: sums then come out the same to the last bit, and times can be compared."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Network(nn.Module):
    """Forecast the next samples of normalised streams, with a scale for each.

    The mean is what the LSTM says plus a linear forecast from the window itself, so that the first milliseconds
    cost the LSTM nothing.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.lstm = nn.LSTM(
            config.window,
            config.hidden,
            config.layers,
            batch_first=True,
            dropout=config.dropout if config.layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden, 2 * config.horizon)
        self.linear = nn.Linear(config.window, config.horizon, bias=False)
        nn.init.zeros_(self.linear.weight)
        nn.init.ones_(self.linear.weight[:, -1])  # starts as persistence

    def forward(self, x: Tensor, state: LSTMState | None = None) -> tuple[Tensor, LSTMState]:
        """Take steps.

        Parameters
        ----------
        x : Tensor, shape (batch, time, window)
            The last samples before each origin, normalised.
        state : tuple of Tensor or None
            From the steps before; None at the start.

        Returns
        -------
        y : Tensor, shape (batch, time, horizon, 2)
            Mean and scale of the next samples, in normalised units.
        state : tuple of Tensor
        """
        hidden, state = self.lstm(x, state)
        raw = self.head(self.dropout(hidden)).unflatten(-1, (2, self.config.horizon))
        mean = raw[..., 0, :] + self.linear(x)
        scale = nn.functional.softplus(raw[..., 1, :]) + self.config.scale_floor
        return torch.stack([mean, scale], dim=-1), state
