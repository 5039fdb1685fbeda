"""Pictures of every view for docs/img: a real broker, real processes, real recordings; the window is drawn offscreen.

Run by ``make screenshots``. It needs MIT-BIH (BEDSIDE_DATA, or the user cache), Mosquitto, and a font with Japanese
letters, and takes about three minutes: records play in real time. Pictures are taken at moments of the recordings.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["LC_ALL"] = "C.UTF-8"
sys.path.insert(0, os.fspath(Path(__file__).parents[1]))

from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from monitor.gui.style.language import choose
from monitor.gui.window import MonitorWindow
from monitor.tools.process_group import BEDSIDE
from monitor.view.feed import Feed
from monitor.view.view_model import Frame, LinkState
from stream.mqtt.address import ENVIRONMENT, BrokerAddress
from stream.mqtt.embedded_broker import free_port
from stream.records.wfdb_writer import write

OUT = Path(__file__).parents[1] / "docs" / "img"
SIZE = (1280, 800)
LARGEST = 200_000
"""Bytes of a picture."""

BEDS = {
    "bed-1": ("mitdb/103", 60.0),
    "bed-2": ("mitdb/205", 262.0),  # a run of ventricular beats begins at 4:58
    "bed-3": ("mitdb/202", 1500.0),  # atrial fibrillation
    "bed-4": ("mitdb/119", 120.0),  # bigeminy
    "bed-5": ("mitdb/232", 60.0),  # pauses
    "bed-6": ("mitdb/105", 300.0),
    "bed-7": ("mitdb/213", 300.0),
    "bed-8": ("mitdb/231", 60.0),
    "bed-9": ("mitdb/116", 60.0),
}
"""Record, and where in it to begin, in seconds."""

RUN_S = 300
"""When the run of bed-2 is on the screen, in seconds of its record."""


class Stage:
    """The processes, and the window that watches them.

    Attributes
    ----------
    window : MonitorWindow
    """

    def __init__(self, window: MonitorWindow, start: Callable[..., subprocess.Popen[bytes]]) -> None:
        self.window, self.start = window, start

    def until(self, true: Callable[[Frame], bool], within_s: float, what: str) -> None:
        """Draw until a frame is as it should be."""
        end = time.monotonic() + within_s
        while self.window.frame_shown is None or not true(self.window.frame_shown):
            if time.monotonic() > end:
                raise SystemExit(f"screenshots: {what} did not come within {within_s:g} s")
            QTest.qWait(20)

    def take(self, name: str, widget: QWidget | None = None) -> None:
        """Save a picture, packed as tightly as PNG can."""
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        (widget or self.window).grab().save(buffer, "PNG")
        image = Image.open(io.BytesIO(bytes(buffer.data().data()))).convert("RGB")
        path = OUT / f"{name}.png"
        image.save(path, optimize=True)
        if path.stat().st_size > LARGEST:
            # The fine grid of ECG paper has many shades; 256 of all, the rare ones too, are enough for it.
            few = image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            few.save(path, optimize=True)
        size = path.stat().st_size
        if size > LARGEST:
            raise SystemExit(f"screenshots: {path} has {size} bytes, more than {LARGEST}")
        print(f"{path.relative_to(OUT.parents[1])}  {size // 1000} kB", flush=True)


@contextmanager
def processes() -> Iterator[tuple[BrokerAddress, Callable[..., subprocess.Popen[bytes]]]]:
    """Provide a broker, and what starts more; all of them end with this process, however it ends."""
    address = BrokerAddress("127.0.0.1", free_port())
    environment = {**os.environ, ENVIRONMENT: str(address), "BEDSIDE_WATCH_STDIN": "1", "OMP_NUM_THREADS": "1"}
    children: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [*BEDSIDE, *arguments]
        children.append(subprocess.Popen(command, env=environment, stdin=subprocess.PIPE))
        return children[-1]

    try:
        # The embedded broker would do for two beds, not for nine.
        broker = subprocess.Popen(["mosquitto", "-p", str(address.port)], stderr=subprocess.DEVNULL)
        yield address, start
    finally:
        for child in reversed(children):
            child.terminate()
            child.wait()
        broker.terminate()
        broker.wait()


def main() -> None:
    """Take all pictures."""
    application = QApplication(["screenshots"])
    problem = choose("ja")
    if problem:
        raise SystemExit(f"screenshots: {problem}")
    choose("en")
    with processes() as (address, start):
        feed = Feed(address)
        feed.start()
        window = MonitorWindow(feed, "bed-1", write_record=write)
        window.resize(*SIZE)
        window.show()
        try:
            play(Stage(window, start))
        finally:
            window.close()
            feed.stop()
            application.processEvents()


def play(stage: Stage) -> None:
    """Go through the views."""
    window = stage.window
    stage.until(lambda frame: frame.broker.startswith("connected"), 30, "the broker")
    stage.start("worker")

    def replay(bed: str) -> subprocess.Popen[bytes]:
        record, at = BEDS[bed]
        return stage.start("replay", "--bed", f"{bed}={record}", "--start", f"{at:g}")

    players = {bed: replay(bed) for bed in ("bed-1", "bed-2")}
    window.choose("bed-2")
    stage.until(lambda frame: frame.bed == "bed-2" and frame.trace is not None, 60, "the record of bed-2")
    stage.until(lambda frame: frame.link.state is LinkState.LIVE, 60, "the first forecast")
    window.choose("bed-1")
    QTest.qWait(7000)
    stage.take("monitor")

    window.choose("bed-2")
    stage.until(lambda frame: frame.bed == "bed-2" and frame.position_s >= RUN_S + 3, 90, "the run of bed-2")
    high = "ventricular_tachycardia"
    stage.until(lambda frame: any(line.kind == high and line.calls for line in frame.active), 20, "its alarm")
    bright(stage)
    stage.take("alarm")
    for theme in ("day", "safe"):
        window.habits.change(theme=theme)
        bright(stage)
        stage.take(theme)
    window.habits.change(theme="night", language="ja")
    bright(stage)
    stage.take("japanese")
    window.habits.change(language="en")

    stage.until(lambda frame: frame.position_s >= RUN_S + 16, 60, "ten seconds after it")
    line = next(line for line in window.frame_shown.history if line.kind == high)
    window.open_review(line.alarm_id)
    dialog = window.review.dialog
    dialog.resize(1100, 640)
    stage.until(lambda _frame: dialog.review.end == dialog.review.stop, 20, "all samples of the event")
    QTest.keyClick(dialog, Qt.Key.Key_S)
    QTest.qWait(300)
    stage.take("review", dialog)
    dialog.close()

    players["bed-2"].kill()
    stage.until(lambda frame: frame.link.state is LinkState.NO_DATA and frame.link.text.endswith(" 7 s"), 30, "silence")
    QTest.qWait(100)
    stage.take("no_data")

    players["bed-2"] = replay("bed-2")
    players |= {bed: replay(bed) for bed in BEDS if bed not in players}
    window.switch_page()
    stage.until(lambda _frame: len(window.station.cards) == len(BEDS), 60, "nine beds")
    frames = window.station.frames
    live = LinkState.LIVE
    stage.until(lambda _frame: all(frames[bed].link.state is live for bed in BEDS), 60, "nine beds that are known")
    head = window.station.cards["bed-2"].head
    stage.until(lambda frame: frame.position_s >= RUN_S + 5 and head.priority == "high", 90, "an alarm among nine beds")
    stage.until(lambda frame: head.bright and frame.now_ns / 1e9 % 0.5 < 0.2, 5, "the bright half of the flash")
    stage.take("station")


def bright(stage: Stage) -> None:
    """Wait for the bright half of a flash."""
    QTest.qWait(500)
    banner = stage.window.bed_page.banner
    stage.until(lambda frame: banner.bright and frame.now_ns / 1e9 % 0.5 < 0.2, 5, "the bright half of the flash")


if __name__ == "__main__":
    main()
