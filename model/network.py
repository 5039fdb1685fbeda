"""The forecaster's network: an LSTM over patches with a direct head for all horizons at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from model.config import NetworkConfig

LSTMState = tuple[Tensor, Tensor]
"""h and c, each of shape (layers, batch, hidden)."""


DENORMAL = 5e-324
"""The smallest number above zero; a processor that flushes denormals takes it as zero."""


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Take denormal floats as zero inside: they slow a recurrent network many times over.

    It is a mode of the processor that holds for the whole thread, so it is left as it was, for everyone else's sake.
    """
    before = DENORMAL * 1.0 == 0.0  # torch can set the mode, but not tell it
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


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


LiveLSTM = Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, Sequence[Tensor]]]


class LiveNetwork:
    """A trained network for live use: it gives what `Network` gives, sooner, and cannot be trained.

    Time comes first, as the LSTM wants it, and the linear forecast is part of the head. Where oneDNN does the work, the
    weights are put into its own order once and not at every call, which is a third of the time of a single stream;
    and the head goes through oneDNN too, because the library behind `nn.Linear` leaves half of some processors
    unused. Torch has these calls for its compiler; where it lacks them, the plain ones do.

    Parameters
    ----------
    network : Network
        Its weights must not change any more.
    """

    def __init__(self, network: Network) -> None:
        self.config = network.config
        packs = bool(torch.backends.mkldnn.is_available()) and all(  # type: ignore[no-untyped-call]
            hasattr(torch.ops.mkldnn, name)
            for name in ("_reorder_mkldnn_rnn_layer_weight", "_reorder_linear_weight", "_linear_pointwise")
        )
        with torch.inference_mode():
            linear = nn.functional.pad(network.linear.weight, (0, 0, 0, self.config.horizon))  # no word on the scale
            weight = torch.cat([network.head.weight, linear], dim=1)
            self._lstm = _packed_lstm(network.lstm) if packs else _plain_lstm(network.lstm)
            self._head = (_packed_linear if packs else _plain_linear)(weight, network.head.bias.detach())

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
        hidden, state = self._lstm(x, state)
        y = self._head(torch.cat([hidden, x], dim=2)).view(*x.shape[:2], 2, self.config.horizon)
        scale = y[:, :, 1]
        torch.add(nn.functional.softplus(scale), self.config.scale_floor, out=scale)
        return y, state


def _plain_lstm(lstm: nn.LSTM) -> LiveLSTM:
    def run(x: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, Sequence[Tensor]]:
        hidden, after = lstm(x.transpose(0, 1), (torch.stack(list(state[::2])), torch.stack(list(state[1::2]))))
        return hidden.transpose(0, 1), [part for layer in zip(*after, strict=True) for part in layer]

    return run


def _packed_lstm(lstm: nn.LSTM) -> LiveLSTM:
    size, mode = lstm.hidden_size, 2  # the number by which torch means an LSTM

    def pack(streams: int) -> list[tuple[Tensor, ...]]:
        layers = []
        for i in range(lstm.num_layers):
            w_ih, w_hh, *biases = (weight.detach() for weight in lstm.all_weights[i])
            shape = [1, streams, w_ih.shape[1]]
            packed = torch.ops.mkldnn._reorder_mkldnn_rnn_layer_weight(w_ih, w_hh, size, False, True, False, shape)
            layers.append((*packed, *biases))
        return layers

    # oneDNN wants another order for a single stream than for several, and would make it anew at every call.
    single, several = pack(1), pack(256)

    def run(x: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, Sequence[Tensor]]:
        after = []
        layers = single if x.shape[1] == 1 else several
        for weights, h, c in zip(layers, state[::2], state[1::2], strict=True):
            x, h, c, _ = torch.ops.aten.mkldnn_rnn_layer(
                x, *weights, h, c, False, [], mode, size, 1, True, False, False, False
            )
            after += [h, c]
        return x, after

    return run


def _plain_linear(weight: Tensor, bias: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda x: nn.functional.linear(x, weight, bias)


def _packed_linear(weight: Tensor, bias: Tensor) -> Callable[[Tensor], Tensor]:
    packed = torch.ops.mkldnn._reorder_linear_weight(weight)
    return lambda x: torch.ops.mkldnn._linear_pointwise(x, packed, bias, "none", [], "")
