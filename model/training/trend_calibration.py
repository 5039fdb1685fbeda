"""What is fitted to patients left out: calibrated risks, widths of intervals, the personal head, thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from model.console.progress import track
from model.evaluation import sepsis_utility, trend_alerts
from model.evaluation.trend_alerts import AlertCounts
from model.evaluation.trend_courses import Courses, Patient, groups, run
from model.training.trend_network import Hours
from model.trends import advisory
from model.trends.forecaster import TrendForecaster
from model.trends.network import Weights
from model.trends.quantiles import RISKS
from model.trends.targets import FROM_MMHG, HORIZONS_H, values_ahead
from model.trends.vital_inputs import CENTRE, FORECAST, LOW_MMHG, MEAN_PRESSURE, SCALE

Array = npt.NDArray[Any]

NEUTRAL: Final[Mapping[str, float]] = {
    "personal_level": 0.0,
    "personal_spread": 0.0,
    "personal_prior": 12.0,
    "threshold": 1.1,
    "sepsis_threshold": 1.1,
}
LEVELS, SPREADS = (0.0, 0.25, 0.5, 0.75), (0.0, 0.25, 0.5, 0.75)
MOST_ALERTS_PER_DAY: Final = 1.8
TRIED: Final = 2000
"""Patients of all folds together on whom the personal head is tried."""

RIDGE: Final = 1.0


def newton(x: Array, y: Array, steps: int = 12) -> Array:
    """Return coefficients of a logistic regression; the constant is last."""
    x = np.concatenate([x, np.ones((len(x), 1), x.dtype)], axis=1).astype(np.float64)
    w = np.zeros(x.shape[1])
    penalty = np.full(x.shape[1], RIDGE)
    penalty[-1] = 0.0
    for _ in range(steps):
        p = 0.5 * (1 + np.tanh(0.5 * (x @ w)))
        hessian = (x * (p * (1 - p) + 1e-9)[:, None]).T @ x + np.diag(penalty)
        w = w + np.linalg.solve(hessian, x.T @ (y - p) - penalty * w)
    return w


def platt(log_odds: Array, risks: Array) -> tuple[Array, Array]:
    """Return factors and offsets of the log-odds, shape (risks,) each, that calibrate the risks."""
    found = []
    for k in range(len(RISKS)):
        known = ~np.isnan(risks[:, k])
        found.append(newton(log_odds[known, k : k + 1], risks[known, k]))
    scale, offset = np.array(found).T
    return scale, offset


def logistic(hours: Hours) -> Array:
    """Return a logistic regression of each risk on the inputs of one hour, shape (features + 1, risks)."""
    found = []
    pressure = CENTRE[MEAN_PRESSURE] + SCALE[MEAN_PRESSURE] * hours.level[..., MEAN_PRESSURE]
    for k, risk in enumerate(RISKS):
        known = ~np.isnan(hours.risks[..., k])
        if risk.startswith("hypotension"):
            known &= pressure >= FROM_MMHG
        found.append(newton(hours.features[known], hours.risks[..., k][known], steps=8))
    return np.stack(found, axis=1)


def shared_settings(
    singles: Sequence[Weights], parts: Sequence[Sequence[Patient]]
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """Return widths and settings, chosen on patients that each network has not seen.

    Returns
    -------
    dict
        ``widths`` and ``settings`` of `Weights`.
    dict
        What was tried for the personal head: mean error by its level, mean interval score by its spread, in scales.
    """
    own_settings, tried = _personal(singles, parts)
    settings = {**NEUTRAL, **own_settings}
    # Every fourth hour is enough for the widths; risks and alerts need all.
    ratios: list[Array] = []
    slim: list[tuple[Courses, Array]] = []
    for own, part in zip(singles, parts, strict=True):
        forecaster = TrendForecaster(replace(own, settings=settings))
        for group in track(list(groups(part)), "calibrating on patients left out"):
            courses = run(forecaster, [part[i] for i in group])
            ratios.append(_ratios(courses)[::4])
            slim.append((courses, courses.carried[..., MEAN_PRESSURE]))
    widths = _widths(np.concatenate(ratios))
    settings |= {"threshold": _threshold(slim), "sepsis_threshold": _sepsis_threshold(slim)}
    return {"widths": widths, "settings": settings}, tried


def _personal(
    singles: Sequence[Weights], parts: Sequence[Sequence[Patient]]
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Return the settings of the personal head with the smallest errors and the best intervals, and what was tried."""
    best, found = dict(NEUTRAL), dict[str, dict[str, float]]()
    for name, tried in (("personal_level", LEVELS), ("personal_spread", SPREADS)):
        losses = []
        for value in tried:
            losses.append(0.0)
            for own, part in zip(singles, parts, strict=True):
                forecaster = TrendForecaster(replace(own, settings={**best, name: value}))
                courses = run(forecaster, part[: TRIED // len(singles)])
                loss = _error(courses) if name == "personal_level" else _interval_score(courses)
                losses[-1] += loss / len(singles)
        found[name] = {f"{value:g}": round(loss, 4) for value, loss in zip(tried, losses, strict=True)}
        best[name] = tried[int(np.argmin(losses))]
    return {name: best[name] for name in found}, found


def _later(courses: Courses) -> Array:
    later = values_ahead(courses.values)
    later[~(courses.inside[..., None] & courses.seen[..., : len(FORECAST)])] = np.nan
    return later


def _error(courses: Courses) -> float:
    return float(np.nanmean(np.abs(courses.median - _later(courses)) / SCALE[: len(FORECAST), None]))


def _interval_score(courses: Courses) -> float:
    """Return the mean interval score of 80 %: width, and ten times the distance of what lies outside."""
    later, scale = _later(courses), SCALE[: len(FORECAST), None]
    outside = np.maximum(courses.low - later, 0) + np.maximum(later - courses.high, 0)
    return float(np.nanmean((courses.high - courses.low + 10 * outside) / scale))


def _ratios(courses: Courses) -> Array:
    """Return distances from the median over those of low and high, shape (k, vitals, horizons, 2)."""
    later = _later(courses)
    low = (courses.median - later) / np.maximum(courses.median - courses.low, 1e-3)
    high = (later - courses.median) / np.maximum(courses.high - courses.median, 1e-3)
    return np.stack([low, high], axis=-1)[courses.inside].astype(np.float32)


def _widths(ratios: Array) -> Array:
    """Return the factors with which a tenth lies beyond each end."""
    widths: Array = np.nanquantile(ratios, 0.9, axis=0).clip(0.25, 4.0).astype(np.float32)
    assert widths.shape == (len(FORECAST), len(HORIZONS_H), 2)
    return widths


def _threshold(slim: Sequence[tuple[Courses, Array]]) -> float:
    """Return the threshold of the advisory with the best F1 per event, with few enough alerts."""
    best, chosen = -1.0, 1.0
    for threshold in np.arange(0.2, 0.7, 0.02):
        total = AlertCounts()
        for courses, pressure in slim:
            raised = _raised(courses, pressure, float(threshold))
            for i, n in enumerate(courses.lengths):
                total += trend_alerts.count(courses.values[i, :n, MEAN_PRESSURE], raised[i, :n])
        rates = total.to_dict()
        precision, sensitivity, often = rates["precision"], rates["sensitivity"], rates["alerts_per_patient_day"]
        if precision and sensitivity and often is not None and often <= MOST_ALERTS_PER_DAY:
            f1 = 2 * precision * sensitivity / (precision + sensitivity)
            best, chosen = max((best, chosen), (f1, float(threshold)))
    return chosen


def _raised(courses: Courses, pressure: Array, threshold: float) -> npt.NDArray[np.bool_]:
    risk = courses.risk[..., RISKS.index("hypotension_6h")]
    possible = courses.seen[..., MEAN_PRESSURE] & (pressure >= LOW_MMHG)
    left = np.zeros(len(risk), np.int64)
    raised = np.zeros(risk.shape, np.bool_)
    for hour in range(risk.shape[1]):
        raised[:, hour], left = advisory.advance(left, risk[:, hour], possible[:, hour], threshold)
    return raised


def _sepsis_threshold(slim: Sequence[tuple[Courses, Array]]) -> float:
    """Return the threshold with the best utility of the Challenge."""
    risk, gain = [], []
    for courses, _ in slim:
        for i, n in enumerate(courses.lengths):
            alarm, silence = sepsis_utility.hourly(courses.sepsis[i, :n] == 1)
            risk.append(courses.risk[i, :n, RISKS.index("sepsis_6h")])
            gain.append(alarm - silence)
    risks = np.concatenate(risk)
    order = np.argsort(-risks, kind="stable")
    total = np.cumsum(np.concatenate(gain)[order])
    return float(risks[order][int(np.argmax(total))])
