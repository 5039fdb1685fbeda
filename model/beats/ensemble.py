"""An ensemble of small networks that classifies the features of a beat; inference uses numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model.signal.arrays import FloatArray

MAX_DEVIATION = 4.0
"""Limit at which normalized features are clipped, standard deviations."""


@dataclass(frozen=True)
class Ensemble:
    """Networks of the same shape.

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

    def log_probabilities(self, features: FloatArray) -> FloatArray:
        """Return the log probabilities of N, S and V plus ``class_bias``, shape (n, 3).

        Parameters
        ----------
        features : ndarray, shape (n, features)
        """
        x = np.clip((features - self.mean) / self.scale, -MAX_DEVIATION, MAX_DEVIATION)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = np.maximum(x @ weight + bias, 0.0)
        logits = x @ self.weights[-1] + self.biases[-1]
        logits = logits - logits.max(axis=2, keepdims=True)
        logits = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
        return np.asarray(logits.mean(axis=0) + self.class_bias)


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
    if not layers or ensemble.log_probabilities(np.zeros((1, features))).shape != (1, types):
        raise ValueError("layers of inconsistent shapes")
    return ensemble
