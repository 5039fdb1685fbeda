"""Rhythm notes of WFDB annotations: ``(VT`` lasts until the next note that begins with a bracket, or until the end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from model.datasets.reference import Intervals
from model.evaluation.intervals import union
from stream.records.record import Annotations

FIBRILLATION = frozenset({"VF", "VFIB", "VFL"})
"""Ventricular fibrillation and flutter; vfdb uses all three names."""

TACHYCARDIA = frozenset({"VT"})
ASYSTOLE = frozenset({"ASYS"})
ATRIAL_FIBRILLATION = frozenset({"AFIB", "AF"})
"""cudb writes AF."""

ATRIAL_FLUTTER = frozenset({"AFL"})
NOISE = frozenset({"NOISE"})


@dataclass(frozen=True, slots=True)
class RhythmNote:
    """An annotated rhythm: its name without the bracket, its first sample and its end, exclusive."""

    rhythm: str
    first: int
    stop: int


def rhythm_notes(annotations: Annotations, n: int) -> tuple[RhythmNote, ...]:
    """Return the annotated rhythms of a record of ``n`` samples."""
    changes = sorted(
        (int(at), aux[1:].strip())
        for at, aux in zip(annotations.sample, annotations.aux, strict=True)
        if aux[:1] == "(" and at < n
    )
    return tuple(RhythmNote(rhythm, at, stop) for (at, rhythm), (stop, _) in pairwise([*changes, (n, "")]))


def intervals_of(notes: Sequence[RhythmNote], rhythms: Collection[str]) -> Intervals:
    """Return the intervals annotated with one of some rhythms; those that touch are one."""
    return union((note.first, note.stop) for note in notes if note.rhythm in rhythms)
