"""Printed tables of the personal forecast."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from rich.console import Console
from rich.table import Table

from model.evaluation.personal_conditions import LEAST_BEATS, MINUTES
from model.evaluation.personal_report import (
    DETECTORS,
    ERROR_OVER,
    IN_DETAIL_MS,
    LABELS,
    MS,
    OWN,
    PersonalReport,
)
from model.evaluation.tables import NARROW, counted, starts
from model.forecast.personal_forecast import OFFSETS
from model.signal.arrays import FloatArray
from stream.timebase import FS

SHOWN = (4, 16, 36, 72, 180, 360)
"""Offsets in the table of coverage."""

PLACE_LABELS = ("undisturbed", "VEB", "1st after", "2nd", "3rd")


def print_personal(report: PersonalReport, console: Console) -> None:
    """Print the metrics over all records."""
    since = starts(record.scored_from for record in report.records.values())
    table = _table(
        f"Personal forecast, {counted(len(report.records))}: first lead, from {since}, NRMSE, one origin every 100 ms",
        (f"{ms} ms" for ms in MS),
    )
    for label, row in zip(LABELS.values(), report.nrmse, strict=True):
        table.add_row(label, *("" if np.isnan(value) else f"{value:.3f}" for value in row))
    console.print(table)
    low, mean, high = 100 * report.coverage
    console.print(
        f"Coverage of the 90 % interval at each of {len(OFFSETS)} horizons: mean {mean.mean():.1f} %, "
        f"range over records and horizons {low.min():.1f} to {high.max():.1f} %\n"
    )
    _print_phases(report, console)
    table = _table(
        f"First minutes of a patient, {counted(len(report.records))}: NRMSE by minute",
        (f"{first}-{stop}" for first, stop in MINUTES),
    )
    _add_detail(table, report.by_minute)
    console.print(table)
    if report.by_place is not None:
        names = report.with_veb
        table = _table(
            f"After a ventricular ectopic beat (VEB), {counted(len(names))} with {LEAST_BEATS} beats or more in each "
            f"column ({', '.join(names)}): NRMSE of the samples of a beat",
            PLACE_LABELS,
        )
        _add_detail(table, report.by_place)
        console.print(table)
    _print_detectors(report, console)


def _print_phases(report: PersonalReport, console: Console) -> None:
    if report.by_phase is None:
        return
    at = [OFFSETS.index(offset) for offset in SHOWN]
    table = _table(
        f"Coverage of the 90 % interval by phase of the beat, {counted(len(report.with_beats))}: mean and range over "
        "records in %",
        (f"{1000 * offset / FS:.0f} ms" for offset in SHOWN),
    )
    for i, label in enumerate(("QRS", "rest")):
        low, mean, high = 100 * report.by_phase[:, i][:, at]
        table.add_row(label, *(f"{value:.1f}" for value in mean))
        table.add_row("", *(f"{a:.0f}–{b:.0f}" for a, b in zip(low, high, strict=True)), style="dim")
    console.print(table)


def _print_detectors(report: PersonalReport, console: Console) -> None:
    if not report.veb_auroc:
        return
    table = _table(
        f"Error over {1000 * ERROR_OVER // FS} ms, in predicted deviations, as a score of VEB: AUROC by record",
        (LABELS.get(name, "sum of both") for name in DETECTORS),
    )
    for name, aurocs in report.veb_auroc.items():
        table.add_row(name, *(f"{value:.3f}" for value in aurocs))
    table.add_section()
    table.add_row("mean", *(f"{value:.3f}" for value in np.mean(list(report.veb_auroc.values()), axis=0)))
    console.print(table)


def _add_detail(table: Table, nrmse: FloatArray) -> None:
    """Add rows of shape (methods, horizons, columns)."""
    for h, ms in enumerate(IN_DETAIL_MS):
        for method, own in zip(OWN, nrmse, strict=True):
            table.add_row(
                f"{LABELS[method]}, {ms} ms", *("" if np.isnan(value) else f"{value:.3f}" for value in own[h])
            )


def _table(title: str, columns: Iterable[str]) -> Table:
    table = Table(title=title, **NARROW)
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    return table
