"""Printed tables of the forecast metrics."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from model.evaluation.forecast_report import LABELS, MS, ForecastReport
from model.evaluation.tables import NARROW, counted, starts


def print_forecast(report: ForecastReport, console: Console) -> None:
    """Print the metrics over all records."""
    nrmse, mae, interval = report.nrmse, report.mae, report.nrmse_interval
    since = starts(record.scored_from for record in report.records.values())
    table = Table(
        title=f"Forecast, {counted(len(report.records))}: first lead, from {since}, one origin every 4 samples",
        caption="NRMSE: RMSE / standard deviation of the first 100 s, mean over records; "
        "below it the 95 % interval, bootstrap over patients",
        **NARROW,
    )
    table.add_column("")
    for ms in MS:
        table.add_column(f"{ms} ms", justify="right")
    table.add_row("NRMSE", style="bold")
    for i, method in enumerate(report.methods):
        table.add_row(LABELS[method], *(f"{value:.3f}" for value in nrmse[i]))
        table.add_row("", *(f"{low:.2f}–{high:.2f}" for low, high in interval[:, i].T), style="dim")
    table.add_section()
    table.add_row("MAE, mV", style="bold")
    for i, method in enumerate(report.methods):
        table.add_row(LABELS[method], *(f"{value:.4f}" for value in mae[i]))
    table.add_section()
    table.add_row("skill over", style="bold")
    for over, skill in zip(report.methods[1:], report.skill, strict=True):
        table.add_row(LABELS[over], *(f"{value:.2f}" for value in skill))
    console.print(table)
    coverage = report.coverage90
    console.print(
        f"Coverage of the 90 % interval: mean {100 * coverage['mean']:.1f} %, "
        f"range over records {100 * coverage['min']:.1f} to {100 * coverage['max']:.1f} %\n"
    )


def print_forecast_by_record(report: ForecastReport, console: Console) -> None:
    """Print the metrics of the network on each record."""
    table = Table(title="LSTM by record: NRMSE; coverage of the 90 % interval in %", **NARROW)
    table.add_column("record")
    for ms in MS:
        table.add_column(f"{ms} ms", justify="right")
    table.add_column("coverage", justify="right")
    for name, record in report.records.items():
        table.add_row(name, *(f"{value:.3f}" for value in record.nrmse[0]), f"{100 * record.coverage90:.1f}")
    console.print(table)
