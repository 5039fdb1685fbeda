"""The figures of beats, rhythm and alarms, and how they are printed; they come from `model.evaluation.alarm_scores`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from model.datasets.mitdb import DS1, DS2
from model.evaluation.ec57_beats import BeatScores
from stream.wire.alarm_messages import AlarmKind

SHORT: dict[AlarmKind, str] = {
    "asystole": "asystole",
    "ventricular_tachycardia": "vt",
    "ventricular_fibrillation": "flutter",
    "extreme_bradycardia": "brady",
    "extreme_tachycardia": "tachy",
}
"""The high-priority alarms that are scored, and their keys."""

ALLOWED_S = {"asystole": 1.0, "vt": 3.0, "flutter": 10.0, "brady": 1.0, "tachy": 1.0}
"""Seconds after the rule is met within which the alarm must come."""


@dataclass(frozen=True, slots=True)
class EventScore:
    """How the events of one kind were found; delays in s.

    Attributes
    ----------
    events, found : int
    by_graver : int
        Those of the found ones that were told only by a graver kind, which speaks for this one.
    delay_s_max : float
    """

    events: int = 0
    found: int = 0
    by_graver: int = 0
    delay_s_max: float = math.nan

    def __add__(self, other: EventScore) -> EventScore:
        delays = [d for d in (self.delay_s_max, other.delay_s_max) if not math.isnan(d)]
        return EventScore(
            self.events + other.events,
            self.found + other.found,
            self.by_graver + other.by_graver,
            max(delays, default=math.nan),
        )


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """A high-priority alarm where none should be."""

    record: str
    kind: AlarmKind
    at_s: float


@dataclass(frozen=True)
class RecordScore:
    """One record of MIT-BIH.

    Attributes
    ----------
    beats : BeatScores
    af : ndarray of int64, shape (2, 2)
        Seconds: annotated as atrial fibrillation or not, told or not.
    events : dict of str to EventScore
        By the keys of `ALLOWED_S`.
    false : tuple of FalseAlarm
    hours : float
    """

    beats: BeatScores
    af: npt.NDArray[np.int64]
    events: dict[str, EventScore]
    false: tuple[FalseAlarm, ...]
    hours: float


@dataclass(frozen=True)
class ChallengeScore:
    """Alarms of the challenge's records, told true or false: (TP + TN) / (TP + TN + FP + 5 FN)."""

    tp: int = 0
    tn: int = 0
    fp: int = 0
    fn: int = 0

    @property
    def score(self) -> float:
        """The challenge's score, 0 to 1."""
        total = self.tp + self.tn + self.fp + 5 * self.fn
        return (self.tp + self.tn) / total if total else math.nan

    def __add__(self, other: ChallengeScore) -> ChallengeScore:
        return ChallengeScore(self.tp + other.tp, self.tn + other.tn, self.fp + other.fp, self.fn + other.fn)


