"""Rhythm events that follow from reference beats by the rules of the PhysioNet/CinC Challenge 2015.

Asystole: no beat for 4 s. Extreme bradycardia: five beats at less than 40/min. Extreme tachycardia: seventeen beats at
more than 140/min. Ventricular tachycardia: five or more ventricular beats in a row at more than 100/min. Ventricular
flutter: as annotated. Nobody annotates beats in flutter: no stretch of beats reaches across it. Stretches that meet a
rule and share beats are one event; it ends with the last beat of the last stretch. So a run of ventricular beats that
slows down below 100/min ends where five of them last were faster on the mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from model.evaluation.ec57_beats import Reference
from model.signal.arrays import IntArray
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind

ASYSTOLE_S = 4.0
SLOW_BEATS, SLOW_RATE = 5, 40.0
FAST_BEATS, FAST_RATE = 17, 140.0
VT_BEATS, VT_RATE = 5, 100.0

Stretches = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class RhythmEvent:
    """An event.

    Attributes
    ----------
    kind : str
    first : int
        Its first sample.
    met : int
        The sample at which the rule was met, from which a delay counts.
    stop : int
        Index after its last sample.
    """

    kind: AlarmKind
    first: int
    met: int
    stop: int


def events_of(reference: Reference) -> tuple[RhythmEvent, ...]:
    """Return the events of a record in the order of ``met``."""
    beats = reference.sample
    flutter = reference.flutter
    ventricular = np.array([label == "V" for label in reference.label], bool)
    found = [
        *_asystoles(beats, flutter),
        *_rates(beats, SLOW_BEATS, SLOW_RATE, "extreme_bradycardia", flutter),
        *_rates(beats, FAST_BEATS, FAST_RATE, "extreme_tachycardia", flutter),
        *_tachycardias(beats, ventricular, flutter),
        *(RhythmEvent("ventricular_fibrillation", first, first, stop) for first, stop in flutter),
    ]
    return tuple(sorted(found, key=lambda event: event.met))


def _asystoles(beats: IntArray, flutter: Stretches) -> list[RhythmEvent]:
    length = round(ASYSTOLE_S * FS)
    return [
        RhythmEvent("asystole", before, before + length, after)
        for before, after in pairwise(beats.tolist())
        if after - before > length and not any(first < after and before < stop for first, stop in flutter)
    ]


def _rates(beats: IntArray, count: int, rate: float, kind: AlarmKind, flutter: Stretches) -> list[RhythmEvent]:
    """Return the runs of windows of ``count`` beats whose rate is beyond a limit: below for slow, above for fast."""
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
        if found and int(beats[i]) < found[-1].stop:  # they share beats
            found[-1] = replace(found[-1], stop=stop)
        else:
            found.append(RhythmEvent(kind, int(beats[i]), int(beats[i + count - 1]), stop))
    return found


def _tachycardias(beats: IntArray, ventricular: npt.NDArray[np.bool_], flutter: Stretches) -> list[RhythmEvent]:
    found = []
    for i, j in _runs(ventricular):
        found += _rates(beats[i : j + 1], VT_BEATS, VT_RATE, "ventricular_tachycardia", flutter)
    return found


def _runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and last index of each run of True."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True))
