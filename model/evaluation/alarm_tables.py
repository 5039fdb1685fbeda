"""Printed tables of beats, rhythm and alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from model.datasets.mitdb import DS1, DS2
from model.evaluation.alarm_report import ALL, DS2_WITHOUT_202, TIMED, AlarmReport
from model.evaluation.challenge2015 import ChallengeScore
from model.evaluation.database_report import se_sp
from model.evaluation.tables import number, percent


def print_alarms(report: AlarmReport, console: Console | None = None) -> None:
    """Print the metrics as tables."""
    console = console or Console()
    console.print(_beats(report))
    console.print(_events(report))
    se, sp = report.af
    console.print(f"Atrial fibrillation, time-based: Se {percent(se, 1)} %, Sp {percent(sp, 1)} %")
    console.print(f"False high-priority alarms: {number(report.false_high_per_h, 2)} per hour")
    for false in report.total().false:
        console.print(f"  {false.record} at {false.at_s:.1f} s: {false.kind}")
    if report.challenge:
        total = sum(report.challenge.values(), ChallengeScore())
        kinds = ", ".join(f"{kind} {percent(s.score, 0)}" for kind, s in report.challenge.items())
        console.print(f"Challenge 2015 score: {percent(total.score, 1)} ({kinds})")
    for kind, key in TIMED.items():
        if key not in report.vfdb:
            continue
        se, sp = se_sp(report.vfdb[key])
        hours = float(report.vfdb[key].sum()) / 3600
        console.print(f"vfdb, {kind}, time-based: Se {percent(se, 1)} %, Sp {percent(sp, 1)} % of {hours:.1f} h")


def _beats(report: AlarmReport) -> Table:
    table = Table(title="Beats from 5:00 against the reference (EC57, 150 ms), in %")
    for head in ("", "QRS Se", "QRS +P", "VEB Se", "VEB +P", "SVEB Se", "SVEB +P"):
        table.add_column(head, justify="right" if head else "left")
    sets: Mapping[str, Sequence[str]] = {
        "DS1": DS1,
        "DS2": DS2,
        "DS2 without 202": DS2_WITHOUT_202,
        "all 44": ALL,
        **{name: [name] for name in report.records},
    }
    for title, names in sets.items():
        if not any(name in report.records for name in names):
            continue
        scores = report.total(names).beats
        shares = (
            share
            for tally in (scores.qrs, scores.veb, scores.sveb)
            for share in (tally.sensitivity, tally.positive_predictivity)
        )
        table.add_row(title, *(percent(share, 2) for share in shares))
    return table


def _events(report: AlarmReport) -> Table:
    table = Table(title="Rhythm alarms over whole records")
    for head in ("", "events", "found", "by silencing kind", "DS1", "DS2", "longest delay s"):
        table.add_column(head, justify="right" if head else "left")
    one, two = report.events(DS1), report.events(DS2)
    for key, whole in report.events(ALL).items():
        parts = [f"{part[key].found} of {part[key].events}" for part in (one, two)]
        delay = number(whole.delay_s_max, 2)
        table.add_row(key, str(whole.events), str(whole.found), str(whole.by_graver), *parts, delay)
    return table
