"""GUI benchmark: 16 beds with two leads of ten seconds, compared with the baseline."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from monitor.gui.bench import frame_bench
from monitor.gui.bench.simulated_feed import FPS, SimulatedFeed
from stream.timebase import FS
from stream.wire import codec
from stream.wire.messages import Forecast, Waveform

SAMPLES = (1024 + 200 * np.sin(2 * np.pi * np.arange(20 * FS)[:, np.newaxis] / FS * [1.0, 2.0])).astype(np.int16)


def test_a_frame_has_sixteen_beds_with_ten_seconds_each(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_bench, "_WARM_UP_FRAMES", 2 * FPS)
    figures = frame_bench.bench_frames(SAMPLES, 1.0)
    assert (figures["beds"], figures["leads"], figures["frames"]) == (16, 2, FPS)
    assert figures["shown_s"] >= 10
    assert 0 < figures["frame_median_ms"] <= figures["frame_p99_ms"]
    assert figures["cpu_ratio_to_naive"] == pytest.approx(figures["frame_cpu_ms"] / figures["naive_cpu_ms"], rel=0.01)
    assert qtbot is not None


def test_a_frame_of_the_page_has_eight_lanes(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_bench, "_WARM_UP_FRAMES", 2 * FPS)
    figures = frame_bench.bench_page(SAMPLES, 0.5)
    assert (figures["lanes"], figures["frames"]) == (8, FPS // 2)
    assert 0 < figures["frame_median_ms"] <= figures["frame_p99_ms"]
    assert qtbot is not None


def test_memory_is_measured_after_a_quarter_and_at_the_end(qtbot: QtBot) -> None:
    figures = frame_bench.bench_memory(SAMPLES, 0.1)
    quarter, end = figures["rss_mb"]
    assert quarter > 50
    assert figures["growth_mb"] == pytest.approx(end - quarter, abs=0.2)
    assert qtbot is not None
    assert not [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]


def test_the_simulated_feed_sends_valid_messages() -> None:
    feed = SimulatedFeed(SAMPLES, 2, frame_bench.bench_waves())
    for _ in range(FPS * 2):
        feed.advance()
    messages = [received.message for received in feed.drain()]
    chunks = [message for message in messages if isinstance(message, Waveform) and message.bed == "bed-01"]
    assert [chunk.start for chunk in chunks] == [36 * seq for seq in range(20)]
    np.testing.assert_allclose(
        np.concatenate([chunk.mv() for chunk in chunks]), (SAMPLES[:720] - 1024) / 200, atol=1e-5
    )
    forecasts = [message for message in messages if isinstance(message, Forecast) and message.bed == "bed-01"]
    assert [forecast.origin for forecast in forecasts] == [chunk.end - 1 for chunk in chunks]
    for message in messages:
        assert codec.decode(codec.topic_of(message), codec.encode(message)) == message
