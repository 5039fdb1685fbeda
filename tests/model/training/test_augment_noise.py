"""Made-up noise: where it lies, how high it is, and what stays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from model.signal.arrays import FloatArray
from model.training.augment_noise import CLEAN_S, jump, muscle, swings, vary, wander
from stream.timebase import FS

BEATS = frozenset("N")


def patient(height: float = 1.0, seconds: int = 600) -> tuple[FloatArray, npt.NDArray[np.int64], list[str]]:
    """Return a record of one beat a second; the second lead is twice as high."""
    at = np.arange(FS // 2, seconds * FS, FS)
    mv = np.zeros((seconds * FS, 2))
    mv[at] = height * np.array([1.0, 2.0])
    return mv, at, ["N"] * len(at)


def test_noise_lies_on_a_quarter_of_the_signal_in_bursts_and_not_at_the_start() -> None:
    mv, sample, symbol = patient()
    noisy = (vary(mv, sample, symbol, BEATS, seed=1) != mv).any(axis=1)
    assert not noisy[: CLEAN_S * FS].any()
    assert 0.1 < noisy.mean() < 0.4
    edges = np.flatnonzero(np.diff(np.concatenate([[0], noisy, [0]])))
    lengths = edges[1::2] - edges[::2]
    assert len(lengths) > 15
    assert lengths.max() <= 15 * FS


def test_noise_is_as_high_as_the_patient_and_the_lead() -> None:
    of = {}
    for height in (1.0, 3.0):
        mv, sample, symbol = patient(height)
        of[height] = vary(mv, sample, symbol, BEATS, seed=2) - mv
    np.testing.assert_allclose(of[3.0], 3 * of[1.0], atol=1e-9)
    first, second = of[1.0].std(axis=0)
    assert 1.2 < second / first < 3.5
    assert 0.02 < first < 0.5


def test_a_lead_may_be_quiet_while_the_other_is_noisy_but_not_both() -> None:
    mv, sample, symbol = patient(seconds=1_800)
    on = (vary(mv, sample, symbol, BEATS, seed=3) - mv) != 0
    alone = on[:, 0] != on[:, 1]
    assert 0.1 < alone.sum() / on.any(axis=1).sum() < 0.8


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [(muscle, 10.0, 130.0), (swings, 0.0, 30.0), (wander, 0.1, 5.0), (jump, 0.0, 30.0)],
)
def test_each_kind_has_its_frequencies(kind: Callable[..., FloatArray], low: float, high: float) -> None:
    rng, within, total = np.random.default_rng(4), 0.0, 0.0
    for _ in range(20):
        noise = kind(rng, 20 * FS, 2)
        assert noise.shape == (20 * FS, 2)
        power = np.abs(np.fft.rfft(noise[:, 0])) ** 2
        hz = np.fft.rfftfreq(20 * FS, 1 / FS)
        within += power[(hz >= low) & (hz <= high)].sum()
        total += power.sum()
    assert within > 0.9 * total


def test_the_same_seed_gives_the_same_and_the_record_is_not_touched() -> None:
    mv, sample, symbol = patient()
    before = mv.copy()
    first = vary(mv, sample, symbol, BEATS, seed=5)
    np.testing.assert_array_equal(vary(mv, sample, symbol, BEATS, seed=5), first)
    np.testing.assert_array_equal(mv, before)
    assert not np.array_equal(vary(mv, sample, symbol, BEATS, seed=6), first)


def test_a_record_without_beats_stays() -> None:
    mv = np.random.default_rng(0).normal(size=(300 * FS, 1))
    np.testing.assert_array_equal(vary(mv, np.empty(0, np.int64), [], BEATS, seed=1), mv)
