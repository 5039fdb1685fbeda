"""Annotations over the beats: those of the reference, and the beats that the worker detected. No Qt."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Literal

from monitor.view.trace import AnnotationLabel
from stream.wire.messages import Annotation, Beat

Row = Literal["reference", "rhythm", "detected"]

ROWS: tuple[Row, ...] = ("rhythm", "reference", "detected")
"""From the top down."""

DOT = "·"
"""A normal beat: of it there are too many for letters."""

_SHORT = {"AFIB": "AF"}
_UNSEEN = frozenset({"+", '"'})
"""Annotations that are neither a beat nor a note on the signal; a change of rhythm has its note."""

_KEPT = 6000
_RECENT = 256
"""More than two rows of beats on the widest sweep."""


class SessionAnnotations:
    """The annotations of one session, in the order in which they came.

    Attributes
    ----------
    annotated : bool
        True once a reference annotation has come.
    recent : tuple of AnnotationLabel
        The last ones.
    """

    def __init__(self) -> None:
        self.annotated = False
        self.recent: tuple[AnnotationLabel, ...] = ()
        self._all: deque[AnnotationLabel] = deque(maxlen=_KEPT)
        self._count = 0

    def add_annotation(self, annotation: Annotation) -> None:
        """Add an annotation of a beat, or of the rhythm from here on."""
        self.annotated = True
        rhythm = rhythm_of(annotation)
        if rhythm:
            self._put(annotation.index, rhythm, "rhythm")
        elif annotation.symbol not in _UNSEEN:
            self._put(annotation.index, DOT if annotation.symbol == "N" else annotation.symbol, "reference")

    def add_beat(self, beat: Beat) -> None:
        """Add a detected beat; one of unknown type is a question mark."""
        self._put(beat.index, {"N": DOT, "Q": "?"}.get(beat.type, beat.type), "detected")

    def between(self, first: int, stop: int) -> tuple[AnnotationLabel, ...]:
        """Return the annotations of the samples ``first`` to ``stop - 1``."""
        return tuple(label for label in self._all if first <= label.index < stop)

    def _put(self, index: int, text: str, row: Row) -> None:
        self._all.append(AnnotationLabel(self._count, index, text, row))
        self._count += 1
        self.recent = tuple(islice(self._all, max(len(self._all) - _RECENT, 0), None))


def rhythm_of(annotation: Annotation) -> str:
    """Return the rhythm that begins with an annotation, in few letters, such as ``AF`` for ``(AFIB``; else nothing."""
    if annotation.symbol != "+" or not annotation.aux.startswith("("):
        return ""
    code = annotation.aux[1:].strip("\0 ")
    return _SHORT.get(code, code)
