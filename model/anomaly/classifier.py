"""The network that turns the features of `model.anomaly.features` into log-odds.

Its inputs contain no absolute amplitude, only levels relative to the patient's own recent peaks. Its output is high for
a deviation caused by a ventricular beat, and low for one caused by a premature beat, noise or a poor forecast.
`model.training.train_anomaly_classifier` fits the weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from model.anomaly.features import FEATURES
from model.forecast.matrix_product import aligned
from model.signal.arrays import FloatArray
from model.signal.compiled import compiled, compiled_fused, wide_vectors
from stream.errors import WeightsError

FORMAT = "bedside-residual-1"
SHIPPED = Path(__file__).parents[1] / "weights" / "residual.safetensors"
"""The weights shipped with the package."""


class Weights(NamedTuple):
    """Weights of one hidden tanh layer and of a parallel linear path.

    Attributes
    ----------
    inner : ndarray, shape (FEATURES, hidden)
    inner_bias, outer : ndarray, shape (hidden,)
    direct : ndarray, shape (FEATURES,)
    bias : ndarray, shape (1,)
    """

    inner: FloatArray
    inner_bias: FloatArray
    outer: FloatArray
    direct: FloatArray
    bias: FloatArray


NAMES = Weights._fields
"""Names of the tensors in the file."""

GROUP = 7
"""Features that are added at once, a divisor of their number; so sums are read and written less often."""


UNITS = 40
"""Columns of packed weights, whole vectors of any processor: the hidden units, zeros, and last the linear path."""


class Packed(NamedTuple):
    """Weights in the form that `fill_log_odds` needs; the last unit is linear.

    Attributes
    ----------
    inner : ndarray, shape (FEATURES, UNITS)
    bias, outer : ndarray, shape (UNITS,)
    """

    inner: FloatArray
    bias: FloatArray
    outer: FloatArray


def pack(weights: Weights) -> Packed:
    """Return the weights for `fill_log_odds`."""
    missing = UNITS - 1 - len(weights.outer)
    return Packed(
        inner=aligned(np.column_stack([np.pad(weights.inner, ((0, 0), (0, missing))), weights.direct])),
        bias=np.concatenate([np.pad(weights.inner_bias, (0, missing)), weights.bias]),
        outer=np.pad(weights.outer, (0, missing + 1)),
    )


def log_odds(weights: Weights, features: FloatArray) -> FloatArray:
    """Return the log-odds of each patch, shape (k,), from features, shape (k, FEATURES); NaN where a feature is NaN."""
    result = np.empty(len(features))
    fill_log_odds(pack(weights), features, result)
    return result


@compiled
def fill_log_odds(weights: Packed, features: FloatArray, result: FloatArray) -> None:
    """Write the log-odds of each patch, as `log_odds`.

    Each row is summed in the same order, whatever the number of rows; the last bits of a matrix product would depend
    on it, and so on how the signal is cut into chunks. The inner loops run over units, which the processor adds several
    at once.
    """
    units = np.empty((len(features), UNITS))
    _add_features(weights, features, units)
    for row in range(len(features)):
        values, total = units[row], units[row, UNITS - 1]
        for unit in range(UNITS):
            values[unit] = _tanh(values[unit]) * weights.outer[unit]
        for unit in range(UNITS):
            total += values[unit]
        result[row] = total


@compiled_fused
def _add_features(weights: Packed, features: FloatArray, units: FloatArray) -> None:
    """Write the inputs of the units of each patch, shape (k, UNITS)."""
    wide_vectors()  # type: ignore[call-arg]
    inner = weights.inner
    for row in range(len(features)):
        for unit in range(UNITS):
            units[row, unit] = weights.bias[unit]
    for f in range(0, FEATURES, GROUP):
        for row in range(len(features)):
            a, b, c, d = features[row, f], features[row, f + 1], features[row, f + 2], features[row, f + 3]
            e, g, h = features[row, f + 4], features[row, f + 5], features[row, f + 6]
            for unit in range(UNITS):
                total = units[row, unit] + a * inner[f, unit] + b * inner[f + 1, unit]
                total = total + c * inner[f + 2, unit] + d * inner[f + 3, unit]
                total = total + e * inner[f + 4, unit] + g * inner[f + 5, unit]
                units[row, unit] = total + h * inner[f + 6, unit]


@compiled_fused
def _tanh(x: float) -> float:
    """Return the hyperbolic tangent, without branches, so that the processor computes several at once.

    The quotient of polynomials is the continued fraction of tanh to seven terms, exact to 1e-16 for the 32nd part of
    the argument; then five times tanh 2x = 2 tanh x / (1 + tanh² x), with one division at the end.
    """
    x = min(max(x, -20.0), 20.0) / 32
    y = x * x
    above = x * (1 + y * (17325 / 135135 + y * (378 / 135135 + y * (1 / 135135))))
    below = 1 + y * (62370 / 135135 + y * (3150 / 135135 + y * (28 / 135135)))
    for _ in range(5):
        above, below = 2 * above * below, below * below + above * above
    return above / below


@cache
def load_packed() -> Packed:
    """Load the shipped weights, for `fill_log_odds`."""
    return pack(load())


def save(path: Path, weights: Weights, provenance: Mapping[str, Any]) -> None:
    """Write weights, as float32."""
    tensors = {name: np.ascontiguousarray(getattr(weights, name), np.float32) for name in NAMES}
    save_file(tensors, path, {"format": FORMAT, "provenance": json.dumps(dict(provenance))})


@cache
def load(path: Path = SHIPPED) -> Weights:
    """Load weights, by default the shipped ones.

    Raises
    ------
    WeightsError
        The file is missing, damaged, or of a classifier with other features.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            file_format = (file.metadata() or {}).get("format")
            tensors = {name: file.get_tensor(name).astype(np.float64) for name in NAMES}
    except (OSError, SafetensorError) as error:
        line = " ".join(str(error).split())[:120]
        raise WeightsError(
            f"the weights of the anomaly classifier in {path} cannot be read ({line}): reinstall bedside"
        ) from error
    if file_format != FORMAT or tensors["inner"].shape[0] != FEATURES or tensors["direct"].shape != (FEATURES,):
        raise WeightsError(
            f"{path} contains no weights for these features: fit them with 'bedside train --what residual'"
        )
    return Weights(**tensors)
