"""Annotations above the trace: those of the record, and the beats that the worker detects. No Qt.

Of a record that `bedside record` has written they are what the monitor of then reported; its alarms stand in brackets.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Literal

from monitor.view.display_texts import english, short_kind_phrase
from monitor.view.trace import AnnotationLabel
from stream.wire.alarm_messages import ADVISORIES
from stream.wire.alarm_notes import noted_alarm
from stream.wire.messages import Annotation, Beat

Row = Literal["reference", "rhythm", "detected"]

ROWS: tuple[Row, ...] = ("rhythm", "reference", "detected")
"""Rows of annotations, from top to bottom."""

NORMAL_BEAT = "·"
"""Text of a normal beat; normal beats are too frequent for letters."""

_ABBREVIATIONS = {"AFIB": "AF"}
_NOT_SHOWN = frozenset({"+", '"'})
"""MIT-BIH codes without a label: comments, and rhythm changes without a rhythm code."""

_MAX_ANNOTATIONS = 6000
_MAX_RECENT = 256
"""Number of recent annotations: more than two rows of beats on the widest sweep."""


class SessionAnnotations:
    """Annotations of one session, in order of arrival.

    Attributes
    ----------
    annotated : bool
        True once a reference annotation was received.
    recent : tuple of AnnotationLabel
        The latest.
    """

    def __init__(self) -> None:
        self.annotated = False
        self.recent: tuple[AnnotationLabel, ...] = ()
        self._all: deque[AnnotationLabel] = deque(maxlen=_MAX_ANNOTATIONS)
        self._count = 0

    def add_annotation(self, annotation: Annotation) -> None:
        """Add a reference annotation of a beat or of a rhythm change, or an alarm of a recording."""
        self.annotated = True
        rhythm = rhythm_code(annotation) or _alarm_name(annotation)
        if rhythm:
            self._add(annotation.index, rhythm, "rhythm")
        elif annotation.symbol not in _NOT_SHOWN:
            self._add(annotation.index, NORMAL_BEAT if annotation.symbol == "N" else annotation.symbol, "reference")

    def add_beat(self, beat: Beat) -> None:
        """Add a detected beat; the text of an unknown type is ``?``."""
        self._add(beat.index, {"N": NORMAL_BEAT, "Q": "?"}.get(beat.type, beat.type), "detected")

    def between(self, first: int, stop: int) -> tuple[AnnotationLabel, ...]:
        """Return the annotations of the samples ``first`` to ``stop - 1``."""
        return tuple(label for label in self._all if first <= label.index < stop)

    def _add(self, index: int, text: str, row: Row) -> None:
        self._all.append(AnnotationLabel(self._count, index, text, row))
        self._count += 1
        self.recent = tuple(islice(self._all, max(len(self._all) - _MAX_RECENT, 0), None))


def _alarm_name(annotation: Annotation) -> str:
    """Return the short name of the alarm that a comment of a recording notes; else, and for advisories, empty."""
    kind = noted_alarm(annotation.aux) if annotation.symbol == '"' else None
    return "" if kind is None or kind in ADVISORIES else f"[{english(short_kind_phrase(kind))}]"


def rhythm_code(annotation: Annotation) -> str:
    """Return the short code of the rhythm that an annotation starts, such as ``AF`` for ``(AFIB``; else empty."""
    if annotation.symbol != "+" or not annotation.aux.startswith("("):
        return ""
    code = annotation.aux[1:].strip("\0 ")
    return _ABBREVIATIONS.get(code, code)
