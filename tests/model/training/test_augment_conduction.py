"""Aberrant conduction: which beats change, how, and what stays unchanged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.datasets.annotated_signal import AnnotatedSignal
from model.signal.arrays import BoolArray, FloatArray
from model.training.augment_conduction import AFTER, BEFORE, NORMAL_S, SAME_SHAPE_S, augment, conduct, draw
from stream.timebase import FS

TYPICAL = np.array([1.0, 2.0])


def narrow() -> FloatArray:
    """Return a beat with a QRS complex of about 60 ms and a T wave."""
    t = np.arange(-BEFORE, AFTER)[:, None]
    return (np.exp(-((t / 5) ** 2)) + 0.2 * np.exp(-(((t - 90) / 20) ** 2))) * TYPICAL


def patient(seconds: int = 900, *, ventricular: bool = True) -> AnnotatedSignal:
    """Return a record with one beat per second, every tenth ventricular, and one annotation that is no beat."""
    at = np.arange(FS // 2, seconds * FS, FS)
    mv = np.zeros((seconds * FS, 2))
    for r in at:
        mv[r - BEFORE : r + AFTER] = narrow()
    symbol = ["V" if ventricular and i % 10 == 9 else "N" for i in range(len(at))]
    return AnnotatedSignal(mv, np.insert(at, 3, at[3] + 50), (*symbol[:3], "+", *symbol[3:]))


def changed(before: AnnotatedSignal, after: AnnotatedSignal) -> BoolArray:
    """Return which beats were changed."""
    spans = [slice(r - BEFORE, r + AFTER) for r in before.reference.sample]
    return np.array([not np.array_equal(before.mv[span], after.mv[span]) for span in spans])


def width(beat: FloatArray) -> int:
    """Return the width of the first lead at a quarter of its height in samples, up to 150 ms after R."""
    qrs = np.abs(beat[: BEFORE + 54, 0])
    above = np.flatnonzero(qrs > qrs.max() / 4)
    return int(above[-1] - above[0])


def test_only_conducted_beats_change() -> None:
    signal = patient()
    varied = augment(signal, seed=1)
    which = changed(signal, varied)
    assert not which[signal.reference.is_label("V")].any()
    assert 0.2 < which.mean() < 0.8
    away = np.ones(len(signal.mv), dtype=bool)
    for r in signal.reference.sample[signal.reference.is_label("N")]:
        away[r - BEFORE : r + AFTER] = False
    np.testing.assert_array_equal(varied.mv[away], signal.mv[away])
    np.testing.assert_array_equal(varied.sample, signal.sample)
    assert varied.symbol == signal.symbol


def test_episodes_start_after_the_beginning_and_last_for_a_beat_to_minutes() -> None:
    signal = patient(ventricular=False)
    runs: list[int] = []
    for seed in range(10):
        which = changed(signal, augment(signal, seed))
        assert not which[: NORMAL_S - 1].any()
        edges = np.flatnonzero(np.diff(np.concatenate([[0], which, [0]])))
        runs += (edges[1::2] - edges[::2]).tolist()
    assert min(runs) == 1
    assert max(runs) > 60


def test_shape_persists_and_then_changes() -> None:
    signal = patient(1_800)
    varied = augment(signal, seed=2)
    beats = signal.reference.sample[changed(signal, varied)]
    at, shapes = beats / FS, np.stack([varied.mv[r - BEFORE : r + AFTER, 0] for r in beats])
    fit = np.corrcoef(shapes)
    near = np.abs(at[:, None] - at) < 10
    assert np.median(fit[near]) > 0.999
    assert fit[np.abs(at[:, None] - at) > SAME_SHAPE_S[1] + 200].min() < 0.95


@pytest.mark.parametrize("seed", range(20))
def test_beat_becomes_broad_between_unchanged_ends(seed: int) -> None:
    conduction = draw(np.random.default_rng(seed), 2)
    beat = conduct(narrow(), conduction, TYPICAL)
    assert width(beat) > width(narrow())
    np.testing.assert_allclose(beat[:10], narrow()[:10], atol=1e-3)
    np.testing.assert_allclose(beat[-10:], narrow()[-10:], atol=0.15)


def test_neutral_conduction_does_not_change_the_beat() -> None:
    neutral = replace(
        draw(np.random.default_rng(0), 2),
        slower=1.0,
        smooth=1e-3,
        gain=np.ones(2),
        late=np.zeros(2),
        t_wave=np.zeros(2),
    )
    np.testing.assert_allclose(conduct(narrow(), neutral, TYPICAL), narrow(), atol=1e-9)


def test_beats_too_close_to_each_other_stay_unchanged() -> None:
    at = np.arange(20, 200 * FS, 90)
    mv = np.random.default_rng(3).normal(size=(200 * FS, 1))
    np.testing.assert_array_equal(augment(AnnotatedSignal(mv, at, ("N",) * len(at)), seed=1).mv, mv)
