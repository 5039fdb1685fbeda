"""Waves and numbers agree; numbers are missing where there is nothing to measure."""

from __future__ import annotations

import numpy as np
import pytest

from stream.records.record import Record
from stream.records.synthetic.generator import generate
from stream.records.synthetic.patient import Patient, Segment
from stream.wire.numerics_message import NumericName
from tests.stream.records.synthetic.measures import numeric, peaks, r_peaks, rate, wave

FROM_S, TO_S = 20, 60
"""Part of the records that is measured; the numbers are averages of the seconds before."""

TOLERANCES: dict[NumericName, float] = {
    "heart_rate": 1.5,
    "pulse_rate": 1.5,
    "abp_systolic": 2.0,
    "abp_diastolic": 2.0,
    "abp_mean": 1.5,
    "cvp_mean": 1.0,
    "respiration_rate": 1.0,
    "etco2": 1.5,
}
"""Largest difference between a number and what is measured from its wave, in the number's unit: half of it or more is
the rounding to whole numbers."""


def some_patient(seed: int) -> Patient:
    """A patient with other values for each seed, with a premature beat now and then."""
    rng = np.random.default_rng(seed)
    diastolic = rng.uniform(45, 95)
    return Patient(
        heart_rate=rng.uniform(48, 125),
        pvc_rate=rng.uniform(0, 3),
        respiration_rate=rng.uniform(9, 28),
        abp_systolic=diastolic + rng.uniform(30, 65),
        abp_diastolic=diastolic,
        cvp_mean=rng.uniform(2, 14),
        etco2=rng.uniform(24, 58),
    )


def measured(record: Record) -> dict[NumericName, float]:
    """Return what the waves show between `FROM_S` and `TO_S`."""

    def part(signal: str) -> tuple[np.ndarray, np.ndarray]:
        time, values = wave(record, signal)
        inside = (time >= FROM_S) & (time < TO_S)
        return time[inside], values[inside]

    r = r_peaks(record)
    (time, abp), (breathing, resp) = part("abp"), part("resp")
    return {
        "heart_rate": rate(r[(r >= FROM_S) & (r < TO_S)]),
        "pulse_rate": rate(peaks(*part("pleth"), prominence=0.1)[0]),
        "abp_systolic": peaks(time, abp, prominence=8)[1].mean(),
        "abp_diastolic": -peaks(time, -abp, prominence=8)[1].mean(),
        "abp_mean": abp.mean(),
        "cvp_mean": part("cvp")[1].mean(),
        "respiration_rate": rate(peaks(breathing, resp, prominence=0.4, apart_s=1)[0]),
        "etco2": peaks(*part("co2"), prominence=10, apart_s=1)[1].mean(),
    }


@pytest.mark.parametrize("seed", range(20))
def test_each_number_is_what_its_wave_shows(seed: int) -> None:
    record = generate(some_patient(seed), TO_S, seed)
    for name, value in measured(record).items():
        shown = numeric(record, name)[FROM_S + 8 :].mean()
        assert abs(shown - value) <= TOLERANCES[name], (name, shown, value)


def test_numbers_of_a_steady_patient_are_its_parameters() -> None:
    record = generate(Patient(heart_rate=80, abp_systolic=130, abp_diastolic=70, temperature=38.2), 60, 3)
    expected = {"heart_rate": 80, "pulse_rate": 80, "abp_systolic": 130, "abp_diastolic": 70, "spo2": 97, "etco2": 38}
    for name, value in expected.items():
        assert abs(np.median(numeric(record, name)[20:]) - value) <= 3, name
    assert (numeric(record, "temperature") == 38.2).all()


def test_saturation_follows_after_10_to_20_s() -> None:
    record = generate(Patient(spo2=((60, 98), (60, 80))), 120, 1)
    shown = numeric(record, "spo2")
    assert (shown[20:70] == 98).all()
    half = int(np.flatnonzero(shown[20:] <= 89)[0]) + 20
    assert 70 <= half <= 80
    assert (np.diff(shown[60:]) <= 0).all()
    assert shown[100] == 80


@pytest.mark.parametrize(("rhythm", "heart_rate"), [("ventricular fibrillation", np.nan), ("asystole", 0)])
def test_without_pulse_there_is_no_number_that_needs_one(rhythm, heart_rate: float) -> None:
    record = generate(Patient(rhythm=(Segment(0, "sinus"), Segment(30, rhythm), Segment(60, "sinus"))), 90, 1)
    for name in ("pulse_rate", "spo2", "abp_systolic", "abp_diastolic"):
        shown = numeric(record, name)
        assert not np.isnan(shown[10:30]).any(), name
        assert np.isnan(shown[36:60]).all(), name
        assert not np.isnan(shown[65:]).any(), name
    assert np.array_equal(numeric(record, "heart_rate")[36:60], np.full(24, heart_rate), equal_nan=True)
    assert (numeric(record, "abp_mean")[45:60] < 20).all()
    assert numeric(record, "etco2")[59] < 0.5 * numeric(record, "etco2")[29]


def test_apnoea_shows_in_waves_and_numbers() -> None:
    record = generate(Patient(respiration_rate=((60, 15), (60, 0), (100, 0), (100, 15))), 140, 1)
    rates = numeric(record, "respiration_rate")
    assert (np.abs(rates[20:60] - 15) <= 1).all()
    assert (rates[90:100] == 0).all()
    assert np.isnan(numeric(record, "etco2")[90:100]).all()
    time, resp = wave(record, "resp")
    assert np.ptp(resp[(time > 68) & (time < 100)]) < 0.15
    time, co2 = wave(record, "co2")
    assert co2[(time > 85) & (time < 100)].max() < 2
    assert co2[time > 110].max() > 30
