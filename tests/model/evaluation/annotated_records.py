"""Short annotated records of each style, and monitors that know the answer, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.beats.beat import Beat
from model.conditions.changes import Began, Change, Ended
from model.evaluation.monitor_output import MonitorOutput
from model.evaluation.truth import ALARMS, Truth
from stream.records.record import Annotations, Record
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind
from stream.wire.messages import Rhythm

Mark = tuple[float, str, str]
"""Time in s, symbol, aux."""


def record(seconds: float, marks: Sequence[Mark]) -> Record:
    """Return a flat record with annotations."""
    ordered = sorted(marks)
    at = np.array([round(s * FS) for s, _, _ in ordered], np.int64)
    annotations = Annotations(at, tuple(code for _, code, _ in ordered), tuple(aux for _, _, aux in ordered))
    adu = np.zeros((round(seconds * FS), 1), np.int16)
    return Record("patient", ("MLII",), (200.0,), (0,), adu, True, "test", annotations)


def beats(first: float, stop: float, rr: float = 0.8, code: str = "N") -> list[Mark]:
    """Return equally spaced beats."""
    return [(float(s), code, "") for s in np.arange(first, stop, rr)]


def rhythm(at: float, name: str) -> Mark:
    """Return a rhythm note."""
    return (at, "+", f"({name}")


def notes_only() -> Record:
    """Return 10 min as in vfdb: VT from 60 to 70 s, VF from 100 to 160 s, noise to 180 s, asystole 300 to 320 s."""
    names = {0: "N", 60: "VT", 70: "N", 100: "VF", 130: "VFL", 160: "NOISE", 180: "N", 300: "ASYS", 320: "N"}
    return record(600, [rhythm(at, name) for at, name in names.items()])


def untyped() -> Record:
    """Return 8 min as in cudb: beats at 75/min labelled N, fibrillation from 400 to 450 s."""
    return record(480, [*beats(1, 400), (400, "[", ""), (450, "]", ""), *beats(450.5, 480)])


def typed() -> Record:
    """Return 11 min as in mitdb: beats at 75/min, from 500 s a VT of ten beats, from 520 s a pause of 6 s."""
    marks = [*beats(1, 500), *beats(500, 504.5, 0.45, "V"), *beats(505, 520), *beats(526, 659)]
    return record(660, [rhythm(0.5, "N"), *marks])


def silent(n: int) -> MonitorOutput:
    """Return the output of a monitor that finds nothing."""
    return MonitorOutput(n, (), (), ())


def alarm(kind: AlarmKind, first_s: float, stop_s: float) -> list[Change]:
    """Return one alarm."""
    first, stop = round(first_s * FS), round(stop_s * FS)
    return [Began(kind, first, first, "rule_met"), Ended(kind, first, stop, stop, "rule_no_longer_met")]


def with_alarms(n: int, *changes: Change) -> MonitorOutput:
    """Return the output of a monitor with some alarms."""
    return MonitorOutput(n, (), (), tuple(sorted(changes, key=lambda change: change.at)))


def oracle(truth: Truth, late_s: float = 0.0) -> MonitorOutput:
    """Return the output of a monitor that raises exactly the annotated rhythms, all of them ``late_s`` later."""
    late = round(late_s * FS)
    changes: list[Change] = []
    for key in ("vf", "vt", "asystole", "brady", "tachy"):
        spans = truth.rhythms.get(key, ()) if key in truth.rhythms else _spans(truth, key)
        for first, stop in spans:
            changes.append(Began(ALARMS[key][0], first, first + late, "rule_met"))
            changes.append(Ended(ALARMS[key][0], first, stop, stop + late, "rule_no_longer_met"))
    fibrillation = truth.rhythms.get("af", ())
    seconds: list[tuple[int, Rhythm]] = []
    for last in range(FS - 1, truth.n, FS):
        inside = any(first <= last - FS // 2 < stop for first, stop in fibrillation)
        seconds.append((last, "atrial fibrillation" if inside else "sinus"))
    found = tuple(
        Beat(at, at + 60, "V" if label == "V" else "N", None, 1.0)
        for at, label in zip(truth.reference.sample.tolist(), truth.reference.label, strict=True)
    )
    changes.sort(key=lambda change: (change.at, isinstance(change, Began)))
    return MonitorOutput(truth.n, found, tuple(seconds), tuple(changes))


def _spans(truth: Truth, key: str) -> list[tuple[int, int]]:
    return [(event.met, event.stop) for event in truth.events.get(key, ())]
