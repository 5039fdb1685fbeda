"""Settings of the forecaster and of its training."""

from __future__ import annotations

from dataclasses import dataclass

from stream.errors import UsageError

PATCH = 4
"""Samples per step of the network: 11 ms at 360 Hz."""

WARM_S = 20
"""Seconds at the start of a stream in which the network's state warms up: neither scored nor fitted to."""

DAMAGED_STATE = "the saved state of a bed is damaged: delete it and let the bed start anew"
"""What is said of any part of a bed's state that does not load."""


@dataclass(frozen=True)
class ScalingConfig:
    """How a stream is normalised before the network sees it.

    Attributes
    ----------
    baseline_s, scale_s : float
        Time constants, in seconds, of the running mean and of the running mean square about it.
    prior_mv : float
        Scale that is assumed before anything was seen.
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


@dataclass(frozen=True)
class TrainConfig:
    """One training run; what made the shipped weights stands in their header.

    Attributes
    ----------
    steps : int
        Optimiser steps; the learning rate falls to zero over them.
    minutes : float
        The run ends after this long at the latest, with the learning rate at zero then too.
    rows : int
        Streams side by side in a batch.
    window : int
        Patches through which errors are propagated back.
    windows : int
        Windows in one stretch of signal; the LSTM's state is carried from one to the next.
    unscored : int
        Windows at the start of a stretch that only warm up the state.
    lr, weight_decay, clip : float
        Of AdamW; ``clip`` bounds the norm of the gradient.
    warmup : int
        Steps over which the learning rate rises.
    ema : float
        Decay of the averaged weights, which are the ones kept.
    beta : float
        Gaussian NLL is weighted by scale^(2 beta) (Seitzer et al. 2022): 0 is the likelihood, 1 the squared error.
    validate_every : int
        Steps between two scores on the held-back records.
    validate_from_s, validate_s : int
        Which part of the held-back records is scored, in seconds; its first 20 s only warm up the state.
    patience : int
        Scores without a better one after which the run ends.
    threads : int
        Of torch.
    seed : int

    Raises
    ------
    UsageError
        No time or no thread to train with.
    """

    steps: int = 4000
    minutes: float = 60.0
    rows: int = 64
    window: int = 180
    windows: int = 20
    unscored: int = 2
    lr: float = 2e-3
    weight_decay: float = 0.02
    clip: float = 1.0
    warmup: int = 200
    ema: float = 0.998
    beta: float = 0.75
    validate_every: int = 200
    validate_from_s: int = 280
    validate_s: int = 620
    patience: int = 12
    threads: int = 1
    seed: int = 42

    def __post_init__(self) -> None:
        if not self.minutes > 0:
            raise UsageError(f"--minutes {self.minutes:g}: take more than 0")
        if self.threads < 1:
            raise UsageError(f"--threads {self.threads}: take 1 or more")
