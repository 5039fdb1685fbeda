"""Models and a record for the tests of the worker."""

from __future__ import annotations

import pytest

from model.pipeline.analysis import Models, load_models
from stream.records.record import Record
from stream.records.synthetic import synthetic_patient


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models()


@pytest.fixture(scope="module")
def patient() -> Record:
    """The synthetic patient from 80 s to 110 s; long enough to learn, and with the first PVC."""
    whole = synthetic_patient()
    return Record(whole.name, whole.leads, whole.gain, whole.zero, whole.adu[80 * 360 : 110 * 360], True, whole.source)
