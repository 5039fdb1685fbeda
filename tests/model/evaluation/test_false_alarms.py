"""Alarms that are false, those that are not, and the hours in which they are counted."""

import numpy as np
import pytest

from model.evaluation.false_alarms import false_alarms, fibrillation_over_beats, rate_before
from model.evaluation.truth import truth_of
from stream.records.record import Record
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind
from tests.model.evaluation import annotated_records as given


def is_false(record: Record, kind: AlarmKind, at_s: float) -> bool:
    """Return whether one alarm counts as false."""
    found, _ = false_alarms("r", truth_of(record), given.with_alarms(record.n, *given.alarm(kind, at_s, at_s + 1)))
    return bool(found)


def test_beside_notes_of_lethal_rhythms_and_in_noise_nothing_is_false() -> None:
    record = given.notes_only()  # VT 60 to 70, VF 100 to 160, noise 160 to 180, asystole 300 to 320
    for at, false in ((54, True), (56, False), (79, False), (81, True), (170, False), (181, True), (329, False)):
        assert is_false(record, "extreme_tachycardia", at) == false, at
    _, hours = false_alarms("r", truth_of(record), given.silent(record.n))
    assert hours * 3600 == pytest.approx(600 - (5 + 10 + 10) - (5 + 80) - (5 + 20 + 10), abs=0.01)


def test_rates_are_not_judged_in_rhythms_that_can_have_them() -> None:
    record = given.record(300, [given.rhythm(0, "N"), given.rhythm(100, "SVTA"), given.rhythm(200, "N")])
    assert not is_false(record, "extreme_tachycardia", 150)
    assert is_false(record, "extreme_bradycardia", 150)
    assert is_false(record, "ventricular_tachycardia", 150)
    assert is_false(record, "extreme_tachycardia", 250)


def test_untyped_beats_count_up_to_ten_seconds_before_the_onset() -> None:
    record = given.untyped()  # fibrillation from 400 s
    assert is_false(record, "ventricular_tachycardia", 389)
    assert not is_false(record, "ventricular_tachycardia", 391)
    assert not is_false(record, "ventricular_tachycardia", 470)
    assert false_alarms("r", truth_of(record), given.silent(record.n))[1] * 3600 == pytest.approx(390)


def test_events_in_typed_beats_are_true_alarms_of_their_kind_only() -> None:
    record = given.typed()  # VT at 500 s, pause from about 519 s to 526 s
    assert not is_false(record, "ventricular_tachycardia", 503)
    assert is_false(record, "asystole", 503)
    assert not is_false(record, "asystole", 524)
    assert is_false(record, "ventricular_tachycardia", 524)
    assert false_alarms("r", truth_of(record), given.silent(record.n))[1] * 3600 == pytest.approx(660)


def test_nothing_is_false_without_annotations() -> None:
    record = given.record(60, [(5, "~", "")])
    assert not is_false(record, "asystole", 10)
    assert false_alarms("r", truth_of(record), given.silent(record.n))[1] == 0


def test_fibrillation_over_beats_needs_beats_below_150_before_the_onset() -> None:
    marks = [*given.beats(1, 100), *given.beats(110, 200, rr=0.3), *given.beats(210, 300)]
    record = given.record(400, [*marks, (300, "[", ""), (350, "]", ""), *given.beats(350, 400)])
    truth = truth_of(record)
    for at, counted in ((50, 1), (109, 0), (150, 0), (250, 1), (291, 0), (380, 0)):
        output = given.with_alarms(record.n, *given.alarm("ventricular_fibrillation", at, at + 1))
        assert fibrillation_over_beats(truth, output)[0] == counted, at
    assert fibrillation_over_beats(truth, given.silent(record.n))[1] * 3600 == pytest.approx(180, abs=8)


def test_with_several_onsets_it_counts_between_them_too() -> None:
    ends = [(100.0, "[", ""), (120.0, "]", ""), (300.0, "[", ""), (320.0, "]", "")]
    record = given.record(400, [*given.beats(1, 100), *given.beats(120, 300), *given.beats(320, 400), *ends])
    for at, counted in ((95, 0), (125, 0), (200, 1), (295, 0), (380, 1)):
        output = given.with_alarms(record.n, *given.alarm("ventricular_fibrillation", at, at + 1))
        assert fibrillation_over_beats(truth_of(record), output)[0] == counted, at


def test_rate_is_the_mean_of_the_last_four_seconds() -> None:
    beats = np.array([0, 1, 2, 3, 10]) * FS
    assert rate_before(beats, np.array([3 * FS + 10]))[0] == pytest.approx(60)
    assert np.isnan(rate_before(beats, np.array([0, 8 * FS, 11 * FS]))).all()
