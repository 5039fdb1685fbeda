"""The forecaster's network: an LSTM over patches, with one linear head for all horizons.

This is the form in which it is trained; `model.forecast.inference` computes the same outputs without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from model.forecast.config import NetworkConfig, ScalingConfig
from model.forecast.forecaster_weights import TrainedForecaster

LSTMState = tuple[Tensor, Tensor]
"""h and c, each of shape (layers, batch, hidden)."""


class Network(nn.Module):
    """Forecasts the next samples of normalised streams, with a scale for each sample.

    The mean is the sum of the LSTM's output and a linear forecast from the window. The linear forecast covers the
    first milliseconds, so the LSTM need not learn them.
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

    @classmethod
    def of(cls, trained: TrainedForecaster) -> Network:
        """Return the network with the weights of a trained one, in evaluation mode."""
        network = cls(trained.config)
        network.load_state_dict({name: torch.tensor(value) for name, value in trained.weights.items()})
        return network.eval()

    def trained(self, scaling: ScalingConfig, provenance: Mapping[str, Any]) -> TrainedForecaster:
        """Return a copy of the weights, as they are written to a file."""
        weights = {name: value.detach().numpy().copy() for name, value in self.state_dict().items()}
        return TrainedForecaster(self.config, weights, scaling, dict(provenance))

    def forward(self, x: Tensor, state: LSTMState | None = None) -> tuple[Tensor, LSTMState]:
        """Run the network over steps.

        Parameters
        ----------
        x : Tensor, shape (batch, time, window)
            The last samples up to each origin, normalised.
        state : tuple of Tensor or None
            After the previous steps; None at the start.

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
