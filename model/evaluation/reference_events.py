"""Rhythm events in the reference beats, by the definitions of the PhysioNet/CinC Challenge 2015.

- Asystole: no beat for 4 s.
- Extreme bradycardia: five beats at less than 40/min.
- Extreme tachycardia: seventeen beats at more than 140/min.
- Ventricular tachycardia: five or more consecutive ventricular beats at more than 100/min.
- Ventricular flutter: as annotated.

Flutter intervals contain no annotated beats, so no event extends across one. Overlapping groups of beats that meet a
definition form one event, which ends with the last beat of the last group. A run of ventricular beats that slows down
below 100/min therefore ends with the last five beats whose mean rate was higher.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from model.datasets.reference import Intervals, Reference
from model.signal.arrays import BoolArray, IntArray
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind

ASYSTOLE_S = 4.0
SLOW_BEATS, SLOW_RATE = 5, 40.0
FAST_BEATS, FAST_RATE = 17, 140.0
VT_BEATS, VT_RATE = 5, 100.0


@dataclass(frozen=True, slots=True)
class RhythmEvent:
    """A rhythm event.

    Attributes
    ----------
    kind : str
        The alarm kind that should report it.
    first : int
        Its first sample.
    met : int
        The sample at which the definition was met; alarm delays are measured from it.
    stop : int
        End sample, exclusive.
    """

    kind: AlarmKind
    first: int
    met: int
    stop: int


def events_of(reference: Reference) -> tuple[RhythmEvent, ...]:
    """Return the events of a record, sorted by ``met``."""
    reference = reference.outside_flutter()
    beats, flutter = reference.sample, reference.flutter
    found = [
        *_asystoles(beats, flutter),
        *_rate_events(beats, SLOW_BEATS, SLOW_RATE, "extreme_bradycardia", flutter),
        *_rate_events(beats, FAST_BEATS, FAST_RATE, "extreme_tachycardia", flutter),
        *_tachycardias(beats, reference.is_label("V"), flutter),
        *(RhythmEvent("ventricular_fibrillation", first, first, stop) for first, stop in flutter),
    ]
    return tuple(sorted(found, key=lambda event: event.met))


def _asystoles(beats: IntArray, flutter: Intervals) -> list[RhythmEvent]:
    length = round(ASYSTOLE_S * FS)
    return [
        RhythmEvent("asystole", before, before + length, after)
        for before, after in pairwise(beats.tolist())
        if after - before > length and not any(first < after and before < stop for first, stop in flutter)
    ]


def _rate_events(beats: IntArray, count: int, rate: float, kind: AlarmKind, flutter: Intervals) -> list[RhythmEvent]:
    """Return the events in which ``count`` beats are slower (bradycardia) or faster than ``rate`` per minute."""
    if len(beats) < count:
        return []
    firsts, lasts = beats[: len(beats) - count + 1], beats[count - 1 :]
    per_min = 60.0 * FS * (count - 1) / (lasts - firsts)
    beyond = per_min < rate if kind == "extreme_bradycardia" else per_min > rate
    for first, stop in flutter:
        beyond &= (lasts < first) | (firsts >= stop)
    found: list[RhythmEvent] = []
    for i, j in _runs(beyond):
        stop = int(beats[j + count - 1]) + 1
        if found and int(beats[i]) < found[-1].stop:  # the groups share beats
            found[-1] = replace(found[-1], stop=stop)
        else:
            found.append(RhythmEvent(kind, int(beats[i]), int(beats[i + count - 1]), stop))
    return found


def fast_runs(beats: IntArray, ectopic: BoolArray, flutter: Intervals) -> Intervals:
    """Return where five or more consecutive ectopic beats of any origin are faster than 100/min, outside flutter.

    Parameters
    ----------
    beats : ndarray of int64, shape (k,)
        Samples of the R peaks.
    ectopic : ndarray of bool, shape (k,)
    flutter : tuple of (int, int)
    """
    return tuple((run.first, run.stop) for run in _tachycardias(beats, ectopic, flutter))


def _tachycardias(beats: IntArray, ventricular: BoolArray, flutter: Intervals) -> list[RhythmEvent]:
    found = []
    for i, j in _runs(ventricular):
        found += _rate_events(beats[i : j + 1], VT_BEATS, VT_RATE, "ventricular_tachycardia", flutter)
    return found


def _runs(flags: BoolArray) -> list[tuple[int, int]]:
    """Return first and last index of each run of True."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True))
