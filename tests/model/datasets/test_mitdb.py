"""Splits, windows and augmentation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from model.datasets.mitdb import DS1, DS2, FITTED, HELD_BACK, PACED, TRAIN, load_signals, parse_records
from model.forecast.config import NetworkConfig, ScalingConfig
from model.training.config import TrainConfig
from model.training.stretches import random_streams, random_stretch, steps
from stream.errors import UsageError
from stream.records.catalog import Catalog

if TYPE_CHECKING:
    from stream.records.record import Record


def test_no_patient_on_both_sides() -> None:
    assert len(DS1) == len(DS2) == 22
    assert not set(DS1) & set(DS2)
    assert not set(PACED) & set(DS1 + DS2)
    assert set(TRAIN) == set(DS1) - {"201", "208"}
    assert set(FITTED) | set(HELD_BACK) == set(TRAIN)
    assert not set(FITTED) & set(HELD_BACK)


def test_parse_records() -> None:
    assert parse_records("DS2") == DS2
    assert parse_records("ds1") == DS1
    assert parse_records("100, mitdb/208,100") == ("100", "208")
    for text, bad in (("100,999", "999"), ("DS3", "DS3"), (" , ", "no records")):
        with pytest.raises(UsageError, match=bad) as caught:
            parse_records(text)
        assert "\n" not in str(caught.value)


def test_steps_line_up_with_the_signal() -> None:
    x = np.cumsum(np.random.default_rng(0).normal(0, 0.1, (2, 500)), axis=1)
    network, config = NetworkConfig(), ScalingConfig()
    stretch = steps(x, network, config)
    k = (500 - 96) // 4
    assert stretch.x.shape == (2, k, 32)
    assert stretch.target.shape == (2, k, 96)
    for step in (7, 50, k - 1):
        origin = 4 * step + 3
        seen = np.concatenate([stretch.x[1, step], stretch.target[1, step]]) * stretch.scale[1, step]
        signal = x[1, origin - 31 : origin + 97]
        np.testing.assert_allclose(seen - seen[0], signal - signal[0], atol=1e-5)


def test_targets_do_not_leak_into_inputs() -> None:
    x = np.random.default_rng(0).normal(size=(1, 500))
    changed = x.copy()
    changed[:, 300:] += 3
    a, b = (steps(v, NetworkConfig(), ScalingConfig()) for v in (x, changed))
    np.testing.assert_array_equal(a.x[:, :75], b.x[:, :75])
    assert (a.target[:, 74] != b.target[:, 74]).all()


def test_a_stretch_is_decided_by_its_number(excerpt: Record) -> None:
    signals = {"x": excerpt.mv()}
    train = TrainConfig(rows=3, window=20, windows=3)
    first, again, other = (
        random_stretch(signals, train, NetworkConfig(), ScalingConfig(), index) for index in (5, 5, 6)
    )
    assert first.x.shape == (3, 60, 32)
    np.testing.assert_array_equal(first.x, again.x)
    assert not np.array_equal(first.x, other.x)
    assert np.isfinite(first.target).all()


def test_augmented_streams_keep_the_size_of_ecg(excerpt: Record) -> None:
    streams = random_streams({"x": excerpt.mv()}, 40, 3600, np.random.default_rng(1))
    assert streams.shape == (40, 3600)
    assert np.isfinite(streams).all()
    spread = streams.std(axis=1) / excerpt.mv()[:, 0].std()
    assert 0.2 < np.median(spread) < 2


def test_load_signals(mitdb_dir: Path) -> None:
    signals = load_signals(["114"], Catalog.from_environment(mitdb_dir))
    assert signals["114"].shape == (650_000, 2)
    assert np.isfinite(signals["114"]).all()
