"""Settings of the forecaster."""

from __future__ import annotations

from dataclasses import dataclass

from stream.errors import UsageError

PATCH = 4
"""Samples per step of the network; 11 ms at 360 Hz."""

WARM_UP_S = 20
"""Seconds at the start of a stream in which the network's state settles; excluded from scores and losses."""


@dataclass(frozen=True)
class ScalingConfig:
    """Normalisation of a stream before it enters the network.

    Attributes
    ----------
    baseline_s, scale_s : float
        Time constants in seconds of the running mean and of the running mean square about it.
    prior_mv : float
        Scale assumed before the first sample.
    prior_weight : float
        Weight of that assumption, as a fraction of the weight of a full memory.
    floor_mv : float
        Smallest scale; keeps the normalised values of a flat line finite.
    """

    baseline_s: float = 2.0
    scale_s: float = 10.0
    prior_mv: float = 0.3
    prior_weight: float = 0.02
    floor_mv: float = 0.05


@dataclass(frozen=True)
class NetworkConfig:
    """Dimensions of the network.

    Attributes
    ----------
    patch : int
        Samples per step.
    window : int
        Past samples that enter the network at each step.
    horizon : int
        Samples forecast at each step.
    hidden, layers : int
        Units per layer, and layers, of the LSTM.
    dropout : float
        Dropout rate at the inputs of the second layer and of the head, in training.
    scale_floor : float
        Smallest predicted scale, in units of the stream's running scale.

    Raises
    ------
    UsageError
        ``hidden`` or ``layers`` is not positive.
    """

    patch: int = PATCH
    window: int = 32
    horizon: int = 96
    hidden: int = 160
    layers: int = 2
    dropout: float = 0.2
    scale_floor: float = 0.01

    def __post_init__(self) -> None:
        for name in ("hidden", "layers"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name} {getattr(self, name)}: give 1 or more")
