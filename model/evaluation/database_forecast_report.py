"""Scores of forecasts and anomaly alarms over the records of any database: JSON report and printed tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from model.evaluation.alarm_list_entries import ListEntries, print_list_entries, total
from model.evaluation.anomaly_metrics import METHODS
from model.evaluation.anomaly_report import AnomalyReport
from model.evaluation.anomaly_tables import print_anomalies, print_anomalies_by_record
from model.evaluation.forecast_report import ForecastReport
from model.evaluation.forecast_tables import print_forecast, print_forecast_by_record
from model.evaluation.personal_report import PersonalReport
from model.evaluation.personal_tables import print_personal
from model.evaluation.tables import counted
from model.evaluation.truth import Style


@dataclass(frozen=True, slots=True)
class Scored:
    """What was scored of a record.

    Attributes
    ----------
    style : str
        Of its annotations.
    leads : tuple of str
        Analysed leads; forecasts of the first are scored.
    scored_from_s, seconds : float
        Start of the scoring and length of the record.
    """

    style: Style
    leads: tuple[str, ...]
    scored_from_s: float
    seconds: float


@dataclass(frozen=True)
class DatabaseForecasts:
    """Scores of forecasts and anomaly alarms over the records of a database.

    Attributes
    ----------
    name : str
    records : mapping of str to Scored
    skipped : mapping of str to str
        Records that could not be scored, with the reason.
    forecast : ForecastReport or None
        None without any record.
    personal : PersonalReport
        Of the same records.
    anomaly : AnomalyReport or None
        Of the records with typed beats; None if there are none.
    entries : mapping of str to ListEntries
        Of the alarm list, by record.
    without_ar : str or None
        The reason why AR(180) is missing.
    """

    name: str
    records: Mapping[str, Scored]
    skipped: Mapping[str, str]
    forecast: ForecastReport | None
    personal: PersonalReport
    anomaly: AnomalyReport | None
    entries: Mapping[str, ListEntries]
    without_ar: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the metrics for JSON, with the keys of `Evaluation.to_dict`; None for parts without records."""
        return {
            "database": self.name,
            "styles": dict(self.styles),
            "without_ar180": self.without_ar,
            "skipped": {"n": len(self.skipped), "reasons": dict(self.skipped)},
            "list_entries_per_h": self._total["list_entries_per_h"],
            "list_entries_per_h_by_kind": self._total["list_entries_per_h_by_kind"],
            "records": {
                name: {**asdict(record), "list_entries_per_h": self.entries[name].per_h}
                for name, record in self.records.items()
            },
            **self._forecasts(),
            **(dict.fromkeys(METHODS) if self.anomaly is None else self.anomaly.to_dict()),
        }

    def _forecasts(self) -> dict[str, Any]:
        if self.forecast is None:
            return {"forecast": None}
        metrics = self.forecast.to_dict()
        self.personal.add_to(metrics)
        return metrics

    @property
    def _total(self) -> dict[str, Any]:
        """Entries of the alarm list per bed and hour; None without any record."""
        if not self.entries:
            return dict.fromkeys(("list_entries_per_h", "list_entries_per_h_by_kind"))
        return total(self.entries).to_dict()

    @property
    def styles(self) -> Counter[str]:
        """Number of records with each style of annotations."""
        return Counter(record.style for record in self.records.values())


def print_database_forecasts(report: DatabaseForecasts, console: Console | None = None) -> None:
    """Print the metrics as tables."""
    console = console or Console()
    styles = ", ".join(f"{number} {style}" for style, number in sorted(report.styles.items()))
    console.print(f"{report.name}: {styles or 'no record can be scored'}")
    for name, reason in report.skipped.items():
        console.print(f"  skipped {name}: {reason}", markup=False, soft_wrap=True)
    if report.forecast is None:
        return
    if report.without_ar is not None:
        console.print(report.without_ar, markup=False, soft_wrap=True)
    print_forecast(report.forecast, console)
    print_forecast_by_record(report.forecast, console)
    print_personal(report.personal, console)
    if report.anomaly is None:
        console.print(f"Anomaly alarms are not scored: {counted(len(report.records))} without types of beats.")
    else:
        print_anomalies(report.anomaly, console)
        print_anomalies_by_record(report.anomaly, console)
    print_list_entries(report.entries, console)
