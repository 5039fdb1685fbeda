"""Metrics of beats, rhythm and alarms over the records of any database, and their JSON report."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from model.evaluation.challenge2015 import ChallengeScore
from model.evaluation.ec57_beats import Tally
from model.evaluation.episodes import EpisodeScore
from model.evaluation.record_scores import Scores
from model.evaluation.rhythm_time import BY_TIME
from model.evaluation.tables import or_none, ratio
from model.evaluation.truth import Style
from model.evaluation.windows import WINDOWED
from model.signal.arrays import IntArray

EPISODES = ("vf", "vt", "either", "asystole", "af", "brady", "tachy")

UNTYPED = "every beat is labelled N, also ventricular ones: types cannot be scored"


@dataclass(frozen=True)
class RecordResult:
    """Scores of one record.

    Attributes
    ----------
    style : str
        Of its annotations.
    leads : tuple of str
        Analysed leads.
    scored_from_s : float
        Start of the scoring of beats and atrial fibrillation in seconds.
    scores : Scores
    """

    style: Style
    leads: tuple[str, ...]
    scored_from_s: float
    scores: Scores


@dataclass(frozen=True)
class DatabaseReport:
    """Scores of the records of a database.

    Attributes
    ----------
    name : str
    records : dict of str to RecordResult
    skipped : dict of str to str
        Records that could not be analysed, with the reason.
    """

    name: str
    records: Mapping[str, RecordResult]
    skipped: Mapping[str, str]

    @property
    def total(self) -> Scores:
        """Scores of all records together."""
        return sum((result.scores for result in self.records.values()), Scores())

    @property
    def styles(self) -> Counter[str]:
        """Number of records with each style of annotations."""
        return Counter(result.style for result in self.records.values())

    def to_dict(self) -> dict[str, Any]:
        """Return the metrics for JSON; None if undefined."""
        return {
            "database": self.name,
            "styles": dict(self.styles),
            **scores_dict(self.total),
            "skipped": {"n": len(self.skipped), "reasons": dict(self.skipped)},
            "records": {name: _record_dict(result) for name, result in self.records.items()},
        }


def _record_dict(result: RecordResult) -> dict[str, Any]:
    own: dict[str, Any] = {"style": result.style, "leads": result.leads, "scored_from_s": result.scored_from_s}
    if result.style == "untyped beats":
        own["veb_sveb"] = UNTYPED
    return {**own, **scores_dict(result.scores)}


def scores_dict(scores: Scores) -> dict[str, Any]:
    """Return scores for JSON: fractions 0 to 1, None if undefined."""
    by_kind = Counter(false.kind for false in scores.false)
    hours = scores.seconds / 3600
    return {
        "qrs": _tally_dict(scores.beats.qrs),
        "veb": _tally_dict(scores.beats.veb),
        "sveb": _tally_dict(scores.beats.sveb),
        "by_time": {key: _time_dict(scores.by_time.get(key)) for key in BY_TIME},
        "episodes": {key: _episode_dict(scores.episodes.get(key, EpisodeScore())) for key in EPISODES},
        "false_high_per_h": or_none(ratio(len(scores.false), scores.false_hours)),
        "false_high_per_h_by_kind": {kind: or_none(ratio(n, scores.false_hours)) for kind, n in by_kind.items()},
        "false_high": [asdict(false) for false in scores.false],
        "hours": scores.false_hours,
        "false_vf_over_beats_per_h": or_none(ratio(scores.fibrillation_over_beats, scores.over_beats_hours)),
        "false_vf_over_beats": {"n": scores.fibrillation_over_beats, "hours": scores.over_beats_hours},
        "challenge2015": challenge_dict(scores.challenge),
        "windows_10s": {key: _window_dict(scores.windows.get(key)) for key in WINDOWED},
        "af_share": or_none(ratio(scores.af_s, scores.seconds)),
        "entries": {
            "n": scores.entries.total(),
            "per_h": or_none(ratio(scores.entries.total(), hours)),
            "by_kind": dict(scores.entries),
            "hours": hours,
        },
    }


def challenge_dict(kinds: Mapping[str, ChallengeScore]) -> dict[str, Any]:
    """Return scores of the challenge for JSON."""
    total = sum(kinds.values(), ChallengeScore())
    return {
        "score": or_none(total.score),
        "tpr": or_none(ratio(total.tp, total.tp + total.fn)),
        "tnr": or_none(ratio(total.tn, total.tn + total.fp)),
        "by_kind": {kind: {"score": or_none(s.score), **asdict(s)} for kind, s in sorted(kinds.items())},
    }


def se_sp(confusion: IntArray | None) -> tuple[float, float]:
    """Return sensitivity and specificity of a confusion matrix; NaN if undefined."""
    if confusion is None:
        return math.nan, math.nan
    return ratio(confusion[1, 1], confusion[1].sum()), ratio(confusion[0, 0], confusion[0].sum())


def _tally_dict(tally: Tally) -> dict[str, Any]:
    return {"se": or_none(tally.sensitivity), "ppv": or_none(tally.positive_predictivity), **asdict(tally)}


def _time_dict(seconds: IntArray | None) -> dict[str, Any]:
    se, sp = se_sp(seconds)
    return {"se": or_none(se), "sp": or_none(sp), "hours": 0.0 if seconds is None else float(seconds.sum()) / 3600}


def _episode_dict(score: EpisodeScore) -> dict[str, Any]:
    return {
        "n": score.events,
        "found": score.found,
        "by_graver": score.by_graver,
        "delay_s_median": or_none(score.delay_s_median),
        "delay_s_max": or_none(score.delay_s_max),
    }


def _window_dict(windows: IntArray | None) -> dict[str, Any]:
    (tn, fp), (fn, tp) = ((0, 0), (0, 0)) if windows is None else windows.tolist()
    se, sp = se_sp(windows)
    ppv = ratio(tp, tp + fp)
    return {"tp": tp, "fn": fn, "fp": fp, "tn": tn, "se": or_none(se), "sp": or_none(sp), "ppv": or_none(ppv)}
