"""The network that turns the features of `model.anomaly.features` into log-odds.

Its inputs contain no absolute amplitude, only levels relative to the patient's own recent peaks. Its output is high for
a deviation caused by a ventricular beat, and low for one caused by a premature beat, noise or a poor forecast.
`model.training.train_anomaly_classifier` fits the weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from model.anomaly.features import FEATURES
from model.signal.arrays import FloatArray
from stream.errors import CheckpointError

FORMAT = "bedside-residual-1"
SHIPPED = Path(__file__).parents[1] / "weights" / "residual.safetensors"
"""The weights shipped with the package."""


@dataclass(frozen=True, slots=True)
class Weights:
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


NAMES = tuple(field.name for field in fields(Weights))
"""Names of the tensors in the file."""


def log_odds(weights: Weights, features: FloatArray) -> FloatArray:
    """Return the log-odds of each patch, shape (k,); NaN where a feature is NaN.

    Each row is a separate matrix product: the last bits of one product for all rows would depend on the number of rows,
    and so on how the signal is cut into chunks.
    """
    inputs = (features[:, None] @ weights.inner)[:, 0]
    hidden = np.tanh(inputs + weights.inner_bias) * weights.outer
    return np.asarray(hidden.sum(axis=1) + (features * weights.direct).sum(axis=1) + weights.bias)


def save(path: Path, weights: Weights, provenance: Mapping[str, Any]) -> None:
    """Write weights, as float32."""
    tensors = {name: np.ascontiguousarray(getattr(weights, name), np.float32) for name in NAMES}
    save_file(tensors, path, {"format": FORMAT, "provenance": json.dumps(dict(provenance))})


@cache
def load(path: Path = SHIPPED) -> Weights:
    """Load weights, by default the shipped ones.

    Raises
    ------
    CheckpointError
        The file is missing, damaged, or of a classifier with other features.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            file_format = (file.metadata() or {}).get("format")
            tensors = {name: file.get_tensor(name).astype(np.float64) for name in NAMES}
    except (OSError, SafetensorError) as error:
        line = " ".join(str(error).split())[:120]
        raise CheckpointError(
            f"the weights of the anomaly classifier in {path} cannot be read ({line}): reinstall bedside"
        ) from error
    if file_format != FORMAT or tensors["inner"].shape[0] != FEATURES or tensors["direct"].shape != (FEATURES,):
        raise CheckpointError(
            f"{path} contains no weights for these features: fit them with 'bedside train --what residual'"
        )
    return Weights(**tensors)
