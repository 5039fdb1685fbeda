"""Configuration of the model benchmark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BenchConfig:
    """What is timed, and for how long.

    Attributes
    ----------
    beds : tuple of int
        Batch sizes; each bed has one lead. A single bed is always timed.
    rounds : int
        Number of rounds; every job runs once in each.
    seconds : float
        Duration of each job over all rounds.
    stage_beds : int
        Beds that step together while the stages are timed one by one.
    gemm : tuple of int
        Sizes of the square matrices whose product is timed; the fastest one counts.
    memory_steps : int
        Steps of the memory test.
    memory_s : float
        Maximum duration of the memory test in seconds.
    memory_beds : int
        Largest batch of the memory test.
    """

    beds: tuple[int, ...] = (1, 64, 256, 1024)
    rounds: int = 5
    seconds: float = 0.8
    stage_beds: int = 256
    gemm: tuple[int, ...] = (256, 512, 1024, 2048)
    memory_steps: int = 100_000
    memory_s: float = 180.0
    memory_beds: int = 16
