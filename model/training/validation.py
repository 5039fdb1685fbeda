"""Validation of a forecaster on the held-back records during training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from model.datasets.mitdb import Signals
from model.forecast.config import WARM_UP_S, NetworkConfig, ScalingConfig
from model.forecast.interval_calibration import Z90
from model.forecast.network import Network
from model.training.config import TrainConfig
from model.training.sequences import Sequences, to_sequences
from stream.timebase import FS

SELECTED_AT = (4, 18, 36, 72)
"""Horizons in samples whose mean NRMSE selects the weights: 11, 50, 100, 200 ms."""

SCORED_AT = (1, *SELECTED_AT)
"""Horizons in samples that are scored."""


@dataclass(frozen=True)
class Score:
    """Scores of a network on the validation records.

    Attributes
    ----------
    nrmse : dict of int to float
        By horizon in samples: RMSE / standard deviation of the lead, mean over the leads of the records.
    coverage90 : tuple of float
        Smallest, mean and largest coverage of the 90 % interval over leads.
    """

    nrmse: dict[int, float]
    coverage90: tuple[float, float, float]

    @property
    def selection_error(self) -> float:
        """Mean NRMSE at the horizons of `SELECTED_AT`; the weights with the lowest value are kept."""
        return sum(self.nrmse[h] for h in SELECTED_AT) / len(SELECTED_AT)

    def __str__(self) -> str:
        nrmse = ", ".join(f"{value:.3f} at {1000 * h / FS:.0f} ms" for h, value in self.nrmse.items())
        low, mean, high = self.coverage90
        return f"NRMSE {nrmse}; coverage of the 90 % interval {low:.2f} to {high:.2f}, mean {mean:.2f}"

    def to_dict(self) -> dict[str, Any]:
        """Return the scores for the header of the weights, horizons in ms."""
        return {
            "nrmse": {f"{1000 * h / FS:.0f}": round(value, 4) for h, value in self.nrmse.items()},
            "coverage90": dict(zip(("min", "mean", "max"), (round(c, 4) for c in self.coverage90), strict=True)),
        }


def validation_sequences(
    signals: Signals, network: NetworkConfig, scaling: ScalingConfig, config: TrainConfig
) -> Sequences:
    """Return the scored part of all leads of the validation records, one row each."""
    start, stop = config.validate_from_s * FS, (config.validate_from_s + config.validate_s) * FS
    streams = [mv[start:stop, lead] for mv in signals.values() for lead in range(mv.shape[1])]
    return to_sequences(np.stack(streams), network, scaling)


@torch.inference_mode()
def validate(network: Network, sequences: Sequences, chunk: int = 900) -> Score:
    """Score a network on sequences, except for their first 20 s.

    Parameters
    ----------
    network : Network
    sequences : Sequences
    chunk : int
        Network steps processed at once.
    """
    skip = WARM_UP_S * FS // network.config.patch
    at = [h - 1 for h in SCORED_AT]
    rows, n = sequences.scale.shape
    square, inside = np.zeros((rows, len(at))), np.zeros(rows)
    _, state = network(torch.from_numpy(sequences.x[:, :skip]))
    for i in range(skip, n, chunk):
        span = slice(i, i + chunk)
        y, state = network(torch.from_numpy(sequences.x[:, span]), state)
        error = y[..., 0] - torch.from_numpy(sequences.target[:, span])
        inside += (error.abs() < Z90 * y[..., 1]).double().mean(dim=-1).sum(dim=1).numpy()
        in_mv = error[..., at] * torch.from_numpy(sequences.scale[:, span, None])
        square += in_mv.square().double().sum(dim=1).numpy()
    # Standard deviation of the lead about its running baseline.
    spread = (sequences.target[:, skip:, 0] * sequences.scale[:, skip:]).std(axis=1)
    nrmse = (np.sqrt(square / (n - skip)) / spread[:, None]).mean(axis=0)
    coverage = inside / (n - skip)
    return Score(
        dict(zip(SCORED_AT, map(float, nrmse), strict=True)),
        (float(coverage.min()), float(coverage.mean()), float(coverage.max())),
    )
