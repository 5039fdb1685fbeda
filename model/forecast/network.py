"""The forecaster's network: an LSTM over patches, with one linear head for all horizons."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from model.forecast import lstm_inference
from model.forecast.config import NetworkConfig
from model.forecast.lstm_inference import LSTMBackend
from model.forecast.torch_runtime import CPU_CLOCK

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


Backend = Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, Sequence[Tensor]]]
"""Maps x and state to y and the next state, as `InferenceNetwork` does."""

Head = Callable[[Tensor, Tensor], Tensor]
"""Maps the LSTM's output and x, each of shape (n, features), to mean and scale, shape (n, 2 * horizon)."""

LARGE_BATCH = 96
"""Smallest number of streams for which the back end is chosen by a measurement."""


class InferenceNetwork:
    """A trained network for inference: the outputs of `Network`, computed faster.

    Small batches use oneDNN's LSTM where torch has it. For large batches the fastest back end depends on the
    processor: the library behind ``torch.addmm`` is faster than oneDNN on some, and uses only half of the capacity of
    others. So all back ends are timed on the first large batch, and the fastest is kept.

    Parameters
    ----------
    network : Network
        Its weights must not change afterwards.
    """

    def __init__(self, network: Network) -> None:
        self.config = network.config
        with torch.inference_mode():
            head = _torch_head(network)
            exp2 = _backend(lstm_inference.exp2_backend(network.lstm), head)
            if lstm_inference.has_onednn():
                onednn = lstm_inference.onednn_backend(network.lstm)
                self._small_batch = _backend(onednn, head)
                self._large_batch = [exp2, _backend(onednn, _onednn_head(network))]
            else:
                self._small_batch = _backend(lstm_inference.torch_backend(network.lstm), head)
                self._large_batch = [exp2, self._small_batch]

    def __call__(self, x: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, Sequence[Tensor]]:
        """Run the network over steps; call it in inference mode.

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
        if x.shape[1] < LARGE_BATCH:
            return self._small_batch(x, state)
        if len(self._large_batch) > 1:
            self._large_batch = [_fastest(self._large_batch, x[:4], state)]
        return self._large_batch[0](x, state)


def _fastest(backends: Sequence[Backend], x: Tensor, state: Sequence[Tensor]) -> Backend:
    seconds = [math.inf] * len(backends)
    for _ in range(6):  # alternating, and the minimum counts, because the machine may be busy
        for i, backend in enumerate(backends):
            began = CPU_CLOCK()
            backend(x, state)
            seconds[i] = min(seconds[i], CPU_CLOCK() - began)
    return backends[seconds.index(min(seconds))]


def _backend(lstm: LSTMBackend, head: Head) -> Backend:
    def run(x: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, Sequence[Tensor]]:
        hidden, state = lstm(x, state)
        y = head(hidden.flatten(0, 1), x.flatten(0, 1))
        return y.view(*x.shape[:2], 2, -1), state

    return run


def _base2_head(network: Network) -> tuple[Tensor, Tensor]:
    """Return the head's weight, shape (outputs, hidden), and bias, scaled so that scale = floor + ln(1 + 2^output)."""
    weight, bias = network.head.weight.detach().clone(), network.head.bias.detach().clone()
    for part in (weight, bias):
        part[network.config.horizon :] /= math.log(2)
    return weight, bias


def _to_scale(raw: Tensor, floor: float) -> None:
    """Turn outputs of the head into scales, in place; twice as fast as ``softplus``.

    The power cannot overflow: the LSTM's outputs are at most 1 and the head's weights add up to about 17.
    """
    raw.exp2_().log1p_().add_(floor)


def _torch_head(network: Network) -> Head:
    horizon, floor = network.config.horizon, network.config.scale_floor
    weight, bias = _base2_head(network)
    weight, linear = weight.T.contiguous(), network.linear.weight.detach().T.contiguous()

    def run(hidden: Tensor, x: Tensor) -> Tensor:
        y = torch.addmm(bias, hidden, weight)
        y[:, :horizon].addmm_(x, linear)
        _to_scale(y[:, horizon:], floor)
        return y

    return run


def _onednn_head(network: Network) -> Head:
    """Return the head as one oneDNN product with reordered weights."""
    horizon, floor = network.config.horizon, network.config.scale_floor
    weight, bias = _base2_head(network)
    linear = nn.functional.pad(network.linear.weight.detach(), (0, 0, 0, horizon))  # the scale has no linear part
    reordered = torch.ops.mkldnn._reorder_linear_weight(torch.cat([weight, linear], dim=1))

    def run(hidden: Tensor, x: Tensor) -> Tensor:
        y: Tensor = torch.ops.mkldnn._linear_pointwise(torch.cat([hidden, x], dim=1), reordered, bias, "none", [], "")
        _to_scale(y[:, horizon:], floor)
        return y

    return run
