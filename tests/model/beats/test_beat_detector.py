"""Detection and classification of beats on real ECG."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from model.beats import beat_detector
from model.beats.beat import Beat, from_rows
from model.beats.beat_detector import MAX_INVALID, PIECE, cut_piece
from model.beats.classifier import LEARNING_BEATS, load_classifier
from model.beats.templates import PIECE_BEFORE
from model.datasets.reference import reference_of
from model.evaluation import ec57_beats
from model.signal.arrays import FloatArray
from model.signal.intake import strides_of
from stream.records.catalog import Catalog
from stream.records.record import Record
from stream.records.wfdb_reader import load
from stream.timebase import FS, STRIDE
from tests.model.contracts import ecg_with_events
from tests.model.excerpt_reference import FUSION, VENTRICULAR, per_half_minute
from tests.model.slots import assert_equal, batch_of, cut, joined, taken

START = 1000


def run(mv: FloatArray, start: int = START) -> list[Beat]:
    detected, _ = beat_detector.step(load_classifier(), beat_detector.begin(start, mv.shape[1]), strides_of(mv, start))
    return list(detected)


@pytest.fixture(scope="module")
def mv(excerpt: Record) -> FloatArray:
    """Return 40 s of two leads, with one gap in the second lead and one in both."""
    lead = excerpt.mv()[54_000 : 54_000 + 40 * 360]
    mv = np.concatenate([lead, 0.4 * np.roll(lead, 3)], axis=1)
    mv[20 * 360 : 23 * 360, 1] = np.nan
    mv[30 * 360 : 30 * 360 + 500] = np.nan
    return mv


def test_beats_are_reported_in_order_within_200_ms(mv: FloatArray) -> None:
    detected = run(mv)
    assert len(detected) > 30
    for before, beat in itertools.pairwise(detected):
        assert beat.rr == beat.index - before.index > 0
        assert beat.at >= before.at
    assert detected[0].rr is None
    assert all(0 <= beat.at - beat.index <= 72 for beat in detected)


def test_during_the_learning_period_only_a_broad_early_beat_has_a_type(mv: FloatArray) -> None:
    types = [beat.type for beat in run(mv)]
    learning = types[: types.index("N")]
    assert learning.count("Q") == LEARNING_BEATS
    assert set(learning) <= {"Q", "V"}
    assert {"N", "V"} <= set(types[len(learning) :])


def test_ventricular_beats_of_the_excerpt_are_detected(excerpt: Record) -> None:
    """A difficult record: nearly as many fusion beats, and only five minutes to learn the patient."""
    detected = run(excerpt.mv(), start=0)
    found = per_half_minute([beat.index for beat in detected if beat.type == "V"])
    assert all(count <= v + f for count, v, f in zip(found, VENTRICULAR, FUSION, strict=True))
    assert sum(found) > 0.8 * sum(VENTRICULAR)


@pytest.mark.parametrize("leads", [1, 2])
def test_ventricular_beats_of_a_record_are_detected(mitdb_dir: Path, leads: int) -> None:
    """Record 119 of DS1, with ventricular bigeminy."""
    record = load("mitdb/119", Catalog(mitdb_dir))
    n = 5 * 60 * 360
    detected = run(record.mv()[:n, :leads], start=0)
    assert record.annotations is not None
    reference = reference_of(record.annotations.sample, record.annotations.symbol, record.n)
    scores = ec57_beats.score(
        reference, [b.index for b in detected], [b.type for b in detected], since=20 * 360, until=n - 360
    )
    assert scores.veb.found + scores.veb.missed > 40
    assert scores.veb.sensitivity > 0.95
    assert scores.veb.positive_predictivity > 0.95


def test_several_beds_give_what_each_gives_alone() -> None:
    """The beds are at different places of a signal, and one of them knows its patient."""
    beat_classifier, whole = load_classifier(), strides_of(ecg_with_events(), START // STRIDE * STRIDE)
    slots, size, seconds = [4, 0, 3], 6, 12
    beds = [cut(whole, first * FS, (first + seconds) * FS) for first in (0, 10, 17)]
    states = [beat_detector.begin(bed.start, 2) for bed in beds]
    _, known = beat_detector.step(beat_classifier, states[0], beds[0])
    states[1] = beat_detector.after_gap(known, beds[1].start)
    columns, untouched = (joined(states, slots, size) for _ in range(2))
    found = 0
    for first, stop in itertools.pairwise([0, 10, 11, 20, 60, seconds * FS // STRIDE]):
        now = [cut(bed, first * STRIDE, stop * STRIDE) for bed in beds]
        rows, *_ = beat_detector.advance(beat_classifier, columns, batch_of(now, slots))
        together = from_rows(rows)
        for bed, strides in enumerate(now):
            alone, states[bed] = beat_detector.step(beat_classifier, states[bed], strides)
            assert together[bed] == alone
            assert_equal(taken(columns, slots[bed]), states[bed])
            found += len(alone)
    assert found > 30
    for slot in set(range(size)) - set(slots):
        assert_equal(taken(columns, slot), taken(untouched, slot))


def test_a_lead_with_too_many_invalid_samples_around_a_beat_is_not_valid() -> None:
    samples = np.arange(2.0 * PIECE).reshape(PIECE, 2)
    invalid = np.zeros((PIECE, 2), bool)
    few = int(MAX_INVALID * PIECE)
    invalid[40 : 40 + few, 0] = True
    invalid[40 : 41 + few, 1] = True
    piece, valid = np.empty((PIECE, 2)), np.empty(2, np.bool_)
    cut_piece(samples, invalid, PIECE_BEFORE, piece, valid)
    assert valid.tolist() == [True, False]
    np.testing.assert_array_equal(piece[:, 0], samples[:, 0])
    assert (piece[:, 1] == 0).all()


def test_a_gap_at_the_start_of_a_piece_is_filled_with_the_first_valid_sample() -> None:
    samples = np.arange(PIECE + 5.0)[:, None]
    invalid = np.zeros(samples.shape, bool)
    invalid[:9] = True
    piece, valid = np.empty((PIECE, 1)), np.empty(1, np.bool_)
    cut_piece(samples, invalid, PIECE_BEFORE + 5, piece, valid)
    assert valid.all()
    assert (piece[:4] == 9).all()
    np.testing.assert_array_equal(piece[4:], samples[9:])
