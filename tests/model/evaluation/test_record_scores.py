"""Scores of whole records: a perfect monitor, a silent one, a late one, and sums."""

import pytest

from model.evaluation.database_report import scores_dict
from model.evaluation.record_scores import Scores, score_record
from model.evaluation.truth import truth_of
from stream.records.record import Record
from tests.model.evaluation import annotated_records as given

STYLES = [given.notes_only(), given.untyped(), given.typed()]


@pytest.mark.parametrize("record", STYLES, ids=["notes", "untyped", "typed"])
def test_a_monitor_that_raises_exactly_the_reference_scores_one(record: Record) -> None:
    truth = truth_of(record)
    found = scores_dict(score_record("r", truth, given.oracle(truth)))
    annotated = [scores for scores in found["by_time"].values() if scores["se"] is not None]
    assert annotated
    assert all(scores["se"] == 1 for scores in annotated)
    assert all(scores["sp"] in (1, None) for scores in found["by_time"].values())
    assert all(scores["fn"] == scores["fp"] == 0 for scores in found["windows_10s"].values())
    assert all(scores["found"] == scores["n"] for scores in found["episodes"].values())
    assert found["false_high"] == []


@pytest.mark.parametrize("record", STYLES, ids=["notes", "untyped", "typed"])
def test_a_silent_monitor_finds_nothing_and_raises_no_false_alarm(record: Record) -> None:
    found = scores_dict(score_record("r", truth_of(record), given.silent(record.n)))
    assert {scores["se"] for scores in found["by_time"].values()} <= {0, None}
    assert {scores["sp"] for scores in found["by_time"].values()} <= {1, None}
    assert all(scores["tp"] == scores["fp"] == 0 for scores in found["windows_10s"].values())
    assert all(scores["found"] == 0 for scores in found["episodes"].values())
    assert found["false_high_per_h"] == 0
    assert found["qrs"]["se"] in (0, None)
    assert found["entries"]["n"] == 0


@pytest.mark.parametrize("late", [0.0, 4.0, 9.0, 11.0])
def test_a_late_monitor_finds_episodes_up_to_ten_seconds(late: float) -> None:
    truth = truth_of(given.notes_only())
    scores = score_record("r", truth, given.oracle(truth, late))
    found = late <= 10
    assert {key: s.found for key, s in scores.episodes.items() if s.events} == {
        "vf": found,
        "vt": found,
        "either": 2 * found,
        "asystole": found,
    }
    if found:
        assert scores.episodes["either"].delay_s_median == late


def test_either_rhythm_is_found_as_often_as_both_and_each_within_its_own_delay() -> None:
    truth = truth_of(given.typed())
    for late, found in ((2.0, 1), (4.0, 0)):
        scores = score_record("r", truth, given.oracle(truth, late)).episodes
        assert (scores["either"].events, scores["either"].found) == (1, found)
        assert scores["either"] == scores["vt"] + scores["vf"]


def test_sums_are_scores_of_all_records_together() -> None:
    truths = [truth_of(record) for record in STYLES]
    parts = [score_record(str(i), truth, given.oracle(truth, 4.0)) for i, truth in enumerate(truths)]
    total = sum(parts, Scores())
    assert total.beats.qrs.found == sum(part.beats.qrs.found for part in parts)
    assert total.episodes["vf"].events == 2
    assert total.by_time["vf"].sum() == sum(part.by_time["vf"].sum() for part in parts)
    assert total.entries["ventricular_fibrillation"] == 2
    assert total.seconds == 600 + 480 + 660


def test_beat_types_are_not_scored_where_all_beats_are_normal() -> None:
    truth = truth_of(given.untyped())
    beats = score_record("r", truth, given.oracle(truth)).beats
    assert beats.qrs.found == 499, "beats before the onset"
    assert (beats.qrs.missed, beats.qrs.false) == (0, 0)
    assert beats.veb.found + beats.veb.false + beats.sveb.false == 0
