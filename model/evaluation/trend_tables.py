"""The tables of the forecast of vitals hours ahead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from model.trends.targets import HORIZONS_H, RISK_HORIZONS_H

SCORERS = ("bedside", "logistic", "current_map", "news2")


def print_trends(report: Mapping[str, Any], console: Console | None = None) -> None:
    """Print what `TrendScores.to_dict` returns."""
    console = console or Console()
    console.print(
        f"{report['patients']} patients, {report['hours']} hours. A simulation for teaching, not a diagnosis."
    )
    risks = {f"hypotension within {h} h": report["hypotension"][str(h)] for h in RISK_HORIZONS_H}
    risks["sepsis label"] = report["sepsis"]
    table = Table("AUROC / average precision", "share", *SCORERS, title="Risks")
    for name, own in risks.items():
        cells = (own if scorer == "bedside" else own.get(scorer) for scorer in SCORERS)
        table.add_row(name, _text(own["prevalence"]), *(_pair(cell) for cell in cells))
    console.print(table)
    table = Table(
        "mean absolute error",
        *(f"{h} h" for h in HORIZONS_H),
        title="Vitals, and persistence",
        caption="Interval of 80 %: share covered",
    )
    for name, own in report["mae"].items():
        covered, held = report["coverage80_by_horizon"][name], own["persistence"]
        cells = (f"{_text(own[str(h)], 2)} ({_text(held[str(h)], 2)}) {_text(covered[str(h)])}" for h in HORIZONS_H)
        table.add_row(name, *cells)
    console.print(table)
    console.print(
        f"Advisories of hypotension: {_text(report['alerts_per_patient_day'], 2)} per patient and day, "
        f"precision {_text(report['precision'])}, sensitivity per event {_text(report['sensitivity'])} of "
        f"{report['events']}, lead time {_text(report['lead_time_h_median'], 1)} h (median). "
        f"Utility of the Challenge 2019 for sepsis: {_text(report['sepsis']['utility'])}."
    )


def _pair(own: Mapping[str, Any] | None) -> str:
    return "" if own is None else f"{_text(own['auroc'])} / {_text(own['ap'])}"


def _text(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
