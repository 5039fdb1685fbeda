"""Training sequences: alignment, causality, reproducibility, augmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from model.forecast.config import NetworkConfig, ScalingConfig
from model.training.config import TrainConfig
from model.training.sequences import random_sequences, random_streams, to_sequences

if TYPE_CHECKING:
    from stream.records.record import Record


def test_sequences_are_aligned_with_the_signal() -> None:
    x = np.cumsum(np.random.default_rng(0).normal(0, 0.1, (2, 500)), axis=1)
    network, config = NetworkConfig(), ScalingConfig()
    sequences = to_sequences(x, network, config)
    k = (500 - 96) // 4
    assert sequences.x.shape == (2, k, 32)
    assert sequences.target.shape == (2, k, 96)
    for step in (7, 50, k - 1):
        origin = 4 * step + 3
        window = np.concatenate([sequences.x[1, step], sequences.target[1, step]]) * sequences.scale[1, step]
        signal = x[1, origin - 31 : origin + 97]
        np.testing.assert_allclose(window - window[0], signal - signal[0], atol=1e-5)


def test_inputs_do_not_depend_on_later_samples() -> None:
    x = np.random.default_rng(0).normal(size=(1, 500))
    changed = x.copy()
    changed[:, 300:] += 3
    a, b = (to_sequences(v, NetworkConfig(), ScalingConfig()) for v in (x, changed))
    np.testing.assert_array_equal(a.x[:, :75], b.x[:, :75])
    assert (a.target[:, 74] != b.target[:, 74]).all()


def test_sequences_are_determined_by_their_index(excerpt: Record) -> None:
    signals = {"x": excerpt.mv()}
    train = TrainConfig(rows=3, window=20, windows=3)
    first, again, other = (
        random_sequences(signals, train, NetworkConfig(), ScalingConfig(), index) for index in (5, 5, 6)
    )
    assert first.x.shape == (3, 60, 32)
    np.testing.assert_array_equal(first.x, again.x)
    assert not np.array_equal(first.x, other.x)
    assert np.isfinite(first.target).all()


def test_augmented_streams_have_the_amplitude_of_ecg(excerpt: Record) -> None:
    streams = random_streams({"x": excerpt.mv()}, 40, 3600, np.random.default_rng(1))
    assert streams.shape == (40, 3600)
    assert np.isfinite(streams).all()
    spread = streams.std(axis=1) / excerpt.mv()[:, 0].std()
    assert 0.2 < np.median(spread) < 2
