"""Metrics of beats, rhythm and alarms over records, and their JSON report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from model.datasets.mitdb import DS1, DS2
from model.evaluation.ec57_beats import BeatScores
from model.evaluation.patient_bootstrap import ON_BOTH_SIDES
from model.evaluation.tables import or_none
from model.signal.arrays import IntArray
from stream.wire.alarm_messages import AlarmKind

KEYS: dict[AlarmKind, str] = {
    "asystole": "asystole",
    "ventricular_tachycardia": "vt",
    "ventricular_fibrillation": "flutter",
    "extreme_bradycardia": "brady",
    "extreme_tachycardia": "tachy",
}
"""Scored high-priority alarms and their keys in the report."""

DS2_WITHOUT_202 = tuple(name for name in DS2 if name not in ON_BOTH_SIDES)
ALL = (*DS1, *DS2)

ALLOWED_S = {"asystole": 1.0, "vt": 3.0, "flutter": 10.0, "brady": 1.0, "tachy": 1.0}
"""Longest accepted delay in seconds after the definition of the event is met."""


@dataclass(frozen=True, slots=True)
class EventScore:
    """Detection of the events of one kind; scores can be added.

    Attributes
    ----------
    events, found : int
    by_graver : int
        Found events that were reported only by an alarm of a kind that silences this one.
    delay_s_max : float
        Longest delay in seconds; NaN if none was found.
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
    """A high-priority alarm without its event."""

    record: str
    kind: AlarmKind
    at_s: float


@dataclass(frozen=True)
class RecordAlarms:
    """Scores of one record of MIT-BIH.

    Attributes
    ----------
    beats : BeatScores
    af : ndarray of int64, shape (2, 2)
        Confusion matrix of atrial fibrillation in seconds. Row: annotated, column: detected.
    events : dict of str to EventScore
        By the keys of `ALLOWED_S`.
    false : tuple of FalseAlarm
    hours : float
    """

    beats: BeatScores
    af: IntArray
    events: dict[str, EventScore]
    false: tuple[FalseAlarm, ...]
    hours: float


@dataclass(frozen=True)
class ChallengeScore:
    """Confirmed and rejected alarms of the challenge: score (TP + TN) / (TP + TN + FP + 5 FN)."""

    tp: int = 0
    tn: int = 0
    fp: int = 0
    fn: int = 0

    @property
    def score(self) -> float:
        """The score of the challenge, 0 to 1; NaN without records."""
        total = self.tp + self.tn + self.fp + 5 * self.fn
        return (self.tp + self.tn) / total if total else math.nan

    def __add__(self, other: ChallengeScore) -> ChallengeScore:
        return ChallengeScore(self.tp + other.tp, self.tn + other.tn, self.fp + other.fp, self.fn + other.fn)


@dataclass(frozen=True)
class AlarmReport:
    """Scores of beats, rhythm and alarms.

    Attributes
    ----------
    records : dict of str to RecordAlarms
    challenge : dict of str to ChallengeScore
        By kind of alarm; empty without the challenge's records.
    vfdb : dict of str to (float, float, float)
        By kind of alarm, or ``either`` tachycardia or fibrillation: time-based sensitivity and specificity, and hours.
    """

    records: dict[str, RecordAlarms]
    challenge: dict[str, ChallengeScore]
    vfdb: Mapping[str, tuple[float, float, float]]

    def beats(self, names: Iterable[str]) -> BeatScores:
        """Return the tallies of some records, added."""
        return sum((self.records[name].beats for name in names if name in self.records), BeatScores())

    def events(self, names: Iterable[str]) -> dict[str, EventScore]:
        """Return the event scores of some records, added."""
        kept = [self.records[name] for name in names if name in self.records]
        return {key: sum((record.events[key] for record in kept), EventScore()) for key in ALLOWED_S}

    @property
    def af(self) -> tuple[float, float]:
        """Time-based sensitivity and specificity of atrial fibrillation over all records."""
        seconds = sum((record.af for record in self.records.values()), np.zeros((2, 2), np.int64))
        return ratio(seconds[1, 1], seconds[1].sum()), ratio(seconds[0, 0], seconds[0].sum())

    @property
    def false_high_per_h(self) -> float:
        """False high-priority alarms per hour, over all records."""
        hours = sum(record.hours for record in self.records.values())
        return sum(len(record.false) for record in self.records.values()) / hours

    def to_dict(self) -> dict[str, Any]:
        """Return the metrics for JSON; None if undefined."""
        sets = {"ds1": DS1, "ds2": DS2, "ds2_without_202": DS2_WITHOUT_202, "all": ALL}
        by_set = {name: self.beats(names) for name, names in sets.items()}
        total = sum(self.challenge.values(), ChallengeScore())
        return {
            **{
                kind: {
                    name: {
                        "se": or_none(getattr(scores, kind).sensitivity),
                        "ppv": or_none(getattr(scores, kind).positive_predictivity),
                    }
                    for name, scores in by_set.items()
                }
                for kind in ("qrs", "veb", "sveb")
            },
            "af": {"se": or_none(self.af[0]), "sp": or_none(self.af[1])},
            "alarms": {
                key: {
                    **_event_dict(whole),
                    "ds1": _event_dict(self.events(DS1)[key]),
                    "ds2": _event_dict(self.events(DS2)[key]),
                }
                for key, whole in self.events(ALL).items()
            },
            "false_high_per_h": self.false_high_per_h,
            "false_high": [asdict(false) for record in self.records.values() for false in record.false],
            "challenge2015": {
                "score": or_none(total.score),
                "records": total.tp + total.tn + total.fp + total.fn,
                "kinds": {kind: {**asdict(s), "score": or_none(s.score)} for kind, s in self.challenge.items()},
            },
            "vfdb": {
                kind: {"se": or_none(se), "sp": or_none(sp), "hours": hours}
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
    return {**asdict(events), "delay_s_max": or_none(events.delay_s_max)}


def ratio(part: float, whole: float) -> float:
    """Return a share; NaN of nothing."""
    return float(part) / float(whole) if whole else math.nan
