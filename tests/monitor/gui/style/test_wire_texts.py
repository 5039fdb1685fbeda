"""What comes in English from below or over the wire has a template, whatever its values."""

from __future__ import annotations

from typing import get_args

import pytest

from model.conditions.texts import BEGAN, WAS, began_text, ended_text, replaced_text
from monitor.gui.style.wire_texts import _patterns
from monitor.view.presenter import NOTICES
from monitor.view.view_model import LinkState
from stream.wire.alarm_messages import AlarmKind
from stream.wire.messages import Rhythm


def known(text: str) -> bool:
    """Return whether some template can say this."""
    return any(pattern.fullmatch(text) for _, pattern in _patterns())


def template_of(text: str) -> str:
    return next(template for template, pattern in _patterns() if pattern.fullmatch(text))


@pytest.mark.parametrize("kind", get_args(AlarmKind))
def test_each_kind_of_alarm_has_words(kind: AlarmKind) -> None:
    assert known(kind.replace("_", " "))
    if kind in BEGAN:
        assert known(began_text(kind, 131.4, 120.0, 17))
        assert known(began_text(kind, 120.2, 120.0, 17))
    if kind in WAS:
        for why in (None, "switched off", replaced_text("ventricular_tachycardia")):
            assert known(ended_text(kind, 131.4, 120.0, 17, 12.3, why))


def test_each_state_and_rhythm_has_words() -> None:
    for rhythm in set(get_args(Rhythm)) - {"unknown"}:
        assert known(rhythm)
    for state in LinkState:
        assert known(state.value)
        if state is not LinkState.WAITING:
            assert known(f"{state.value} 7 s")
            assert known(f"{state.value} 0.1 s")
    for notice in NOTICES.values():
        assert known(notice)


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("Ventricular tachycardia: 5 beats at 182/min", "Ventricular tachycardia: {beats} beats at {value}/min"),
        (
            "PVC run: up to 5 in a row, up to 195/min; became ventricular tachycardia",
            "{what}; {why}",
        ),
        (
            "Waveform left its forecast: observed -1.58 mV where -0.28 mV was expected (MLII, 31 ms ahead)",
            "Waveform left its forecast: observed {observed} mV where {predicted} mV was expected "
            "({lead}, {ahead} ms ahead)",
        ),
        ("connected to mqtt://ward:1883", "connected to {address}"),
        ("Lead off: MLII and V1", "Lead off: {leads}"),
    ],
)
def test_the_closest_template_is_found(text: str, template: str) -> None:
    assert template_of(text) == template


def test_a_name_that_a_person_typed_is_no_phrase() -> None:
    assert not known("asystole?")
    assert not known("mitdb/208")
