"""Settings of one training run."""

from __future__ import annotations

from dataclasses import dataclass

from stream.errors import UsageError


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
