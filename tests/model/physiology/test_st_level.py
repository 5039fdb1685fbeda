"""ST level: beats with a known one, a baseline, and which beats do not count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.physiology import st_level
from model.physiology.st_level import AFTER_R, BEFORE_R, StState
from model.signal.arrays import FloatArray
from stream.records.catalog import Catalog
from stream.records.wfdb_reader import load
from stream.timebase import FS

R = 163
"""Row of the R peak, as in `model.beats.beat_window`."""


def beats(st_mv: float, *, n: int = 8, width_ms: float = 90.0, noise: float = 0.01, wander: float = 0.4) -> FloatArray:
    """Return beats, shape (n, samples, 1): P wave, a triangle as QRS complex, an ST segment, a T wave, on a slope."""
    at = (np.arange(R + 1 + AFTER_R) - R) / FS
    p = 0.12 * np.exp(-(((at + 0.17) / 0.02) ** 2))
    half = width_ms / 2000
    qrs = np.clip(1 - np.abs(at) / half, 0, None) * 1.2
    st = np.where(at > half, st_mv * np.clip((at - half) / 0.01, 0, 1), 0.0)
    t = 0.2 * np.exp(-(((at - 0.3) / 0.04) ** 2))
    rng = np.random.default_rng(1)
    return np.array([p + qrs + st + t + wander * at + 0.3 + rng.normal(0, noise, len(at)) for _ in range(n)])[..., None]


def levels(samples: FloatArray, rr: int = 300) -> FloatArray:
    return st_level.levels_of(samples, np.zeros(samples.shape, np.bool_), R, np.full(len(samples), rr))


@pytest.mark.parametrize("st_mv", [-0.2, -0.1, 0.0, 0.1, 0.3])
@pytest.mark.parametrize("width_ms", [80.0, 110.0])
def test_the_level_of_a_known_beat_is_found(st_mv: float, width_ms: float) -> None:
    found = levels(beats(st_mv, width_ms=width_ms, wander=0.0))
    assert np.median(found) == pytest.approx(st_mv, abs=0.02)
    assert np.abs(found - st_mv).max() < 0.05


def test_a_wandering_baseline_moves_it_by_no_more_than_its_slope() -> None:
    assert np.median(levels(beats(0.1, wander=0.2))) == pytest.approx(0.1 + 0.2 * 0.2, abs=0.03)


def test_an_invalid_sample_in_the_beat_and_none_outside_makes_it_unknown() -> None:
    samples = beats(0.1)
    invalid = np.zeros(samples.shape, np.bool_)
    invalid[0, R + 30] = invalid[1, R - BEFORE_R - 10] = True
    found = st_level.levels_of(samples, invalid, R, np.full(len(samples), 300))
    assert [bool(np.isnan(level)) for level in found[:, 0]] == [True, *[False] * 7]


def push(state: StState, first_s: int, seconds: int, level: float, *, normal_of: int = 1) -> StState:
    """Push a beat each second; one of ``normal_of`` is normal."""
    at = (np.arange(first_s, first_s + seconds) + 0.5) * FS
    usable = np.arange(seconds) % normal_of == 0
    return st_level.receive(state, at.astype(np.int64), usable, np.full((seconds, 1), level))


def value(state: StState, name: str, end_s: int) -> tuple[float | None, StState]:
    (values,), state = st_level.advance(state, ("II",), [end_s * FS - 1])
    return next(one.value for one in values if one.name == name), state


def test_a_change_counts_from_the_patients_own_baseline() -> None:
    state = push(st_level.begin(0, 1), 0, 40, 0.08)
    for end_s in range(5, 41, 5):
        level, state = value(state, "st", end_s)
    change, state = value(state, "st_change", 40)
    assert (level, change) == (pytest.approx(0.08), pytest.approx(0.0))
    state = push(st_level.after_gap(state), 40, 20, -0.12)
    level, state = value(state, "st", 60)
    change, state = value(state, "st_change", 60)
    assert (level, change) == (pytest.approx(-0.12), pytest.approx(-0.2))


def test_of_leads_with_the_same_name_the_first_is_measured() -> None:
    """As in vfdb; a message has each value of a lead once."""
    [found], _ = st_level.advance(st_level.begin(0, 2), ("ECG", "ECG"), [10 * FS - 1])
    assert [(one.name, one.lead) for one in found] == [("st", "ECG"), ("st_change", "ECG")]


def test_with_many_other_beats_and_without_beats_there_is_no_level() -> None:
    level, state = value(push(st_level.begin(0, 1), 0, 15, 0.1, normal_of=3), "st", 15)
    assert level is None
    level, state = value(push(state, 15, 15, 0.1), "st", 30)
    assert level == pytest.approx(0.1)
    (values,), state = st_level.advance(state, ("II",), [32 * FS - 1])
    assert [(one.value, round(one.age_s)) for one in values] == [(level, 2), (values[1].value, 2)]
    level, state = value(state, "st", 60)
    assert level is None
    (values,), _ = st_level.advance(state, ("II",), [60 * FS - 1])
    assert round(values[0].age_s) == 30


@pytest.mark.parametrize(("name", "depressed"), [("mitdb/112", True), ("mitdb/115", False)])
def test_a_depressed_and_an_elevated_st_segment_of_real_records(name: str, depressed: bool, mitdb_dir: Path) -> None:
    """Against the median beat of five minutes, in which the eye sees -0.13 mV in one, and +0.12 mV in the other."""
    record = load(name, Catalog.from_environment(mitdb_dir))
    notes = record.annotations
    assert notes is not None
    mv = record.mv()[: 300 * FS, :1]
    normal = [at for at, symbol in zip(notes.sample, notes.symbol, strict=True) if symbol == "N"]
    peaks = [at - 18 + int(mv[at - 18 : at + 18, 0].argmax()) for at in normal if R < at < len(mv) - 2 * AFTER_R]
    samples = np.array([mv[at - R : at + AFTER_R + 1] for at in peaks])
    level = float(np.median(levels(samples)))
    middle = np.median(samples[:, :, 0], axis=0)
    by_eye = middle[R + 45 : R + 54].mean() - middle[R - 28 : R - 20].mean()
    assert level == pytest.approx(by_eye, abs=0.03)
    assert (level < -0.08) if depressed else (level > 0.08)
