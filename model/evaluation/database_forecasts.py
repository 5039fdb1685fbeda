"""Forecasts and anomaly alarms on the records of any database: ``bedside evaluate --database``.

The scores are those of `model.evaluation.evaluation`. Forecasts are scored on every record, anomaly alarms on those
whose beats have types (`model.evaluation.truth`). A record that cannot be read or scored is skipped with its reason.

Records of ten minutes or more are scored from 5:00 (EC57), shorter ones from 1:40: the first 100 s, by whose standard
deviation the errors are divided, are not scored.

Each record is then analysed once more as the live worker does, to count the entries of its alarm list
(`model.evaluation.alarm_list_entries`).

AR(180) is the one fitted to MIT-BIH DS1 without 201; without these records it is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model.console.progress import skip, stderr
from model.evaluation import alarm_list_entries
from model.evaluation.alarm_list_entries import ListEntries
from model.evaluation.anomaly_metrics import RecordResult
from model.evaluation.anomaly_report import report_of
from model.evaluation.anomaly_scores import run_detector, score_all
from model.evaluation.anomaly_targets import targets_of
from model.evaluation.baseline_detectors import AHEAD
from model.evaluation.baseline_forecasts import AR, ar180
from model.evaluation.database import Database, Example
from model.evaluation.database_forecast_report import DatabaseForecasts, Scored
from model.evaluation.ec57_beats import SCORED_FROM
from model.evaluation.forecast_report import CURVE, ForecastReport
from model.evaluation.forecast_scores import EXCERPT, SPREAD_OVER, ForecastScores
from model.evaluation.personal_report import HORIZONS as PERSONAL_HORIZONS
from model.evaluation.personal_report import PersonalReport
from model.evaluation.personal_scores import PersonalScores
from model.evaluation.truth import SHORT_RECORD
from model.forecast.forecaster import Forecasts
from model.forecast.forecaster_weights import TrainedForecaster
from model.pipeline.analysis import Models
from model.signal.arrays import FloatArray
from model.signal.batch import Strides
from model.signal.gaps import fill_gaps
from stream.errors import RecordError
from stream.records.catalog import Catalog
from stream.timebase import FS

TOGETHER = 20_000_000
"""Samples of all leads that are in memory at once, 160 MB: 15 half-hour records of two leads."""


@dataclass(frozen=True)
class _Loaded:
    """A record that can be scored: its samples, mV of shape (n, leads), and the first lead without gaps."""

    example: Example
    mv: FloatArray
    first_lead: FloatArray
    since: int


def evaluate_forecasts(
    database: Database,
    names: Sequence[str],
    models: Models,
    *,
    leads: int | None = None,
    catalog: Catalog | None = None,
) -> DatabaseForecasts:
    """Score forecasts, anomaly alarms and their baselines on records of a database, with progress on standard error.

    Parameters
    ----------
    database : Database
    names : sequence of str
        As `Database.chosen` returns them.
    models : Models
    leads : int, optional
        Analyse only the first leads.
    catalog : Catalog, optional
        Where MIT-BIH is found, to which AR(180) is fitted.
    """
    ar, missing = _fit_ar(catalog)
    records: dict[str, Scored] = {}
    skipped: dict[str, str] = {}
    forecasts, personal = ForecastReport({}), PersonalReport({})
    residual: dict[str, RecordResult] = {}
    entries: dict[str, ListEntries] = {}
    for batch in _batches(database, names, leads, skipped):
        found, own_personal, own = _score(batch, models.forecaster, ar)
        forecasts = ForecastReport({**forecasts.records, **found.records}, found.methods)
        personal = PersonalReport({**personal.records, **own_personal.records})
        residual |= own
        entries |= alarm_list_entries.entries_of(list(batch), [one.example.record for one in batch.values()], models)
        for name, loaded in batch.items():
            record = loaded.example.record
            records[name] = Scored(loaded.example.truth.style, record.leads, loaded.since / FS, record.n / FS)
    return DatabaseForecasts(
        database.name,
        records,
        skipped,
        forecasts if forecasts.records else None,
        personal,
        report_of(residual) if residual else None,
        entries,
        missing,
    )


def scored_from(n: int) -> int:
    """Return the first scored sample of a record with n samples."""
    return SCORED_FROM if n >= SHORT_RECORD else SPREAD_OVER


def _fit_ar(catalog: Catalog | None) -> tuple[AR | None, str | None]:
    """Return AR(180), or the reason why it is missing."""
    stderr().print("fitting AR(180) to DS1 of MIT-BIH")
    try:
        return ar180(sorted({*CURVE, *PERSONAL_HORIZONS}), catalog), None
    except RecordError as error:
        return None, f"AR(180) is left out, it is fitted to DS1 of MIT-BIH: {error}"


def _batches(
    database: Database, names: Sequence[str], leads: int | None, skipped: dict[str, str]
) -> Iterator[dict[str, _Loaded]]:
    """Read as many records at once as fit into memory; add those that cannot be scored to ``skipped``."""
    batch: dict[str, _Loaded] = {}
    size = 0
    for name in names:
        try:
            loaded = _load(database, name, leads)
        except RecordError as error:
            skip(skipped, name, error)
            continue
        if batch and size + loaded.mv.size > TOGETHER:
            yield batch
            batch, size = {}, 0
        batch[name] = loaded
        size += loaded.mv.size
    if batch:
        yield batch


def _load(database: Database, name: str, leads: int | None) -> _Loaded:
    example = database.example(name, leads)
    mv, since = example.record.mv(), scored_from(example.record.n)
    if len(mv) < since + EXCERPT:
        raise RecordError(
            f"record {example.record.name} is too short to score: it lasts {len(mv) / FS:.0f} s, "
            f"not {(since + EXCERPT) // FS} s or more"
        )
    first_lead = fill_gaps(mv[:, :1], np.zeros(1))[0][:, 0]
    scaling, scored = first_lead[:SPREAD_OVER], first_lead[since:]
    for part, which in ((scaling, "first 100 s, which scale the errors"), (scored, "scored part")):
        if not np.ptp(part):
            lead = example.record.leads[0]
            raise RecordError(f"record {example.record.name} cannot be scored: {lead} is flat in its {which}")
    return _Loaded(example, mv, first_lead, since)


def _score(
    batch: dict[str, _Loaded], forecaster: TrainedForecaster, ar: AR | None
) -> tuple[ForecastReport, PersonalReport, dict[str, RecordResult]]:
    """Return the scores of both forecasts and of anomaly alarms; the latter only of records with typed beats."""
    signals = {name: loaded.mv for name, loaded in batch.items()}
    since = {name: loaded.since for name, loaded in batch.items()}
    leads = {name: loaded.first_lead for name, loaded in batch.items()}
    references = {name: loaded.example.truth.reference for name, loaded in batch.items()}
    forecasts, personal = ForecastScores(leads, since), PersonalScores(leads, forecaster, references, since)

    def add(name: str, strides: Strides, made: Forecasts) -> None:
        forecasts.add(name, made)
        personal.add(name, strides, made)

    outputs = run_detector(signals, forecaster, add)
    targets = {
        name: targets_of(references[name], len(loaded.mv), loaded.since)
        for name, loaded in batch.items()
        if loaded.example.truth.style == "typed beats"
    }
    curve, own, ahead = (None if ar is None else ar.at(at) for at in (CURVE, PERSONAL_HORIZONS, (AHEAD,)))
    return forecasts.report(curve), personal.report(own), score_all(signals, targets, outputs, ahead)