@dataclass(frozen=True)
class AlarmReport:
    """Scores of everything.

    Attributes
    ----------
    records : dict of str to RecordScore
    challenge : dict of str to ChallengeScore
        By the kind of alarm; empty where the records are not there.
    vfdb : dict of str to (float, float, float)
        By kind of alarm, or ``either`` tachycardia or fibrillation: sensitivity and specificity by time, and hours.
    """

    records: dict[str, RecordScore]
    challenge: dict[str, ChallengeScore]
    vfdb: Mapping[str, tuple[float, float, float]]

    def beats(self, names: Iterable[str]) -> BeatScores:
        """Return the tallies of some records together."""
        return sum((self.records[name].beats for name in names if name in self.records), BeatScores())

    def events(self, names: Iterable[str]) -> dict[str, EventScore]:
        """Return the events of some records together."""
        kept = [self.records[name] for name in names if name in self.records]
        return {key: sum((record.events[key] for record in kept), EventScore()) for key in ALLOWED_S}

    @property
    def af(self) -> tuple[float, float]:
        """Sensitivity and specificity of atrial fibrillation by time, over all records."""
        seconds = sum((record.af for record in self.records.values()), np.zeros((2, 2), np.int64))
        return ratio(seconds[1, 1], seconds[1].sum()), ratio(seconds[0, 0], seconds[0].sum())

    @property
    def false_high_per_h(self) -> float:
        """False alarms of high priority per hour, over all records."""
        hours = sum(record.hours for record in self.records.values())
        return sum(len(record.false) for record in self.records.values()) / hours

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for JSON; None where a figure has no meaning."""
        sets = {"ds1": DS1, "ds2": DS2, "ds2_without_202": [n for n in DS2 if n != "202"], "all": [*DS1, *DS2]}
        by_set = {name: self.beats(names) for name, names in sets.items()}
        total = sum(self.challenge.values(), ChallengeScore())
        return {
            **{
                kind: {
                    name: {
                        "se": _or_none(getattr(scores, kind).sensitivity),
                        "ppv": _or_none(getattr(scores, kind).positive_predictivity),
                    }
                    for name, scores in by_set.items()
                }
                for kind in ("qrs", "veb", "sveb")
            },
            "af": {"se": _or_none(self.af[0]), "sp": _or_none(self.af[1])},
            "alarms": {
                key: {
                    **_event_dict(whole),
                    "ds1": _event_dict(self.events(DS1)[key]),
                    "ds2": _event_dict(self.events(DS2)[key]),
                }
                for key, whole in self.events(sets["all"]).items()
            },
            "false_high_per_h": self.false_high_per_h,
            "false_high": [asdict(false) for record in self.records.values() for false in record.false],
            "challenge2015": {
                "score": _or_none(total.score),
                "records": total.tp + total.tn + total.fp + total.fn,
                "kinds": {kind: {**asdict(s), "score": _or_none(s.score)} for kind, s in self.challenge.items()},
            },
            "vfdb": {
                kind: {"se": _or_none(se), "sp": _or_none(sp), "hours": hours}
                for kind, (se, sp, hours) in self.vfdb.items()
            },
            "records": {
                name: {
                    kind: {"found": t.found, "missed": t.missed, "false": t.false}
                    for kind, t in (("qrs", r.beats.qrs), ("veb", r.beats.veb), ("sveb", r.beats.sveb))
                }
                for name, r in self.records.items()
            },
        }


def _event_dict(events: EventScore) -> dict[str, Any]:
    return {**asdict(events), "delay_s_max": _or_none(events.delay_s_max)}


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else math.nan


def print_alarms(report: AlarmReport, console: Console | None = None) -> None:
    """Print the figures as tables."""
    console = console or Console()
    table = Table(title="Beats from 5:00, against the reference (150 ms), in %")
    for head in ("", "QRS Se", "QRS +P", "VEB Se", "VEB +P", "SVEB Se", "SVEB +P"):
        table.add_column(head, justify="right" if head else "left")
    sets: Mapping[str, Sequence[str]] = {
        "DS1": DS1,
        "DS2": DS2,
        "DS2 without 202": [n for n in DS2 if n != "202"],
        "all 44": [*DS1, *DS2],
        **{name: [name] for name in report.records},
    }
    for title, names in sets.items():
        if not any(name in report.records for name in names):
            continue
        scores = report.beats(names)
        cells = []
        for tally in (scores.qrs, scores.veb, scores.sveb):
            cells += [tally.sensitivity, tally.positive_predictivity]
        table.add_row(title, *("-" if math.isnan(cell) else f"{100 * cell:.2f}" for cell in cells))
    console.print(table)
    table = Table(title="Rhythm alarms over whole records")
    for head in ("", "events", "found", "by a graver kind", "DS1", "DS2", "longest delay s"):
        table.add_column(head, justify="right" if head else "left")
    one, two = report.events(DS1), report.events(DS2)
    for key, whole in report.events([*DS1, *DS2]).items():
        delay = "-" if math.isnan(whole.delay_s_max) else f"{whole.delay_s_max:.2f}"
        parts = [f"{part[key].found} of {part[key].events}" for part in (one, two)]
        table.add_row(key, str(whole.events), str(whole.found), str(whole.by_graver), *parts, delay)
    console.print(table)
    se, sp = report.af
    console.print(f"Atrial fibrillation by time: Se {100 * se:.1f} %, Sp {100 * sp:.1f} %")
    console.print(f"False alarms of high priority: {report.false_high_per_h:.2f} per hour")
    for record in report.records.values():
        for false in record.false:
            console.print(f"  {false.record} at {false.at_s:.1f} s: {false.kind}")
    if report.challenge:
        total = sum(report.challenge.values(), ChallengeScore())
        kinds = ", ".join(f"{kind} {100 * s.score:.0f}" for kind, s in report.challenge.items())
        console.print(f"Challenge 2015 score: {100 * total.score:.1f} ({kinds})")
    for kind, (se, sp, hours) in report.vfdb.items():
        console.print(f"vfdb, {kind} by time: Se {100 * se:.1f} %, Sp {100 * sp:.1f} % of {hours:.1f} h")
