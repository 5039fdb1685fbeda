"""The networks of the forecast, in numpy: five gated recurrent units, one step an hour.

Each bed is one row of its own in each product, so a bed's outputs are the same bytes beside any others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from model.signal import weights_file
from model.trends.quantiles import OUTPUTS
from model.trends.vital_inputs import FEATURES, Floats
from stream.errors import WeightsError

FORMAT: Final = "bedside-trends-1"
SHIPPED: Final = Path(__file__).parents[1] / "weights" / "trends.safetensors"

Float32s = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Weights:
    """Networks side by side. With m networks of h hidden units and f inputs:

    Attributes
    ----------
    inner : ndarray of float32, shape (f, m * 3 * h)
        From inputs to reset gate, update gate and candidate of each network.
    inner_bias : ndarray of float32, shape (m * 3 * h,)
    recurrent : ndarray of float32, shape (m, h, 3 * h)
    recurrent_bias : ndarray of float32, shape (m, 3 * h)
    outer : ndarray of float32, shape (m * h + f, OUTPUTS)
        From all hidden units and the inputs to the mean of the networks' outputs.
    outer_bias : ndarray of float32, shape (OUTPUTS,)
    widths : ndarray of float32, shape (vitals, horizons, 2)
        Factors of the distances from the median to low and high that give the intervals their coverage.
    scale, offset : ndarray of float32, shape (risks,)
        Of the log-odds, so that the risks are calibrated (Platt).
    logistic : ndarray of float32, shape (f + 1, risks)
        A baseline: logistic regression on the inputs of one hour; its constant is last.
    settings : dict
        Constants of advisory and personal head, chosen on patients left out.
    provenance : dict
    """

    inner: Float32s
    inner_bias: Float32s
    recurrent: Float32s
    recurrent_bias: Float32s
    outer: Float32s
    outer_bias: Float32s
    widths: Float32s
    scale: Float32s
    offset: Float32s
    logistic: Float32s
    settings: Mapping[str, float]
    provenance: Mapping[str, Any]

    @property
    def hidden(self) -> tuple[int, int]:
        """Number of networks, and of hidden units of each."""
        return int(self.recurrent.shape[0]), int(self.recurrent.shape[1])


ARRAYS: Final = tuple(name for name in Weights.__annotations__ if name not in ("settings", "provenance"))


def step(weights: Weights, hidden: Float32s, features: Floats) -> tuple[Float32s, Float32s]:
    """Process one hour.

    Parameters
    ----------
    weights : Weights
    hidden : ndarray of float32, shape (n, networks, hidden)
    features : ndarray, shape (n, FEATURES)

    Returns
    -------
    ndarray of float32, shape (n, OUTPUTS)
    ndarray of float32, shape (n, networks, hidden)
    """
    n, (networks, size) = len(features), weights.hidden
    x = features.astype(np.float32)
    # One product of a row and a matrix for each bed: the order of its sums does not depend on the number of beds.
    inner = (x[:, None, :] @ weights.inner)[:, 0] + weights.inner_bias
    inner = inner.reshape(n, networks, 3 * size)
    recurrent = (hidden[:, :, None, :] @ weights.recurrent)[:, :, 0] + weights.recurrent_bias
    gates = _sigmoid(inner[..., : 2 * size] + recurrent[..., : 2 * size])
    candidate = np.tanh(inner[..., 2 * size :] + gates[..., :size] * recurrent[..., 2 * size :])
    after = candidate + gates[..., size:] * (hidden - candidate)
    out = (np.concatenate([after.reshape(n, -1), x], axis=1)[:, None, :] @ weights.outer)[:, 0] + weights.outer_bias
    return out, after


def _sigmoid(x: Float32s) -> Float32s:
    result: Float32s = np.float32(0.5) * (np.float32(1) + np.tanh(np.float32(0.5) * x))
    return result


def save(path: Path, weights: Weights) -> None:
    """Write the weights atomically.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    header = {
        "format": FORMAT,
        "settings": json.dumps(dict(weights.settings)),
        "provenance": json.dumps(dict(weights.provenance)),
    }
    arrays = {name: np.ascontiguousarray(getattr(weights, name), np.float32) for name in ARRAYS}
    weights_file.write(path, arrays, header)


def load(path: Path | None = None) -> Weights:
    """Read weights; by default the shipped ones.

    Raises
    ------
    WeightsError
        The file is missing, damaged, or no forecast of vitals of this format.
    """
    from safetensors import SafetensorError, safe_open

    path = path or SHIPPED
    remedy = "give another file, or make one with 'bedside train --what trends'"
    try:
        with safe_open(path, framework="np") as file:
            header = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        if header.get("format") != FORMAT:
            raise WeightsError(f"{path} is not a forecast of vitals of format {FORMAT}: {remedy}")
        settings, provenance = json.loads(header["settings"]), json.loads(header["provenance"])
        weights = Weights(**arrays, settings=settings, provenance=provenance)
    except FileNotFoundError:
        raise WeightsError(f"no weights at {path}: {remedy}") from None
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, WeightsError):
            raise
        text = " ".join(str(error).split())[:120]
        raise WeightsError(f"the weights in {path} cannot be read ({text}): {remedy}") from error
    (networks, size), wide = weights.hidden, 3 * weights.recurrent.shape[1]
    shapes = [(FEATURES, networks * wide), (networks * wide,), (networks, size, wide), (networks, wide)]
    shapes += [(networks * size + FEATURES, OUTPUTS), (OUTPUTS,)]
    if [getattr(weights, name).shape for name in ARRAYS[:6]] != shapes:
        raise WeightsError(f"the weights in {path} do not fit together: {remedy}")
    if not all(np.isfinite(getattr(weights, name)).all() for name in ARRAYS):
        raise WeightsError(f"the weights in {path} are not all finite: {remedy}")
    return weights
