"""The memory test reports its steps and detects growth."""

from __future__ import annotations

import pytest
import torch
from rich.console import Console

from model.benchmarks import memory
from model.benchmarks.config import BenchConfig
from model.benchmarks.memory import memory_growth, resident_mb
from model.forecast.config import NetworkConfig, ScalingConfig
from model.forecast.forecaster_weights import TrainedForecaster
from model.forecast.network import Network

SHORT = BenchConfig(memory_steps=30, memory_s=60, memory_beds=4)
QUIET = Console(quiet=True)


@pytest.fixture
def forecaster() -> TrainedForecaster:
    torch.manual_seed(0)
    return Network(NetworkConfig(hidden=8)).trained(ScalingConfig(), {})


def test_number_of_steps_is_reported(forecaster: TrainedForecaster) -> None:
    whole = memory_growth(forecaster, SHORT, QUIET)
    cut = memory_growth(forecaster, BenchConfig(memory_s=1e-6, memory_beds=2), QUIET)
    assert whole["steps"] == whole["steps_wanted"] == 30
    assert cut["steps"] == 1
    assert cut["steps_wanted"] == 100_000


def test_growth_is_detected(forecaster: TrainedForecaster, monkeypatch: pytest.MonkeyPatch) -> None:
    if resident_mb() is None:
        pytest.skip("this system has no /proc")
    kept = []
    original = memory.advance

    def leaking(*args: object) -> object:
        kept.append(bytearray(b"x" * 2**23))  # far more than an allocator could keep from earlier tests
        return original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(memory, "advance", leaking)
    assert memory_growth(forecaster, SHORT, QUIET)["growth_mb"] > 20
