"""Rhythms by time: noise is not scored, atrial flutter is neither."""

import pytest

from model.evaluation.rhythm_time import by_time
from model.evaluation.truth import truth_of
from tests.model.evaluation import annotated_records as given


def test_seconds_in_noise_are_not_scored() -> None:
    record = given.notes_only()  # VF 100 to 160, noise 160 to 180
    output = given.with_alarms(record.n, *given.alarm("ventricular_fibrillation", 100, 190))
    assert by_time(truth_of(record), output)["vf"].tolist() == [[510, 10], [0, 60]]


@pytest.mark.parametrize("shift", [3, 7])
def test_a_late_monitor_loses_the_seconds_it_is_late(shift: int) -> None:
    truth = truth_of(given.notes_only())
    seconds = by_time(truth, given.oracle(truth, late_s=shift))
    assert seconds["vt"].tolist() == [[570 - shift, shift], [shift, 10 - shift]]
    assert seconds["asystole"].tolist() == [[560 - shift, shift], [shift, 20 - shift]]


def test_atrial_flutter_and_the_first_five_minutes_are_not_scored() -> None:
    marks = [given.rhythm(0, "N"), given.rhythm(400, "AFIB"), given.rhythm(500, "AFL"), given.rhythm(550, "N")]
    truth = truth_of(given.record(700, [*marks, *given.beats(1, 699, code="R"), (3.0, "V", "")]))
    assert by_time(truth, given.oracle(truth))["af"].tolist() == [[250, 0], [0, 100]]


def test_a_rhythm_that_is_not_annotated_is_not_scored() -> None:
    record = given.untyped()
    assert set(by_time(truth_of(record), given.silent(record.n))) == {"vf", "either"}
