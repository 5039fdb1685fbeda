"""A recurrent network along the beats of a patient: what came before gives the present beat its meaning.

An encoder reads the shape of a beat beside the narrow beat (`model.beats.narrow_beat`), lead by lead, with the same
weights. The largest and the mean of its outputs over the leads, so that neither their number nor their order matters,
and the features of the beat enter a hidden layer, and this a gated recurrent unit (Cho et al., EMNLP 2014; gates as in
PyTorch). Hidden layer and recurrent state together give the types.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from model.beats.layers import affine, clipped, log_sum_exp, rectify
from model.beats.templates import CORE
from model.signal.arrays import BoolArray, FloatArray
from model.signal.compiled import compiled, compiled_part

BIN = 3
"""Samples averaged in a shape: 8 ms."""

BINS = CORE // BIN
"""Values of a shape."""

QRS_BINS, PR_BINS = slice(20, 40), slice(16, 22)
"""Bins of the QRS complex, from which its height is taken, and of the isoelectric level before it: −77 to +90 ms, and
−111 to −61 ms."""

MIN_HEIGHT_MV = 0.05
"""Amount added to the height of the QRS complex, mV."""

MEMBERS, UNITS = 2, 32
"""Networks in the ensemble, and recurrent units of each."""

LAYERS: Final = ("shape", "encoder", "hidden", "input", "recurrent", "output")
"""Names of the layers, in the order of the fields of `BeatNetwork`."""


class Layer(NamedTuple):
    """An affine layer of all members.

    Attributes
    ----------
    weight : ndarray of float64, shape (MEMBERS, in, out)
    bias : ndarray of float64, shape (MEMBERS, out)
    """

    weight: FloatArray
    bias: FloatArray


class BeatNetwork(NamedTuple):
    """Networks of the same shape; all arrays are C-contiguous.

    Attributes
    ----------
    mean, scale : ndarray, shape (features,)
        Mean and scale of the features in training.
    shape, encoder : Layer
        Of one lead: from the shapes of the beat and of the narrow beat, then to its code.
    hidden : Layer
        From the features and the codes.
    input, recurrent : Layer
        Of the gates: reset, update and new, of UNITS values each, from the hidden layer and from the state.
    output : Layer
        From the hidden layer and the new state.
    class_bias : ndarray, shape (3,)
        Added to the log probabilities: corrects for the frequency of each type in the training set.
    """

    mean: FloatArray
    scale: FloatArray
    shape: Layer
    encoder: Layer
    hidden: Layer
    input: Layer
    recurrent: Layer
    output: Layer
    class_bias: FloatArray


def begin() -> FloatArray:
    """Return the recurrent states of one bed before the first beat, shape (1, MEMBERS, UNITS)."""
    return np.zeros((1, MEMBERS, UNITS))


@compiled
def condense(beat: FloatArray, reference: FloatArray, condensed: FloatArray) -> None:
    """Write the shapes of a beat and of the narrow beat in one lead, as the encoder reads them.

    Parameters
    ----------
    beat, reference : ndarray of float64, shape (CORE,), mV
    condensed : ndarray of float64, shape (2, BINS)
        Receives means over `BIN` samples, relative to the isoelectric level, in heights of the narrow QRS complex.
    """
    for i in range(BINS):
        condensed[0, i] = beat[BIN * i : BIN * (i + 1)].mean()
        condensed[1, i] = reference[BIN * i : BIN * (i + 1)].mean()
    narrow = condensed[1, QRS_BINS]
    height = narrow.max() - narrow.min() + MIN_HEIGHT_MV
    for k in range(2):
        level = condensed[k, PR_BINS].mean()
        for i in range(BINS):
            condensed[k, i] = clipped((condensed[k, i] - level) / height)


@compiled
def log_probabilities(
    network: BeatNetwork, states: FloatArray, features: FloatArray, shapes: FloatArray, valid: BoolArray
) -> FloatArray:
    """Return the log probabilities of N, S and V plus ``class_bias`` for one beat, and update the states in place.

    Parameters
    ----------
    network : BeatNetwork
    states : ndarray of float64, shape (MEMBERS, UNITS)
        Of one bed.
    features : ndarray of float64, shape (n,)
    shapes : ndarray of float64, shape (leads, 2, BINS)
        See `condense`; those of leads that are not valid are not read.
    valid : ndarray of bool, shape (leads,)
        Leads to use; at least one.

    Returns
    -------
    ndarray of float64, shape (3,)
    """
    n, mean = len(features), network.class_bias.copy()
    codes = network.encoder.weight.shape[2]
    inputs = np.empty(n + 2 * codes)
    for i in range(n):
        inputs[i] = clipped((features[i] - network.mean[i]) / network.scale[i])
    for member in range(MEMBERS):
        _encode(network, member, shapes, valid, inputs[n:])
        hidden = _rectified(network.hidden, member, inputs)
        _recur(network, member, hidden, states[member])
        values = _affine(network.output, member, np.concatenate((hidden, states[member])))
        total = log_sum_exp(values)
        for kind in range(len(mean)):
            mean[kind] += (values[kind] - total) / MEMBERS
    return mean


@compiled_part
def _encode(network: BeatNetwork, member: int, shapes: FloatArray, valid: BoolArray, codes: FloatArray) -> None:
    """Write the largest and the mean code of the valid leads."""
    size, leads = len(codes) // 2, 0
    codes[:] = 0.0  # codes are not negative
    for lead in range(len(valid)):
        if valid[lead]:
            code = _rectified(network.shape, member, shapes[lead].ravel())
            code = _rectified(network.encoder, member, code)
            for i in range(size):
                codes[i] = max(codes[i], code[i])
                codes[size + i] += code[i]
            leads += 1
    for i in range(size):
        codes[size + i] /= leads


@compiled_part
def _recur(network: BeatNetwork, member: int, hidden: FloatArray, state: FloatArray) -> None:
    """Take the recurrent state of one member one beat further, in place."""
    units = len(state)
    new, old = _affine(network.input, member, hidden), _affine(network.recurrent, member, state)
    for i in range(units):
        reset, update = _sigmoid(new[i] + old[i]), _sigmoid(new[units + i] + old[units + i])
        candidate = math.tanh(new[2 * units + i] + reset * old[2 * units + i])
        state[i] = candidate + update * (state[i] - candidate)


@compiled_part
def _affine(layer: Layer, member: int, values: FloatArray) -> FloatArray:
    return affine(layer.weight[member], layer.bias[member], values)


@compiled_part
def _rectified(layer: Layer, member: int, values: FloatArray) -> FloatArray:
    """Return the outputs of a layer after its activation."""
    outputs = _affine(layer, member, values)
    rectify(outputs)
    return outputs


@compiled_part
def _sigmoid(value: float) -> float:
    return 0.5 * (1 + math.tanh(0.5 * value))


def tensors(network: BeatNetwork) -> dict[str, FloatArray]:
    """Return the arrays by name, as a weights file holds them."""
    named = {"mean": network.mean, "scale": network.scale, "class_bias": network.class_bias}
    for name in LAYERS:
        layer: Layer = getattr(network, name)
        named |= {f"{name}.weight": layer.weight, f"{name}.bias": layer.bias}
    return {f"main.{name}": value for name, value in named.items()}


def assemble(named: Mapping[str, FloatArray], features: int, types: int) -> BeatNetwork:
    """Return the networks whose arrays `tensors` named.

    Raises
    ------
    KeyError, ValueError
        An array is missing, or its shape does not fit the others, the features or the types.
    """
    mean, scale, class_bias = (named[f"main.{name}"] for name in ("mean", "scale", "class_bias"))
    layers = [Layer(named[f"main.{name}.weight"], named[f"main.{name}.bias"]) for name in LAYERS]
    shape, encoder, hidden, into, recurrent, output = layers
    network = BeatNetwork(mean, scale, shape, encoder, hidden, into, recurrent, output, class_bias)
    widths = [network.shape.bias.shape[-1], network.encoder.bias.shape[-1], network.hidden.bias.shape[-1]]
    inputs = (2 * BINS, widths[0], features + 2 * widths[1], widths[2], UNITS, widths[2] + UNITS)
    outputs = (*widths, 3 * UNITS, 3 * UNITS, types)
    fits = network.mean.shape == network.scale.shape == (features,) and network.class_bias.shape == (types,)
    for layer, n, k in zip(layers, inputs, outputs, strict=True):
        # Compiled code does not check them.
        fits = fits and layer.weight.shape == (MEMBERS, n, k) and layer.bias.shape == (MEMBERS, k)
    if not fits:
        raise ValueError("layers of inconsistent shapes")
    return network
