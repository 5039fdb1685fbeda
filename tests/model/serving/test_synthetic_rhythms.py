"""The rhythms of the synthetic patient raise their own alarms, and sinus rhythm raises none of high priority."""

from __future__ import annotations

import pytest

from model.serving.analyzer import analyze_all
from stream.records.synthetic.generator import generate
from stream.records.synthetic.patient import Patient, Segment, SimulatedRhythm
from stream.timebase import FS

ARRHYTHMIAS: tuple[SimulatedRhythm, ...] = ("ventricular tachycardia", "ventricular fibrillation", "asystole")
ONSET_S, END_S = 25.0, 37.0


@pytest.fixture(scope="module")
def onsets() -> dict[str, dict[str, float]]:
    """Return the onsets in s of the alarms of high priority in each rhythm, by kind."""
    patients = {"sinus": Patient(pvc_rate=6)} | {
        rhythm: Patient((Segment(0, "sinus"), Segment(ONSET_S, rhythm), Segment(END_S, "sinus")))
        for rhythm in ARRHYTHMIAS
    }
    records = [generate(patient, 45, 1) for patient in patients.values()]
    return {
        name: {alarm.kind: alarm.onset / FS for alarm in found.alarms if alarm.priority == "high"}
        for name, found in zip(patients, analyze_all(records), strict=True)
    }


def test_sinus_rhythm_with_pvcs_raises_no_alarm_of_high_priority(onsets) -> None:
    assert onsets["sinus"] == {}


@pytest.mark.parametrize("rhythm", ARRHYTHMIAS)
def test_each_lethal_rhythm_raises_its_alarm(onsets, rhythm: str) -> None:
    found = onsets[rhythm]
    expected = rhythm.replace(" ", "_")
    assert ONSET_S - 2 <= found[expected] <= END_S
    others = {name.replace(" ", "_") for name in ARRHYTHMIAS} - {expected}
    assert not others & set(found)


def test_a_tachycardia_of_an_unknown_patient_alarms_within_5_s_of_its_fifth_beat() -> None:
    record = generate(Patient((Segment(0, "ventricular tachycardia"),), heart_rate=180), 10, 1)
    (found,) = analyze_all([record])
    assert found.beats[0].type == "Q"
    alarm = next(alarm for alarm in found.alarms if alarm.kind == "ventricular_tachycardia")
    assert alarm.at is not None
    assert alarm.at <= found.beats[4].index + 5 * FS


def test_ventricular_fibrillation_is_one_alarm_until_beats_return() -> None:
    rhythm = Segment(0, "sinus"), Segment(20, "ventricular fibrillation"), Segment(80, "sinus")
    (found,) = analyze_all([generate(Patient(rhythm), 95, 2)])
    events = [alarm for alarm in found.alarms if alarm.kind == "ventricular_fibrillation"]
    assert [alarm.phase for alarm in events] == ["raised", "cleared"]
    assert events[0].at is not None
    assert events[0].at < 27 * FS
    assert events[1].end is not None
    assert 80 * FS <= events[1].end <= 90 * FS
    later = {alarm.kind for alarm in found.alarms if alarm.phase == "raised" and alarm.onset > 27 * FS}
    assert not later & {"ventricular_tachycardia", "pvc_run", "extreme_bradycardia", "asystole"}
