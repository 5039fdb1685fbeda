"""Metrics of beats, rhythm and alarms over the records of MIT-BIH, and their JSON report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from model.datasets.mitdb import DS1, DS2
from model.evaluation.challenge2015 import ChallengeScore
from model.evaluation.database_report import se_sp
from model.evaluation.ec57_beats import BeatScores
from model.evaluation.episodes import EpisodeScore
from model.evaluation.false_alarms import KEYS
from model.evaluation.patient_bootstrap import ON_BOTH_SIDES
from model.evaluation.record_scores import Scores
from model.evaluation.tables import or_none, ratio
from model.signal.arrays import IntArray

EVENTS = {"flutter" if key == "vf" else key: key for key in KEYS.values()}
"""Rhythm events by their keys in the report; MIT-BIH has ventricular flutter, no fibrillation."""

TIMED = {"ventricular_fibrillation": "vf", "ventricular_tachycardia": "vt", "either": "either", "asystole": "asystole"}
"""Rhythms of vfdb by their keys in the report."""

DS2_WITHOUT_202 = tuple(name for name in DS2 if name not in ON_BOTH_SIDES)
ALL = (*DS1, *DS2)


@dataclass(frozen=True)
class AlarmReport:
    """Scores of beats, rhythm and alarms.

    Attributes
    ----------
    records : dict of str to Scores
    challenge : dict of str to ChallengeScore
        By kind of alarm; empty without the challenge's records.
    vfdb : dict of str to ndarray of int64, shape (2, 2)
        Confusion matrices in seconds, by the keys of `TIMED`; empty without the records of vfdb.
    """

    records: Mapping[str, Scores]
    challenge: Mapping[str, ChallengeScore]
    vfdb: Mapping[str, IntArray]

    def total(self, names: Iterable[str] = ALL) -> Scores:
        """Return the scores of some records, added."""
        return sum((self.records[name] for name in names if name in self.records), Scores())

    def events(self, names: Iterable[str]) -> dict[str, EpisodeScore]:
        """Return the event scores of some records, added, by the keys of `EVENTS`."""
        episodes = self.total(names).episodes
        return {title: episodes.get(key, EpisodeScore()) for title, key in EVENTS.items()}

    @property
    def af(self) -> tuple[float, float]:
        """Time-based sensitivity and specificity of atrial fibrillation over all records."""
        return se_sp(self.total().by_time.get("af"))

    @property
    def false_high_per_h(self) -> float:
        """False high-priority alarms per hour, over all records; NaN without records."""
        total = self.total()
        return ratio(len(total.false), total.false_hours)

    def to_dict(self) -> dict[str, Any]:
        """Return the metrics for JSON; None if undefined."""
        sets = {"ds1": DS1, "ds2": DS2, "ds2_without_202": DS2_WITHOUT_202, "all": ALL}
        by_set: dict[str, BeatScores] = {name: self.total(names).beats for name, names in sets.items()}
        challenge = sum(self.challenge.values(), ChallengeScore())
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
            "false_high_per_h": or_none(self.false_high_per_h),
            "false_high": [asdict(false) for false in self.total().false],
            "challenge2015": {
                "score": or_none(challenge.score),
                "records": challenge.tp + challenge.tn + challenge.fp + challenge.fn,
                "kinds": {kind: {**asdict(s), "score": or_none(s.score)} for kind, s in self.challenge.items()},
            },
            "vfdb": {title: _time_dict(self.vfdb[key]) for title, key in TIMED.items() if key in self.vfdb},
            "records": {
                name: {kind: asdict(getattr(r.beats, kind)) for kind in ("qrs", "veb", "sveb")}
                for name, r in self.records.items()
            },
        }


def _event_dict(events: EpisodeScore) -> dict[str, Any]:
    return {
        "events": events.events,
        "found": events.found,
        "by_graver": events.by_graver,
        "delay_s_max": or_none(events.delay_s_max),
    }


def _time_dict(seconds: IntArray) -> dict[str, Any]:
    se, sp = se_sp(seconds)
    return {"se": or_none(se), "sp": or_none(sp), "hours": float(seconds.sum()) / 3600}
