import json
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.mqtt.lateness import Lateness
from stream.replay import load_report
from stream.replay.load_report import LoadReport


class FakeTime:
    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s

    def process_time(self) -> float:
        return self.now_s / 10


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    fake = FakeTime()
    monkeypatch.setattr(load_report, "time", fake)
    return fake


def client(**values: Any) -> Any:
    return SimpleNamespace(lateness=Lateness(), sent=(0, 0), unsent=0, counters=Counter(), **values)


def test_a_line_counts_since_the_last_one_and_the_totals_from_the_begin(clock: FakeTime) -> None:
    report, sender = LoadReport(50), client()
    report.begin(sender)
    lines = []
    for second in (1, 2):
        clock.now_s += 1.0
        for i in range(500):
            sender.lateness.add(i / 1e5 * second)
        sender.sent, sender.unsent = (500 * second, 200_000 * second), 7 // second
        lines.append(report.update(sender))
    assert lines == [
        "50 beds, 500 messages/s, 200 kB/s, lateness 2.5 ms (99 %: 4.9 ms), 7 waiting",
        "50 beds, 500 messages/s, 200 kB/s, lateness 5.0 ms (99 %: 9.9 ms), 3 waiting",
    ]
    summary = report.summary()
    assert (summary["beds"], summary["seconds"], summary["messages"], summary["bytes"]) == (50, 2.0, 1000, 400_000)
    assert (summary["messages_per_s"], summary["max_waiting"]) == (500.0, 7)
    assert summary["cpu_us_per_bed_s"] == 2000.0
    assert summary["lateness_ms"]["max"] == 9.98
    assert abs(summary["lateness_ms"]["p99"] / 9.78 - 1) < 0.03


@given(st.lists(st.floats(0, 50), min_size=1, max_size=200))
def test_percentiles_of_the_total_are_exact_within_some_percent(late_s: list[float]) -> None:
    report, sender = LoadReport(1), client()
    report.begin(sender)
    for seconds in late_s:
        sender.lateness.add(seconds)
    report.update(sender)
    found = report.summary()["lateness_ms"]
    for percent, name in ((50, "p50"), (99, "p99")):
        exact = np.percentile(late_s, percent, method="inverted_cdf") * 1e3
        assert exact * 0.999 - 0.002 <= found[name] <= max(exact * 1.02, 0.011)
    assert found["max"] == round(max(late_s) * 1e3, 3)


def test_a_report_of_nothing_is_valid_json() -> None:
    report, sender = LoadReport(3), client()
    report.begin(sender)
    assert report.update(sender).endswith("kB/s, 0 waiting")
    assert json.loads(json.dumps(report.summary(), allow_nan=False))["lateness_ms"]["p99"] is None
