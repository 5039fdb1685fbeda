"""Every scenario that ships, with its alarms, twice: ``make scenarios``. Minutes; not part of the other tests."""

from __future__ import annotations

import pytest

from model.pipeline.analysis import Models, load_models
from tests.scenarios.watched import EXPECTED, alarms_of, as_bytes, problems, sent_by


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", EXPECTED)
def test_a_scenario_is_the_same_twice_and_raises_its_alarms(models: Models, name: str) -> None:
    once = sent_by(name)
    assert as_bytes(once) == as_bytes(sent_by(name))
    assert not problems(name, alarms_of(models, once))
