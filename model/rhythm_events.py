"""Rhythm events that follow from reference beats by the rules of the PhysioNet/CinC Challenge 2015.

Asystole: no beat for 4 s. Extreme bradycardia: five beats at less than 40/min. Extreme tachycardia: seventeen beats at
more than 140/min. Ventricular tachycardia: five or more ventricular beats in a row at more than 100/min. Ventricular
flutter: as annotated. Stretches that meet a rule and share beats are one event.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from model.beat_scores import Reference
from stream.alarm_messages import AlarmKind
from stream.messages import FS

ASYSTOLE_S = 4.0
SLOW_BEATS, SLOW_RATE = 5, 40.0
FAST_BEATS, FAST_RATE = 17, 140.0
VT_BEATS, VT_RATE = 5, 100.0

Ints = npt.NDArray[np.int64]


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
    rates = [
        *_rates(beats, SLOW_BEATS, SLOW_RATE, "extreme_bradycardia"),
        *_rates(beats, FAST_BEATS, FAST_RATE, "extreme_tachycardia"),
    ]
    found = [
        *_asystoles(beats, reference.flutter),
        # Nobody annotates beats in flutter: no rate is known across it.
        *(e for e in rates if not any(first < e.stop and e.first < stop for first, stop in reference.flutter)),
        *_tachycardias(beats, np.array([label == "V" for label in reference.label], bool)),
        *(RhythmEvent("ventricular_fibrillation", first, first, stop) for first, stop in reference.flutter),
    ]
    return tuple(sorted(found, key=lambda event: event.met))


def _asystoles(beats: Ints, flutter: tuple[tuple[int, int], ...]) -> list[RhythmEvent]:
    length = round(ASYSTOLE_S * FS)
    return [
        RhythmEvent("asystole", before, before + length, after)
        for before, after in pairwise(beats.tolist())
        if after - before > length and not any(first < after and before < stop for first, stop in flutter)
    ]


def _rates(beats: Ints, count: int, rate: float, kind: AlarmKind) -> list[RhythmEvent]:
    """Return the runs of windows of ``count`` beats whose rate is beyond a limit: below for slow, above for fast."""
    if len(beats) < count:
        return []
    spans = beats[count - 1 :] - beats[: len(beats) - count + 1]
    per_min = 60.0 * FS * (count - 1) / spans
    beyond = per_min < rate if kind == "extreme_bradycardia" else per_min > rate
    found: list[RhythmEvent] = []
    for i, j in _runs(beyond):
        stop = int(beats[j + count - 1]) + 1
        if found and int(beats[i]) < found[-1].stop:  # they share beats
            found[-1] = replace(found[-1], stop=stop)
        else:
            found.append(RhythmEvent(kind, int(beats[i]), int(beats[i + count - 1]), stop))
    return found


def _tachycardias(beats: Ints, ventricular: npt.NDArray[np.bool_]) -> list[RhythmEvent]:
    found = []
    for i, j in _runs(ventricular):
        found += _rates(beats[i : j + 1], VT_BEATS, VT_RATE, "ventricular_tachycardia")
    return found


def _runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and last index of each run of True."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True))
