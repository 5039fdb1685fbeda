"""What the annotations of a record say of its beats and rhythms, whatever the style of the database.

- *typed beats* (mitdb, svdb, nstdb): beats of several AAMI classes. Events are found in the reference beats
  (`model.evaluation.reference_events`).
- *untyped beats* (cudb): every beat is labelled N, and fibrillation lies between ``[`` and ``]``. Ventricular beats and
  runs are real there but unlabelled, so only fibrillation is an event, and beat types are not scored.
- *rhythm notes* (vfdb): no beats. Each note of a lethal rhythm is an event; one shorter than `MIN_EPISODE_S` need not
  meet any definition and is not counted, but an alarm in it is not false either.
- *no annotations*: nothing to compare with.

Notes of ventricular fibrillation or flutter count like the interval between ``[`` and ``]`` in every style. Atrial
fibrillation is known where a record has rhythm notes; its episodes count from `MIN_AF_S` (the 30 s of the guidelines,
Hindricks et al., Eur Heart J 2021;42:373).

Beats and atrial fibrillation are scored from 5:00 (EC57) in records of at least 10 min, in shorter ones from the start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from model.datasets.reference import Intervals, Reference, reference_of
from model.evaluation import rhythm_notes
from model.evaluation.ec57_beats import SCORED_FROM
from model.evaluation.intervals import union
from model.evaluation.reference_events import RhythmEvent, events_of
from model.evaluation.rhythm_notes import RhythmNote, intervals_of
from stream.records.record import Annotations, Record
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind

Style = Literal["typed beats", "untyped beats", "rhythm notes", "no annotations"]

ALARMS: Mapping[str, tuple[AlarmKind, ...]] = {
    "vf": ("ventricular_fibrillation",),
    "vt": ("ventricular_tachycardia",),
    "either": ("ventricular_fibrillation", "ventricular_tachycardia"),
    "asystole": ("asystole",),
    "lethal": ("ventricular_fibrillation", "ventricular_tachycardia", "asystole"),
    "brady": ("extreme_bradycardia",),
    "tachy": ("extreme_tachycardia",),
    "af": ("atrial_fibrillation",),
}
"""Scored rhythms and the alarm kinds that report each."""

MIN_EPISODE_S, MIN_AF_S = 4.0, 30.0
SHORT_RECORD = 600 * FS
"""Records shorter than this are scored from their start."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The annotations of a record.

    Attributes
    ----------
    n : int
        Samples of the record.
    style : str
    reference : Reference
        Beats, and intervals of fibrillation.
    events : dict of str to tuple of RhythmEvent
        By the keys of `ALARMS`, in ascending order; a key is missing if the style does not tell.
    rhythms : dict of str to tuple of (int, int)
        Time in each rhythm, for the same keys; of events in beats from when the definition is met.
    notes : tuple of RhythmNote
    scored_from : int
        First sample from which beats and atrial fibrillation are scored.
    """

    n: int
    style: Style
    reference: Reference
    events: Mapping[str, tuple[RhythmEvent, ...]] = field(default_factory=dict)
    rhythms: Mapping[str, Intervals] = field(default_factory=dict)
    notes: tuple[RhythmNote, ...] = ()
    scored_from: int = SCORED_FROM

    @property
    def noise(self) -> Intervals:
        """Intervals annotated as noise."""
        return intervals_of(self.notes, rhythm_notes.NOISE)

    @property
    def onset(self) -> int | None:
        """First sample of the first fibrillation; None if there is none."""
        return self.reference.flutter[0][0] if self.reference.flutter else None


def truth_of(record: Record, *, types_known: bool = True) -> Truth:
    """Return what the annotations of a record say.

    Parameters
    ----------
    record : Record
    types_known : bool
        Whether beats that are all N without any fibrillation were judged as normal; False in a folder where all beats
        of all records are N, as in cudb.
    """
    return truth_of_annotations(record.annotations, record.n, record.n, types_known=types_known)


def truth_of_annotations(annotations: Annotations | None, n: int, record_n: int, *, types_known: bool = True) -> Truth:
    """Return what annotations say of the first samples of a record.

    Parameters
    ----------
    annotations : Annotations or None
    n : int
        Samples that are scored.
    record_n : int
        Samples of the whole record, which decide where the scoring begins.
    types_known : bool
        As in `truth_of`.
    """
    nothing = Truth(n, "no annotations", Reference(np.empty(0, np.int64), ()))
    if annotations is None:
        return nothing
    notes = rhythm_notes.rhythm_notes(annotations, n)
    reference = reference_of(annotations.sample, annotations.symbol, n)
    fibrillation = union(reference.flutter, intervals_of(notes, rhythm_notes.FIBRILLATION))
    reference = replace(reference, flutter=fibrillation)
    style = _style(reference, notes, types_known)
    if style == "no annotations":
        return nothing
    if style == "typed beats":
        found = events_of(reference)
        rhythms: dict[str, Intervals] = {
            key: union((event.met, event.stop) for event in found if event.kind in ALARMS[key])
            for key in ("vf", "vt", "either", "asystole", "lethal")
        }
        events = {
            key: tuple(event for event in found if event.kind in ALARMS[key])
            for key in ("vf", "vt", "either", "asystole", "brady", "tachy")
        }
    elif style == "untyped beats":
        rhythms = dict.fromkeys(("vf", "either", "lethal"), fibrillation)
        events = dict.fromkeys(("vf", "either"), _episodes("ventricular_fibrillation", fibrillation, 0))
    else:
        tachycardia = intervals_of(notes, rhythm_notes.TACHYCARDIA)
        asystole = intervals_of(notes, rhythm_notes.ASYSTOLE)
        rhythms = {
            "vf": fibrillation,
            "vt": tachycardia,
            "either": union(fibrillation, tachycardia),
            "asystole": asystole,
            "lethal": union(fibrillation, tachycardia, asystole),
        }
        events = {
            key: _episodes(ALARMS[key][0], rhythms[key], MIN_EPISODE_S) for key in ("vf", "vt", "either", "asystole")
        }
    if notes:
        rhythms["af"] = intervals_of(notes, rhythm_notes.ATRIAL_FIBRILLATION)
        events["af"] = _episodes("atrial_fibrillation", rhythms["af"], MIN_AF_S)
    since = SCORED_FROM if record_n >= SHORT_RECORD else 0
    return Truth(n, style, reference, events, rhythms, notes, since)


def _style(reference: Reference, notes: Sequence[RhythmNote], types_known: bool) -> Style:
    if not len(reference.sample):
        return "rhythm notes" if notes or reference.flutter else "no annotations"
    all_normal = set(reference.label) == {"N"}
    return "untyped beats" if all_normal and (reference.flutter or not types_known) else "typed beats"


def _episodes(kind: AlarmKind, intervals: Intervals, shortest_s: float) -> tuple[RhythmEvent, ...]:
    return tuple(
        RhythmEvent(kind, first, first, stop) for first, stop in intervals if stop - first >= round(shortest_s * FS)
    )
