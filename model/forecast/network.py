"""The forecaster's network: an LSTM over patches with a direct head for all horizons at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from model.forecast import lstm_inference
from model.forecast.config import NetworkConfig
from model.forecast.lstm_inference import LiveLSTM
from model.forecast.torch_runtime import CLOCK

LSTMState = tuple[Tensor, Tensor]
"""h and c, each of shape (layers, batch, hidden)."""


class Network(nn.Module):
    """Forecast the next samples of normalised streams, with a scale for each.

    The mean is the output of the LSTM plus a linear forecast from the window itself, so that the first milliseconds
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


Way = Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, Sequence[Tensor]]]
Head = Callable[[Tensor, Tensor], Tensor]

MANY = 96
"""Streams from which on another back end may be faster than that for few."""


class LiveNetwork:
    """A trained network for live use: it gives the outputs of `Network`, faster, and cannot be trained.

    Few streams go through oneDNN's LSTM, where torch has it. With many it depends on the processor which back end is
    fastest: the library behind ``torch.addmm`` is ahead of oneDNN on some, and leaves half of others unused. So both
    are tried on the first batch of that size.

    Parameters
    ----------
    network : Network
        Its weights must not change any more.
    """

    def __init__(self, network: Network) -> None:
        self.config = network.config
        with torch.inference_mode():
            head = _plain_head(network)
            by_hand = _way(lstm_inference.by_hand(network.lstm), head)
            if lstm_inference.can_pack():
                packed = lstm_inference.packed(network.lstm)
                self._few = _way(packed, head)
                self._for_many = [by_hand, _way(packed, _packed_head(network))]
            else:
                self._few = _way(lstm_inference.plain(network.lstm), head)
                self._for_many = [by_hand, self._few]

    def __call__(self, x: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, Sequence[Tensor]]:
        """Take steps; to be called in inference mode.

        Parameters
        ----------
        x : Tensor, shape (time, batch, window)
        state : sequence of Tensor
            h of the first layer, c of the first layer, h of the second, …, each of shape (batch, hidden); zeros at the
            start.

        Returns
        -------
        y : Tensor, shape (time, batch, 2, horizon)
            Mean and scale.
        state : sequence of Tensor
        """
        if x.shape[1] < MANY:
            return self._few(x, state)
        if len(self._for_many) > 1:
            self._for_many = [_fastest(self._for_many, x[:4], state)]
        return self._for_many[0](x, state)


def _fastest(ways: Sequence[Way], x: Tensor, state: Sequence[Tensor]) -> Way:
    took = [math.inf] * len(ways)
    for _ in range(6):  # in turn, and the least counts, because the machine may be busy
        for i, way in enumerate(ways):
            began = CLOCK()
            way(x, state)
            took[i] = min(took[i], CLOCK() - began)
    return ways[took.index(min(took))]


def _way(lstm: LiveLSTM, head: Head) -> Way:
    def run(x: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, Sequence[Tensor]]:
        hidden, state = lstm(x, state)
        y = head(hidden.flatten(0, 1), x.flatten(0, 1))
        return y.view(*x.shape[:2], 2, -1), state

    return run


def _live_head(network: Network) -> tuple[Tensor, Tensor]:
    """Return the head's weight, shape (outputs, hidden), and bias, such that scale = floor + log(1 + 2^output)."""
    weight, bias = network.head.weight.detach().clone(), network.head.bias.detach().clone()
    for part in (weight, bias):
        part[network.config.horizon :] /= math.log(2)
    return weight, bias


def _set_scale(raw: Tensor, floor: float) -> None:
    """Turn outputs of the head into scales, in place; twice as fast as ``softplus``.

    The LSTM gives no more than 1, and the head's weights add up to some 17: the power stays far from infinity.
    """
    raw.exp2_().log1p_().add_(floor)


def _plain_head(network: Network) -> Head:
    horizon, floor = network.config.horizon, network.config.scale_floor
    weight, bias = _live_head(network)
    weight, linear = weight.T.contiguous(), network.linear.weight.detach().T.contiguous()

    def run(hidden: Tensor, x: Tensor) -> Tensor:
        y = torch.addmm(bias, hidden, weight)
        y[:, :horizon].addmm_(x, linear)
        _set_scale(y[:, horizon:], floor)
        return y

    return run


def _packed_head(network: Network) -> Head:
    """Return the head as one product with weights in oneDNN's own order."""
    horizon, floor = network.config.horizon, network.config.scale_floor
    weight, bias = _live_head(network)
    linear = nn.functional.pad(network.linear.weight.detach(), (0, 0, 0, horizon))  # no word on the scale
    packed = torch.ops.mkldnn._reorder_linear_weight(torch.cat([weight, linear], dim=1))

    def run(hidden: Tensor, x: Tensor) -> Tensor:
        y: Tensor = torch.ops.mkldnn._linear_pointwise(torch.cat([hidden, x], dim=1), packed, bias, "none", [], "")
        _set_scale(y[:, horizon:], floor)
        return y

    return run
