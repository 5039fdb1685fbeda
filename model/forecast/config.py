"""Settings of the forecaster and of its training."""

from __future__ import annotations

from dataclasses import dataclass

PATCH = 4
"""Samples per step of the network: 11 ms at 360 Hz."""

WARM_S = 20
"""Seconds at the start of a stream in which the network's state warms up: neither scored nor fitted to."""


@dataclass(frozen=True)
class ScalingConfig:
    """How a stream is normalised before the network sees it.

    Attributes
    ----------
    baseline_s, scale_s : float
        Time constants, in seconds, of the running mean and of the running mean square about it.
    prior_mv : float
        Scale that is assumed before the first sample.
    prior_weight : float
        How much that assumption weighs against samples, as a share of a full memory.
    floor_mv : float
        Smallest scale, so that a flat line does not explode.
    """

    baseline_s: float = 2.0
    scale_s: float = 10.0
    prior_mv: float = 0.3
    prior_weight: float = 0.02
    floor_mv: float = 0.05


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of the network.

    Attributes
    ----------
    patch : int
        Samples per step.
    window : int
        Last samples that the network sees at each step.
    horizon : int
        Samples that it forecasts at each step.
    hidden, layers : int
        Of the LSTM.
    dropout : float
        On what goes into the second layer and into the head, in training.
    scale_floor : float
        Smallest predicted scale, in units of the stream's running scale.
    """

    patch: int = PATCH
    window: int = 32
    horizon: int = 96
    hidden: int = 160
    layers: int = 2
    dropout: float = 0.2
    scale_floor: float = 0.01
