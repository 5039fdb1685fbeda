"""The forecaster's network for inference, as compiled functions: the outputs of `model.forecast.network.Network`.

A few streams, a block, go through all layers at one step. The inputs of all products stand in one array, one column for
each stream, in the order window, h of the first layer, h of the second, …, window again: each product takes adjacent
rows.

``sigmoid(a) = 1 / (1 + 2^(-a / ln 2))`` and ``tanh(a) = 2 sigmoid(2 a) - 1``. The factors are folded into the weights,
so a gate is the reciprocal of ``1 + 2^output``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from model.forecast.config import NetworkConfig
from model.forecast.elementary import exp2, log
from model.forecast.matrix_product import ROWS, panels, product
from model.signal.arrays import Float32Array
from model.signal.compiled import compiled

BLOCK = ROWS[-1]
"""Streams in a block."""

_ONE, _TWO, _ZERO = np.float32(1), np.float32(2), np.float32(0)

_SATURATED = np.float32(39)
"""Bound of the exponents: beyond it, a sigmoid differs from 0 or 1 by less than 2e-12. A product of three of its
denominators is a finite float32."""

_TINY = np.float32(1e-20)
"""Cell states below count as zero: denormal numbers slow down a recurrent network many times."""

_CELL_FACTOR = np.float32(-2 / math.log(2))


class Weights(NamedTuple):
    """The weights of a network, in float32 and in the form that `step` needs.

    Attributes
    ----------
    lstm : ndarray, shape (layers, panels, inputs, PANEL)
        Inputs of a layer: what it receives, then its own h.
    lstm_bias : ndarray, shape (layers, panels * PANEL)
    head : ndarray, shape (panels, hidden + window, PANEL)
        Means, then scales; `step` uses the horizon's first columns of each half.
    head_bias : ndarray, shape (panels * PANEL,)
    window, hidden, horizon : int
    scale_floor : float
    """

    lstm: Float32Array
    lstm_bias: Float32Array
    head: Float32Array
    head_bias: Float32Array
    window: int
    hidden: int
    horizon: int
    scale_floor: float


def pack_weights(config: NetworkConfig, weights: Mapping[str, Float32Array]) -> Weights:
    """Return the weights of a network, given by their names in `Network`."""
    size, horizon = config.hidden, config.horizon
    gates = np.full(4 * size, -1 / math.log(2), np.float32)
    gates[2 * size : 3 * size] *= 2
    depth = max(config.window, size) + size
    lstm, lstm_bias = [], []
    for i in range(config.layers):
        joined = np.concatenate([weights[f"lstm.weight_ih_l{i}"], weights[f"lstm.weight_hh_l{i}"]], axis=1)
        lstm.append(panels((joined * gates[:, None]).T, depth))
        lstm_bias.append(panels(((weights[f"lstm.bias_ih_l{i}"] + weights[f"lstm.bias_hh_l{i}"]) * gates)[None]))
    outputs = np.ones(2 * horizon, np.float32)
    outputs[horizon:] /= math.log(2)
    linear = np.pad(weights["linear.weight"], ((0, horizon), (0, 0)))  # the scale has no linear part
    head = np.concatenate([weights["head.weight"] * outputs[:, None], linear], axis=1)
    return Weights(
        np.stack(lstm),
        np.stack(lstm_bias).reshape(config.layers, -1),
        panels(head.T),
        panels((weights["head.bias"] * outputs)[None]).ravel(),
        config.window,
        size,
        horizon,
        config.scale_floor,
    )


@compiled
def rows_for(streams: int) -> int:
    """Return the number of columns that the inputs of a block need for so many streams."""
    for rows in ROWS:
        if rows >= streams:
            return rows
    return BLOCK


@compiled
def step(weights: Weights, inputs: Float32Array, cell: Float32Array, scratch: Float32Array, out: Float32Array) -> None:
    """Run the network over one step of a block, in place.

    Parameters
    ----------
    weights : Weights
    inputs : ndarray of float32, shape (window + layers * hidden + window, rows)
        Window, and h before the step; the function sets the rest and replaces h.
    cell : ndarray of float32, shape (layers, rows, hidden)
        c of each layer; replaced.
    scratch : ndarray of float32, shape (rows, columns of `lstm_bias`)
    out : ndarray of float32, shape (rows, columns of `head_bias`)
        Set to mean and scale, each over the horizon.
    """
    window, hidden, horizon = weights.window, weights.hidden, weights.horizon
    inputs[-window:] = inputs[:window]
    first, own = 0, window
    for layer in range(len(weights.lstm)):
        depth = own - first + hidden
        product(inputs, first, depth, weights.lstm[layer], weights.lstm_bias[layer], scratch)
        for i in range(inputs.shape[1]):
            _update_cell(scratch[i], cell[layer, i])
            for j in range(hidden):
                inputs[own + j, i] = scratch[i, j]
        first, own = own, own + hidden
    product(inputs, first, hidden + window, weights.head, weights.head_bias, out)
    floor = np.float32(weights.scale_floor)
    for i in range(inputs.shape[1]):
        scale = out[i, horizon : 2 * horizon]
        for j in range(horizon):
            scale[j] = floor + log(_ONE + exp2(scale[j]))  # the head's outputs are bounded, as h is


@compiled
def _update_cell(gates: Float32Array, cell: Float32Array) -> None:
    """Compute ``c = forget * c + keep * tanh(new)`` and ``h = output * tanh(c)``, each with one division.

    h replaces the first gate.
    """
    size = len(cell)
    for j in range(size):
        keep = _denominator(gates[j])
        forget = _denominator(gates[size + j])
        new = _denominator(gates[2 * size + j])
        c = (cell[j] * keep * new + (_TWO - new) * forget) / (keep * forget * new)
        cell[j] = c if abs(c) > _TINY else _ZERO
    for j in range(size):
        output = _denominator(gates[3 * size + j])
        new = _denominator(cell[j] * _CELL_FACTOR)
        gates[j] = (_TWO - new) / (new * output)


@compiled
def _denominator(exponent: Any) -> Any:
    return _ONE + exp2(min(max(exponent, -_SATURATED), _SATURATED))
