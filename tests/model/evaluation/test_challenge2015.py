"""Alarms to verify: where they are named, and how they are scored."""

from dataclasses import replace
from pathlib import Path

import pytest

from model.evaluation.challenge2015 import (
    END,
    ChallengeScore,
    ToVerify,
    alarm_in_comments,
    before_alarm,
    listed_alarms,
    verify,
)
from stream.timebase import FS
from tests.model.evaluation.annotated_records import alarm, record, silent, with_alarms

N = 300 * FS


def test_an_alarm_in_the_last_fifteen_seconds_confirms() -> None:
    late, early = (with_alarms(N, *alarm("asystole", at, at + 2)) for at in (290, 280))
    assert verify(ToVerify("Asystole", True), late) == ChallengeScore(tp=1)
    assert verify(ToVerify("Asystole", False), late) == ChallengeScore(fp=1)
    assert verify(ToVerify("Asystole", True), early) == ChallengeScore(fn=1)
    assert verify(ToVerify("Asystole", False), silent(N)) == ChallengeScore(tn=1)
    assert verify(ToVerify("Bradycardia", True), late) == ChallengeScore(fn=1)


def test_a_missed_alarm_costs_five() -> None:
    assert (ChallengeScore(tp=4, fn=1) + ChallengeScore(tn=3, fp=1)).score == pytest.approx(7 / 13)


def test_nothing_after_the_alarm_is_used() -> None:
    whole = record(330, [])
    changed = replace(whole, adu=whole.adu.copy())
    changed.adu[300 * FS :] = 100
    assert before_alarm(changed).n == END <= 300 * FS
    assert (before_alarm(changed).adu == before_alarm(whole).adu).all()


def test_alarms_are_named_in_a_list_or_in_comments(tmp_path: Path) -> None:
    assert listed_alarms(tmp_path) == {}
    (tmp_path / "ALARMS").write_text("a1,Asystole,0\n\nc3,Headache,1\nb2,Ventricular_Tachycardia,1\n")
    assert listed_alarms(tmp_path) == {
        "a1": ToVerify("Asystole", False),
        "b2": ToVerify("Ventricular_Tachycardia", True),
    }
    assert alarm_in_comments(["Tachycardia", "True alarm"]) == ToVerify("Tachycardia", True)
    assert alarm_in_comments(["69 M 1085 1629 x1", "Aldomet, Inderal"]) is None
    assert alarm_in_comments(["Tachycardia"]) is None
