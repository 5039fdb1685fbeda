"""A live patient: cut into any pieces, steered at any time, it is the record whose future was known from the start."""

from __future__ import annotations

import copy
import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.errors import UsageError
from stream.records.record import Record
from stream.records.synthetic import steering
from stream.records.synthetic.generator import PatientSource, generate, record_of
from stream.records.synthetic.live_record import KEPT_S, PIECE, LiveRecord
from stream.records.synthetic.patient import NOTES, Patient, Segment
from stream.timebase import FS
from stream.wire.replay_actions import RhythmCode
from tests.stream.records.synthetic.test_generator import same

EVENTFUL = Patient(
    rhythm=tuple(Segment(7.0 * i, rhythm) for i, rhythm in enumerate(NOTES)),
    pvc_rate=6,
    pac_rate=6,
    spo2=((10, 97), (40, 80)),
    respiration_rate=((10, 15), (25, 0), (45, 0), (50, 20)),
)


def cut(patient: Patient, seconds: int, seed: int, pieces: list[int]) -> Record:
    """Return a record that is generated in pieces of some lengths, again and again."""
    source, found, n = PatientSource(patient, seed), [], seconds * FS
    while source.at < n:
        found.append(source.piece(min(pieces[len(found) % len(pieces)], n - source.at)))
    return record_of(found, "synthetic")


def test_any_pieces_give_the_same_record() -> None:
    whole, parts = generate(EVENTFUL, 70, 3), cut(EVENTFUL, 70, 3, [1, 700, 36, 89, 2500, 144])
    assert same(whole, parts)
    assert whole.annotations is not None
    assert parts.annotations is not None
    assert (whole.annotations.sample == parts.annotations.sample).all()
    assert (whole.annotations.symbol, whole.annotations.aux) == (parts.annotations.symbol, parts.annotations.aux)


def test_its_state_can_be_copied() -> None:
    source = PatientSource(EVENTFUL, 3)
    source.piece(30 * FS)
    other = copy.deepcopy(source)
    assert np.array_equal(source.piece(20 * FS).adu, other.piece(20 * FS).adu)


def test_a_steered_patient_is_the_record_whose_future_was_known() -> None:
    live = LiveRecord(Patient(), 5, "live")
    parts, at = [], []
    for second in range(70):
        if second == 20:
            at.append(live.set_rhythm("VT", 190))
        elif second == 30:
            at.append(live.set_vitals({"spo2": 82, "respiration_rate": 28}, 20))
            at.append(live.set_rhythm("VF", None))
        elif second == 40:
            at.append(live.set_rhythm("ASYS", None))
        elif second == 50:
            at.append(live.set_rhythm("N", 100))
        parts.append(live.ecg(second * FS, (second + 1) * FS))
    vt, vitals, vf, asystole, sinus = (index / FS for index in at)
    assert [0.3 <= t - asked <= 0.5 for t, asked in zip((vt, vf, asystole, sinus), (20, 30, 40, 50), strict=True)]
    known = Patient(
        rhythm=(
            Segment(0, "sinus"),
            Segment(vt, "ventricular tachycardia"),
            Segment(vf, "ventricular fibrillation"),
            Segment(asystole, "asystole"),
            Segment(sinus, "sinus"),
        ),
        heart_rate=((sinus, 72), (sinus, 100)),
        vt_rate=((vt, 150), (vt, 190)),
        spo2=((vitals, 97), (vitals + 20, 82)),
        respiration_rate=((vitals, 15), (vitals + 20, 28)),
    )
    record = generate(known, 70, 5)
    assert np.array_equal(np.concatenate(parts), record.adu)
    first, stop = 60 * FS, 69 * FS
    for wave, expected in zip(live.waves, record.waves, strict=True):
        assert wave.within(first, stop)[0] == expected.within(first, stop)[0]
        assert np.array_equal(wave.within(first, stop)[1], expected.within(first, stop)[1])
    for second in range(55, 70):
        assert live.numerics_at(second * FS) == record.numerics_at(second * FS)


