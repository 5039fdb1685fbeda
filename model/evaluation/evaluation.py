"""All that ``bedside evaluate`` says of some records: forecasts and residual alarms, from one pass over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from rich.console import Console

from model.datasets.mitdb import without
from model.evaluation.anomaly_report import ResidualReport, print_residual, print_residual_by_record
from model.evaluation.anomaly_scores import compare, load, run_ours
from model.evaluation.baseline_detectors import AHEAD
from model.evaluation.baseline_forecasts import ar180
from model.evaluation.forecast_report import CURVE, Report, print_forecast, print_forecast_by_record
from model.evaluation.forecast_scores import ForecastScores
from model.evaluation.patient_bootstrap import ON_BOTH_SIDES
from model.forecast.checkpoint import Checkpoint
from model.signal.gaps import hold
from stream.records.catalog import Catalog


@dataclass(frozen=True)
class Evaluation:
    """Scores of the same records.

    Attributes
    ----------
    forecast : Report
    residual : ResidualReport
    """

    forecast: Report
    residual: ResidualReport

    @cached_property
    def strict(self) -> Evaluation | None:
        """The same without records whose patient is in DS1, too; None where none is, or no other."""
        shared = [name for name in self.forecast.records if name in ON_BOTH_SIDES]
        if not 0 < len(shared) < len(self.forecast.records):
            return None
        return Evaluation(self.forecast.without(shared), self.residual.without(shared))

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for JSON; those without record 202 stand under ``without_202``, but for each record's."""
        figures = {**self.forecast.to_dict(), **self.residual.to_dict()}
        strict = self.strict
        if strict is not None:
            rest = {**strict.forecast.to_dict(), **strict.residual.to_dict()}
            name = "_".join(("without", *ON_BOTH_SIDES))
            figures[name] = {part: {k: v for k, v in own.items() if k != "records"} for part, own in rest.items()}
        return figures


def evaluate(
    records: Sequence[str], *, forecaster: Checkpoint, exclude: Sequence[str] = (), catalog: Catalog | None = None
) -> Evaluation:
    """Score forecasts, residual alarms and what they must beat on MIT-BIH records, with progress bars.

    Parameters
    ----------
    records : sequence of str
        As `model.datasets.mitdb.parse_records` returns them.
    forecaster : Checkpoint
    exclude : sequence of str
        Records left out.
    catalog : Catalog, optional

    Raises
    ------
    UsageError
        No record is left, or one is too short to score.
    RecordError
        A record is nowhere or has no annotations, or one that AR is fitted to is nowhere.
    """
    signals, references = load(without(records, exclude), catalog)
    ar = ar180(CURVE, catalog)
    forecasts = ForecastScores({name: hold(mv[:, :1], np.zeros(1))[0][:, 0] for name, mv in signals.items()})
    ours = run_ours(signals, forecaster, forecasts.take)
    return Evaluation(forecasts.report(ar), compare(signals, references, ours, ar.at((AHEAD,))))


def print_evaluation(evaluation: Evaluation, console: Console | None = None) -> None:
    """Print the figures as tables; those over all records twice where a patient is on both sides of the split."""
    console = console or Console()
    strict = evaluation.strict
    print_forecast(evaluation.forecast, console)
    if strict is not None:
        console.print(f"Without {', '.join(ON_BOTH_SIDES)}, whose patient is in DS1, too:")
        print_forecast(strict.forecast, console)
    print_forecast_by_record(evaluation.forecast, console)
    print_residual(evaluation.residual, console)
    if strict is not None:
        console.print(f"Without {', '.join(ON_BOTH_SIDES)}:")
        print_residual(strict.residual, console)
    print_residual_by_record(evaluation.residual, console)
