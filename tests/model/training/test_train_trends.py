"""Training of the forecast of vitals: the whole command on few patients; numpy does what torch does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from model.training import trend_calibration
from model.training.train_trends import train_trends, weights_of
from model.training.trend_network import Network, prepare
from model.trends import network
from model.trends.forecaster import TrendForecaster
from model.trends.quantiles import OUTPUTS, RISKS
from model.trends.vital_inputs import CENTRE, FEATURES, MEAN_PRESSURE, SCALE, VITALS, Floats
from stream.errors import RecordError

COLUMNS = "HR|MAP|SBP|O2Sat|Resp|Temp|DBP|ICULOS|SepsisLabel"


def values_of(beds: int, hours: int) -> Floats:
    rng = np.random.default_rng(5)
    values = CENTRE + SCALE * np.cumsum(rng.normal(0, 0.4, (beds, hours, len(VITALS))), axis=1)
    values[..., VITALS.index("spo2")] = 98 - np.abs(values[..., VITALS.index("spo2")] - 98)
    values[rng.random(values.shape) < 0.2] = np.nan
    return values


def test_numpy_gives_the_outputs_of_the_trained_networks() -> None:
    torch.manual_seed(0)
    networks, one, zero = [Network().eval() for _ in range(2)], np.ones(len(RISKS)), np.zeros(len(RISKS))
    weights = weights_of(networks, one, zero, np.zeros((FEATURES + 1, len(RISKS))))
    values = values_of(3, 30)
    hours = prepare(values, np.array([30, 30, 30]), np.zeros((3, 30)))
    with torch.no_grad():
        expected = sum(net(torch.from_numpy(hours.features)) for net in networks).numpy() / 2
    hidden = np.zeros((3, *weights.hidden), np.float32)
    found = np.empty((3, 30, OUTPUTS), np.float32)
    for hour in range(30):
        found[:, hour], hidden = network.step(weights, hidden, hours.features[:, hour])
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_targets_are_changes_from_the_carried_value_and_low_pressure_is_not_asked() -> None:
    values = np.full((1, 4, len(VITALS)), np.nan)
    values[0, :, MEAN_PRESSURE] = [77.0, np.nan, 61.0, 93.0]
    hours = prepare(values, np.array([4]), np.array([[0.0, 0.0, 0.0, 1.0]]))
    assert hours.level[0, :, MEAN_PRESSURE].tolist() == [0, 0, -1, 1]
    np.testing.assert_equal(hours.later[0, :, MEAN_PRESSURE, 1], [-1, 1, np.nan, np.nan])
    np.testing.assert_equal(hours.risks[0], [[np.nan, 1, 1, 0], [1, 1, 1, 0], [np.nan] * 3 + [0], [np.nan] * 3 + [1]])


def test_platt_finds_the_true_log_odds() -> None:
    rng = np.random.default_rng(1)
    given = rng.normal(0, 2, (40_000, len(RISKS)))
    risks = (rng.random(given.shape) < 1 / (1 + np.exp(-(0.5 * given - 1)))).astype(float)
    scale, offset = trend_calibration.platt(given, risks)
    np.testing.assert_allclose(scale, 0.5, atol=0.03)
    np.testing.assert_allclose(offset, -1.0, atol=0.06)


def test_a_training_writes_weights_that_forecast(tmp_path: Path) -> None:
    folder, out = tmp_path / "patients", tmp_path / "trends.safetensors"
    folder.mkdir()
    for number, values in enumerate(values_of(60, 24)):
        sepsis = np.arange(24) > (15 if number % 4 == 0 else 24)
        table = np.column_stack([values.round(1), np.arange(1, 25), sepsis])
        rows = ["|".join(map(str, row)) for row in table]
        (folder / f"p{number:06}.psv").write_text("\n".join([COLUMNS, *rows]))
    report = train_trends(folder, out, epochs=1)
    assert report["patients"] == 60
    assert len(report["folds"]) == 5
    assert report["alerts_per_patient_day"] <= trend_calibration.MOST_ALERTS_PER_DAY
    assert all(0.7 < own < 0.9 for own in report["coverage80"].values())
    forecaster = TrendForecaster.load(out)
    assert forecaster.weights.hidden[0] == 5
    assert forecaster.weights.provenance["cross_validation"]["hypotension_6h_auroc"] > 0
    _, outlook = forecaster.step(forecaster.initial(), {"nibp_mean": 80.0}, 1)
    assert 0 < outlook.risk["hypotension_1h"] < 1
    for path in sorted(folder.iterdir())[40:]:
        path.unlink()
    with pytest.raises(RecordError, match="at least 50"):
        train_trends(folder, out)
