"""The anomaly classifier: the shipped weights, its output, damaged files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from model.anomaly import classifier
from model.anomaly.classifier import NAMES, SHIPPED, Weights, load, log_odds, save
from model.anomaly.features import FEATURES
from model.datasets.mitdb import TRAIN
from stream.errors import WeightsError


def test_the_shipped_weights_load() -> None:
    weights = load()
    assert weights.inner.shape[0] == FEATURES
    assert all(np.isfinite(getattr(weights, name)).all() for name in NAMES)


def test_output_is_a_hidden_layer_plus_a_linear_path() -> None:
    weights = load()
    x = np.random.default_rng(0).normal(size=(5, FEATURES))
    expected = np.tanh(x @ weights.inner + weights.inner_bias) @ weights.outer + x @ weights.direct + weights.bias
    np.testing.assert_allclose(log_odds(weights, x), expected)


def test_unknown_features_give_unknown_log_odds() -> None:
    x = np.zeros((3, FEATURES))
    x[1, 5] = np.nan
    assert np.isnan(log_odds(load(), x)).tolist() == [False, True, False]


@settings(max_examples=30)
@given(rows=st.integers(1, 400), at=st.integers(0, 400), seed=st.integers(0, 2**32 - 1))
def test_rows_do_not_depend_on_the_number_of_rows(rows: int, at: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(rows, FEATURES))
    cut = [log_odds(load(), part) for part in (x[:at], x[at:])]
    np.testing.assert_array_equal(np.concatenate(cut), log_odds(load(), x))


def test_saved_weights_load_unchanged(tmp_path: Path) -> None:
    weights = load()
    save(tmp_path / "w.safetensors", weights, {"records": ["101"]})
    loaded = load(tmp_path / "w.safetensors")
    assert all((getattr(loaded, name) == getattr(weights, name)).all() for name in NAMES)


def test_weights_for_other_features_are_an_error(tmp_path: Path) -> None:
    shapes = {"inner": (3, 2), "inner_bias": (2,), "outer": (2,), "direct": (3,), "bias": (1,)}
    save(tmp_path / "w.safetensors", Weights(**{name: np.zeros(shape) for name, shape in shapes.items()}), {})
    with pytest.raises(WeightsError, match="these features"):
        load(tmp_path / "w.safetensors")


@pytest.mark.parametrize("content", [None, b"", b"nonsense"])
def test_damaged_or_missing_weights_are_an_error_of_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "w.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match="cannot be read") as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert classifier.SHIPPED.exists()


def test_the_shipped_weights_have_a_provenance() -> None:
    with safe_open(SHIPPED, framework="numpy") as file:
        provenance = json.loads(file.metadata()["provenance"])
    assert provenance["trained_on"] == list(TRAIN)
    assert not {"201", "208"} & set(provenance["trained_on"])
    assert len(provenance["seeds"]) > 1
    assert len(provenance["commit"]) == 40
