"""``bedside bench gui``: what a frame of the central station costs, against drawing everything anew.

Time is made here, not waited for: each frame lies 1/60 s after the one before, and gets the messages that would have
come. A frame is all that the window does for it: taking the messages, making the picture of each bed, and painting.
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
from monitor.gui.station.central_station_view import SLOW
from monitor.gui.style.theme import NIGHT
from monitor.gui.window import MonitorWindow
from stream.timebase import FS

BEDS = 16
SHOWN_S = 10.0
WIDTH, HEIGHT = 2300, 1200
"""At 96 dpi and 12.5 mm/s, 4 cards beside each other hold 10 s each."""

_WARM = 11 * FPS
_BLOCK = 60
_NAIVE_BLOCK = 6


class _Naive:
    """The rival: a plot for each bed, and all samples of both leads handed to it with each frame."""

    def __init__(self, feed: SimulatedFeed) -> None:
        self.widget = pg.GraphicsLayoutWidget(size=(WIDTH, HEIGHT))
        self._ward, self._frame = feed, 0
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
            mv = self._ward.mv(number, self._frame * FS // FPS, len(self._x))
            for lead, curve in enumerate(curves):
                curve.setData(self._x, mv[:, lead] + 2 * lead)


@dataclass
class _Times:
    wall_ms: list[float]
    cpu_ms: list[float]

    def take(self, draw: Callable[[], None], app: QApplication) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        draw()
        app.processEvents()
        self.wall_ms.append((time.perf_counter() - wall) * 1e3)
        self.cpu_ms.append((time.process_time() - cpu) * 1e3)


def bench_frames(samples: npt.NDArray[np.int16], seconds: float) -> dict[str, Any]:
    """Draw 16 beds for so many seconds of signal, in turn with the rival.

    Parameters
    ----------
    samples : array of shape (n, 2)
        A recording, adu at 200 adu/mV around 1024; each bed begins elsewhere in it.
    seconds : float

    Returns
    -------
    dict
        ``frame_median_ms``, ``frame_p99_ms`` (wall), ``frame_cpu_ms``, ``naive_cpu_ms`` (mean per frame),
        ``cpu_ratio_to_naive``, ``beds``, ``shown_s`` (least of all cards), ``card_hz`` (how often each is drawn),
        ``platform``.
    """
    app = QApplication.instance() or QApplication(["bedside"])
    assert isinstance(app, QApplication)
    feed = SimulatedFeed(samples, BEDS)
    window = _window(feed)
    naive = _Naive(feed)
    ours, theirs = _Times([], []), _Times([], [])
    try:
        for _ in range(_WARM):
            feed.advance()
            window.tick()
            app.processEvents()
        for number in range(round(seconds * FPS)):
            feed.advance()
            ours.take(window.tick, app)
            if number % _BLOCK == 0:
                for _ in range(_NAIVE_BLOCK):
                    theirs.take(naive.draw, app)
                app.processEvents()
        spans = [card.sweep.view(SLOW, None).span / FS for card in window.station.cards.values()]
        return {
            "platform": app.platformName(),
            "beds": len(window.station.cards),
            "leads": 2,
            "shown_s": round(min(spans), 1),
            "card_hz": FPS / window.station.turns,
            "frames": len(ours.wall_ms),
            "frame_median_ms": _round(np.median(ours.wall_ms)),
            "frame_p99_ms": _round(np.percentile(ours.wall_ms, 99)),
            "frame_cpu_ms": _round(np.mean(ours.cpu_ms)),
            "frame_cpu_p99_ms": _round(np.percentile(ours.cpu_ms, 99)),
            "naive_cpu_ms": _round(np.mean(theirs.cpu_ms)),
            "cpu_ratio_to_naive": round(float(np.mean(ours.cpu_ms) / np.mean(theirs.cpu_ms)), 4),
        }
    finally:
        window.close()
        naive.widget.close()
        for widget in (window, naive.widget):
            widget.deleteLater()
        app.processEvents()


def bench_memory(samples: npt.NDArray[np.int16], minutes: float) -> dict[str, Any]:
    """Let so many minutes of signal come, as fast as they can be taken, with one frame a second.

    Returns
    -------
    dict
        ``minutes``, ``rss_mb`` after a quarter of them and at the end, ``growth_mb`` between both.
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
    if window.station.speed != SLOW:
        window.station.next_speed()
    return window


def _round(value: Any) -> float:
    return round(float(value), 3)


def _rss_mb() -> float:
    """Return what this process holds in memory now; where the system does not say so, the most it ever held."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * mmap.PAGESIZE / 1e6
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
