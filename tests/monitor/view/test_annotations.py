"""Which annotations stand over the beats."""

from __future__ import annotations

import pytest

from monitor.view.annotations import DOT
from monitor.view.frozen_trace import freeze, move
from monitor.view.presenter import VIEW
from monitor.view.trace import AnnotationLabel, Trace
from stream.wire.messages import Annotation, Beat
from tests.monitor.view.story import Story
from tests.waveforms import SESSION


def note(index: int, symbol: str = "V", aux: str = "", session: str = SESSION) -> Annotation:
    return Annotation(bed="bed-1", session=session, index=index, symbol=symbol, aux=aux)


def beat(index: int, kind: str = "N") -> Beat:
    return Beat(bed="bed-1", session=SESSION, index=index, type=kind, rr_ms=800, quality=1.0)  # type: ignore[arg-type]


def trace(story: Story) -> Trace:
    made = story.frame().trace
    assert made is not None
    return made


def seen(story: Story) -> list[tuple[int, str, str]]:
    return [(label.index, label.text, label.row) for label in trace(story).annotations]


@pytest.mark.parametrize(
    ("symbol", "aux", "text", "row"),
    [
        ("N", "", DOT, "reference"),
        ("V", "", "V", "reference"),
        ("A", "", "A", "reference"),
        ("F", "", "F", "reference"),
        ("+", "(AFIB", "AF", "rhythm"),
        ("+", "(AFIB\0", "AF", "rhythm"),
        ("+", "(VT", "VT", "rhythm"),
    ],
)
def test_a_reference_is_told_in_few_letters(symbol: str, aux: str, text: str, row: str) -> None:
    assert seen(Story().stream(20).say(note(500, symbol, aux))) == [(500, text, row)]


@pytest.mark.parametrize(("symbol", "aux"), [("+", ""), ('"', "MISSB"), ("+", "note")])
def test_what_is_neither_beat_nor_rhythm_has_no_mark(symbol: str, aux: str) -> None:
    assert seen(Story().stream(20).say(note(500, symbol, aux))) == []


@pytest.mark.parametrize(("kind", "text"), [("N", DOT), ("S", "S"), ("V", "V"), ("Q", "?")])
def test_beside_the_reference_stands_what_was_detected(kind: str, text: str) -> None:
    story = Story().stream(20).say(beat(400, kind), note(500))
    assert seen(story) == [(400, text, "detected"), (500, "V", "reference")]


def test_without_a_reference_there_are_no_rows() -> None:
    made = trace(Story().stream(20).say(beat(400, "V")))
    assert not made.annotated
    assert made.annotations == ()


def test_marks_of_another_session_or_from_nowhere_have_no_place() -> None:
    assert seen(Story().stream(20).say(note(500, session="f" * 32), note(10**9))) == []


def test_a_new_session_begins_without_marks() -> None:
    story = Story().stream(20).say(note(500))
    story.next_seq = 0
    story.stream(5, session="f" * 32)
    assert not trace(story).annotated


def test_marks_are_numbered_as_they_come() -> None:
    annotations = trace(Story().stream(20).say(note(500), beat(480), note(600))).annotations
    assert [(label.number, label.index) for label in annotations] == [(0, 500), (1, 480), (2, 600)]


def test_whoever_goes_back_sees_the_marks_of_that_time() -> None:
    story = Story().stream(20)
    for at in range(40):
        story.stream(10).say(note(story.next_seq * 36 - 100, "V" if at == 3 else "N"))
    bed, now = story.presenter.bed("bed-1"), story.frame()
    assert bed is not None
    assert now.trace is not None
    back = move(freeze("bed-1", now.trace, now.now_ns, VIEW), bed, 3000)
    assert all(back.trace.first <= label.index < back.trace.cursor for label in back.trace.annotations)
    assert [label.text for label in back.trace.annotations].count("V") == 1
    assert isinstance(back.trace.annotations[0], AnnotationLabel)
