"""Training on a small scale: progress, selection of weights, resuming, provenance."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from model.datasets.mitdb import Signals
from model.forecast import forecaster_weights
from model.forecast.config import NetworkConfig, ScalingConfig
from model.forecast.network import Network
from model.training import train_forecaster as training
from model.training.config import TrainConfig
from model.training.train_forecaster import finish, fit, learning_rate, weighted_nll
from model.training.training_run import Run
from model.training.validation import validate, validation_sequences
from stream.errors import StorageError, WeightsError

if TYPE_CHECKING:
    from stream.records.record import Record

NETWORK = NetworkConfig(hidden=12, horizon=72)
CONFIG = TrainConfig(
    steps=30, rows=6, window=30, windows=8, unscored=1, warmup=5, ema=0.9, validate_every=10, lr=1e-2,
    validate_from_s=0, validate_s=60,
)  # fmt: skip


@pytest.fixture
def signals(excerpt: Record) -> tuple[Signals, Signals]:
    """Four minutes for training, one for validation."""
    mv = excerpt.mv()
    return {"a": mv[: 360 * 240]}, {"b": mv[360 * 240 :]}


def weights(path: Path) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(value) for name, value in forecaster_weights.load(path).weights.items()}


def test_training_reduces_the_error_and_records_provenance(tmp_path: Path, signals: tuple[Signals, Signals]) -> None:
    out = tmp_path / "weights.safetensors"
    torch.manual_seed(CONFIG.seed)
    trials = validation_sequences(signals[1], NETWORK, ScalingConfig(), CONFIG)
    before = validate(Network(NETWORK).eval(), trials)
    after = fit(CONFIG, *signals, out, network=NETWORK)
    assert after.selection_error < 0.95 * before.selection_error
    assert 0 < after.coverage90[0] <= after.coverage90[1] <= after.coverage90[2] <= 1
    saved = forecaster_weights.load(out)
    assert saved.provenance["seed"] == CONFIG.seed
    assert saved.provenance["config"]["steps"] == 30
    assert saved.provenance["held_back"]["nrmse"]["50"] == pytest.approx(after.nrmse[18], abs=1e-3)


def test_last_stage_improves_the_nearest_horizons_once(tmp_path: Path, signals: tuple[Signals, Signals]) -> None:
    out = tmp_path / "weights"
    after = fit(CONFIG, *signals, out, network=NETWORK)
    saved = forecaster_weights.load(out)
    before = saved.provenance["first_samples"]["held_back_before"]["nrmse"]
    assert after.nrmse[1] < 0.9 * before["3"]
    assert after.nrmse[4] < before["11"]
    for h, ms in ((18, "50"), (36, "100"), (72, "200")):
        assert after.nrmse[h] == pytest.approx(before[ms], abs=1e-4)
    assert saved.provenance["held_back"] == after.to_dict()

    trials = validation_sequences(signals[1], NETWORK, ScalingConfig(), CONFIG)
    assert finish(saved, signals[0], trials, tmp_path / "again") == after
    assert forecaster_weights.load(tmp_path / "again").provenance == saved.provenance
    for name, value in weights(out).items():
        assert torch.equal(weights(tmp_path / "again")[name], value)


def test_last_stage_is_rejected_without_improvement(tmp_path: Path, signals: tuple[Signals, Signals]) -> None:
    """Noise is unpredictable, so weights that follow the last samples more closely increase the error."""
    noise = {"b": np.random.default_rng(0).normal(size=signals[1]["b"].shape)}
    network = Network(NETWORK).eval()
    torch.nn.init.zeros_(network.linear.weight)
    trained = network.trained(ScalingConfig(), {"seed": 7})
    finish(trained, signals[0], validation_sequences(noise, NETWORK, ScalingConfig(), CONFIG), tmp_path / "weights")
    saved = forecaster_weights.load(tmp_path / "weights")
    assert saved.provenance == trained.provenance
    for name, value in network.state_dict().items():
        assert torch.equal(torch.tensor(saved.weights[name]), value)


def test_resumed_run_equals_an_uninterrupted_one(
    tmp_path: Path, signals: tuple[Signals, Signals], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.time, "monotonic", lambda: 0.0)  # makes the schedule independent of this machine
    config = replace(CONFIG, windows=6, validate_every=5)  # five scored windows per sequence
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    fit(replace(config, steps=20), *signals, whole, network=NETWORK)

    class PowerCutError(Exception):
        pass

    save_run = training.save_run

    def cut(run: Run, path: Path) -> None:
        save_run(run, path)
        if run.step == 10:
            raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(training, "save_run", cut)
        with pytest.raises(PowerCutError):
            fit(replace(config, steps=20), *signals, resumed, network=NETWORK)
    fit(replace(config, steps=20), *signals, resumed, resume=True, network=NETWORK)
    for name, value in weights(whole).items():
        torch.testing.assert_close(weights(resumed)[name], value)


def test_minutes_limit_the_run(tmp_path: Path, signals: tuple[Signals, Signals]) -> None:
    out = tmp_path / "weights"
    fit(replace(CONFIG, steps=10**6, minutes=1e-6), *signals, out, network=NETWORK)
    assert forecaster_weights.load(out).provenance["step"] == 1


def test_missing_run_cannot_be_resumed(tmp_path: Path, signals: tuple[Signals, Signals]) -> None:
    with pytest.raises(WeightsError, match="train without --resume"):
        fit(CONFIG, *signals, tmp_path / "none", resume=True, network=NETWORK)


def test_unwritable_file_is_an_error(tmp_path: Path, signals: tuple[Signals, Signals]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        fit(replace(CONFIG, minutes=1e-6), *signals, tmp_path / "file" / "weights", network=NETWORK)


def test_validation_equals_persistence_for_a_neutral_network(signals: tuple[Signals, Signals]) -> None:
    """A network whose outputs are zero is persistence, whose NRMSE is known."""
    network = Network(NETWORK).eval()
    torch.nn.init.zeros_(network.head.weight)
    torch.nn.init.zeros_(network.head.bias)
    x = signals[1]["b"][:, 0]
    score = validate(network, validation_sequences(signals[1], NETWORK, ScalingConfig(), CONFIG), chunk=100)
    origins = np.arange(20 * 360 + 3, 360 * 60 - 72, 4)
    for h in (4, 18, 36, 72):
        rmse = np.sqrt(((x[origins + h] - x[origins]) ** 2).mean())
        assert score.nrmse[h] * x[origins].std() == pytest.approx(rmse, rel=0.15)  # std about another baseline


def test_loss_is_minimal_at_the_true_distribution() -> None:
    target = torch.randn(4, 50, 72, generator=torch.Generator().manual_seed(0))

    def loss(mean: float, scale: float, beta: float) -> float:
        y = torch.stack([torch.full_like(target, mean), torch.full_like(target, scale)], dim=-1)
        return float(weighted_nll(y, target, beta)) / scale ** (2 * beta)

    for beta in (0.0, 0.75):
        assert loss(0, 1, beta) < min(loss(0.5, 1, beta), loss(0, 1.5, beta), loss(0, 0.7, beta))


def test_beta_weights_by_the_scale() -> None:
    y = torch.tensor([0.0, 0.5]).expand(1, 1, 3, 2)
    target = torch.ones(1, 1, 3)
    plain = weighted_nll(y, target, 0.0)
    torch.testing.assert_close(plain, torch.tensor(0.5 * 4 + math.log(0.5)))
    torch.testing.assert_close(weighted_nll(y, target, 1.0), 0.25 * plain)


def test_learning_rate_falls_with_steps_or_minutes() -> None:
    network = Network(NETWORK)
    run = Run(network, network, torch.optim.AdamW(network.parameters()))
    config = replace(CONFIG, warmup=10, steps=100, minutes=10)

    def rate(step: int, minutes: float) -> float:
        run.step, run.minutes = step, minutes
        return learning_rate(run, config) / config.lr

    assert rate(0, 0) == pytest.approx(0.1)
    assert rate(50, 0) == pytest.approx(0.5)
    assert rate(50, 7.5) == pytest.approx(rate(75, 0))
    assert rate(100, 0) == pytest.approx(0)
