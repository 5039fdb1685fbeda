"""``bedside bench gui``: frame time of the central station and of a bed's page, compared with redrawing every curve.

Time is simulated: each frame is 1/60 s after the previous one and receives the messages due by then. A frame includes
all work of the window: processing messages, building the frame of each bed, and painting.
"""

from __future__ import annotations

import mmap
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication, QWidget

from monitor.gui.bench.simulated_feed import FPS, WAVE_FS, SimulatedFeed
from monitor.gui.station.central_station_view import SLOW_MM_PER_S
from monitor.gui.style.theme import NIGHT
from monitor.gui.window import MonitorWindow
from stream.timebase import FS
from stream.wire.wave_message import Signal

BEDS = 16
SHOWN_S = 10.0
WIDTH, HEIGHT = 2300, 1200
"""Window size: at 96 dpi and 12.5 mm/s, each of 4 tiles in a row shows 10 s."""

PAGE_SIZE = 1920, 1080
"""Window size of the page of one bed."""

_WARM_UP_FRAMES = 11 * FPS
_BASELINE_INTERVAL = 60
_BASELINE_FRAMES = 6


class _Baseline:
    """Baseline: one pyqtgraph plot per bed; every frame sets all samples of both leads."""

    def __init__(self, feed: SimulatedFeed) -> None:
        self.widget = pg.GraphicsLayoutWidget(size=(WIDTH, HEIGHT))
        self._feed, self._frame = feed, 0
        self._x = np.arange(round(SHOWN_S * FS)) / FS
        self._curves = []
        for number in range(BEDS):
            plot = self.widget.addPlot(row=number // 4, col=number % 4)
            plot.setXRange(0, SHOWN_S, padding=0)
            plot.setYRange(-2, 4, padding=0)
            self._curves.append([plot.plot(pen=pg.mkPen(NIGHT.ecg, width=1)) for _ in range(2)])
        self.widget.show()

    def draw(self) -> None:
        """Draw the next frame."""
        self._frame += 1
        for number, curves in enumerate(self._curves):
            mv = self._feed.mv(number, self._frame * FS // FPS, len(self._x))
            for lead, curve in enumerate(curves):
                curve.setData(self._x, mv[:, lead] + 2 * lead)


class _PageBaseline:
    """Baseline of the page: one pyqtgraph plot per lane; every frame sets all samples of each."""

    def __init__(self, feed: SimulatedFeed, waves: Mapping[Signal, npt.NDArray[np.int16]], shown_s: float) -> None:
        self.widget = pg.GraphicsLayoutWidget(size=PAGE_SIZE)
        self._feed, self._frame = feed, 0
        self._waves = [adu / 100 for adu in waves.values()]
        self._x = [np.arange(round(shown_s * fs)) / fs for fs in (FS, FS, *[WAVE_FS] * len(waves))]
        self._curves = []
        for row in range(len(self._x)):
            plot = self.widget.addPlot(row=row, col=0)
            plot.setXRange(0, shown_s, padding=0)
            self._curves.append(plot.plot(pen=pg.mkPen(NIGHT.ecg, width=1)))
        self.widget.show()

    def draw(self) -> None:
        """Draw the next frame."""
        self._frame += 1
        mv = self._feed.mv(0, self._frame * FS // FPS, len(self._x[0]))
        first = round(self._frame * WAVE_FS / FPS)
        waves = [np.take(wave, np.arange(first, first + len(self._x[-1])), mode="wrap") for wave in self._waves]
        for curve, x, values in zip(self._curves, self._x, (mv[:, 0], mv[:, 1], *waves), strict=True):
            curve.setData(x, values)


@dataclass
class _Times:
    wall_ms: list[float]
    cpu_ms: list[float]

    def measure(self, draw: Callable[[], None], app: QApplication) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        draw()
        app.processEvents()
        self.wall_ms.append((time.perf_counter() - wall) * 1e3)
        self.cpu_ms.append((time.process_time() - cpu) * 1e3)


def bench_frames(samples: npt.NDArray[np.int16], seconds: float) -> dict[str, Any]:
    """Draw 16 beds for a duration of signal, alternating with the baseline.

    Parameters
    ----------
    samples : array of shape (n, 2)
        A recording in adu, 200 adu/mV around 1024; each bed starts at another position in it.
    seconds : float

    Returns
    -------
    dict
        ``frame_median_ms``, ``frame_p99_ms`` (wall time), ``frame_cpu_ms``, ``naive_cpu_ms`` (of the baseline; means
        per frame), ``cpu_ratio_to_naive``, ``beds``, ``shown_s`` (smallest of all tiles), ``card_hz`` (draws of each
        tile per second), ``platform``.
    """
    app = QApplication.instance() or QApplication(["bedside"])
    assert isinstance(app, QApplication)
    feed = SimulatedFeed(samples, BEDS)
    window = _window(feed)
    baseline = _Baseline(feed)
    try:
        figures = _compare(window, feed, baseline, seconds, app)
        spans = [tile.sweep.view(SLOW_MM_PER_S, None).span / FS for tile in window.station.tiles.values()]
        return {
            "platform": app.platformName(),
            "beds": len(window.station.tiles),
            "leads": 2,
            "shown_s": round(min(spans), 1),
            "card_hz": FPS / window.station.groups,
            **figures,
        }
    finally:
        _close(app, window, baseline.widget)


def bench_page(samples: npt.NDArray[np.int16], seconds: float) -> dict[str, Any]:
    """Draw the page of one bed with two leads and six other waves, alternating with the baseline.

    Returns
    -------
    dict
        As `bench_frames`, of the page, and ``lanes``: ECG leads and waves drawn.
    """
    app = QApplication.instance() or QApplication(["bedside"])
    assert isinstance(app, QApplication)
    waves = bench_waves()
    feed = SimulatedFeed(samples, 1, waves)
    window = MonitorWindow(feed, clock=feed.clock, timed=False)
    window.resize(*PAGE_SIZE)
    window.show()
    app.processEvents()
    shown_s = window.bed_view.view.span / FS
    baseline = _PageBaseline(feed, waves, shown_s)
    try:
        figures = _compare(window, feed, baseline, seconds, app)
        trace = window.frame_shown.trace if window.frame_shown is not None else None
        assert trace is not None
        return {"lanes": len(trace.leads) + len(trace.waves), "shown_s": round(shown_s, 1), **figures}
    finally:
        _close(app, window, baseline.widget)


def bench_waves() -> dict[Signal, npt.NDArray[np.int16]]:
    """Return 20 s of six waves at `WAVE_FS` in adu, 100 adu per unit: pulses at 72/min, breaths at 15/min."""
    t = np.arange(round(20 * WAVE_FS)) / WAVE_FS
    beat, breath = 2 * np.pi * 1.2 * t, 2 * np.pi * 0.25 * t
    pulse = 0.5 + 0.4 * np.sin(beat) + 0.15 * np.sin(2 * beat + 0.8)
    respiration = np.sin(breath)
    values: dict[Signal, npt.NDArray[np.float64]] = {
        "pleth": pulse + 0.05 * respiration,
        "abp": 78 + 40 * pulse,
        "pap": 10 + 14 * pulse + 2 * respiration,
        "cvp": 6 + 1.5 * np.sin(beat + 1) + 2 * respiration,
        "resp": respiration,
        "co2": np.clip(60 * respiration, 0, 38),
    }
    return {signal: np.round(100 * wave).astype(np.int16) for signal, wave in values.items()}


def _compare(
    window: MonitorWindow,
    feed: SimulatedFeed,
    baseline: _Baseline | _PageBaseline,
    seconds: float,
    app: QApplication,
) -> dict[str, Any]:
    """Return the times of frames, and of the baseline, measured in turn."""
    times, baseline_times = _Times([], []), _Times([], [])
    for _ in range(_WARM_UP_FRAMES):
        feed.advance()
        window.tick()
        app.processEvents()
    for number in range(round(seconds * FPS)):
        feed.advance()
        times.measure(window.tick, app)
        if number % _BASELINE_INTERVAL == 0:
            for _ in range(_BASELINE_FRAMES):
                baseline_times.measure(baseline.draw, app)
            app.processEvents()
    return {
        "frames": len(times.wall_ms),
        "frame_median_ms": _round(np.median(times.wall_ms)),
        "frame_p99_ms": _round(np.percentile(times.wall_ms, 99)),
        "frame_cpu_ms": _round(np.mean(times.cpu_ms)),
        "frame_cpu_p99_ms": _round(np.percentile(times.cpu_ms, 99)),
        "naive_cpu_ms": _round(np.mean(baseline_times.cpu_ms)),
        "cpu_ratio_to_naive": round(float(np.mean(times.cpu_ms) / np.mean(baseline_times.cpu_ms)), 4),
    }


def _close(app: QApplication, *widgets: QWidget) -> None:
    for widget in widgets:
        widget.close()
        widget.deleteLater()
    app.processEvents()


def bench_memory(samples: npt.NDArray[np.int16], minutes: float) -> dict[str, Any]:
    """Process minutes of signal and of six other waves of each bed as fast as possible, with one frame per second.

    Returns
    -------
    dict
        ``minutes``, ``rss_mb`` after a quarter of the time and at the end, ``growth_mb`` between both.
    """
    app = QApplication.instance() or QApplication(["bedside"])
    feed = SimulatedFeed(samples, BEDS, bench_waves())
    window = _window(feed)
    seconds = round(minutes * 60)
    quarter = 0.0
    try:
        for second in range(seconds):
            for _ in range(FPS):
                feed.advance()
            window.tick()
            app.processEvents()
            if second == seconds // 4:
                quarter = _rss_mb()
        end = _rss_mb()
    finally:
        window.close()
        window.deleteLater()
        app.processEvents()
    return {"minutes": minutes, "rss_mb": [round(quarter, 1), round(end, 1)], "growth_mb": round(end - quarter, 1)}


def _window(feed: SimulatedFeed) -> MonitorWindow:
    window = MonitorWindow(feed, clock=feed.clock, station=True, timed=False)
    window.resize(WIDTH, HEIGHT)
    window.show()
    window.tick()
    if window.station.speed != SLOW_MM_PER_S:
        window.station.next_speed()
    return window


def _round(value: Any) -> float:
    return round(float(value), 3)


def _rss_mb() -> float:
    """Return the resident memory of this process in MB; on systems without /proc, its peak."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * mmap.PAGESIZE / 1e6
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
