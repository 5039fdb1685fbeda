"""The lecture's protocol to the printed digits, the baselines, and the bedside network."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from model.tutorial import bedside_network, lecture_model, tutorial
from model.tutorial.lecture_model import SAMPLES, TRAINING, WINDOW, Trace
from model.tutorial.tutorial import Result, Tutorial
from stream.errors import StorageError
from stream.records.record import Record


@pytest.fixture(scope="module")
def trace(excerpt: Record) -> Trace:
    return lecture_model.normalise(excerpt.mv()[:SAMPLES, 0])


def mse(forecast: np.ndarray, truth: np.ndarray) -> str:
    return f"{((forecast - truth) ** 2).mean():.2e}"


def test_pairs_of_window_and_next_sample(trace: Trace) -> None:
    windows, following = lecture_model.pairs(trace.training)
    assert windows.shape == (1350, 50)
    assert following.shape == (1350,)
    np.testing.assert_array_equal(windows[7], trace.x[7:57])
    assert following[7] == trace.x[57]
    assert following[-1] == trace.x[TRAINING - 1]
    windows, following = lecture_model.pairs(trace.test)
    assert windows.shape == (550, 50)
    assert windows[0, 0] == trace.x[TRAINING]
    assert following[-1] == trace.x[SAMPLES - 1]


def test_normalisation_does_not_use_the_test_span(trace: Trace, excerpt: Record) -> None:
    assert trace.training.min() == 0
    assert trace.training.max() == 1
    mv = excerpt.mv()[:SAMPLES, 0]
    np.testing.assert_allclose(trace.mv(trace.x), mv, atol=1e-12)
    mv[TRAINING:] *= 10
    changed = lecture_model.normalise(mv)
    np.testing.assert_array_equal(changed.training, trace.training)
    assert changed.test.min() < 0


def test_baselines_to_the_printed_digits(trace: Trace) -> None:
    windows, truth = lecture_model.pairs(trace.test)
    assert mse(lecture_model.persistence(windows), truth) == "6.84e-04"
    assert mse(lecture_model.linear(windows), truth) == "1.82e-04"
    assert mse(lecture_model.ar50(lecture_model.fit_ar50(trace.training), windows), truth) == "1.02e-04"


def test_lecture_training_reproduces_its_loss_log(trace: Trace) -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    updates: list[int] = []
    _, losses = lecture_model.train_lecture(trace.training, epochs=10, update=updates.append)
    assert f"{losses[-1]:.5f}" == "0.02516"
    assert len(losses) == 10
    assert updates == list(range(1, 11))
    assert torch.rand(1) == expected, "training must not advance the global generator"


def test_each_step_is_scored_once_after_warm_up() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        steps, scored = bedside_network.rows_of(18, 1368, rng)
        np.testing.assert_array_equal(np.sort(steps[scored]), np.arange(18, 1368))
        assert not scored[:, : bedside_network.WARM].any()
        np.testing.assert_array_equal(np.diff(steps[3]), 1)


def test_inputs_are_relative_to_the_last_sample(trace: Trace) -> None:
    windows, target = bedside_network.inputs(trace.x)
    assert windows.shape == (SAMPLES - 32, 32)
    x = trace.x
    np.testing.assert_allclose(windows[5] * bedside_network.UNIT, x[5:37] - x[36], atol=1e-6)
    np.testing.assert_allclose(target[5] * bedside_network.UNIT, x[37] - x[36], atol=1e-6)


def test_network_starts_at_its_linear_forecast_and_improves(trace: Trace) -> None:
    truth = trace.training[bedside_network.CONFIG.window :]
    errors = []
    for epochs in (0, 30):
        network = bedside_network.train(trace.training, epochs)
        errors.append(((bedside_network.stream(network, trace.training) - truth) ** 2)[18:].mean())
    weights = lecture_model.fit_ar50(trace.training)
    windows, following = lecture_model.pairs(trace.training)
    ar = ((lecture_model.ar50(weights, windows) - following) ** 2).mean()
    assert ar <= errors[0] < 1.1 * ar
    assert errors[1] < ar


def test_network_is_causal(trace: Trace) -> None:
    network = bedside_network.train(trace.training, 3)
    changed = trace.x.copy()
    changed[1000:] += 1
    n = 1000 - bedside_network.CONFIG.window
    before, after = bedside_network.stream(network, trace.x), bedside_network.stream(network, changed)
    np.testing.assert_array_equal(after[: n + 1], before[: n + 1])
    assert after[n + 1] != before[n + 1]


def test_network_is_better_than_ar50_on_the_test_span(trace: Trace) -> None:
    network = bedside_network.train(trace.training)
    _, truth = lecture_model.pairs(trace.test)
    forecast = bedside_network.stream(network, trace.test)[-len(truth) :]
    assert ((forecast - truth) ** 2).mean() <= 0.8e-4


@pytest.fixture
def report(trace: Trace) -> Tutorial:
    windows, truth = lecture_model.pairs(trace.test)
    forecast = lecture_model.linear(windows)
    result = Result(forecast, float(((forecast - truth) ** 2).mean()), 0.5)
    return Tutorial(trace, dict.fromkeys(tutorial.METHODS, result), {10: 0.025162}, 2e-4)


def test_json_keys(report: Tutorial) -> None:
    values = json.loads(json.dumps(report.to_dict()))["tutorial"]
    for method in ("lecture", "persistence", "linear", "ar50", "bedside"):
        assert values[method] == {"test_mse": pytest.approx(1.816e-4, rel=1e-3), "train_s": 0.5}
    assert values["loss_log"] == {"10": 0.02516}
    assert values["pairs"] == {"training": TRAINING - WINDOW, "test": 550}


def test_table_shows_all_methods(report: Tutorial) -> None:
    console = Console(record=True, width=120, file=io.StringIO())
    tutorial.print_tutorial(report, console)
    text = console.export_text()
    assert "10: 0.02516" in text
    assert text.count("1.82e-04") == 5


def test_plot_has_all_lines_and_reports_errors(report: Tutorial, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from model.tutorial.plot import draw

    draw(report, tmp_path / "tutorial.png")
    from matplotlib.image import imread

    image = imread(tmp_path / "tutorial.png")[:, :, :3]
    for red, green, blue in ((214, 39, 40), (44, 160, 44), (31, 119, 180), (140, 140, 140)):
        near = np.abs(255 * image - [red, green, blue]).max(axis=2) < 8
        assert near.sum() > 100
    with pytest.raises(StorageError, match=r"\.png, \.pdf or \.svg"):
        draw(report, tmp_path / "tutorial.xyz")
    with pytest.raises(StorageError, match="cannot be written"):
        draw(report, tmp_path / "nowhere" / "tutorial.png")
