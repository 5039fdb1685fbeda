"""Annotations above the trace."""

from __future__ import annotations

import pytest

from monitor.view.annotations import NORMAL_BEAT
from monitor.view.frozen_trace import freeze, move
from monitor.view.presenter import DEFAULT_VIEW
from monitor.view.trace import AnnotationLabel, Trace
from stream.wire.alarm_notes import alarm_note
from stream.wire.messages import Annotation, Beat
from tests.monitor.message_samples import alarm, residual
from tests.monitor.view.scenario import Scenario
from tests.waveforms import SESSION


def note(index: int, symbol: str = "V", aux: str = "", session: str = SESSION) -> Annotation:
    return Annotation(bed="bed-1", session=session, index=index, symbol=symbol, aux=aux)


def beat(index: int, kind: str = "N") -> Beat:
    return Beat(bed="bed-1", session=SESSION, index=index, type=kind, rr_ms=800, quality=1.0)  # type: ignore[arg-type]


def trace(scenario: Scenario) -> Trace:
    made = scenario.frame().trace
    assert made is not None
    return made


def labels(scenario: Scenario) -> list[tuple[int, str, str]]:
    return [(label.index, label.text, label.row) for label in trace(scenario).annotations]


@pytest.mark.parametrize(
    ("symbol", "aux", "text", "row"),
    [
        ("N", "", NORMAL_BEAT, "reference"),
        ("V", "", "V", "reference"),
        ("A", "", "A", "reference"),
        ("F", "", "F", "reference"),
        ('"', alarm_note(alarm(0, kind="ventricular_tachycardia")), "[VT]", "rhythm"),
        ("+", "(AFIB", "AF", "rhythm"),
        ("+", "(AFIB\0", "AF", "rhythm"),
        ("+", "(VT", "VT", "rhythm"),
    ],
)
def test_a_reference_annotation_becomes_a_label(symbol: str, aux: str, text: str, row: str) -> None:
    assert labels(Scenario().stream(20).receive(note(500, symbol, aux))) == [(500, text, row)]


@pytest.mark.parametrize(("symbol", "aux"), [("+", ""), ('"', "MISSB"), ("+", "note"), ('"', alarm_note(residual(0)))])
def test_comments_have_no_label(symbol: str, aux: str) -> None:
    assert labels(Scenario().stream(20).receive(note(500, symbol, aux))) == []


@pytest.mark.parametrize(("kind", "text"), [("N", NORMAL_BEAT), ("S", "S"), ("V", "V"), ("Q", "?")])
def test_detected_beats_have_labels_of_their_own(kind: str, text: str) -> None:
    scenario = Scenario().stream(20).receive(beat(400, kind), note(500))
    assert labels(scenario) == [(400, text, "detected"), (500, "V", "reference")]


def test_without_a_reference_there_are_no_labels() -> None:
    made = trace(Scenario().stream(20).receive(beat(400, "V")))
    assert not made.annotated
    assert made.annotations == ()


def test_annotations_of_another_session_or_far_away_are_ignored() -> None:
    assert labels(Scenario().stream(20).receive(note(500, session="f" * 32), note(10**9))) == []


def test_a_new_session_starts_without_annotations() -> None:
    scenario = Scenario().stream(20).receive(note(500))
    scenario.next_seq = 0
    scenario.stream(5, session="f" * 32)
    assert not trace(scenario).annotated


def test_labels_are_numbered_in_order_of_arrival() -> None:
    annotations = trace(Scenario().stream(20).receive(note(500), beat(480), note(600))).annotations
    assert [(label.number, label.index) for label in annotations] == [(0, 500), (1, 480), (2, 600)]


def test_a_frozen_trace_has_the_labels_of_its_samples() -> None:
    scenario = Scenario().stream(20)
    for at in range(40):
        scenario.stream(10).receive(note(scenario.next_seq * 36 - 100, "V" if at == 3 else "N"))
    bed, now = scenario.presenter.bed("bed-1"), scenario.frame()
    assert bed is not None
    assert now.trace is not None
    back = move(freeze("bed-1", now.trace, now.now_ns, DEFAULT_VIEW), bed, 3000)
    assert all(back.trace.first <= label.index < back.trace.cursor for label in back.trace.annotations)
    assert [label.text for label in back.trace.annotations].count("V") == 1
    assert isinstance(back.trace.annotations[0], AnnotationLabel)
