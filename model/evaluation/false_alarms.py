"""False high-priority alarms, and the time in which an alarm would have been false.

- *Typed beats*: raised outside events of its kind, widened by `SLACK_S` before and the allowed delay after, and outside
  fibrillation; over the whole record without annotated noise.
- *Rhythm notes*: raised outside lethal rhythms, widened by `BEFORE_S` and `AFTER_S`, and outside annotated noise. There
  are no beats to measure rates, so an extreme tachycardia or bradycardia is not false in the rhythms of
  `RATE_RHYTHMS`.
- *Untyped beats*: raised more than `AFTER_S` before the first fibrillation, outside events of its kind. An upper bound:
  ventricular runs there are real but unlabelled.

Certainly false are alarms of *fibrillation over beats*: outside fibrillation and ventricular tachycardia, widened by
`AFTER_S` at both sides (where beats are untyped and there is one fibrillation: before it), when the reference has at
least two beats in the last `BEATS_S` at a mean rate below `MAX_RATE`. Its hours are the seconds of which this holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model.datasets.reference import Intervals
from model.evaluation.episodes import allowed_s
from model.evaluation.intervals import mask, union, widened
from model.evaluation.monitor_output import MonitorOutput
from model.evaluation.reference_events import ASYSTOLE_S, events_of
from model.evaluation.rhythm_notes import intervals_of
from model.evaluation.truth import ALARMS, Truth
from model.signal.arrays import BoolArray, FloatArray, IntArray
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind

KEYS: Mapping[AlarmKind, str] = {ALARMS[key][0]: key for key in ("asystole", "vt", "vf", "brady", "tachy")}
"""High-priority alarms and their keys in the report."""

SLACK_S = 0.15
"""Tolerance in seconds between detected and annotated beats, and so between detected and annotated events."""

BEFORE_S, AFTER_S = 5.0, 10.0
"""Widening of an annotated rhythm in seconds: notes of onsets are late, and alarms may be."""

RATE_RHYTHMS: Mapping[AlarmKind, frozenset[str]] = {
    "extreme_tachycardia": frozenset({"SVTA", "AFIB", "AFL"}),
    "extreme_bradycardia": frozenset({"SBR", "VER", "NOD", "BII", "B3"}),
}
"""Annotated rhythms that can be that fast or slow."""

BEATS_S, MAX_RATE = 4.0, 150.0


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """A high-priority alarm without its event."""

    record: str
    kind: AlarmKind
    at_s: float


def false_alarms(name: str, truth: Truth, output: MonitorOutput) -> tuple[tuple[FalseAlarm, ...], float]:
    """Return the false high-priority alarms of a record, and the hours in which they were counted."""
    counted = _counted(truth)
    found = tuple(
        FalseAlarm(name, kind, at / FS)
        for kind in KEYS
        if counted.any()
        for true in [mask(_true(truth, kind), truth.n)]
        for at, _ in output.alarms([kind])
        if counted[min(at, truth.n - 1)] and not true[min(at, truth.n - 1)]
    )
    return found, float(counted.sum()) / FS / 3600


def fibrillation_over_beats(truth: Truth, output: MonitorOutput) -> tuple[int, float]:
    """Return the number of alarms of fibrillation over reference beats, and the hours in which they were counted."""
    if truth.style == "untyped beats" and len(truth.reference.flutter) <= 1:
        outside = _before_onset(truth)
    else:
        around = round(AFTER_S * FS)
        outside = ~mask(widened(truth.rhythms.get("either", ()), around, around), truth.n)
    beats = truth.reference.outside_flutter().sample
    raised = np.array([at for at, _ in output.alarms(ALARMS["vf"])], np.int64)
    seconds = np.arange(FS // 2, truth.n, FS)
    alarms, time = (at[outside[np.minimum(at, truth.n - 1)]] for at in (raised, seconds))
    return int((rate_before(beats, alarms) < MAX_RATE).sum()), float((rate_before(beats, time) < MAX_RATE).sum()) / 3600


def rate_before(beats: IntArray, at: IntArray) -> FloatArray:
    """Return the mean rate of the beats in the last `BEATS_S` before some samples, 1/min; NaN with fewer than two."""
    last = np.searchsorted(beats, at, "right") - 1
    first = np.searchsorted(beats, at - round(BEATS_S * FS), "right")
    rate = np.full(len(at), np.nan)
    known = last > first
    last, first = last[known], first[known]
    rate[known] = 60.0 * FS * (last - first) / (beats[last] - beats[first])
    return rate


def _counted(truth: Truth) -> BoolArray:
    """Return at which samples an alarm can be false."""
    if truth.style == "no annotations":
        return np.zeros(truth.n, np.bool_)
    if truth.style == "untyped beats":
        return _before_onset(truth)
    excluded = truth.noise
    if truth.style == "rhythm notes":
        excluded = union(excluded, widened(truth.rhythms["lethal"], round(BEFORE_S * FS), round(AFTER_S * FS)))
    return ~mask(excluded, truth.n)


def _before_onset(truth: Truth) -> BoolArray:
    onset = truth.n if truth.onset is None else max(truth.onset - round(AFTER_S * FS), 0)
    return np.arange(truth.n) < onset


def _true(truth: Truth, kind: AlarmKind) -> Intervals:
    """Return the samples, first and end, at which an alarm of one kind is true."""
    if truth.style == "rhythm notes":
        rhythms = intervals_of(truth.notes, RATE_RHYTHMS.get(kind, ()))
        return widened(rhythms, round(BEFORE_S * FS), round(AFTER_S * FS))
    slack = round(SLACK_S * FS)
    intervals = [(event.first, event.stop) for event in events_of(truth.reference) if event.kind == kind]
    # A pause slightly shorter than the definition by the annotated beats can be long enough by the detected beats.
    if kind == "asystole":
        beats = truth.reference.outside_flutter().sample
        long = np.flatnonzero(np.diff(beats) > ASYSTOLE_S * FS - slack)
        intervals += [(int(beats[i]), int(beats[i + 1])) for i in long]
    after = round(allowed_s(kind, "typed beats") * FS) + 1
    return widened([*intervals, *truth.reference.flutter], slack, after)
