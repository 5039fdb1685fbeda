"""Inference back ends for a trained LSTM.

All give the result of `nn.LSTM`; their speed depends on the number of streams and on the processor. Time is the first
axis, as in ``x`` of shape (time, batch, inputs). The state is a sequence: h of the first layer, c of the first layer, h
of the second, …, each of shape (batch, hidden). Back ends run in inference mode only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

LSTMBackend = Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, Sequence[Tensor]]]
"""Maps x and state to the output of the last layer, shape (time, batch, hidden), and the next state."""


def torch_backend(lstm: nn.LSTM) -> LSTMBackend:
    """Return a back end that calls `nn.LSTM`."""

    def run(x: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, Sequence[Tensor]]:
        hidden, after = lstm(x.transpose(0, 1), (torch.stack(list(state[::2])), torch.stack(list(state[1::2]))))
        return hidden.transpose(0, 1), [part for layer in zip(*after, strict=True) for part in layer]

    return run


def onednn_backend(lstm: nn.LSTM) -> LSTMBackend:
    """Return a back end that calls oneDNN with weights reordered into oneDNN's layout once, not at every call.

    Reordering takes a third of the time of a step of one stream. Torch has these calls for its compiler; see
    `has_onednn`.
    """
    size, mode = lstm.hidden_size, 2  # torch's code for an LSTM

    def reorder(streams: int) -> list[tuple[Tensor, ...]]:
        layers = []
        for i in range(lstm.num_layers):
            w_ih, w_hh, *biases = (weight.detach() for weight in lstm.all_weights[i])
            shape = [1, streams, w_ih.shape[1]]
            weights = torch.ops.mkldnn._reorder_mkldnn_rnn_layer_weight(w_ih, w_hh, size, False, True, False, shape)
            layers.append((*weights, *biases))
        return layers

    # oneDNN uses another layout for one stream than for several; with the wrong one it reorders at every call.
    single, several = reorder(1), reorder(256)

    def run(x: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, Sequence[Tensor]]:
        after = []
        layers = single if x.shape[1] == 1 else several
        for (w_ih, w_hh, b_ih, b_hh), h, c in zip(layers, state[::2], state[1::2], strict=True):
            x, h, c, _ = torch.mkldnn_rnn_layer(
                x, w_ih, w_hh, b_ih, b_hh, h, c, False, [], mode, size, 1, True, False, False, False
            )
            after += [h, c]
        return x, after

    return run


def has_onednn() -> bool:
    """Return whether this torch has oneDNN and the calls for reordered weights."""
    return bool(torch.backends.mkldnn.is_available()) and all(  # type: ignore[no-untyped-call]
        hasattr(torch.ops.mkldnn, name)
        for name in ("_reorder_mkldnn_rnn_layer_weight", "_reorder_linear_weight", "_linear_pointwise")
    )


def exp2_backend(lstm: nn.LSTM) -> LSTMBackend:
    """Return a back end of matrix products and powers of two, for many streams.

    ``sigmoid(a) = 1 / (1 + 2^(-a / ln 2))`` and ``tanh(a) = 2 sigmoid(2 a) - 1``. The factors are folded into the
    weights, and products with gates become divisions by their denominators. So all four gates need one power of two,
    which torch computes faster than a sigmoid, and one sum. Inside, c is scaled by ``-2 / ln 2``.
    """
    size, tanh_factor = lstm.hidden_size, -2 / math.log(2)
    factor = torch.full((4 * size,), tanh_factor / 2)
    factor[2 * size : 3 * size] = tanh_factor
    layers = []
    for i in range(lstm.num_layers):
        w_ih, w_hh, b_ih, b_hh = (weight.detach() for weight in lstm.all_weights[i])
        layers.append(((w_ih.T * factor).contiguous(), (w_hh.T * factor).contiguous(), (b_ih + b_hh) * factor))
    zero = torch.zeros(())

    def run(x: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, Sequence[Tensor]]:
        after = []
        for (w_ih, w_hh, bias), h, c in zip(layers, state[::2], state[1::2], strict=True):
            c = c * tanh_factor
            gates, part = x.new_empty(len(h), 4 * size), torch.empty_like(c)
            keep, forget, cell, output = gates.chunk(4, 1)
            hidden = x.new_empty(len(x), *h.shape)
            for new, out in zip(x, hidden, strict=True):
                torch.addmm(bias, new, w_ih, out=gates)
                torch.addmm(gates, h, w_hh, out=gates).exp2_().add_(1)
                torch.reciprocal(cell, out=part).sub_(0.5)
                c.div_(forget).addcdiv_(part, keep, value=2 * tanh_factor)
                torch.exp2(c, out=part).add_(1).reciprocal_().sub_(0.5)
                h = torch.addcdiv(zero, part, output, value=2, out=out)
            x = hidden
            after += [h, c / tanh_factor]
        return x, after

    return run
