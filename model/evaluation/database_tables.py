"""Printed tables of the alarms of any database."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from model.evaluation.challenge2015 import ChallengeScore
from model.evaluation.database_report import EPISODES, DatabaseReport, se_sp
from model.evaluation.ec57_beats import BeatScores
from model.evaluation.false_alarms import KEYS
from model.evaluation.record_scores import Scores
from model.evaluation.rhythm_time import BY_TIME
from model.evaluation.tables import NARROW, number, percent, ratio
from model.evaluation.windows import WINDOWED

NAMES = {
    "vf": "VF",
    "vt": "VT",
    "either": "VF or VT",
    "asystole": "asystole",
    "lethal": "all lethal",
    "af": "AF",
    "brady": "brady",
    "tachy": "tachy",
}


def print_database(report: DatabaseReport, console: Console | None = None) -> None:
    """Print the metrics as tables."""
    console = console or Console()
    styles = ", ".join(f"{number} {style}" for style, number in sorted(report.styles.items()))
    console.print(f"{report.name}: {styles or 'no record could be read'}")
    for name, reason in report.skipped.items():
        console.print(f"  skipped {name}: {reason}", markup=False, soft_wrap=True)
    if not report.records:
        return
    total = report.total
    if total.beats != BeatScores():
        console.print(_beats(report, total))
    if total.by_time or total.episodes:
        console.print(_rhythms(total))
    console.print(_by_record(report, total))
    if total.over_beats_hours:
        over = total.fibrillation_over_beats / total.over_beats_hours
        console.print(f"Fibrillation alarms over beats below 150/min: {over:.2f} per hour")
    if total.challenge:
        kinds = ", ".join(f"{kind} {percent(s.score, 1)}" for kind, s in sorted(total.challenge.items()))
        score = sum(total.challenge.values(), ChallengeScore()).score
        console.print(f"Challenge 2015 score: {percent(score, 1)} ({kinds})")


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, **NARROW)
    for head in heads:
        table.add_column(head, justify="right" if head else "left")
    return table


def _rows(report: DatabaseReport, total: Scores) -> dict[str, Scores]:
    return {"gross": total, **{name: result.scores for name, result in report.records.items()}}


def _beats(report: DatabaseReport, total: Scores) -> Table:
    heads = ("", "QRS Se", "QRS +P", "VEB Se", "VEB +P", "SVEB Se", "SVEB +P")
    table = _table("Beats against the reference (EC57, 150 ms), in %", *heads)
    for title, scores in _rows(report, total).items():
        if scores.beats == BeatScores():
            continue
        tallies = (scores.beats.qrs, scores.beats.veb, scores.beats.sveb)
        shares = (share for t in tallies for share in (t.sensitivity, t.positive_predictivity))
        table.add_row(title, *(percent(share, 2) for share in shares))
    return table


def _rhythms(total: Scores) -> Table:
    heads = ("", "time Se", "Sp", "10 s Se", "Sp", "episodes", "found", "delay s", "longest")
    table = _table("Rhythms by time and in windows of 10 s, in %; episodes and their median delay", *heads)
    for key, name in NAMES.items():
        if key not in total.by_time and key not in total.windows and key not in total.episodes:
            continue
        cells = [percent(share, 1) if key in BY_TIME else "" for share in se_sp(total.by_time.get(key))]
        cells += [percent(share, 1) if key in WINDOWED else "" for share in se_sp(total.windows.get(key))]
        score = total.episodes.get(key)
        if score is not None and key in EPISODES:
            cells += [str(score.events), str(score.found)]
            cells += [number(score.delay_s_median, 1), number(score.delay_s_max, 1)]
        table.add_row(name, *cells)
    return table


def _by_record(report: DatabaseReport, total: Scores) -> Table:
    heads = ("", "hours", "per hour", *KEYS.values(), "AF", "entries/h")
    table = _table("False high-priority alarms; time called AF, in %; entries of any priority", *heads)
    for title, scores in _rows(report, total).items():
        counts = [str(sum(false.kind == kind for false in scores.false)) for kind in KEYS]
        table.add_row(
            title,
            f"{scores.false_hours:.2f}",
            number(ratio(len(scores.false), scores.false_hours), 2),
            *counts,
            percent(ratio(scores.af_s, scores.seconds), 1),
            number(ratio(scores.entries.total() * 3600, scores.seconds), 1),
        )
    return table
