"""Refit of the nearest horizons: they improve, on fitted and other signals; everything else stays unchanged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
import torch

from model.forecast.config import NetworkConfig, ScalingConfig
from model.forecast.network import Network
from model.training.near_horizon_refit import SAMPLES, refit
from model.training.sequences import to_sequences

if TYPE_CHECKING:
    from stream.records.record import Record

CONFIG = NetworkConfig(hidden=12, horizon=24)
MINUTE = 60 * 360


@pytest.fixture
def network() -> Network:
    """An untrained network: the last sample of the window plus the output of a random LSTM."""
    torch.manual_seed(0)
    return Network(CONFIG).eval()


@torch.inference_mode()
def forecast(network: Network, mv: npt.NDArray[np.float64]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and scale for the first lead, shape (k, horizon, 2), and the mean's error in mV after 20 s."""
    trial = to_sequences(mv[:, :1].T, CONFIG, ScalingConfig())
    y, _ = network(torch.from_numpy(trial.x))
    error = (y[0, ..., 0] - torch.from_numpy(trial.target[0])) * torch.from_numpy(trial.scale[0, :, None])
    return y[0], error[20 * 90 :]


def rmse(network: Network, mv: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    return forecast(network, mv)[1].square().mean(dim=0).sqrt().numpy()


def test_nearest_horizons_improve(network: Network, excerpt: Record) -> None:
    mv = excerpt.mv()
    refitted = refit(network, ScalingConfig(), {"a": mv[: 3 * MINUTE]})
    for part in (mv[: 3 * MINUTE], mv[3 * MINUTE :]):
        before, after = rmse(network, part), rmse(refitted, part)
        assert after[0] < 0.5 * before[0]
        assert (after[:SAMPLES] < before[:SAMPLES]).all()


def test_other_horizons_and_scales_stay_unchanged(network: Network, excerpt: Record) -> None:
    mv = excerpt.mv()[:MINUTE]
    untouched = {name: value.clone() for name, value in network.state_dict().items()}
    before, after = (forecast(n, mv)[0] for n in (network, refit(network, ScalingConfig(), {"a": mv})))
    assert torch.equal(after[:, SAMPLES:], before[:, SAMPLES:])
    assert torch.equal(after[..., 1], before[..., 1])
    for name, value in network.state_dict().items():
        assert torch.equal(value, untouched[name])


def test_first_sample_equals_ordinary_least_squares(network: Network, excerpt: Record) -> None:
    """The error equals that of a least-squares solver with the same regressors."""
    mv = excerpt.mv()[:MINUTE, :1]
    refitted = refit(network, ScalingConfig(), {"a": mv})
    trial = to_sequences(mv.T, CONFIG, ScalingConfig())
    with torch.inference_mode():
        hidden, _ = network.lstm(torch.from_numpy(trial.x))
    unit = trial.scale[0, :, None]
    x = np.concatenate([trial.x[0], hidden[0].numpy(), np.ones_like(unit)], axis=1) * unit
    x, target = x[20 * 90 :].astype(np.float64), (trial.target[0, :, :1] * unit)[20 * 90 :, 0]
    least = target - x @ np.linalg.lstsq(x, target, rcond=None)[0]
    assert rmse(refitted, mv)[0] == pytest.approx(np.sqrt((least**2).mean()), rel=0.01)


def test_second_refit_does_not_improve_the_first_sample(network: Network, excerpt: Record) -> None:
    signals = {"a": excerpt.mv()[:MINUTE]}
    once = refit(network, ScalingConfig(), signals)
    twice = refit(once, ScalingConfig(), signals)
    assert rmse(twice, signals["a"])[0] == pytest.approx(rmse(once, signals["a"])[0], rel=0.01)


def test_refit_does_not_depend_on_gain_or_flat_leads(network: Network, excerpt: Record) -> None:
    mv = excerpt.mv()[:MINUTE, :1]
    config = replace(ScalingConfig(), prior_weight=1e-6)  # with the usual prior, the gain would change the scale
    plain = refit(network, config, {"a": mv})
    for signals in ({"a": 10 * mv}, {"a": mv, "flat": np.zeros_like(mv)}):
        assert rmse(refit(network, config, signals), mv)[0] == pytest.approx(rmse(plain, mv)[0], rel=0.02)
