"""An ensemble of small networks that classifies the features of a beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from model.beats.layers import affine, clipped, log_sum_exp, rectify
from model.signal.arrays import FloatArray
from model.signal.compiled import compiled


class Ensemble(NamedTuple):
    """Networks of the same shape; all arrays are C-contiguous.

    Attributes
    ----------
    mean, scale : ndarray, shape (features,)
        Mean and scale of the features in training.
    weights, biases : tuple of ndarray, shapes (members, in, out) and (members, 1, out)
        One pair per layer.
    class_bias : ndarray, shape (3,)
        Added to the log probabilities: corrects for the frequency of each type in the training set.
    """

    mean: FloatArray
    scale: FloatArray
    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    class_bias: FloatArray


@compiled
def log_probabilities(ensemble: Ensemble, features: FloatArray) -> FloatArray:
    """Return the log probabilities of N, S and V plus ``class_bias`` for one beat, shape (3,).

    Parameters
    ----------
    features : ndarray of float64, shape (n,)
        Those of the ensemble are the first ones.
    """
    inputs = np.empty(len(ensemble.mean))
    for i in range(len(inputs)):
        inputs[i] = clipped((features[i] - ensemble.mean[i]) / ensemble.scale[i])
    members, mean = len(ensemble.weights[0]), ensemble.class_bias.copy()
    for member in range(members):
        values = inputs
        for layer in range(len(ensemble.weights)):
            if layer > 0:
                rectify(values)
            values = affine(ensemble.weights[layer][member], ensemble.biases[layer][member, 0], values)
        total = log_sum_exp(values)
        for kind in range(len(mean)):
            mean[kind] += (values[kind] - total) / members
    return mean


def tensors(ensemble: Ensemble, prefix: str) -> dict[str, FloatArray]:
    """Return the arrays of an ensemble by name, as a weights file holds them."""
    named = {"mean": ensemble.mean, "scale": ensemble.scale, "lean": ensemble.class_bias}
    named |= {f"weight{i}": value for i, value in enumerate(ensemble.weights)}
    named |= {f"bias{i}": value for i, value in enumerate(ensemble.biases)}
    return {f"{prefix}.{name}": value for name, value in named.items()}


def assemble(named: Mapping[str, FloatArray], prefix: str, features: int, types: int) -> Ensemble:
    """Return the ensemble whose arrays `tensors` named.

    Raises
    ------
    KeyError, ValueError
        An array is missing, or its shape does not fit the others, the features or the types.
    """
    layers = range(sum(name.startswith(f"{prefix}.weight") for name in named))
    ensemble = Ensemble(
        named[f"{prefix}.mean"],
        named[f"{prefix}.scale"],
        tuple(named[f"{prefix}.weight{i}"] for i in layers),
        tuple(named[f"{prefix}.bias{i}"] for i in layers),
        named[f"{prefix}.lean"],
    )
    _check_shapes(ensemble, features, types)
    return ensemble


def _check_shapes(ensemble: Ensemble, features: int, types: int) -> None:
    """Refuse arrays that do not fit together: compiled code does not check them."""
    if not ensemble.weights or len(ensemble.weights[0]) == 0:
        raise ValueError("no layers or no members")
    members, inputs = len(ensemble.weights[0]), features
    fits = ensemble.mean.shape == ensemble.scale.shape == (features,) and ensemble.class_bias.shape == (types,)
    for weight, bias in zip(ensemble.weights, ensemble.biases, strict=True):
        outputs = weight.shape[-1]
        fits = fits and weight.shape == (members, inputs, outputs) and bias.shape == (members, 1, outputs)
        inputs = outputs
    if not fits or inputs != types:
        raise ValueError("layers of inconsistent shapes")
