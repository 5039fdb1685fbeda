"""Made-up rhythms: what is moved, what is taken out, and what stays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.training import augment_rhythm
from model.training.augment_rhythm import FAILING, IRREGULAR, KINDS, LOST, REGULAR, STRETCH, vary
from stream.timebase import FS

BEATS = frozenset("NVQ")


def patient(seconds: int = 300) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], list[str]]:
    """Return a record of one beat a second, each a peak of its own height, with a remark that is no beat."""
    at = np.arange(FS // 2, seconds * FS, FS)
    mv = np.zeros((seconds * FS, 2))
    mv[at] = np.linspace(1, 2, len(at))[:, None]
    symbol = ["V" if i % 10 == 9 else "N" for i in range(len(at))]
    return mv, np.insert(at, 3, at[3] - 50), [*symbol[:3], "+", *symbol[3:]]


def kinds(sample: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return sample // STRETCH % len(KINDS)


def test_annotations_stay_on_their_beats() -> None:
    mv, sample, symbol = patient()
    varied, moved, changed = vary(mv, sample, symbol, BEATS, seed=1)
    for before, after, kind in zip(sample, moved, changed, strict=True):
        if kind == LOST:
            assert abs(varied[after]).max() < 0.2
        else:
            np.testing.assert_array_equal(varied[after], mv[before])


def test_each_stretch_has_its_kind_of_rhythm() -> None:
    mv, sample, symbol = patient()
    _, moved, changed = vary(mv, sample, symbol, BEATS, seed=1)
    beats = np.array([kind != "+" for kind in symbol])
    longer = np.diff(moved[beats]) - np.diff(sample[beats])
    of = kinds(sample[beats])[:-1]
    assert (longer[of != IRREGULAR] == 0).all()
    assert np.std(longer[of == IRREGULAR]) > 0.1 * FS
    lost = np.array([kind == LOST for kind in changed])
    assert set(kinds(sample[lost])) == {FAILING}
    assert 5 < lost.sum() < 50
    assert (kinds(sample)[~lost] == REGULAR).any()


def test_a_ventricular_beat_and_its_neighbours_stay() -> None:
    mv, sample, symbol = patient()
    _, _, changed = vary(mv, sample, symbol, BEATS, seed=1)
    only = [kind for kind in changed if kind != "+"]
    assert [i for i, kind in enumerate(only) if kind == "V"] == list(range(9, 300, 10))
    assert all(only[i + step] == "N" for i in range(9, 290, 10) for step in (-1, 1))


def test_the_same_seed_gives_the_same_and_the_record_is_not_touched() -> None:
    mv, sample, symbol = patient()
    kept = mv.copy()
    first, again, other = (vary(mv, sample, symbol, BEATS, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[1], other[1])
    np.testing.assert_array_equal(mv, kept)


def test_a_diastole_never_grows_beyond_three_times_its_length() -> None:
    mv, sample, symbol = patient(600)
    _, moved, _ = vary(mv, sample, symbol, BEATS, seed=3)
    longest = FS * (1 + (augment_rhythm.LONGEST - 1) * (1 - 0.28 - 0.12 - 0.2))
    assert np.diff(moved[[kind != "+" for kind in symbol]]).max() <= longest + 2
