"""Irregular rhythm: which beats move, which are removed, and what stays unchanged."""

from __future__ import annotations

import numpy as np

from model.datasets.annotated_signal import AnnotatedSignal
from model.signal.arrays import IntArray
from model.training import augment_rhythm
from model.training.augment_rhythm import FAILING, IRREGULAR, KINDS, REGULAR, REMOVED, SEGMENT, augment
from stream.timebase import FS


def patient(seconds: int = 300) -> AnnotatedSignal:
    """Return a record with one beat per second, each of its own height, and one annotation that is no beat."""
    at = np.arange(FS // 2, seconds * FS, FS)
    mv = np.zeros((seconds * FS, 2))
    mv[at] = np.linspace(1, 2, len(at))[:, None]
    symbol = ["V" if i % 10 == 9 else "N" for i in range(len(at))]
    return AnnotatedSignal(mv, np.insert(at, 3, at[3] - 50), (*symbol[:3], "+", *symbol[3:]))


def kinds(sample: IntArray) -> IntArray:
    return sample // SEGMENT % len(KINDS)


def test_annotations_stay_on_their_beats() -> None:
    signal = patient()
    varied = augment(signal, seed=1)
    for before, after, code in zip(signal.sample, varied.sample, varied.symbol, strict=True):
        if code == REMOVED:
            assert abs(varied.mv[after]).max() < 0.2
        else:
            np.testing.assert_array_equal(varied.mv[after], signal.mv[before])


def test_each_segment_has_its_kind_of_rhythm() -> None:
    signal = patient()
    varied = augment(signal, seed=1)
    sample = signal.sample
    beats = np.array([code != "+" for code in signal.symbol])
    longer = np.diff(varied.sample[beats]) - np.diff(sample[beats])
    of = kinds(sample[beats])[:-1]
    assert (longer[of != IRREGULAR] == 0).all()
    assert np.std(longer[of == IRREGULAR]) > 0.1 * FS
    removed = np.array([code == REMOVED for code in varied.symbol])
    assert set(kinds(sample[removed])) == {FAILING}
    assert 5 < removed.sum() < 50
    assert (kinds(sample)[~removed] == REGULAR).any()


def test_ventricular_beats_and_their_neighbours_stay() -> None:
    only = [code for code in augment(patient(), seed=1).symbol if code != "+"]
    assert [i for i, code in enumerate(only) if code == "V"] == list(range(9, 300, 10))
    assert all(only[i + step] == "N" for i in range(9, 290, 10) for step in (-1, 1))


def test_lengthening_of_a_diastole_is_bounded() -> None:
    varied = augment(patient(600), seed=3)
    longest = FS * (1 + (augment_rhythm.LONGEST - 1) * (1 - 0.28 - 0.12 - 0.2))
    assert np.diff(varied.sample[[code != "+" for code in varied.symbol]]).max() <= longest + 2
