"""Made-up conduction: which beats become broad, how, and what stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from model.signal.arrays import FloatArray
from model.training.augment_conduction import AFTER, BEFORE, NORMAL_S, SAME_SHAPE_S, conduct, draw, vary
from stream.timebase import FS

BEATS = frozenset("NV")
USUAL = np.array([1.0, 2.0])


def narrow() -> FloatArray:
    """Return a beat with a QRS complex of some 60 ms, and a T wave."""
    t = np.arange(-BEFORE, AFTER)[:, None]
    return (np.exp(-((t / 5) ** 2)) + 0.2 * np.exp(-(((t - 90) / 20) ** 2))) * USUAL


def patient(seconds: int = 900) -> tuple[FloatArray, npt.NDArray[np.int64], list[str]]:
    """Return a record of one beat a second, every tenth ventricular, with a remark that is no beat."""
    at = np.arange(FS // 2, seconds * FS, FS)
    mv = np.zeros((seconds * FS, 2))
    for r in at:
        mv[r - BEFORE : r + AFTER] = narrow()
    symbol = ["V" if i % 10 == 9 else "N" for i in range(len(at))]
    return mv, np.insert(at, 3, at[3] + 50), [*symbol[:3], "+", *symbol[3:]]


def changed(
    before: FloatArray, after: FloatArray, sample: npt.NDArray[np.int64], symbol: list[str]
) -> npt.NDArray[np.bool_]:
    """Tell of each beat whether it was changed."""
    at = sample[[kind in BEATS for kind in symbol]]
    return np.array([not np.array_equal(before[r - BEFORE : r + AFTER], after[r - BEFORE : r + AFTER]) for r in at])


def width(beat: FloatArray) -> int:
    """Return how many samples of the first lead are above a quarter of the highest, up to 150 ms after R."""
    qrs = np.abs(beat[: BEFORE + 54, 0])
    above = np.flatnonzero(qrs > qrs.max() / 4)
    return int(above[-1] - above[0])


def test_only_conducted_beats_change_and_only_around_them() -> None:
    mv, sample, symbol = patient()
    after = vary(mv, sample, symbol, BEATS, seed=1)
    which = changed(mv, after, sample, symbol)
    of_beats = np.array([kind for kind in symbol if kind in BEATS])
    assert not which[of_beats == "V"].any()
    assert 0.2 < which.mean() < 0.8
    away = np.ones(len(mv), dtype=bool)
    for r in sample[[kind == "N" for kind in symbol]]:
        away[r - BEFORE : r + AFTER] = False
    np.testing.assert_array_equal(after[away], mv[away])


def test_the_start_stays_and_what_follows_changes_for_a_beat_and_for_minutes() -> None:
    mv, sample, symbol = patient()
    symbol = ["N" if kind == "V" else kind for kind in symbol]
    runs: list[int] = []
    for seed in range(10):
        which = changed(mv, vary(mv, sample, symbol, BEATS, seed), sample, symbol)
        assert not which[: NORMAL_S - 1].any()
        edges = np.flatnonzero(np.diff(np.concatenate([[0], which, [0]])))
        runs += (edges[1::2] - edges[::2]).tolist()
    assert min(runs) == 1
    assert max(runs) > 60


def test_a_shape_lasts_and_then_is_another() -> None:
    mv, sample, symbol = patient(1_800)
    after = vary(mv, sample, symbol, BEATS, seed=2)
    beats = sample[[kind in BEATS for kind in symbol]][changed(mv, after, sample, symbol)]
    at, shapes = beats / FS, np.stack([after[r - BEFORE : r + AFTER, 0] for r in beats])
    fit = np.corrcoef(shapes)
    near = np.abs(at[:, None] - at) < 10
    assert np.median(fit[near]) > 0.999
    assert fit[np.abs(at[:, None] - at) > SAME_SHAPE_S[1] + 200].min() < 0.95


@pytest.mark.parametrize("seed", range(20))
def test_a_beat_becomes_broad_and_begins_and_ends_as_before(seed: int) -> None:
    conduction = draw(np.random.default_rng(seed), 2)
    beat = conduct(narrow(), conduction, USUAL)
    assert width(beat) > width(narrow())
    np.testing.assert_allclose(beat[:10], narrow()[:10], atol=1e-3)
    np.testing.assert_allclose(beat[-10:], narrow()[-10:], atol=0.15)


def test_conduction_that_changes_nothing_gives_the_beat() -> None:
    none = replace(
        draw(np.random.default_rng(0), 2),
        slower=1.0,
        smooth=1e-3,
        gain=np.ones(2),
        late=np.zeros(2),
        t_wave=np.zeros(2),
    )
    np.testing.assert_allclose(conduct(narrow(), none, USUAL), narrow(), atol=1e-9)


def test_beats_too_near_each_other_or_to_an_end_stay() -> None:
    at = np.arange(20, 200 * FS, 90)
    mv = np.random.default_rng(3).normal(size=(200 * FS, 1))
    np.testing.assert_array_equal(vary(mv, at, ["N"] * len(at), BEATS, seed=1), mv)


def test_the_same_seed_gives_the_same_and_the_record_is_not_touched() -> None:
    mv, sample, symbol = patient(300)
    before = mv.copy()
    first = vary(mv, sample, symbol, BEATS, seed=4)
    np.testing.assert_array_equal(vary(mv, sample, symbol, BEATS, seed=4), first)
    np.testing.assert_array_equal(mv, before)
    assert not np.array_equal(vary(mv, sample, symbol, BEATS, seed=5), first)


def test_a_record_without_beats_stays() -> None:
    mv = np.zeros((FS, 2))
    np.testing.assert_array_equal(vary(mv, np.empty(0, np.int64), [], BEATS, seed=1), mv)
