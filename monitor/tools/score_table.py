"""Table of the live score, at most 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from monitor.view.score_texts import score_rows
from stream.wire.plain_text import plain
from stream.wire.score_message import Score, ScorePart

NAMES = {
    "qrs": "QRS",
    "veb": "VEB",
    "sveb": "SVEB",
    "vf": "VF",
    "vt": "VT",
    "either": "VF or VT",
    "asystole": "asystole",
    "af": "AF",
}


def score_table(reports: Iterable[Score]) -> Group:
    """Return a table for each bed: since the start, and the last minutes."""
    tables = [_bed(report) for report in reports]
    title = Text("bedside score · SIMULATION, not for clinical use", style="bold")
    waiting = [] if tables else [Text("waiting for a reference: replay with --annotations", style="dim")]
    return Group(title, *waiting, *tables)


def _bed(report: Score) -> Table:
    state = "complete" if report.complete else "so far"
    title = f"{report.bed}: {plain(report.record)}, {report.seconds:.0f} s, {state}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("%")
    table.add_column("Se / PPV, Sp", justify="right")
    table.add_column(f"last {report.running_s / 60:.0f} min", justify="right")
    table.add_column("found", justify="right")
    table.add_column("delay", justify="right")
    for row in score_rows(report):
        table.add_row(NAMES[row.name], row.whole, row.recent, f"{row.found} of {row.count}", row.delay)
    table.caption = "\n".join([_alarms(report.cumulative), *_not_yet(report)])
    table.caption_justify = "left"
    return table


def _not_yet(report: Score) -> list[str]:
    """Return why beats are not scored yet, as a line, unless they are."""
    beats = report.cumulative.qrs
    if not report.scored_from_s or beats.found + beats.missed + beats.false:
        return []
    minutes, seconds = divmod(round(report.scored_from_s), 60)
    return [f"Beats and AF count from {minutes}:{seconds:02d} of the replay on"]


def _alarms(part: ScorePart) -> str:
    rate = f"{part.false_alarms / part.false_hours:.2f} per hour" if part.false_hours else "not counted yet"
    kinds = ", ".join(f"{plain(kind)} {number}" for kind, number in sorted(part.false_by_kind.items()))
    injected = f"; during injections: {part.during_injections}" if part.during_injections else ""
    return f"False high-priority alarms: {part.false_alarms}, {rate}{f' ({kinds})' if kinds else ''}{injected}"
