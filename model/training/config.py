"""Configuration of a training run of the forecaster."""

from __future__ import annotations

from dataclasses import dataclass

from stream.errors import UsageError


@dataclass(frozen=True)
class TrainConfig:
    """A training run. The configuration of the shipped weights is in the header of their file.

    Attributes
    ----------
    steps : int
        Optimiser steps. The learning rate decays to zero over them.
    minutes : float
        Maximum duration. The learning rate also reaches zero at its end.
    rows : int
        Streams in a batch.
    window : int
        Patches of one truncated back-propagation.
    windows : int
        Windows in one sequence; the state of the LSTM is carried from one to the next.
    unscored : int
        Windows at the start of a sequence that only warm up the state.
    lr, weight_decay, clip : float
        Parameters of AdamW; ``clip`` bounds the norm of the gradient.
    warmup : int
        Steps over which the learning rate rises.
    ema : float
        Decay of the exponential moving average of the weights, which is what is saved.
    beta : float
        The Gaussian NLL is weighted by scale^(2 beta) (Seitzer et al. 2022): 0 is the likelihood, 1 the squared error.
    validate_every : int
        Steps between two validations.
    validate_from_s, validate_s : int
        Start and length in seconds of the scored part of the validation records; its first 20 s warm up the state.
    patience : int
        Validations without improvement after which the run ends.
    threads : int
        Threads of torch.
    seed : int

    Raises
    ------
    UsageError
        ``minutes`` or ``threads`` is not positive.
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
            raise UsageError(f"--minutes {self.minutes:g}: give more than 0")
        if self.threads < 1:
            raise UsageError(f"--threads {self.threads}: give 1 or more")
