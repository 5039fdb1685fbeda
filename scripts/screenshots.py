"""Screenshots of every view for docs/img, with a real broker, real processes and real recordings, drawn offscreen.

Run by ``make screenshots``. Needs MIT-BIH and bidmc/bidmc08 (BEDSIDE_DATA, or the user cache: ``bedside data fetch``),
Mosquitto, and a font with Japanese characters. Takes about four minutes, because records are replayed in real time:
each screenshot shows a fixed position of its recording.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
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
from PySide6.QtWidgets import QApplication, QTextBrowser, QWidget

from monitor.alarm_log.class_reader import read_sessions
from monitor.alarm_log.export import AlarmFilter
from monitor.debriefing.report import report
from monitor.gui.instructor.instructor_window import InstructorWindow
from monitor.gui.review.html_pdf import Pictures
from monitor.gui.style.language import set_language
from monitor.gui.style.palettes import NIGHT
from monitor.gui.window import MonitorWindow
from monitor.tools.process_group import BEDSIDE
from monitor.view.feed import Feed
from monitor.view.instruction import INSTRUCTOR_KINDS
from monitor.view.link import LinkState, state_phrase
from monitor.view.view_model import Frame
from stream.mqtt.address import BROKER_VARIABLE, BrokerAddress
from stream.mqtt.embedded_broker import free_port
from stream.records.wfdb_writer import write
from stream.wire.replay_actions import Inject, Note, Seek, ShowEpisode

OUT = Path(__file__).parents[1] / "docs" / "img"
SIZE = (1280, 800)
LARGEST = 200_000
"""Maximum size of a screenshot in bytes."""

BEDS = {
    "bed-1": ("bidmc/bidmc08", 60.0),  # ECG, pleth, arterial and central venous pressure, respiration
    "bed-2": ("mitdb/205", 262.0),  # a run of ventricular beats begins at 4:58
    "bed-3": ("mitdb/202", 1500.0),  # atrial fibrillation
    "bed-4": ("mitdb/119", 120.0),  # bigeminy
    "bed-5": ("mitdb/232", 60.0),  # pauses
    "bed-6": ("mitdb/105", 300.0),
    "bed-7": ("mitdb/213", 300.0),
    "bed-8": ("mitdb/231", 60.0),
    "bed-9": ("mitdb/116", 60.0),
}
"""Record of each bed and start position in seconds."""

HOURLY = {
    "bed-1": "challenge2019/p001287",
    "bed-2": "challenge2019/p000084",  # warned at hour 27, and better since
    "bed-3": "challenge2019/p000357",  # low
    "bed-4": "challenge2019/p000018",
    "bed-5": "challenge2019/p000006",
}
"""Patients of the hourly page and of the ward list."""

HOUR = 29
"""Hour of bed-1 that is shown: an early warning stands for two hours, and in the next one the pressure is low."""

QUIZ, QUIZ_S = "mitdb/223", 563.0
"""Record of the quiz, and its start in seconds: a ventricular tachycardia begins at 9:38."""

FIBRILLATION_S = 160
"""Time of the scenario at which the instructor's window is shown: fibrillation began at 2:22."""

RUN_S = 300
"""Position of the ventricular run in the record of bed-2, in seconds."""


