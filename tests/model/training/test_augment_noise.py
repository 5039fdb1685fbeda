"""Noise bursts: position, amplitude, spectrum."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from model.datasets.annotated_signal import AnnotatedSignal
from model.signal.arrays import FloatArray
from model.training.augment_noise import CLEAN_S, augment, deflections, muscle, step, wander
from stream.timebase import FS


def patient(height: float = 1.0, seconds: int = 600) -> AnnotatedSignal:
    """Return a record with one beat per second; the second lead is twice as high."""
    at = np.arange(FS // 2, seconds * FS, FS)
    mv = np.zeros((seconds * FS, 2))
    mv[at] = height * np.array([1.0, 2.0])
    return AnnotatedSignal(mv, at, ("N",) * len(at))


def test_bursts_cover_about_a_quarter_of_the_signal_after_the_start() -> None:
    signal = patient()
    noisy = (augment(signal, seed=1).mv != signal.mv).any(axis=1)
    assert not noisy[: CLEAN_S * FS].any()
    assert 0.1 < noisy.mean() < 0.4
    edges = np.flatnonzero(np.diff(np.concatenate([[0], noisy, [0]])))
    lengths = edges[1::2] - edges[::2]
    assert len(lengths) > 15
    assert lengths.max() <= 15 * FS


def test_amplitude_is_relative_to_the_qrs_complexes_of_each_lead() -> None:
    noise = {}
    for height in (1.0, 3.0):
        signal = patient(height)
        noise[height] = augment(signal, seed=2).mv - signal.mv
    np.testing.assert_allclose(noise[3.0], 3 * noise[1.0], atol=1e-9)
    first, second = noise[1.0].std(axis=0)
    assert 1.2 < second / first < 3.5
    assert 0.02 < first < 0.5


def test_a_burst_can_affect_one_lead_only() -> None:
    signal = patient(seconds=1_800)
    on = augment(signal, seed=3).mv != signal.mv
    alone = on[:, 0] != on[:, 1]
    assert 0.1 < alone.sum() / on.any(axis=1).sum() < 0.8


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [(muscle, 10.0, 130.0), (deflections, 0.0, 30.0), (wander, 0.1, 5.0), (step, 0.0, 30.0)],
)
def test_each_kind_has_its_spectrum(kind: Callable[..., FloatArray], low: float, high: float) -> None:
    rng, within, total = np.random.default_rng(4), 0.0, 0.0
    for _ in range(20):
        noise = kind(rng, 20 * FS, 2)
        assert noise.shape == (20 * FS, 2)
        power = np.abs(np.fft.rfft(noise[:, 0])) ** 2
        hz = np.fft.rfftfreq(20 * FS, 1 / FS)
        within += power[(hz >= low) & (hz <= high)].sum()
        total += power.sum()
    assert within > 0.9 * total
