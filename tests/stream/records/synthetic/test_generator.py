"""The record is deterministic, marked as synthetic, complete, and as annotated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.records.record import Record
from stream.records.synthetic.generator import generate
from stream.records.synthetic.patient import NOTES, Patient, Segment, SimulatedRhythm
from stream.records.synthetic.presets import PRESETS, rhythms_of, synthetic_record
from stream.records.wfdb_reader import load
from stream.timebase import FS
from tests.stream.records.synthetic.measures import beats, numeric, r_peaks, rate

EVENTFUL = Patient(rhythm=tuple(Segment(12.0 * i, rhythm) for i, rhythm in enumerate(NOTES)), pvc_rate=6, pac_rate=6)


@pytest.fixture(scope="module")
def record() -> Record:
    return load("synthetic")


def same(one: Record, other: Record) -> bool:
    """Return whether two records have the same samples and numbers."""
    return (
        np.array_equal(one.adu, other.adu)
        and all(np.array_equal(a.adu, b.adu) for a, b in zip(one.waves, other.waves, strict=True))
        and all(np.array_equal(a.values, b.values, True) for a, b in zip(one.numerics, other.numerics, strict=True))
    )


def test_it_is_marked_as_synthetic(record: Record) -> None:
    assert record.synthetic
    assert (record.name, record.leads) == ("synthetic", ("MLII", "V1"))
    assert record.adu.shape == (300 * FS, 2)
    assert {wave.signal for wave in record.waves} == {"pleth", "abp", "cvp", "resp", "co2"}
    assert all(len(numeric.values) == 300 for numeric in record.numerics)
    arrays = (record.adu, *(w.adu for w in record.waves), *(v.values for v in record.numerics))
    assert not any(array.flags.writeable for array in arrays)


def test_the_seed_alone_makes_the_difference() -> None:
    first = generate(EVENTFUL, 30, 1)
    assert same(first, generate(EVENTFUL, 30, 1))
    assert not np.array_equal(first.adu, generate(EVENTFUL, 30, 2).adu)


@pytest.mark.parametrize(("seconds", "seed"), [(2, 0), (13, 1), (37, 2), (50, 3), (66, 4)])
def test_a_longer_record_begins_with_the_shorter_one(seconds: int, seed: int) -> None:
    shorter, longer = generate(EVENTFUL, seconds, seed), generate(EVENTFUL, seconds + 7, seed)
    assert same(shorter, longer.until(seconds * FS))
    assert shorter.annotations is not None
    assert longer.annotations is not None
    assert longer.annotations.symbol[: len(shorter.annotations.symbol)] == shorter.annotations.symbol


def test_what_comes_later_changes_nothing_before() -> None:
    """So a patient can be steered: with other parameters from 20 s on, the first 20 s remain."""
    steered = Patient(rhythm=(Segment(0, "sinus"), Segment(20, "asystole")), heart_rate=((20, 72), (20, 120)))
    assert same(generate(Patient(), 40, 5).until(19 * FS), generate(steered, 40, 5).until(19 * FS))


def test_annotations_are_at_the_r_peaks(record: Record) -> None:
    found, annotated = r_peaks(record), beats(record, "NV")
    assert len(found) == len(annotated)
    assert np.abs(found - annotated).max() <= 0.04


def test_heart_rate_varies_around_the_mean(record: Record) -> None:
    assert abs(rate(beats(record, "NV")) - 72) < 2
    rr = np.diff(beats(record, "N"))[:60]
    assert 0.01 < rr.std() < 0.1


def test_premature_beats_are_early_and_a_pause_follows(record: Record) -> None:
    assert record.annotations is not None
    times, premature = beats(record, "NV"), beats(record, "V")
    assert len(premature) >= 5
    assert premature.min() > 60
    places = np.searchsorted(times, premature)
    places = places[places + 1 < len(times)]
    rr = np.diff(times)
    assert (rr[places - 1] < 0.8 * np.median(rr)).all()
    assert (rr[places] > 1.1 * np.median(rr)).all()


def test_premature_atrial_beats_are_early_and_narrow() -> None:
    record = generate(Patient(pac_rate=10), 60, 1)
    times, premature = beats(record, "NS"), beats(record, "S")
    assert len(premature) >= 4
    places = np.searchsorted(times, premature)
    assert (np.diff(times)[places - 1] < 0.8 * 60 / 72).all()
    assert len(r_peaks(record)) == len(times)


def test_each_rhythm_has_its_note_and_its_beats() -> None:
    record = generate(EVENTFUL, 12 * len(NOTES), 1)
    assert record.annotations is not None
    notes = [
        (int(at) / FS, aux) for at, aux in zip(record.annotations.sample, record.annotations.aux, strict=True) if aux
    ]
    assert notes == [(12.0 * i, note) for i, note in enumerate(NOTES.values())]
    starts = {rhythm: 12.0 * i for i, rhythm in enumerate(NOTES)}
    normal, ventricular = beats(record, "NS"), beats(record, "V")

    def within(found: np.ndarray, rhythm: SimulatedRhythm) -> np.ndarray:
        return found[(found >= starts[rhythm]) & (found < starts[rhythm] + 12)]

    def counts(rhythm: SimulatedRhythm) -> tuple[int, int]:
        return len(within(normal, rhythm)), len(within(ventricular, rhythm))

    assert abs(counts("bigeminy")[0] - counts("bigeminy")[1]) <= 1
    assert abs(counts("trigeminy")[0] - 2 * counts("trigeminy")[1]) <= 2
    fibrillating, regular = (
        np.diff(within(normal, rhythm)) for rhythm in ("atrial fibrillation", "supraventricular tachycardia")
    )
    assert fibrillating.std() > 0.1 * fibrillating.mean()
    assert regular.std() < 0.02 * regular.mean()
    assert abs(regular.mean() - 60 / 180) < 0.01
    for rhythm in ("ventricular tachycardia", "ventricular flutter"):
        assert counts(rhythm)[0] == 0
        assert abs(counts(rhythm)[1] - 30) <= 2  # 150/min
    assert counts("ventricular fibrillation") == counts("asystole") == (0, 0)
    mv = record.mv()
    for rhythm, fibrillates in (("ventricular fibrillation", True), ("asystole", False)):
        first = round((starts[rhythm] + 2) * FS)
        assert (mv[first : first + 8 * FS, 0].std() > 0.2) == fibrillates, rhythm


@settings(max_examples=20, deadline=None)
@given(
    seconds=st.floats(0.5, 6),
    heart_rate=st.floats(20, 250),
    pvc_rate=st.floats(0, 60),
    respiration_rate=st.floats(0, 60),
    rhythm=st.sampled_from(list(NOTES)),
    seed=st.integers(0, 2**32),
)
def test_any_patient_gives_a_valid_record(
    seconds: float, heart_rate: float, pvc_rate: float, respiration_rate: float, rhythm, seed: int
) -> None:
    patient = Patient(
        (Segment(0, rhythm),), heart_rate=heart_rate, pvc_rate=pvc_rate, respiration_rate=respiration_rate
    )
    record = generate(patient, seconds, seed)
    assert record.n == round(seconds * FS)
    assert np.abs(record.mv()).max() < 5
    assert all(np.isfinite(wave.values(wave.adu)).all() for wave in record.waves)
    assert record.annotations is not None
    assert (np.diff(record.annotations.sample) >= 0).all()
    assert (record.annotations.sample < record.n).all()
    assert (np.diff(beats(record, "NSV")) > 0.1).all()


def test_presets_are_records_by_name() -> None:
    for name in ("synthetic/vf", "synthetic/ecg"):
        record = load(name)
        assert (record.name, record.n) == (name, 300 * FS)
    assert synthetic_record("synthetic/ecg").waves == ()
    assert np.array_equal(synthetic_record("synthetic/ecg").adu, load("synthetic").adu)
    assert rhythms_of("synthetic/vf") == ("N", "VF", "VT")
    assert np.nanmin(numeric(load("synthetic/desaturation"), "spo2")) < 80
    assert all(patient.rhythm[0].rhythm == "sinus" for patient in PRESETS.values())
