"""Run the window: from the broker's address to the exit status. Qt is imported inside."""

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
from monitor.view.phrases import english
from stream.errors import StorageError
from stream.mqtt.address import BrokerAddress
from stream.wire.topics import check_bed

if TYPE_CHECKING:
    from monitor.common.record_writer import RecordWriter
    from monitor.gui.system.speaker import Speaker
    from monitor.gui.window import MonitorWindow
    from monitor.view.view_model import Frame

PATIENCE_S = 15.0
"""With a limit of seconds: how much longer than it to wait for the first sample."""


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
) -> int:
    """Show the monitor until its window is closed, SIGINT or SIGTERM comes, or the time is up.

    Parameters
    ----------
    address : BrokerAddress
    bed : str or None
        The bed to show; None for the first that streams.
    screenshot : Path or None
        Where to save a PNG at the end.
    seconds : float or None
        Close so long after the first drawn sample. Without any sample it closes 15 s later, with status 1.
    who : str
        Stands in the commands that the window sends.
    write_record : callable or None
        Writes a strip as a WFDB record.
    sound : bool
        Tones for beats and alarms, where this machine can play them.
    station : bool
        Begin with all beds, not with one.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    UsageError
        The bed's name cannot be, there is no display, Qt's libraries are missing, or sound needs an extra.
    StorageError
        The screenshot cannot be written.
    """
    if bed is not None:
        check_bed(bed)
    check_platform()
    from PySide6.QtWidgets import QApplication

    from monitor.gui.preferences.preferences import PreferencesStore, own_file
    from monitor.gui.system import screenshot as picture
    from monitor.gui.window import MonitorWindow
    from monitor.view.feed import Feed

    if screenshot is not None:
        picture.check_writable(screenshot)
    app = QApplication.instance() or QApplication(["bedside"])
    speaker = _speaker() if sound else None
    feed = Feed(address)
    feed.start()
    try:
        store, play = PreferencesStore(own_file()), speaker.play if speaker else None
        window = MonitorWindow(feed, bed, who, store, write_record=write_record, play=play, station=station)
        ending = _Ending(window, seconds)
        failure: list[StorageError] = []

        def save() -> None:
            try:
                if screenshot is not None:
                    window.preferences.hide_help()
                    picture.save(window, screenshot)
            except StorageError as error:  # must not be raised through Qt
                failure.append(error)

        window.before_close = save
        window.after_frame = ending.after_frame
        window.show()
        # Offscreen, nobody is there to read; one who set a time has come for something else.
        if seconds is None and QApplication.platformName() not in ("offscreen", "minimal"):
            window.preferences.welcome()
        with _signals(ending):
            app.exec()
        window.deleteLater()
        app.processEvents()
        if store.problem:
            print(f"bedside: {store.problem}", file=sys.stderr)
        if failure:
            raise failure[0]
        return ending.status
    finally:
        feed.stop()
        if speaker is not None:
            speaker.stop()


def _speaker() -> Speaker | None:
    """Return what plays tones; None, and one line, where this machine cannot."""
    from monitor.gui.system.speaker import NoSoundError, Speaker

    try:
        return Speaker()
    except NoSoundError as error:
        print(f"bedside monitor: {error}", file=sys.stderr)
        return None


class _Ending:
    """Decides after each frame whether the window closes."""

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
        elif time.monotonic() - self._started > self._seconds + PATIENCE_S:
            print(
                f"bedside: nothing to draw came within {self._seconds + PATIENCE_S:g} s: {english(frame.broker)}",
                file=sys.stderr,
            )
            self.status = 1
            self._window.close()


@contextmanager
def _signals(ending: _Ending) -> Iterator[None]:
    """Close the window at SIGINT and SIGTERM; the frame timer lets Python see them within a frame."""

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        ending.requested = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
