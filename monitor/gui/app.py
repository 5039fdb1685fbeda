"""Runs the window: from the broker's address to the exit status. Qt is imported inside the functions."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from monitor.gui.system.platform import check_platform
from monitor.view.display_texts import english
from stream.errors import StorageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Watch, watch_nothing
from stream.wire.topics import check_bed

if TYPE_CHECKING:
    from monitor.common.record_writer import RecordWriter
    from monitor.gui.system.speaker import Speaker
    from monitor.gui.window import MonitorWindow
    from monitor.view.view_model import Frame

FIRST_SAMPLE_TIMEOUT_S = 15.0
"""With ``seconds``: time beyond it to wait for the first sample, s."""


def run(
    address: BrokerAddress,
    *,
    bed: str | None,
    screenshot: Path | None,
    seconds: float | None,
    who: str = "monitor",
    write_record: RecordWriter | None = None,
    sound: bool = False,
    station: bool = False,
    db: Path | None = None,
    quiz: bool = False,
    watch: Watch = watch_nothing,
) -> int:
    """Show the monitor until its window is closed, SIGINT or SIGTERM arrives, or the time is over.

    Parameters
    ----------
    address : BrokerAddress
    bed : str or None
        The bed to show; None for the first that streams.
    screenshot : Path or None
        File for a PNG, saved when the window closes.
    seconds : float or None
        Time from the first drawn sample to closing. Without any sample the window closes 15 s later, with status 1.
    who : str
        User name in the commands that the window sends.
    write_record : callable or None
        Writes WFDB records; None disables that export.
    sound : bool
        Play tones for beats and alarms, if this machine can.
    station : bool
        Start with the central station.
    db : Path or None
        The alarm store, of which past alarms are reviewed.
    quiz : bool
        Hide what tells the rhythm, and ask for it.
    watch : callable
        Called with each client; see `stream.mqtt.metrics`.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    UsageError
        The bed's name is invalid, there is no display, or libraries for Qt or for sound are missing.
    StorageError
        The screenshot cannot be written.
    """
    if bed is not None:
        check_bed(bed)
    check_platform()
    from PySide6.QtWidgets import QApplication

    from monitor.alarm_log.reader import StoreReader
    from monitor.gui.preferences.preferences import PreferencesStore, user_file
    from monitor.gui.system import screenshot as screenshot_file
    from monitor.gui.system.screen_fit import WITHOUT_SCREEN, fit_to_screen
    from monitor.gui.window import MonitorWindow
    from monitor.view.feed import QUIZ_KINDS, SUBSCRIBED_KINDS, Feed

    if screenshot is not None:
        screenshot_file.check_writable(screenshot)
    app = QApplication.instance() or QApplication(["bedside"])
    speaker = _speaker() if sound else None
    feed = Feed(address, watch, QUIZ_KINDS if quiz else SUBSCRIBED_KINDS)
    feed.start()
    try:
        store, play = PreferencesStore(user_file()), speaker.play if speaker else None
        alarm_store = None if db is None else StoreReader(db)
        window = MonitorWindow(
            feed,
            bed,
            who,
            store,
            write_record=write_record,
            play=play,
            station=station,
            alarm_store=alarm_store,
            quiz=quiz,
        )
        close_condition = _CloseCondition(window, seconds)
        failure: list[StorageError] = []

        def save() -> None:
            try:
                if screenshot is not None:
                    window.preferences.hide_help()
                    screenshot_file.save(window, screenshot)
            except StorageError as error:  # must not be raised through Qt
                failure.append(error)

        window.before_close = save
        window.after_frame = close_condition.after_frame
        fit_to_screen(window)
        window.show()
        # No introduction offscreen or with a time limit.
        if seconds is None and QApplication.platformName() not in WITHOUT_SCREEN:
            window.preferences.welcome()
        with _signals(close_condition):
            app.exec()
        window.deleteLater()
        app.processEvents()
        if store.problem:
            print(f"bedside: {store.problem}", file=sys.stderr)
        if failure:
            raise failure[0]
        return close_condition.status
    finally:
        feed.stop()
        if speaker is not None:
            speaker.stop()


def run_instructor(address: BrokerAddress, *, who: str, screenshot: Path | None, seconds: float | None) -> int:
    """Show the instructor's window until it is closed, SIGINT or SIGTERM arrives, or the time is over.

    Parameters
    ----------
    address : BrokerAddress
    who : str
        User name in the commands.
    screenshot : Path or None
        File for a PNG, saved when the window closes.
    seconds : float or None
        Time until it closes.

    Raises
    ------
    UsageError
        There is no display, or libraries for Qt are missing.
    StorageError
        The screenshot cannot be written.
    """
    check_platform()
    from PySide6.QtWidgets import QApplication

    from monitor.gui.instructor.instructor_window import InstructorWindow
    from monitor.gui.preferences.preferences import PreferencesStore, user_file
    from monitor.gui.style.language import set_language
    from monitor.gui.style.palettes import THEMES
    from monitor.gui.style.theme import set_font_scale
    from monitor.gui.system import screenshot as screenshot_file
    from monitor.gui.system.screen_fit import fit_to_screen
    from monitor.view.feed import Feed
    from monitor.view.instruction import INSTRUCTOR_KINDS

    if screenshot is not None:
        screenshot_file.check_writable(screenshot)
    app = QApplication.instance() or QApplication(["bedside"])
    preferences = PreferencesStore(user_file()).current
    if problem := set_language(preferences.language):
        print(f"bedside instructor: {problem}", file=sys.stderr)
    set_font_scale(preferences.letters / 100)
    feed = Feed(address, kinds=INSTRUCTOR_KINDS)
    feed.start()
    try:
        window = InstructorWindow(feed, THEMES[preferences.theme], who)
        end = _Interruption()
        started = time.monotonic()

        def check() -> None:
            if end.requested or (seconds is not None and time.monotonic() - started >= seconds):
                window.close()

        window.after_tick = check
        fit_to_screen(window)
        window.show()
        with _signals(end):
            app.exec()
        if screenshot is not None:
            screenshot_file.save(window, screenshot)
        window.deleteLater()
        app.processEvents()
        return 0
    finally:
        feed.stop()


class _Interruption:
    """Whether the window is to be closed."""

    requested = False


def _speaker() -> Speaker | None:
    """Return the speaker; if this machine cannot play tones, print one line and return None."""
    from monitor.gui.system.speaker import NoSoundError, Speaker

    try:
        return Speaker()
    except NoSoundError as error:
        print(f"bedside monitor: {error}", file=sys.stderr)
        return None


class _CloseCondition:
    """Decides after each frame whether to close the window."""

    def __init__(self, window: MonitorWindow, seconds: float | None) -> None:
        self.status = 0
        self.requested = False
        self._window, self._seconds = window, seconds
        self._started = time.monotonic()
        self._first_drawn: float | None = None

    def after_frame(self, frame: Frame) -> None:
        if self._first_drawn is None and self._window.first_drawn_ns is not None:
            self._first_drawn = time.monotonic()
        if self.requested:
            self._window.close()
        elif self._seconds is None:
            return
        elif self._first_drawn is not None:
            if time.monotonic() - self._first_drawn >= self._seconds:
                self._window.close()
        elif time.monotonic() - self._started > self._seconds + FIRST_SAMPLE_TIMEOUT_S:
            timeout_s = self._seconds + FIRST_SAMPLE_TIMEOUT_S
            print(f"bedside: no samples received within {timeout_s:g} s: {english(frame.broker)}", file=sys.stderr)
            self.status = 1
            self._window.close()


@contextmanager
def _signals(close_condition: _CloseCondition | _Interruption) -> Iterator[None]:
    """Close the window on SIGINT and SIGTERM; Python handles them within a frame because the frame timer runs."""

    def request_close(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        close_condition.requested = True

    before = {number: signal.signal(number, request_close) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
