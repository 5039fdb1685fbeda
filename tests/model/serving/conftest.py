"""Models and a record for the tests of the worker."""

from __future__ import annotations

import numpy as np
import pytest

from model.pipeline.analysis import Models, load_models
from stream.records.record import Record, RecordedWave
from stream.records.synthetic.presets import synthetic_record
from tests.model.pulse_trains import every, pulse_wave


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models()


@pytest.fixture(scope="module")
def patient() -> Record:
    """30 s of the synthetic patient: long enough to learn, and with one PVC, at 23.3 s."""
    whole = synthetic_record()
    first = 154 * 360 + 180
    adu = whole.adu[first : first + 30 * 360]
    return Record(whole.name, whole.leads, whole.gain, whole.zero, adu, True, whole.source)


@pytest.fixture(scope="module")
def silent(patient: Record) -> Record:
    """Return a record whose ECG loses its beats from 20 s on, while the plethysmogram goes on."""
    adu = patient.adu.copy()
    adu[20 * 360 :] = np.random.default_rng(0).integers(-2, 3, (10 * 360, 2)) + adu[20 * 360]
    pleth = np.rint(5000 * pulse_wave(every(0.8, 29.9), 30)).astype(np.int16)
    wave = RecordedWave("pleth", "NU", 125.0, 5000.0, 0, pleth)
    return Record("silent", patient.leads, patient.gain, patient.zero, adu, True, "test", waves=(wave,))
