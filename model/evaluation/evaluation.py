"""Evaluation of forecasts and anomaly alarms on MIT-BIH records in one pass: ``bedside evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from rich.console import Console

from model.console.progress import stderr
from model.datasets.mitdb import without
from model.evaluation.anomaly_report import AnomalyReport, report_of
from model.evaluation.anomaly_scores import load, run_detector, score_all
from model.evaluation.anomaly_tables import print_anomalies, print_anomalies_by_record
from model.evaluation.anomaly_targets import targets_of
from model.evaluation.baseline_detectors import AHEAD
from model.evaluation.baseline_forecasts import ar180
from model.evaluation.forecast_report import CURVE, ForecastReport
from model.evaluation.forecast_scores import ForecastScores
from model.evaluation.forecast_tables import print_forecast, print_forecast_by_record
from model.evaluation.patient_bootstrap import ON_BOTH_SIDES
from model.evaluation.personal_report import HORIZONS as PERSONAL_HORIZONS
from model.evaluation.personal_report import PersonalReport
from model.evaluation.personal_scores import PersonalScores
from model.evaluation.personal_tables import print_personal
from model.forecast.forecaster import Forecasts
from model.forecast.forecaster_weights import TrainedForecaster
from model.signal.batch import Strides
from model.signal.gaps import fill_gaps
from stream.records.catalog import Catalog


@dataclass(frozen=True)
class Evaluation:
    """Scores of forecasts and of anomaly alarms on the same records.

    Attributes
    ----------
    forecast : ForecastReport
    personal : PersonalReport
    anomaly : AnomalyReport
    """

    forecast: ForecastReport
    personal: PersonalReport
    anomaly: AnomalyReport

    @cached_property
    def strict(self) -> Evaluation | None:
        """The evaluation without records whose patient is also in DS1; None if there are none, or no others."""
        shared = [name for name in self.forecast.records if name in ON_BOTH_SIDES]
        if not 0 < len(shared) < len(self.forecast.records):
            return None
        return Evaluation(self.forecast.without(shared), self.personal.without(shared), self.anomaly.without(shared))

    def to_dict(self) -> dict[str, Any]:
        """Return the metrics for JSON; those of `strict` are under ``without_202``, without single records."""
        metrics = self._metrics()
        strict = self.strict
        if strict is not None:
            rest = strict._metrics()
            name = "_".join(("without", *ON_BOTH_SIDES))
            metrics[name] = {part: {k: v for k, v in own.items() if k != "records"} for part, own in rest.items()}
        return metrics

    def _metrics(self) -> dict[str, Any]:
        metrics = self.forecast.to_dict()
        self.personal.add_to(metrics)
        return {**metrics, **self.anomaly.to_dict()}


def evaluate(
    records: Sequence[str],
    *,
    forecaster: TrainedForecaster,
    exclude: Sequence[str] = (),
    catalog: Catalog | None = None,
) -> Evaluation:
    """Score forecasts, anomaly alarms and their baselines on MIT-BIH records, with progress on standard error.

    Parameters
    ----------
    records : sequence of str
        As `model.datasets.mitdb.parse_records` returns them.
    forecaster : TrainedForecaster
    exclude : sequence of str
        Records to leave out.
    catalog : Catalog, optional

    Raises
    ------
    UsageError
        No record remains, or one is too short to score.
    RecordError
        A record, or one to which AR is fitted, cannot be found or has no annotations.
    """
    names = without(records, exclude)
    stderr().print(f"reading {len(names)} records, fitting AR(180)")
    signals, references = load(names, catalog)
    targets = {name: targets_of(references[name], len(mv)) for name, mv in signals.items()}
    ar = ar180(sorted({*CURVE, *PERSONAL_HORIZONS}), catalog)
    leads = {name: fill_gaps(mv[:, :1], np.zeros(1))[0][:, 0] for name, mv in signals.items()}
    forecasts, personal = ForecastScores(leads), PersonalScores(leads, forecaster, references)

    def add(name: str, strides: Strides, made: Forecasts) -> None:
        forecasts.add(name, made)
        personal.add(name, strides, made)

    outputs = run_detector(signals, forecaster, add)
    return Evaluation(
        forecasts.report(ar.at(CURVE)),
        personal.report(ar.at(PERSONAL_HORIZONS)),
        report_of(score_all(signals, targets, outputs, ar.at((AHEAD,)))),
    )


def print_evaluation(evaluation: Evaluation, console: Console | None = None) -> None:
    """Print the metrics as tables; those over all records also without patients who are in DS1, if there are any."""
    console = console or Console()
    strict = evaluation.strict
    print_forecast(evaluation.forecast, console)
    if strict is not None:
        console.print(f"Without {', '.join(ON_BOTH_SIDES)}, whose patient is also in DS1:")
        print_forecast(strict.forecast, console)
    print_forecast_by_record(evaluation.forecast, console)
    print_personal(evaluation.personal if strict is None else strict.personal, console)
    print_anomalies(evaluation.anomaly, console)
    if strict is not None:
        console.print(f"Without {', '.join(ON_BOTH_SIDES)}:")
        print_anomalies(strict.anomaly, console)
    print_anomalies_by_record(evaluation.anomaly, console)
