"""The live table of a headless demonstration."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from monitor.tools.wire_stats import HORIZONS, BedStats

STALE_S = 2.0


def live_table(beds: Mapping[str, BedStats], now_ns: int) -> Table:
    """Return one line per bed: what streams, how old it is, how good the forecast is, what alarms."""
    table = Table(title="bedside · SIMULATION, not for clinical use", title_style="bold", expand=False)
    for heading in ("bed", "record", "samples/s", "data age"):
        table.add_column(heading, no_wrap=True)
    table.add_column("MAE in mV:\nforecast · persistence", no_wrap=True)
    table.add_column("score ·\nalarm from")
    table.add_column("alarms")
    for name, bed in sorted(beds.items()):
        table.add_row(
            name,
            _record(bed),
            f"{bed.rate(now_ns):.0f}",
            _age(bed, now_ns),
            _errors(bed),
            _score(bed),
            Text(str(len(bed.raised)), style="bold yellow" if bed.active else ""),
        )
    texts = [f"{name}: {bed.active[-1].text}" for name, bed in sorted(beds.items()) if bed.active]
    table.caption = Text("\n".join(texts), style="bold yellow")
    return table


def _record(bed: BedStats) -> Text:
    if bed.waveform is None:
        return Text("waiting", style="dim")
    name = Text(bed.waveform.record)
    if bed.waveform.synthetic:
        name.append(" SYNTHETIC", style="bold yellow")
    return name


def _age(bed: BedStats, now_ns: int) -> Text:
    age = bed.age_s(now_ns)
    if age is None:
        return Text("--")
    return Text(f"{max(age, 0.0):.1f} s", style="bold red" if age > STALE_S else "green")


def _errors(bed: BedStats) -> str:
    if not bed.errors.count:
        return "--"
    forecast, persistence = (bed.errors.mae(sums) for sums in (bed.errors.forecast, bed.errors.persistence))
    return "\n".join(f"{h:>3} ms  {forecast[h]:.3f} · {persistence[h]:.3f}" for h in HORIZONS)


def _score(bed: BedStats) -> str:
    if bed.threshold is None:
        return "--"
    return f"LEARNING · {bed.threshold:.1f}" if bed.score is None else f"{bed.score:.1f} · {bed.threshold:.1f}"