class Session:
    """The monitor window and the processes whose data it shows.

    Attributes
    ----------
    window : MonitorWindow
    start : callable
        Starts a ``bedside`` process with the given arguments.
    address : BrokerAddress
    """

    def __init__(
        self, window: MonitorWindow, start: Callable[..., subprocess.Popen[bytes]], address: BrokerAddress
    ) -> None:
        self.window, self.start, self.address = window, start, address

    def wait_until(self, condition: Callable[[Frame], bool], within_s: float, what: str) -> None:
        """Process Qt events until a frame meets a condition; exit with a message after ``within_s`` seconds."""
        end = time.monotonic() + within_s
        while self.window.frame_shown is None or not condition(self.window.frame_shown):
            if time.monotonic() > end:
                raise SystemExit(f"screenshots: no {what} within {within_s:g} s")
            QTest.qWait(20)

    def save(self, name: str, widget: QWidget | None = None) -> None:
        """Save a screenshot of a widget, the window by default, as an optimised PNG file."""
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        (widget or self.window).grab().save(buffer, "PNG")
        image = Image.open(io.BytesIO(bytes(buffer.data().data()))).convert("RGB")
        path = OUT / f"{name}.png"
        image.save(path, optimize=True)
        if path.stat().st_size > LARGEST:
            # The fine grid of ECG paper has many shades; a palette of 256 that covers rare colours is sufficient.
            reduced = image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            reduced.save(path, optimize=True)
        size = path.stat().st_size
        if size > LARGEST:
            raise SystemExit(f"screenshots: {path} has {size} bytes, more than {LARGEST}")
        print(f"{path.relative_to(OUT.parents[1])}  {size // 1000} kB", flush=True)


@contextmanager
def processes() -> Iterator[tuple[BrokerAddress, Callable[..., subprocess.Popen[bytes]]]]:
    """Provide a broker and a function that starts processes; all of them end with this process."""
    address = BrokerAddress("127.0.0.1", free_port())
    environment = {**os.environ, BROKER_VARIABLE: str(address), "BEDSIDE_EXIT_WITH_PARENT": "1", "OMP_NUM_THREADS": "1"}
    children: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [*BEDSIDE, *arguments]
        children.append(subprocess.Popen(command, env=environment, stdin=subprocess.PIPE))
        return children[-1]

    try:
        # The embedded broker is too slow for nine beds.
        broker = subprocess.Popen(["mosquitto", "-p", str(address.port)], stderr=subprocess.DEVNULL)
        yield address, start
    finally:
        for child in reversed(children):
            child.terminate()
            child.wait()
        broker.terminate()
        broker.wait()


def main() -> None:
    """Save all screenshots, or those of the sets that are named."""
    sets = {"views": show_views, "hours": show_hours, "class": show_class, "instructor": show_instructor}
    chosen = sys.argv[1:] or list(sets)
    if unknown := set(chosen) - set(sets):
        raise SystemExit(f"screenshots: no set {', '.join(unknown)}: name some of {', '.join(sets)}, or none for all")
    application = QApplication(["screenshots"])
    problem = set_language("ja")
    if problem:
        raise SystemExit(f"screenshots: {problem}")
    set_language("en")
    for name in chosen:
        with processes() as (address, start):
            feed = Feed(address)
            feed.start()
            window = MonitorWindow(feed, "bed-1", write_record=write, who="student 3", quiz=name == "class")
            window.resize(*SIZE)
            window.show()
            try:
                session = Session(window, start, address)
                session.wait_until(lambda frame: frame.broker.code == "broker.connected", 30, "broker")
                session.start("worker")
                sets[name](session)
            finally:
                window.close()
                feed.stop()
                application.processEvents()


