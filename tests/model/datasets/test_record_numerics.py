"""The numerics of a record, as its publisher sends them."""

from __future__ import annotations

import numpy as np

from model.datasets.record_numerics import numeric_samples
from stream.records.record import Record, RecordedNumeric
from stream.timebase import FS


def record(*numerics: RecordedNumeric, synthetic: bool = False) -> Record:
    adu = np.zeros((5 * FS, 1), np.int16)
    return Record("r", ("II",), (200.0,), (0,), adu, synthetic, "test", numerics=numerics)


def test_all_values_come_once_in_a_second_with_their_age() -> None:
    spo2 = RecordedNumeric("spo2", "%", 1.0, np.array([97.0, np.nan, np.nan, 95.0, 94.0]))
    pressure = RecordedNumeric("nibp_mean", "mmHg", 0.5, np.array([80.0, 70.0, 60.0]))
    found = numeric_samples(record(spo2, pressure))
    assert [samples.index for samples in found] == [0, FS, 2 * FS, 3 * FS, 4 * FS]
    assert [[(own.value, own.age_s) for own in samples.values] for samples in found] == [
        [(97.0, 0.0), (80.0, 0.0)],
        [(None, 1.0), (80.0, 1.0)],
        [(None, 2.0), (70.0, 0.0)],
        [(95.0, 0.0), (70.0, 1.0)],
        [(94.0, 0.0), (60.0, 0.0)],
    ]
    assert {own.source for samples in found for own in samples.values} == {"recorded"}
    assert {own.source for samples in numeric_samples(record(spo2, synthetic=True)) for own in samples.values} == {
        "simulated"
    }


def test_slower_numerics_come_at_their_cadence_and_a_record_without_any_has_none() -> None:
    slow = RecordedNumeric("spo2", "%", 0.5, np.array([97.0, 96.0, 95.0]))
    assert [samples.index for samples in numeric_samples(record(slow))] == [0, 2 * FS, 4 * FS]
    assert numeric_samples(record()) == ()
