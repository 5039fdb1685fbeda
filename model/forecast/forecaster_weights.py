"""Forecaster weights on disk: safetensors, with configuration and provenance in the header; no pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from model.forecast.config import NetworkConfig, ScalingConfig
from model.signal import weights_file
from model.signal.arrays import Float32Array
from stream.errors import WeightsError
from stream.timebase import STRIDE

FORMAT = "bedside-forecaster-1"

SHIPPED = Path(__file__).parents[1] / "weights" / "forecaster.safetensors"
"""The weights shipped with the package."""


@dataclass(frozen=True, eq=False)
class TrainedForecaster:
    """A trained network with its configuration.

    Attributes
    ----------
    config : NetworkConfig
    weights : dict of str to ndarray of float32
        By their names in `model.forecast.network.Network`.
    scaling : ScalingConfig
        The normalisation it was trained with.
    provenance : dict
        Records, seed, date, training time, scores, versions, as in the header.
    """

    config: NetworkConfig
    weights: Mapping[str, Float32Array]
    scaling: ScalingConfig
    provenance: dict[str, Any]


def weight_shapes(config: NetworkConfig) -> dict[str, tuple[int, ...]]:
    """Return the shape of each of the network's weights, by name."""
    gates, hidden, horizon = 4 * config.hidden, config.hidden, config.horizon
    shapes: dict[str, tuple[int, ...]] = {
        "head.weight": (2 * horizon, hidden),
        "head.bias": (2 * horizon,),
        "linear.weight": (horizon, config.window),
    }
    for i in range(config.layers):
        shapes[f"lstm.weight_ih_l{i}"] = (gates, hidden if i else config.window)
        shapes[f"lstm.weight_hh_l{i}"] = (gates, hidden)
        shapes[f"lstm.bias_ih_l{i}"] = shapes[f"lstm.bias_hh_l{i}"] = (gates,)
    return shapes


def save(path: Path, trained: TrainedForecaster) -> None:
    """Write a trained network atomically.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    header = {
        "format": FORMAT,
        "network": json.dumps(asdict(trained.config)),
        "scaling": json.dumps(asdict(trained.scaling)),
        "provenance": json.dumps(trained.provenance),
    }
    weights_file.write(path, trained.weights, header)


def load(path: Path | None = None) -> TrainedForecaster:
    """Read a trained network; by default the shipped one.

    Raises
    ------
    WeightsError
        The file is missing, damaged, or not a forecaster of this format.
    """
    path = path or SHIPPED
    try:
        with safe_open(path, framework="np") as file:
            header = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except FileNotFoundError:
        raise WeightsError(f"no weights at {path}: give another file, or make one with 'bedside train'") from None
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"the weights in {path} cannot be read ({_one_line(error)}): give another file") from error
    if header.get("format") != FORMAT:
        raise WeightsError(f"{path} is not a forecaster of format {FORMAT}: give a file made with 'bedside train'")
    try:
        config = NetworkConfig(**json.loads(header["network"]))
        scaling = ScalingConfig(**json.loads(header["scaling"]))
        provenance = dict(json.loads(header["provenance"]))
        if {name: value.shape for name, value in weights.items()} != weight_shapes(config):
            raise ValueError("other shapes")
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"the weights in {path} do not fit their own header ({_one_line(error)}): give another file"
        ) from error
    if STRIDE % config.patch:
        raise WeightsError(
            f"the network in {path} has patches of {config.patch} samples, of which a stride of {STRIDE} is no "
            "whole number: give a file made with 'bedside train'"
        )
    if not all(np.isfinite(value).all() for value in weights.values()):
        raise WeightsError(f"the weights in {path} are not all finite: give another file")
    weights = {name: value.astype(np.float32, copy=False) for name, value in weights.items()}
    return TrainedForecaster(config, weights, scaling, provenance)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
