"""The forecaster's network for inference, as compiled functions: the outputs of `model.forecast.network.Network`.

A few streams, a block, go through all layers at one step. ``sigmoid(a) = 1 / (1 + 2^(-a / ln 2))`` and ``tanh(a) = 2
sigmoid(2 a) - 1``. The factors are folded into the weights, so a gate is the reciprocal of ``1 + 2^output``.

In the precision "bfloat16", the weights of the LSTM and of the head, and all that they are multiplied with, are rounded
to 8 bits; the linear forecast from the window, all sums, gates and c remain float32. That defines the results, on any
processor. One with instructions for bfloat16 (`bf16_product`) computes them faster than those in float32. It adds the
sums in another order and takes denormal numbers for zero.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from model.forecast import bf16_product
from model.forecast.elementary import exp2, log
from model.forecast.forecaster_weights import TrainedForecaster
from model.forecast.matrix_product import ROWS, aligned, panels, product
from model.signal.arrays import Float32Array
from model.signal.compiled import compiled, compiled_fused, compiled_part

Precision = Literal["float32", "bfloat16"]

BLOCK = ROWS[-1]
"""Most streams in a block."""

_FLOAT32, _ROUNDED, _HALVES = 0, 1, 2
"""Forms of the operands: float32, float32 rounded to bfloat16, bits of bfloat16."""

_ONE, _TWO, _ZERO = np.float32(1), np.float32(2), np.float32(0)

_SATURATED = np.float32(39)
"""Bound of the exponents: beyond it, a sigmoid differs from 0 or 1 by less than 2e-12. A product of three of its
denominators is a finite float32."""

_TINY = np.float32(1e-20)
"""Inputs and cell states below count as zero: denormal numbers slow down a recurrent network many times."""

_CELL_FACTOR = np.float32(-2 / math.log(2))


class Weights(NamedTuple):
    """The weights of a network in the form that `step` needs.

    Attributes
    ----------
    form : int
        Of the products of the LSTM and of the head.
    lstm : ndarray of float32, shape (layers, panels, inputs, PANEL)
        Inputs of a layer: what it receives, then its own h.
    lstm_halves : ndarray of uint16, shape (layers, panels, inputs / 32, 16, 32)
        The same as bits of bfloat16; of `lstm` and this, one is empty.
    lstm_bias : ndarray of float32, shape (layers, 1, columns)
    linear : ndarray of float32, shape (panels, window, PANEL)
    head, head_halves : ndarray
        From the last h to means, then scales, each over the horizon; as for the LSTM.
    head_bias : ndarray of float32, shape (1, columns)
    window, hidden, horizon : int
    scale_floor : float
    """

    form: int
    lstm: Float32Array
    lstm_halves: npt.NDArray[np.uint16]
    lstm_bias: Float32Array
    linear: Float32Array
    head: Float32Array
    head_halves: npt.NDArray[np.uint16]
    head_bias: Float32Array
    window: int
    hidden: int
    horizon: int
    scale_floor: float


class Block(NamedTuple):
    """Inputs, state and outputs of some streams, one a row; there may be more rows.

    Attributes
    ----------
    inputs : ndarray of float32, shape (window + window + layers * hidden, rows)
        The window, and the inputs of all products of the LSTM and of the head, of which each takes adjacent rows: the
        window, h of the first layer, h of the second, … If these are in `halves`, the window alone.
    halves : ndarray of uint16, shape (rows, window + layers * hidden)
        The same inputs as bits of bfloat16; otherwise without rows.
    c : ndarray of float32, shape (layers, rows, hidden)
    gates, out : ndarray of float32, shape (rows, columns)
        What the product gives; `out`: means, then scales, each over the horizon.
    """

    inputs: Float32Array
    halves: npt.NDArray[np.uint16]
    c: Float32Array
    gates: Float32Array
    out: Float32Array


def fastest_precision() -> Precision:
    """Return the precision that is fastest on this processor, by what it has, not by a measurement."""
    return "bfloat16" if bf16_product.available() else "float32"


def pack_weights(forecaster: TrainedForecaster, precision: Precision = "float32") -> Weights:
    """Return the weights of a forecaster for a precision."""
    config, weights = forecaster.config, forecaster.weights
    size, horizon = config.hidden, config.horizon
    whole_blocks = config.window % bf16_product.DEPTH == size % bf16_product.DEPTH == 0
    form = _FLOAT32 if precision == "float32" else _HALVES if whole_blocks and bf16_product.available() else _ROUNDED
    factor = np.full(4 * size, -1 / math.log(2), np.float32)
    factor[2 * size : 3 * size] *= 2
    depth = max(config.window, size) + size
    lstm, halves, bias = [], [], []
    for i in range(config.layers):
        both = np.concatenate([weights[f"lstm.weight_ih_l{i}"], weights[f"lstm.weight_hh_l{i}"]], axis=1)
        packed = _pack((both * factor[:, None]).T, depth, form)
        lstm.append(packed[0])
        halves.append(packed[1])
        bias.append(_row((weights[f"lstm.bias_ih_l{i}"] + weights[f"lstm.bias_hh_l{i}"]) * factor))
    to_base2 = np.ones(2 * horizon, np.float32)
    to_base2[horizon:] /= math.log(2)
    linear = np.pad(weights["linear.weight"], ((0, horizon), (0, 0)))  # the scale has no linear part
    return Weights(
        form,
        aligned(np.stack(lstm)),
        aligned(np.stack(halves)),
        np.stack(bias),
        panels(linear.T),
        *_pack((weights["head.weight"] * to_base2[:, None]).T, size, form),
        _row(weights["head.bias"] * to_base2),
        config.window,
        size,
        horizon,
        config.scale_floor,
    )


def _pack(matrix: Float32Array, depth: int, form: int) -> tuple[Float32Array, npt.NDArray[np.uint16]]:
    """Return a matrix, shape (inputs, columns), in its form; the array for the other form has no panels."""
    if form == _HALVES:
        return panels(matrix, depth)[:0], bf16_product.panels(matrix, depth)
    if form == _ROUNDED:
        matrix = bf16_product.rounded(np.ascontiguousarray(matrix))
    return panels(matrix, depth), np.zeros((0, 1, 1, 1), np.uint16)


def _row(values: Float32Array) -> Float32Array:
    """Return values as one row with as many columns as the panels have."""
    return panels(values[None]).reshape(1, -1)


@compiled
def new_block(weights: Weights, streams: int, layers: int) -> Block:
    """Return a block for up to `BLOCK` streams, with zeros as state; it has as many rows as a product needs."""
    rows = BLOCK
    for smaller in ROWS[::-1]:
        if smaller >= streams:
            rows = smaller
    window, depth = weights.window, weights.window + layers * weights.hidden
    halves = weights.form == _HALVES
    return Block(
        np.zeros((window if halves else window + depth, rows), np.float32),
        np.zeros((rows if halves else 0, depth), np.uint16),
        np.zeros((layers, rows, weights.hidden), np.float32),
        np.empty((rows, weights.lstm_bias.shape[2]), np.float32),
        np.empty((rows, weights.head_bias.shape[1]), np.float32),
    )


@compiled
def put_windows(weights: Weights, block: Block, x: Float32Array) -> None:
    """Set the windows of the first streams, normalised, shape (streams, window)."""
    window = weights.window
    for i in range(len(x)):
        values = x[i]
        for j in range(window):
            values[j] = values[j] if abs(values[j]) > _TINY else _ZERO
            block.inputs[j, i] = values[j]
        if weights.form == _HALVES:
            _put_halves(values, block.halves[i, :window])
        else:
            _put_floats(weights.form, values, block.inputs[window : 2 * window, i])


@compiled
def put_h(weights: Weights, block: Block, i: int, layer: int, h: Float32Array) -> None:
    """Set h of a layer of a stream."""
    first = weights.window + layer * weights.hidden
    if weights.form == _HALVES:
        _put_halves(h, block.halves[i, first : first + len(h)])
    else:
        _put_floats(weights.form, h, block.inputs[weights.window + first : weights.window + first + len(h), i])


@compiled
def take_h(weights: Weights, block: Block, i: int, layer: int, h: Float32Array) -> None:
    """Get h of a layer of a stream, as the network uses it: the opposite of `put_h`."""
    first = weights.window + layer * weights.hidden
    if weights.form == _HALVES:
        halves = block.halves[i, first : first + len(h)]
        for j in range(len(h)):
            h[j] = np.int32(np.int32(halves[j]) << 16).view(np.float32)
    else:
        for j in range(len(h)):
            h[j] = block.inputs[weights.window + first + j, i]


@compiled_part
def _put_halves(values: Float32Array, inputs: npt.NDArray[np.uint16]) -> None:
    """Set inputs of a stream, as bits of bfloat16."""
    for j in range(len(values)):
        inputs[j] = np.uint16(_nearest(values[j]) >> 16)


@compiled_part
def _put_floats(form: int, values: Float32Array, inputs: Float32Array) -> None:
    """Set inputs of a stream, as they are or rounded."""
    for j in range(len(values)):
        rounded = np.int32(_nearest(values[j]) & -65536).view(np.float32)
        inputs[j] = rounded if form == _ROUNDED else values[j]


@compiled_part
def _nearest(value: Any) -> Any:
    """Return the bits of a float32 of which the upper half is the nearest bfloat16."""
    bits = np.float32(value).view(np.int32)
    return np.int32(bits + 0x7FFF + ((bits >> 16) & 1))


@compiled
def step(weights: Weights, block: Block) -> None:
    """Run the network over one step: set `out` from the window and the state, and replace the state."""
    window, hidden, horizon = weights.window, weights.hidden, weights.horizon
    layers, rows = block.c.shape[:2]
    first, own = 0, window
    for layer in range(layers):
        bias, depth = weights.lstm_bias[layer], own - first + hidden
        if weights.form == _HALVES:
            halves = weights.lstm_halves[layer]
            bf16_product.product(block.halves, first, depth, halves, bias, 0, block.gates)
        else:
            product(block.inputs, window + first, depth, weights.lstm[layer], bias, 0, block.gates)
        for i in range(rows):  # to pass all weights to a function for each row would take longer than the work
            h = block.gates[i, :hidden]
            _update_cell(block.gates[i], block.c[layer, i])
            if weights.form == _HALVES:
                _put_halves(h, block.halves[i, own : own + hidden])
            else:
                _put_floats(weights.form, h, block.inputs[window + own : window + own + hidden, i])
        first, own = own, own + hidden
    product(block.inputs, 0, window, weights.linear, weights.head_bias, 0, block.out)
    if weights.form == _HALVES:
        bf16_product.product(block.halves, first, hidden, weights.head_halves, block.out, 1, block.out)
    else:
        product(block.inputs, window + first, hidden, weights.head, block.out, 1, block.out)
    floor = np.float32(weights.scale_floor)
    for i in range(rows):
        scale = block.out[i, horizon : 2 * horizon]
        for j in range(horizon):
            scale[j] = floor + log(_ONE + exp2(scale[j]))  # the head's outputs are bounded, as h is


@compiled_fused
def _update_cell(gates: Float32Array, c: Float32Array) -> None:
    """Compute ``c = forget * c + keep * tanh(new)`` and ``h = output * tanh(c)``, each with one division.

    h replaces the first gate.
    """
    size = len(c)
    keeps, forgets, news, outputs = gates[:size], gates[size:], gates[2 * size :], gates[3 * size :]
    for j in range(size):
        keep, forget, new = _denominator(keeps[j]), _denominator(forgets[j]), _denominator(news[j])
        now = (c[j] * keep * new + (_TWO - new) * forget) / (keep * forget * new)
        c[j] = now if abs(now) > _TINY else _ZERO
    for j in range(size):
        output, new = _denominator(outputs[j]), _denominator(c[j] * _CELL_FACTOR)
        keeps[j] = (_TWO - new) / (new * output)


@compiled_part
def _denominator(exponent: Any) -> Any:
    return _ONE + exp2(min(max(exponent, -_SATURATED), _SATURATED))
