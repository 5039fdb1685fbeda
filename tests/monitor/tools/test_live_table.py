import io

import pytest
from rich.console import Console

from monitor.tools.live_table import live_table
from monitor.tools.wire_stats import BedStats
from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.status_messages import ProcessStatus
from tests.monitor.message_samples import process, vitals
from tests.monitor.tools.test_wire_stats import forecast_of
from tests.stream.wire.test_codec import alarm
from tests.waveforms import chunk


def text(beds: dict[str, BedStats], now_ns: int, width: int = 80, worker: ProcessStatus | None = None) -> str:
    console = Console(width=width, file=io.StringIO())
    console.print(live_table(beds, now_ns, now_ns, worker))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def bed_in_alarm() -> BedStats:
    bed = BedStats()
    for seq in range(30):
        bed.update(chunk(seq), chunk(seq).due_ns)
        bed.update(forecast_of(seq), 0)
    bed.update(vitals(chunk(29).end - 1, skill=0.625), 0)
    bed.update(alarm(text="the ECG differs from its forecast"), 0)
    bed.update(ActiveAlarms(bed="bed-1", alarms=(alarm(text="the ECG differs from its forecast"),)), 0)
    return bed


def test_missing_values_read_dashes() -> None:
    shown = text({"bed-1": BedStats()}, 0)
    assert "waiting" in shown
    assert shown.count("--") == 4


@pytest.mark.parametrize("width", [80, 120])
def test_a_bed_in_alarm_fits_the_terminal(width: int) -> None:
    bed = bed_in_alarm()
    shown = text({"bed-1": bed}, chunk(29).due_ns, width)
    for words in (
        "samples",
        "data",
        "forecast",
        "anomaly",
        "alarm",
        "alarms",
        "per s",
        "age",
        "skill",
        "score",
        "from",
    ):
        assert words in shown
    for words in (
        "traceable",
        "SYNTHETIC",
        "360",
        "0.0 s",
        "0.62",
        "1.0",
        "3.0",
        "bed-1: the ECG differs from its forecast",
        "SIMULATION",
    ):
        assert words in shown
    assert "…" not in shown
    assert max(len(line) for line in shown.splitlines()) <= width
    stale = text({"bed-1": bed}, chunk(29).due_ns + 9_000_000_000, width)
    assert "9.0 s" in stale


def test_a_long_record_name_is_folded_not_cut() -> None:
    bed = BedStats()
    bed.update(chunk(0, record="a-folder-with-a-long-name/and-a-record-with-another"), chunk(0).due_ns)
    bed.update(forecast_of(0), 0)
    shown = text({"a-bed-with-a-name-of-32-letters-x": bed}, chunk(0).due_ns)
    assert "…" not in shown
    assert "LEARNING" not in shown
    assert max(len(line) for line in shown.splitlines()) <= 80


def test_text_from_the_wire_is_shown_as_plain_text() -> None:
    bed = BedStats()
    bed.update(chunk(0, record="[red]\x1b[31m"), 0)
    bed.update(ActiveAlarms(bed="bed-1", alarms=(alarm(text="\x1b[2Jall is well"),)), 0)
    shown = text({"bed-1": bed}, 0, 120)
    assert "\x1b" not in shown
    assert "[red]" in shown
    assert r"\u001b[2Jall is well" in shown


def test_an_overloaded_worker_is_named() -> None:
    assert "OVERLOADED" in text({}, 0, worker=process("worker", overloaded=True))
    assert "OVERLOADED" not in text({}, 0, worker=process("worker"))