def show_views(session: Session) -> None:
    """Show all views, and save a screenshot of each."""
    window = session.window

    def replay(bed: str) -> subprocess.Popen[bytes]:
        record, at = BEDS[bed]
        return session.start("replay", "--bed", f"{bed}={record}", "--start", f"{at:g}")

    replays = {bed: replay(bed) for bed in ("bed-1", "bed-2")}
    window.select_bed("bed-2")
    session.wait_until(lambda frame: frame.bed == "bed-2" and frame.trace is not None, 60, "ECG of bed-2")
    session.wait_until(lambda frame: frame.link.state is LinkState.LIVE, 60, "forecast")
    window.select_bed("bed-1")
    session.wait_until(
        lambda frame: frame.trace is not None and len(frame.trace.waves) == 4 and "spo2" in frame.readings,
        30,
        "waves and numbers of bed-1",
    )
    QTest.qWait(12000)
    session.save("monitor")

    window.select_bed("bed-2")
    session.wait_until(lambda frame: frame.bed == "bed-2" and frame.position_s >= RUN_S + 3, 90, "run of bed-2")
    high = "ventricular_tachycardia"
    session.wait_until(
        lambda frame: any(line.alarm.kind == high and line.unacknowledged for line in frame.active), 20, "its alarm"
    )
    wait_for_flash(session)
    session.save("alarm")
    for theme in ("day", "safe"):
        window.preferences.change(theme=theme)
        wait_for_flash(session)
        session.save(theme)
    window.preferences.change(theme="night", language="ja")
    wait_for_flash(session)
    session.save("japanese")
    window.preferences.change(language="en")

    session.wait_until(lambda frame: frame.position_s >= RUN_S + 16, 60, "ten seconds after the run")
    assert window.frame_shown is not None
    line = next(line for line in window.frame_shown.history if line.alarm.kind == high)
    window.open_review(line.alarm.alarm_id)
    dialog = window.review.dialog
    assert dialog is not None
    dialog.resize(1100, 640)
    session.wait_until(lambda _frame: dialog.review.end == dialog.review.stop, 20, "complete event")
    QTest.keyClick(dialog, Qt.Key.Key_S)
    QTest.qWait(300)
    session.save("review", dialog)
    dialog.close()

    replays["bed-2"].kill()
    silent = state_phrase(LinkState.NO_DATA, "7")
    session.wait_until(lambda frame: frame.link.phrase == silent, 30, "loss of data")
    QTest.qWait(100)
    session.save("no_data")

    replays["bed-2"] = replay("bed-2")
    replays |= {bed: replay(bed) for bed in BEDS if bed not in replays}
    window.switch_page()
    session.wait_until(lambda _frame: len(window.station.tiles) == len(BEDS), 60, "tiles of nine beds")
    frames = window.station.frames
    live = LinkState.LIVE
    session.wait_until(
        lambda _frame: all(bed in frames and frames[bed].link.state is live for bed in BEDS),
        60,
        "live data of nine beds",
    )
    tile = window.station.tiles["bed-2"].header
    session.wait_until(
        lambda frame: frame.position_s >= RUN_S + 5 and tile.content.priority == "high", 90, "alarm of bed-2"
    )
    session.wait_until(
        lambda frame: tile.content.bright and frame.now_ns / 1e9 % 0.5 < 0.2, 5, "bright phase of the flash"
    )
    session.save("station")

    for process in replays.values():
        process.kill()
    session.start("score", "--bed", "bed-1")
    session.start("replay", "--bed", "bed-1=mitdb/208", "--annotations", "--speed", "8")
    window.switch_page()
    window.select_bed("bed-1")
    window.bed_view.toggle_engineer()
    session.wait_until(
        lambda frame: frame.score is not None and frame.score.cumulative.qrs.found > 200, 120, "score of six minutes"
    )
    session.save("score")
    window.bed_view.toggle_engineer()


def show_hours(session: Session) -> None:
    """Show patients of whom there are hourly values alone, and save a screenshot of one and of all."""
    window = session.window
    beds = (text for bed, record in HOURLY.items() for text in ("--bed", f"{bed}={record}"))
    session.start("replay", *beds, "--speed", "7200")

    def is_hour(frame: Frame) -> bool:
        outlook = None if frame.chart is None else frame.chart.outlook
        return frame.bed == "bed-1" and outlook is not None and outlook.hour == HOUR

    session.wait_until(lambda frame: frame.bed == "bed-1" and frame.worker, 120, "worker of bed-1")
    window.commands.send(Seek(position=0))  # the first hours have passed while the worker began
    session.wait_until(lambda frame: frame.chart is not None and frame.chart.hour < 5, 20, "first hours of bed-1")
    session.wait_until(is_hour, 60, f"hour {HOUR} of bed-1")
    chart = None if window.frame_shown is None else window.frame_shown.chart
    if chart is None or chart.outlook is None or not chart.outlook.advisory:
        raise SystemExit(f"screenshots: no early warning at hour {HOUR} of {HOURLY['bed-1']}: choose another hour")
    session.save("hours")
    window.switch_page()
    session.wait_until(lambda _frame: len(window.station.ward.rows) == len(HOURLY), 20, "list of the ward")
    QTest.qWait(100)
    session.save("ward")


