import io

from rich.console import Console

from monitor.tools.live_table import live_table
from monitor.tools.wire_stats import BedStats
from stream.wire.alarm_messages import ActiveAlarms
from tests.monitor.tools.test_wire_stats import perfect_forecast
from tests.stream.wire.test_codec import alarm
from tests.waveforms import chunk


def text(beds: dict[str, BedStats], now_ns: int) -> str:
    console = Console(width=160, file=io.StringIO())
    console.print(live_table(beds, now_ns))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_what_was_never_seen_is_not_invented() -> None:
    shown = text({"bed-1": BedStats()}, 0)
    assert "waiting" in shown
    assert shown.count("--") == 3


def test_a_bed_in_alarm() -> None:
    bed = BedStats()
    for seq in range(30):
        bed.update(chunk(seq), chunk(seq).due_ns)
        bed.update(perfect_forecast(seq, 0.1), 0)
    bed.update(alarm(text="Waveform left its forecast"), 0)
    bed.update(ActiveAlarms(bed="bed-1", alarms=(alarm(text="Waveform left its forecast"),)), 0)
    shown = text({"bed-1": bed}, chunk(29).due_ns)
    for words in (
        "traceable SYNTHETIC",
        "360",
        "0.0 s",
        "100 ms  0.100 · 0.180",
        "1.0 · 3.0",
        "bed-1: Waveform left its forecast",
    ):
        assert words in shown
    assert "SIMULATION" in shown
    stale = text({"bed-1": bed}, chunk(29).due_ns + 9_000_000_000)
    assert "9.0 s" in stale
