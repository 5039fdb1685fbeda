"""Forecaster weights on disk: safetensors, with configuration and provenance in the header; no pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from model.forecast.config import NetworkConfig, ScalingConfig
from model.forecast.network import Network
from stream.errors import CheckpointError, StorageError
from stream.timebase import STRIDE

FORMAT = "bedside-forecaster-1"

SHIPPED = Path(__file__).parents[1] / "weights" / "forecaster.safetensors"
"""The weights shipped with the package."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained network with its configuration.

    Attributes
    ----------
    network : Network
        In evaluation mode.
    scaling : ScalingConfig
        The normalisation it was trained with.
    provenance : dict
        Records, seed, date, training time, scores, versions, as in the header.
    """

    network: Network
    scaling: ScalingConfig
    provenance: dict[str, Any]


def save(path: Path, network: Network, scaling: ScalingConfig, provenance: Mapping[str, Any]) -> None:
    """Write a checkpoint atomically.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    tensors = {name: value.detach().contiguous().clone() for name, value in network.state_dict().items()}
    header = {
        "format": FORMAT,
        "network": json.dumps(asdict(network.config)),
        "scaling": json.dumps(asdict(scaling)),
        "provenance": json.dumps(dict(provenance)),
    }
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, part, metadata=header)
        part.replace(path)
    except (OSError, SafetensorError) as error:
        raise StorageError(f"cannot write the weights to {path}: {error}") from error


def load(path: Path | None = None) -> Checkpoint:
    """Read a checkpoint; by default the shipped one.

    Raises
    ------
    CheckpointError
        The file is missing, damaged, or not a forecaster of this format.
    """
    path = path or SHIPPED
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except FileNotFoundError:
        raise CheckpointError(f"no weights at {path}: give another file, or make one with 'bedside train'") from None
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"the weights in {path} cannot be read ({_one_line(error)}): give another file"
        ) from error
    if header.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not a forecaster of format {FORMAT}: give a file made with 'bedside train'")
    try:
        network = Network(NetworkConfig(**json.loads(header["network"])))
        scaling = ScalingConfig(**json.loads(header["scaling"]))
        provenance = dict(json.loads(header["provenance"]))
        network.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"the weights in {path} do not fit their own header ({_one_line(error)}): give another file"
        ) from error
    if STRIDE % network.config.patch:
        raise CheckpointError(
            f"the network in {path} has patches of {network.config.patch} samples, of which a stride of {STRIDE} is no "
            "whole number: give a file made with 'bedside train'"
        )
    if not all(torch.isfinite(value).all() for value in tensors.values()):
        raise CheckpointError(f"the weights in {path} are not all finite: give another file")
    return Checkpoint(network.eval(), scaling, provenance)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
