"""Properties of all augmentations: reproducible, without side effects, defined for records without beats."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from model.datasets.annotated_signal import AnnotatedSignal
from model.training import augment_conduction, augment_noise, augment_rhythm
from stream.timebase import FS

augmentations = pytest.mark.parametrize("augmentation", [augment_rhythm, augment_conduction, augment_noise])


def patient(seconds: int = 300) -> AnnotatedSignal:
    """Return a record with one beat per second, each a smooth complex of its own height."""
    at = np.arange(FS // 2, seconds * FS, FS)
    t = np.arange(-36, 151)
    mv = np.zeros((seconds * FS, 2))
    for i, r in enumerate(at):
        mv[r - 36 : r + 151] = ((1 + i / len(at)) * np.exp(-((t / 8) ** 2)))[:, None]
    return AnnotatedSignal(mv, at, ("N",) * len(at))


@augmentations
def test_the_seed_determines_the_result(augmentation: ModuleType) -> None:
    first, again, other = (augmentation.augment(patient(), seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first.mv, again.mv)
    np.testing.assert_array_equal(first.sample, again.sample)
    assert first.symbol == again.symbol
    assert not np.array_equal(first.mv, other.mv)


@augmentations
def test_the_signal_is_not_modified(augmentation: ModuleType) -> None:
    signal, untouched = patient(), patient()
    varied = augmentation.augment(signal, 4)
    assert not np.array_equal(varied.mv, untouched.mv)
    np.testing.assert_array_equal(signal.mv, untouched.mv)
    np.testing.assert_array_equal(signal.sample, untouched.sample)


@augmentations
def test_record_without_beats_stays_unchanged(augmentation: ModuleType) -> None:
    mv = np.random.default_rng(0).normal(size=(300 * FS, 2))
    varied = augmentation.augment(AnnotatedSignal(mv, np.empty(0, np.int64), ()), 1)
    np.testing.assert_array_equal(varied.mv, mv)
    assert varied.symbol == ()
