"""Errors of `msgspec` as key, value and choices."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stream.scenario.scenario import Scenario
from stream.wire.replay_actions import SetRhythm, SetVitals
from stream.wire.validation_errors import split, unknown_choice


def error_of(values: dict[str, Any], root: Any) -> str:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(values, root)
    return str(caught.value)


def test_a_choice_that_does_not_exist_is_named_with_those_that_do() -> None:
    error = error_of({"do": "set_rhythm", "rhythm": "sinus"}, SetRhythm)
    assert split(error)[1] == "rhythm"
    value, words = unknown_choice(error, SetRhythm) or ("", "")
    assert value == "sinus"
    assert words.startswith("'sinus' is not known: one of AFIB, ")


def test_a_key_that_is_a_choice_is_named_too() -> None:
    error = error_of({"do": "set_vitals", "values": {"spo": 82}}, SetVitals)
    assert split(error)[1] == "values"
    value, words = unknown_choice(error, SetVitals) or ("", "")
    assert value == "spo"
    assert words.startswith("'spo' is not known: one of abp_diastolic, ")


def test_another_error_is_none_of_a_choice() -> None:
    assert unknown_choice(error_of({}, Scenario), Scenario) is None
    assert unknown_choice(error_of({"do": "set_rhythm", "rhythm": "VF", "rate": 900}, SetRhythm), SetRhythm) is None
