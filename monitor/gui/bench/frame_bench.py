"""``bedside bench gui``: frame time of the central station, compared with redrawing every curve.

Time is simulated: each frame is 1/60 s after the previous one and receives the messages due by then. A frame includes
all work of the window: processing messages, building the frame of each bed, and painting.
"""

from __future__ import annotations

import mmap
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication

from monitor.gui.bench.simulated_feed import FPS, SimulatedFeed
from monitor.gui.station.central_station_view import SLOW_MM_PER_S
from monitor.gui.style.theme import NIGHT
from monitor.gui.window import MonitorWindow
from stream.timebase import FS

BEDS = 16
SHOWN_S = 10.0
WIDTH, HEIGHT = 2300, 1200
"""Window size: at 96 dpi and 12.5 mm/s, each of 4 tiles in a row shows 10 s."""

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
    times, baseline_times = _Times([], []), _Times([], [])
    try:
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
        spans = [tile.sweep.view(SLOW_MM_PER_S, None).span / FS for tile in window.station.tiles.values()]
        return {
            "platform": app.platformName(),
            "beds": len(window.station.tiles),
            "leads": 2,
            "shown_s": round(min(spans), 1),
            "card_hz": FPS / window.station.groups,
            "frames": len(times.wall_ms),
            "frame_median_ms": _round(np.median(times.wall_ms)),
            "frame_p99_ms": _round(np.percentile(times.wall_ms, 99)),
            "frame_cpu_ms": _round(np.mean(times.cpu_ms)),
            "frame_cpu_p99_ms": _round(np.percentile(times.cpu_ms, 99)),
            "naive_cpu_ms": _round(np.mean(baseline_times.cpu_ms)),
            "cpu_ratio_to_naive": round(float(np.mean(times.cpu_ms) / np.mean(baseline_times.cpu_ms)), 4),
        }
    finally:
        window.close()
        baseline.widget.close()
        for widget in (window, baseline.widget):
            widget.deleteLater()
        app.processEvents()


def bench_memory(samples: npt.NDArray[np.int16], minutes: float) -> dict[str, Any]:
    """Process minutes of signal as fast as possible, with one frame per second of signal.

    Returns
    -------
    dict
        ``minutes``, ``rss_mb`` after a quarter of the time and at the end, ``growth_mb`` between both.
    """
    app = QApplication.instance() or QApplication(["bedside"])
    feed = SimulatedFeed(samples, BEDS)
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
