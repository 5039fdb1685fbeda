"""Scores of the forecast of vitals hours ahead over many patients, with baselines beside them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from model.evaluation import sepsis_utility, trend_alerts
from model.evaluation.detection_metrics import auroc, average_precision, count
from model.evaluation.tables import or_none
from model.evaluation.trend_alerts import AlertCounts
from model.evaluation.trend_courses import Courses, Patient, groups, run
from model.signal.arrays import BoolArray, FloatArray
from model.trends.forecaster import TrendForecaster
from model.trends.quantiles import RISKS
from model.trends.targets import FROM_MMHG, HORIZONS_H, RISK_HORIZONS_H, hypotension, values_ahead
from model.trends.vital_inputs import CENTRE, FORECAST, MEAN_PRESSURE

SHORT: Final = dict(zip(FORECAST, ("hr", "map", "sbp", "spo2", "respiration", "temperature"), strict=True))
"""Names of the vitals in the report."""

BINS: Final = 10


@dataclass(eq=False)
class TrendScores:
    """Scores, collected over groups of patients.

    Attributes
    ----------
    patients, hours : int
    cases : dict of (risk, scorer) to list of ndarray
        Scores of the hours that are asked about; the scorer ``truth`` is what followed.
    errors : dict of (vital, horizon, forecast) to [sum of absolute errors, number]
    covered : dict of (vital, horizon) to [covered, number]
    alerts : AlertCounts
    utility : dict of scorer to [gained, inaction, best]
    """

    patients: int = 0
    hours: int = 0
    cases: dict[tuple[str, str], list[FloatArray]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[tuple[str, int, str], list[float]] = field(default_factory=lambda: defaultdict(lambda: [0.0, 0.0]))
    covered: dict[tuple[str, int], list[float]] = field(default_factory=lambda: defaultdict(lambda: [0.0, 0.0]))
    alerts: AlertCounts = field(default_factory=AlertCounts)
    utility: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])

    def add(self, forecaster: TrendForecaster, courses: Courses) -> None:
        """Count the hours of some patients."""
        self.patients += len(courses.lengths)
        self.hours += int(courses.lengths.sum())
        self._add_errors(courses)
        self._add_risks(forecaster, courses)
        threshold = forecaster.weights.settings["sepsis_threshold"]
        for i, n in enumerate(courses.lengths):
            pressure = courses.values[i, :n, MEAN_PRESSURE]
            self.alerts += trend_alerts.count(pressure, courses.raised[i, :n])
            label = courses.sepsis[i, :n]
            if not np.isnan(label).all():
                alarm, silence = sepsis_utility.hourly(label == 1)
                chosen = courses.risk[i, :n, RISKS.index("sepsis_6h")] >= threshold
                own = np.where(chosen, alarm, silence).sum(), silence.sum(), sepsis_utility.best(label == 1)
                self.utility = [total + float(part) for total, part in zip(self.utility, own, strict=True)]

    def merge(self, other: TrendScores) -> None:
        """Count what others have counted, too."""
        self.patients += other.patients
        self.hours += other.hours
        self.alerts += other.alerts
        self.utility = [own + its for own, its in zip(self.utility, other.utility, strict=True)]
        for key, cases in other.cases.items():
            self.cases[key] += cases
        for mine, theirs in ((self.errors, other.errors), (self.covered, other.covered)):
            for place, pair in theirs.items():
                total = mine[place]  # type: ignore[index]
                total[0] += pair[0]
                total[1] += pair[1]

    def _add_errors(self, courses: Courses) -> None:
        later = values_ahead(courses.values)
        asked = courses.inside[..., None] & courses.seen[..., : len(FORECAST)]
        for v, name in enumerate(FORECAST):
            for k, h in enumerate(HORIZONS_H):
                forecasts = {
                    "bedside": courses.median[:, :, v, k],
                    "without_personal": courses.plain[:, :, v, k],
                    "persistence": courses.carried[:, :, v],
                    "population_median": np.full(courses.inside.shape, CENTRE[v]),
                }
                known = asked[..., v] & ~np.isnan(later[:, :, v, k])
                for forecast, expected in forecasts.items():
                    total = self.errors[SHORT[name], h, forecast]
                    total[0] += float(np.abs(expected - later[:, :, v, k])[known].sum())
                    total[1] += float(known.sum())
                value = later[:, :, v, k][known]
                inside = (courses.low[:, :, v, k][known] <= value) & (value <= courses.high[:, :, v, k][known])
                ends = {
                    "intervals": (courses.low, courses.high),
                    "intervals_without_personal": (courses.plain_low, courses.plain_high),
                }
                for forecast, (low, high) in ends.items():
                    total = self.errors[SHORT[name], h, forecast]
                    total[0] += float(_interval_scores(low[:, :, v, k][known], value, high[:, :, v, k][known]).sum())
                    total[1] += float(known.sum())
                covered = self.covered[SHORT[name], h]
                covered[0] += float(inside.sum())
                covered[1] += float(known.sum())

    def _add_risks(self, forecaster: TrendForecaster, courses: Courses) -> None:
        followed = np.concatenate([hypotension(courses.values), courses.sepsis[..., None]], axis=-1)
        pressure = courses.carried[..., MEAN_PRESSURE]
        from_normal = courses.seen[..., MEAN_PRESSURE] & (pressure >= FROM_MMHG)
        logistic = courses.features @ forecaster.weights.logistic[:-1] + forecaster.weights.logistic[-1]
        for k, risk in enumerate(RISKS):
            asked = courses.inside & ~np.isnan(followed[..., k])
            scorers = {"bedside": courses.risk[..., k], "logistic": logistic[..., k], "news2": courses.news2}
            if risk.startswith("hypotension"):
                asked &= from_normal
                scorers["current_map"] = -pressure
            scorers["truth"] = followed[..., k]
            for name, score in scorers.items():
                self.cases[risk, name].append(score[asked].astype(np.float32))

    def to_dict(self) -> dict[str, Any]:
        """Return all scores for JSON; None if undefined."""
        return {
            "patients": self.patients,
            "hours": self.hours,
            "hypotension": {str(h): self._risk_dict(f"hypotension_{h}h") for h in RISK_HORIZONS_H},
            "sepsis": {**self._risk_dict("sepsis_6h"), "utility": or_none(sepsis_utility.normalized(*self.utility))},
            "mae": {short: self._mae_dict(short) for short in SHORT.values()},
            "coverage80": {short: self._coverage(short, HORIZONS_H) for short in SHORT.values()},
            "coverage80_by_horizon": {
                short: {str(h): self._coverage(short, (h,)) for h in HORIZONS_H} for short in SHORT.values()
            },
            "interval_score": {short: self._interval_dict(short) for short in SHORT.values()},
            **self.alerts.to_dict(),
        }

    def _risk_dict(self, risk: str) -> dict[str, Any]:
        truth = np.concatenate(self.cases[risk, "truth"] or [np.empty(0)]) == 1
        found: dict[str, Any] = {}
        for name in (scorer for of, scorer in list(self.cases) if of == risk and scorer != "truth"):
            counts = count(np.concatenate(self.cases[risk, name]).astype(np.float64), truth)
            own = {"auroc": or_none(auroc(counts)), "ap": or_none(average_precision(counts))}
            found |= own if name == "bedside" else {name: own}
        score = np.concatenate(self.cases[risk, "bedside"] or [np.empty(0)])
        return {
            **found,
            "n": len(truth),
            "prevalence": or_none(_mean(truth)),
            "calibration": _calibration(score, truth),
        }

    def _mae_dict(self, short: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in ("bedside", "without_personal", "persistence", "population_median"):
            own = {str(h): or_none(_ratio(self.errors[short, h, name])) for h in HORIZONS_H}
            found |= own if name == "bedside" else {name: own}
        return found

    def _interval_dict(self, short: str) -> dict[str, Any]:
        own, plain = (
            {str(h): or_none(_ratio(self.errors[short, h, name])) for h in HORIZONS_H}
            for name in ("intervals", "intervals_without_personal")
        )
        return {**own, "without_personal": plain}

    def _coverage(self, short: str, horizons: Sequence[int]) -> float | None:
        return or_none(_ratio([sum(self.covered[short, h][i] for h in horizons) for i in (0, 1)]))


def score(
    forecaster: TrendForecaster, patients: Sequence[Patient], tracked: Callable[[list[Any]], Iterable[Any]] = iter
) -> TrendScores:
    """Run the forecast over patients, and score it."""
    scores = TrendScores()
    for group in tracked(list(groups(patients))):
        scores.add(forecaster, run(forecaster, [patients[i] for i in group]))
    return scores


def _calibration(score: FloatArray, truth: BoolArray) -> list[dict[str, float]]:
    """Return mean risk and share of events in tenths of the hours, from the lowest risk to the highest."""
    order = np.argsort(score, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if part.size]
    return [{"risk": float(score[part].mean()), "observed": float(truth[part].mean())} for part in parts]


def _interval_scores(low: FloatArray, value: FloatArray, high: FloatArray) -> FloatArray:
    """Return width plus ten times the distance outside, of intervals of 80 %: smaller is better.

    Gneiting T, Raftery AE. Strictly proper scoring rules, prediction, and estimation. J Am Stat Assoc 102:359-378,
    2007.
    """
    scores: FloatArray = high - low + 10 * (np.maximum(low - value, 0) + np.maximum(value - high, 0))
    return scores


def _mean(values: BoolArray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _ratio(pair: Sequence[float]) -> float:
    return pair[0] / pair[1] if pair[1] else float("nan")
