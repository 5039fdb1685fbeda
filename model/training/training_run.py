"""State of a training run, saved to a file so that an interrupted run can be resumed."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from model.forecast.config import NetworkConfig
from model.forecast.network import Network
from model.training.config import TrainConfig
from stream.errors import StorageError, WeightsError

_NUMBERS = ("step", "minutes", "best", "best_step")


@dataclass
class Run:
    """Everything that changes during training.

    Attributes
    ----------
    network : Network
        The network that is trained.
    averaged : Network
        Exponential moving average of its weights.
    optimiser : torch.optim.AdamW
    step : int
        Completed optimiser steps.
    minutes : float
        Duration so far.
    best : float
        Lowest selection error so far.
    best_step : int
        Step at which it was reached.
    """

    network: Network
    averaged: Network
    optimiser: torch.optim.AdamW
    step: int = 0
    minutes: float = 0.0
    best: float = math.inf
    best_step: int = 0


def new_run(config: TrainConfig, network: NetworkConfig) -> Run:
    """Return a run at step 0, with random weights from torch's global generator."""
    model, averaged = Network(network), Network(network)
    averaged.load_state_dict(model.state_dict())
    optimiser = torch.optim.AdamW(model.parameters(), lr=config.lr, weight_decay=config.weight_decay)
    return Run(model.train(), averaged.eval(), optimiser)


def resume_file(out: Path) -> Path:
    """Return the path of the saved run that belongs to a weights file."""
    return out.with_name(out.name + ".resume")


def save_run(run: Run, path: Path) -> None:
    """Write a run to a file, which is replaced in one step.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    tensors = {f"network.{k}": v.clone() for k, v in run.network.state_dict().items()}
    tensors |= {f"averaged.{k}": v.clone() for k, v in run.averaged.state_dict().items()}
    for i, slot in run.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{i}.{name}": value.clone() for name, value in slot.items()}
    header = {name: json.dumps(getattr(run, name)) for name in _NUMBERS}
    part = path.with_name(path.name + ".part")
    try:
        save_file(tensors, part, metadata=header)
        part.replace(path)
    except (OSError, SafetensorError) as error:
        raise StorageError(f"cannot write {path}: {error}") from error


def load_run(run: Run, path: Path) -> None:
    """Restore a run from a file.

    Parameters
    ----------
    run : Run
        A new run with the same configuration; modified in place.
    path : Path

    Raises
    ------
    WeightsError
        The file is missing, damaged, or of another configuration.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        for part, target in (("network", run.network), ("averaged", run.averaged)):
            target.load_state_dict(
                {k.removeprefix(f"{part}."): v for k, v in tensors.items() if k.startswith(f"{part}.")}
            )
        state = run.optimiser.state_dict()
        for name, value in tensors.items():
            if name.startswith("optimiser."):
                _, i, slot = name.split(".")
                state["state"].setdefault(int(i), {})[slot] = value
        run.optimiser.load_state_dict(state)
        for name in _NUMBERS:
            setattr(run, name, json.loads(header[name]))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        text = " ".join(str(error).split())[:120]
        raise WeightsError(f"cannot resume from {path} ({text}): train without --resume") from error
