"""Beats found and typed on real ECG: told in time, however the signal is cut, and without looking ahead."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.beats import beat_detector
from model.beats.beat_detector import Beat, BeatsState
from model.beats.classifier import LEARNING, load_typer
from model.datasets.reference import reference_of
from model.evaluation import ec57_beats
from model.signal.arrays import FloatArray
from stream.errors import StorageError
from stream.records.catalog import Catalog
from stream.records.record import Record
from stream.records.wfdb_reader import load

START = 1000
TYPER = load_typer()


@pytest.fixture(scope="module")
def record(mitdb_dir: Path) -> Record:
    """Return a record of DS1 with ventricular bigeminy."""
    return load("mitdb/119", Catalog.from_environment())


@pytest.fixture(scope="module")
def mv(record: Record) -> FloatArray:
    """Return 40 s of it, with a stretch in which a lead fell off and one with both."""
    mv = record.mv()[: 40 * 360]
    mv[20 * 360 : 23 * 360, 1] = np.nan
    mv[30 * 360 : 30 * 360 + 500] = np.nan
    return mv


def run(mv: FloatArray, cuts: list[int] | None = None, moved: bool = False) -> list[Beat]:
    state, found = beat_detector.begin(START, mv.shape[1]), []
    for first, stop in itertools.pairwise([0, *sorted(cuts or []), len(mv)]):
        if moved:
            state = BeatsState.from_bytes(state.to_bytes())
        new, state = beat_detector.step(TYPER, state, mv[first:stop])
        found += new
    return found


@settings(max_examples=15)
@given(cuts=st.lists(st.integers(0, 40 * 360), max_size=30))
def test_cutting_and_moving_changes_nothing(mv: FloatArray, cuts: list[int]) -> None:
    assert run(mv, cuts, moved=True) == run(mv)


@settings(max_examples=15)
@given(n=st.integers(360, 39 * 360), seed=st.integers(0, 99))
def test_the_future_changes_nothing(mv: FloatArray, n: int, seed: int) -> None:
    other = mv.copy()
    other[n:] = np.random.default_rng(seed).normal(0, 1, other[n:].shape)
    known = [beat for beat in run(mv) if beat.at < START + n]
    assert [beat for beat in run(other) if beat.at < START + n] == known


def test_beats_are_told_in_order_and_in_time(mv: FloatArray) -> None:
    found = run(mv)
    assert len(found) > 30
    for before, beat in itertools.pairwise(found):
        assert beat.rr == beat.index - before.index > 0
        assert beat.at >= before.at
    assert found[0].rr is None
    assert all(0 <= beat.at - beat.index <= 72 for beat in found)


def test_nothing_is_typed_while_the_patient_is_learnt(mv: FloatArray) -> None:
    types = [beat.type for beat in run(mv)]
    assert types[:LEARNING] == ["Q"] * LEARNING
    assert {"N", "V"} <= set(types[LEARNING:])


def test_the_quality_is_passed_on(mv: FloatArray) -> None:
    found, _ = beat_detector.step(TYPER, beat_detector.begin(START, 2), mv, quality=0.25)
    assert {beat.quality for beat in found} == {0.25}


@pytest.mark.parametrize("leads", [1, 2])
def test_ventricular_beats_of_a_record_are_found(record: Record, leads: int) -> None:
    n = 5 * 60 * 360
    found, _ = beat_detector.step(TYPER, beat_detector.begin(0, leads), record.mv()[:n, :leads])
    assert record.annotations is not None
    reference = reference_of(record.annotations.sample, record.annotations.symbol, record.n)
    scores = ec57_beats.score(
        reference, [b.index for b in found], [b.type for b in found], since=20 * 360, until=n - 360
    )
    assert scores.veb.found + scores.veb.missed > 40
    assert scores.veb.sensitivity > 0.95
    assert scores.veb.positive_predictivity > 0.95


def test_a_damaged_state_is_refused() -> None:
    with pytest.raises(StorageError):
        BeatsState.from_bytes(b"\x91")
