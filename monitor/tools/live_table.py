"""Live table of a headless demonstration, at most 80 columns wide."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from monitor.tools.wire_stats import BedStats
from stream.wire.plain_text import plain
from stream.wire.status_messages import ProcessStatus

STALE_AFTER_S = 2.0
NO_VALUE = "--"

_NUMERIC_COLUMNS = (
    ("samples\nper s", 7),
    ("data\nage", 6),
    ("forecast\nskill", 8),
    ("anomaly\nscore", 8),
    ("alarm\nfrom", 5),
    ("alarms\nraised", 6),
)
"""Headings and widths of the numeric columns; of 80 columns, 24 remain for the names."""

LEGEND = "skill: 1 − forecast error / error of persistence, 100 ms ahead, last minute"


OVERLOADED = "OVERLOADED: the worker cannot analyse all that it receives; alarms may be missing"


def live_table(
    beds: Mapping[str, BedStats], now_ns: int, monotonic_ns: int, worker: ProcessStatus | None = None
) -> Group:
    """Return one row per bed: record, sample rate, data age, forecast skill, score; below, the active alarms.

    Parameters
    ----------
    beds : dict of str to BedStats
    now_ns, monotonic_ns : int
        Unix time and monotonic time in ns.
    worker : ProcessStatus, optional
        The last status of the worker; it shows whether it is overloaded.
    """
    table = Table(
        title="bedside · SIMULATION, not for clinical use", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1)
    )
    table.add_column("bed", overflow="fold")
    table.add_column("record", overflow="fold")
    for heading, width in _NUMERIC_COLUMNS:
        table.add_column(heading, justify="right", min_width=width, no_wrap=True)
    for name, bed in sorted(beds.items()):
        table.add_row(
            name,
            _record(bed),
            f"{bed.rate(monotonic_ns):.0f}",
            _age(bed, now_ns),
            NO_VALUE if bed.skill is None else f"{bed.skill:.2f}",
            _score(bed),
            NO_VALUE if bed.forecast is None else f"{bed.forecast.threshold:.1f}",
            Text(str(len(bed.raised)), style="bold yellow" if bed.active else ""),
        )
    alarms = [f"{name}: {plain(alarm.text)}" for name, bed in sorted(beds.items()) for alarm in bed.active[-1:]]
    overloaded = [Text(OVERLOADED, style="bold red")] if worker is not None and worker.overloaded else []
    return Group(table, Text(LEGEND, style="dim"), *overloaded, Text("\n".join(alarms), style="bold yellow"))


def _record(bed: BedStats) -> Text:
    if bed.waveform is None:
        return Text("waiting", style="dim")
    name = Text(plain(bed.waveform.record))
    if bed.waveform.synthetic:
        name.append("\nSYNTHETIC", style="bold yellow")
    return name


def _age(bed: BedStats, now_ns: int) -> Text:
    age = bed.age_s(now_ns)
    if age is None:
        return Text(NO_VALUE)
    return Text(f"{max(age, 0.0):.1f} s", style="bold red" if age > STALE_AFTER_S else "green")


def _score(bed: BedStats) -> str:
    if bed.forecast is None:
        return NO_VALUE
    return "LEARNING" if bed.forecast.score is None else f"{bed.forecast.score:.1f}"