def test_only_the_last_half_minute_is_kept() -> None:
    live = LiveRecord(Patient(), 1, "live")
    for second in range(0, 101, 10):
        live.ecg(second * FS, second * FS + 36)
    assert live.ecg((101 - KEPT_S) * FS, (102 - KEPT_S) * FS).shape == (FS, 2)
    assert live.annotations.sample[0] > (99 - KEPT_S) * FS
    with pytest.raises(UsageError, match="cannot go back"):
        live.ecg(10 * FS, 11 * FS)


def test_a_missing_number_has_the_age_of_the_last_one() -> None:
    live = LiveRecord(Patient(), 1, "live")
    live.ecg(0, 20 * FS)
    live.set_rhythm("ASYS", None)
    live.ecg(90 * FS, 90 * FS + 36)
    found = {one.name: one for one in live.numerics_at(80 * FS)}
    assert (found["heart_rate"].value, found["heart_rate"].age_s) == (0, 0)
    assert found["spo2"].value is None
    assert 52 <= (found["spo2"].age_s or 0) <= 57


def test_what_cannot_be_set_is_said() -> None:
    live = LiveRecord(Patient(), 1, "live")
    before = live.patient
    with pytest.raises(UsageError, match="spo2 of 120: use 0 to 100"):
        live.set_vitals({"spo2": 120}, 10)
    with pytest.raises(UsageError, match="abp_systolic of 60 with abp_diastolic of 76"):
        live.set_vitals({"abp_systolic": 60}, 10)
    with pytest.raises(UsageError, match="VF with a rate of 200: this rhythm has none"):
        live.set_rhythm("VF", 200)
    with pytest.raises(UsageError, match="VT with a rate of 60: use 100 to 280"):
        live.set_rhythm("VT", 60)
    assert live.patient is before


def test_the_mean_pressure_moves_both_and_repeated_changes_stay_few() -> None:
    live = LiveRecord(Patient(abp_systolic=120, abp_diastolic=75), 1, "live")
    for second in range(80):
        live.ecg(second * FS, (second + 1) * FS)
        live.set_vitals({"abp_mean": 60 + second % 2}, 0)
    systolic, diastolic = (course[-1][1] for course in (live.patient.abp_systolic, live.patient.abp_diastolic))  # type: ignore[index]
    assert diastolic + (systolic - diastolic) / 3 == pytest.approx(61)
    assert systolic - diastolic == pytest.approx(45)
    assert len(live.patient.abp_systolic) < 130  # type: ignore[arg-type]


CODES: tuple[RhythmCode, ...] = ("N", "VF", "ASYS", "VT", "AFIB", "B")
CHANGES = st.lists(st.tuples(st.integers(1, 400), st.sampled_from(CODES)), min_size=30, max_size=60)


@settings(max_examples=15, deadline=None)
@given(CHANGES)
def test_rhythms_of_the_past_are_forgotten_and_no_sample_changes(changes: list[tuple[int, RhythmCode]]) -> None:
    """Changes after 0.1 to 4 s each, also before the first beat and within a minute without beats."""

    def samples(kept_s: float) -> np.ndarray:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(steering, "RHYTHMS_KEPT_S", kept_s)
            live, parts, at = LiveRecord(Patient(), 5, "live"), [], 0
            for tenths, code in changes:
                live.set_rhythm(code, None)
                parts.append(live.ecg(at, at := at + 36 * (tenths % 40 + 1)))
            parts.append(live.ecg(at, at + 10 * FS))
        return np.concatenate(parts)

    assert np.array_equal(samples(2.0), samples(1e9))


def test_a_patient_that_is_steered_for_hours_stays_small() -> None:
    live, codes = LiveRecord(Patient(), 5, "live"), itertools.cycle(CODES)
    sizes = []
    for second in range(0, 5400, 30):
        live.set_rhythm(next(codes), None)
        live.set_vitals({"spo2": 90 + second % 7}, 5)
        live.generate(second * FS + PIECE)
        sizes.append(len(pickle.dumps(live.patient)))
    assert max(sizes[20:]) <= 1.1 * max(sizes[:20])
