"""Mains are removed where there are some; any other signal stays as it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from model.signal import intake, mains
from model.signal.arrays import FloatArray
from stream.timebase import FS, STRIDE
from tests.model.ecg_waves import beats, broad_beats, fibrillating

BEGIN = 4 * FS + 11
"""First sample with mains."""


def without(mv: FloatArray) -> FloatArray:
    """Return a signal without mains, shape (n, leads)."""
    strides, _ = mains.step(mains.begin(mv.shape[1]), intake.strides_of(mv))
    return strides.mv


def sine(n: int, hz: float, mv: float, begin: int = BEGIN) -> FloatArray:
    """Return mains from a sample on, shape (n, 1)."""
    since = np.maximum(np.arange(n) - begin, 0)
    return mv * np.sin(2 * np.pi * hz / FS * since)[:, None]


def rms(mv: FloatArray) -> float:
    return float(np.sqrt(np.mean(mv**2)))


@pytest.mark.parametrize("wave", [beats, broad_beats, fibrillating])
def test_a_signal_without_mains_stays_bit_for_bit(wave: Callable[[float], FloatArray]) -> None:
    mv = wave(12)
    np.testing.assert_array_equal(without(mv), mv)


@pytest.mark.parametrize("hz", [46.0, 50.0, 50.2, 59.0, 60.0, 64.0])
@pytest.mark.parametrize("level", [0.1, 1.0, 5.0])
def test_mains_are_removed(hz: float, level: float) -> None:
    mv = beats(14.4)
    left = (without(mv + sine(len(mv), hz, level)) - mv)[BEGIN + 2 * FS :]
    assert rms(left) < 0.012
    assert np.abs(left).max() < 0.08  # in the QRS complexes, of 1.2 mV


def test_strong_mains_are_removed_after_the_stride_in_which_they_begin() -> None:
    mv = beats(8)
    left = without(mv + sine(len(mv), 50.0, 3.0)) - mv
    first = BEGIN // STRIDE * STRIDE
    assert np.abs(left[first : first + STRIDE]).max() > 1
    assert np.abs(left[first + STRIDE :]).max() < 0.2


@pytest.mark.parametrize("hz", [50.0, 50.2, 60.0])
def test_mains_with_which_a_signal_begins_are_removed_from_the_first_stride_on(hz: float) -> None:
    mv = beats(4)
    assert np.abs(without(mv + sine(len(mv), hz, 5.0, begin=0)) - mv).max() < 0.5


def test_nothing_is_subtracted_after_their_end() -> None:
    mv = beats(16)
    disturbed = mv + sine(len(mv), 60.0, 1.0)
    disturbed[10 * FS :] = mv[10 * FS :]
    left = without(disturbed) - mv
    assert np.abs(left[10 * FS :]).max() < 0.1
    np.testing.assert_array_equal(left[12 * FS :], 0)


def test_below_the_least_amplitude_nothing_is_changed() -> None:
    mv = fibrillating(12)
    disturbed = mv + sine(len(mv), 50.0, 0.7 * mains.MIN_MV)
    np.testing.assert_array_equal(without(disturbed), disturbed)


def test_noise_of_muscles_is_not_taken_for_mains() -> None:
    mv = beats(12) + np.random.default_rng(1).normal(0, 0.2, (12 * FS, 2))
    np.testing.assert_array_equal(without(mv), mv)


def test_an_invalid_sample_repeats_the_last_one_without_mains() -> None:
    mv = beats(12) + sine(12 * FS, 50.0, 1.0)
    mv[9 * FS + 5 : 9 * FS + 20] = np.nan
    found = without(mv)
    np.testing.assert_array_equal(found[9 * FS + 5 : 9 * FS + 20], np.tile(found[9 * FS + 4], (15, 1)))
    valid = np.isfinite(mv).all(axis=1) & (np.arange(len(mv)) > BEGIN + 2 * FS)
    assert rms((found - beats(12))[valid]) < 0.02


def test_each_lead_has_mains_of_its_own() -> None:
    mv = beats(12)
    disturbed = mv.copy()
    disturbed[:, 1] += sine(len(mv), 60.0, 0.5)[:, 0]
    found = without(disturbed)
    np.testing.assert_array_equal(found[:, 0], mv[:, 0])
    assert rms((found - mv)[BEGIN + 2 * FS :, 1]) < 0.012