def show_class(session: Session) -> None:
    """Show a quiz, and save a screenshot of it and of its debriefing."""
    window = session.window
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "class.sqlite"
        log = session.start("alarms", "--db", str(store), "--truth")
        session.start("replay", QUIZ, "--start", f"{QUIZ_S:g}", "--annotations")
        session.wait_until(lambda frame: frame.link.state is LinkState.LIVE, 60, "forecast")
        session.wait_until(lambda frame: bool(frame.unacknowledged), 60, "alarm of the tachycardia")
        QTest.qWait(4000)
        session.save("quiz")
        window.commands.acknowledge()
        answer(session, "VT")
        QTest.qWait(6000)
        window.commands.send(Inject(injection_id="noise", kind="muscle_noise", level=0.0, seconds=8.0))
        QTest.qWait(4000)
        answer(session, "AFIB")
        QTest.qWait(12000)  # until the strip of the noise is complete
        log.terminate()
        log.wait()
        pictures, page = Pictures(), QTextBrowser()
        html = report(read_sessions(store, AlarmFilter()), "en", pictures.place)
    pictures.add_to(page.document())
    page.setHtml(html)
    page.setFixedSize(990, 1000)
    page.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    page.show()
    session.save("debriefing", page)
    page.close()


def show_instructor(session: Session) -> None:
    """Run a scenario beside a recorded bed, disturb it and let it show a tachycardia; save the instructor's window."""
    session.start("score")
    session.start("replay", "--scenario", "vf-arrest", "--speed", "3")
    session.start("replay", "--bed", "bed-7=mitdb/100", "--start", "60", "--annotations")
    session.wait_until(lambda frame: len(frame.beds) == 2, 60, "two beds")
    feed = Feed(session.address, kinds=INSTRUCTOR_KINDS)
    feed.start()
    window = InstructorWindow(feed, NIGHT, "instructor")
    try:
        window.resize(*SIZE)
        window.show()
        session.wait_until(
            lambda _frame: (status := window.state.status("bed-7")) is not None and bool(status.rhythms), 60, "rhythms"
        )
        window.beds.setCurrentRow(1)
        window.request(ShowEpisode(rhythm="VT"))
        window.request(Inject(injection_id="mains", kind="mains", level=0.2))
        window.request(Note(text="who sees it first?"))
        QTest.qWait(3000)
        session.save("instructor_recorded", window)
        window.beds.setCurrentRow(0)
        window.request(Inject(injection_id="motion", kind="electrode_motion", level=6.0, seconds=20.0))
        session.wait_until(
            lambda _frame: (window.state.scenario_s("bed-1", time.monotonic_ns()) or 0) > FIBRILLATION_S,
            120,
            "fibrillation",
        )
        QTest.qWait(500)
        session.save("instructor", window)
    finally:
        window.close()
        feed.stop()


def answer(session: Session, rhythm: str) -> None:
    """Choose a rhythm, and send the answer."""
    panel = session.window.bed_view.quiz
    panel.choice.setCurrentIndex(panel.choice.findData(rhythm))
    panel.button.click()


def wait_for_flash(session: Session) -> None:
    """Wait for the bright phase of a flashing alarm."""
    QTest.qWait(500)
    banner = session.window.bed_view.banner
    session.wait_until(lambda frame: banner.bright and frame.now_ns / 1e9 % 0.5 < 0.2, 5, "bright phase of the flash")


if __name__ == "__main__":
    main()
