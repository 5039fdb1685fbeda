"""Replay control in the window by key and mouse; two windows with a real broker."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from monitor.gui.replay.replay_panel import NO_PUBLISHER
from monitor.gui.style.theme import NIGHT, colour
from monitor.gui.window import MonitorWindow
from monitor.view.feed import Feed
from monitor.view.link import LinkState
from monitor.view.view_model import Replay
from stream.clock import SteadyClock
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import finish_pending_connections
from stream.records.catalog import Catalog
from stream.records.library import Library
from stream.records.wfdb_reader import load
from stream.replay.playhead import ReplayConfig
from stream.replay.publisher_process import serve
from stream.timebase import FS
from stream.wire.alarm_messages import Command
from stream.wire.replay_actions import Seek, SetPlaying
from tests.brokers import Mosquitto
from tests.monitor.gui.conftest import Script
from tests.monitor.message_samples import status

TIMEOUT_MS = 60_000


def click(qtbot: QtBot, widget: object) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def report(script: Script, state: str = "playing") -> None:
    script.receive(
        status("publisher", state, position=script.next_seq * 36, duration=1800 * FS, last_seq=script.next_seq)
    )


def test_a_key_and_a_button_show_and_hide_the_controls(window: MonitorWindow, qtbot: QtBot) -> None:
    page = window.bed_view
    assert not page.replay.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_V)
    assert page.replay.isVisible()
    click(qtbot, page.header.replay)
    assert not page.replay.isVisible()


def test_the_trace_remains_large_in_a_small_window(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    script.stream(window, 20)
    report(script)
    window.resize(800, 480)
    qtbot.keyClick(window, Qt.Key.Key_V)
    window.tick()
    qtbot.wait(1)
    page = window.bed_view
    assert window.size().toTuple() == (800, 480)
    assert page.sweep.height() >= 240
    assert not page.strip.isVisible()
    for button in (page.replay.play, page.replay.ahead, page.replay.record, *page.replay.speeds.values()):
        shown = button.mapTo(page.replay, QPoint(0, 0)).x() + button.width() <= page.replay.width()
        assert shown
        assert button.width() >= button.minimumSizeHint().width() - 2


def test_a_request_is_sent_and_pending_until_reported(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    script.stream(window, 20)
    report(script)
    qtbot.keyClick(window, Qt.Key.Key_V)
    window.tick()
    panel = window.bed_view.replay
    click(qtbot, panel.play)
    window.tick()
    assert [c.action for c in script.sent if isinstance(c, Command)] == [SetPlaying(playing=False)]
    assert panel.bar.text == "requested: pause …"
    assert panel.play.text() == "Pause"
    report(script, "paused")
    window.tick()
    assert panel.bar.text == ""
    assert panel.play.text() == "Play"
    click(qtbot, panel.ahead)
    assert [c.action for c in script.sent if isinstance(c, Command)][1:] == [Seek(position=12 * FS)]


def test_a_request_that_cannot_be_sent_is_not_pending(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    script.stream(window, 20)
    report(script)
    qtbot.keyClick(window, Qt.Key.Key_V)
    window.tick()
    script.connected = False
    click(qtbot, window.bed_view.replay.play)
    script.connected = True
    window.tick()
    assert window.bed_view.replay.bar.text == ""
    assert "not sent" in window.bed_view.controls.note.text()


def test_without_a_publisher_the_reason_is_shown(window: MonitorWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_V)
    window.tick()
    assert window.bed_view.replay.reason.text() == NO_PUBLISHER
    assert window.bed_view.replay.reason.isVisible()


def test_a_paused_trace_is_marked_and_readable(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 60)
    report(script, "paused")
    script.now += 30_000_000_000
    window.tick()
    page = window.bed_view
    assert page.header.link.text() == "● PAUSED"
    assert page.banner.notice == "the replay is paused"
    assert not page.banner.all_clear
    image = page.sweep.grab().toImage()
    wanted, bright = colour(NIGHT.ecg).green() * 0.75, colour(NIGHT.ecg).green()
    greens = [image.pixelColor(x, y) for x in range(70, image.width(), 3) for y in range(60, image.height())]
    trace = max(ink.green() for ink in greens if ink.red() < 60 and ink.blue() < 100)
    assert wanted - 20 < trace < bright - 20


# --- over a real broker ----------------------------------------------------------------------------------------------


@pytest.fixture
def played(mosquitto: Mosquitto, tmp_path: Path) -> Iterator[BrokerAddress]:
    """Provide a broker with a publisher that replays the synthetic record."""
    # A catalogue of its own: with many records on disk, the publisher reads all of them before it executes commands.
    catalog, started = Catalog(data_dir=tmp_path, cache_dir=tmp_path), threading.Event()
    loop, task = asyncio.SelectorEventLoop(), None

    async def publish() -> None:
        replays = [(load("synthetic", catalog), ReplayConfig())]
        await serve(mosquitto.address, replays, library=Library(catalog), ledger_path=None, clock=SteadyClock())

    def run() -> None:
        nonlocal task
        asyncio.set_event_loop(loop)
        task = loop.create_task(publish())
        started.set()
        loop.run_until_complete(asyncio.wait([task]))
        loop.run_until_complete(finish_pending_connections())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    yield mosquitto.address
    loop.call_soon_threadsafe(task.cancel)
    thread.join()


@pytest.fixture
def two(played: BrokerAddress, qtbot: QtBot) -> Iterator[tuple[MonitorWindow, MonitorWindow]]:
    """Provide two windows with separate connections."""
    feeds = [Feed(played), Feed(played)]
    windows = []
    for feed in feeds:
        feed.start()
        made = MonitorWindow(feed, "bed-1")
        qtbot.addWidget(made)
        made.show()
        windows.append(made)
    yield windows[0], windows[1]
    for made, feed in zip(windows, feeds, strict=True):
        made.close()
        feed.stop()


def test_both_monitors_show_the_effect_of_commands(two: tuple[MonitorWindow, MonitorWindow], qtbot: QtBot) -> None:
    here, there = two
    qtbot.keyClick(here, Qt.Key.Key_V)
    panel = here.bed_view.replay

    def both(true: Callable[[Replay], bool]) -> None:
        def check() -> bool:
            replays = [window.frame_shown.replay if window.frame_shown else None for window in two]
            return all(replay is not None and true(replay) for replay in replays)

        qtbot.waitUntil(check, timeout=TIMEOUT_MS)

    both(lambda replay: replay.status.state == "playing" and replay.duration_s > 0 and bool(replay.status.records))
    click(qtbot, panel.play)
    both(lambda replay: replay.status.state == "paused" and replay.note is None)
    qtbot.waitUntil(
        lambda: all(w.frame_shown.link.state is LinkState.PAUSED for w in two),  # type: ignore[union-attr]
        timeout=TIMEOUT_MS,
    )
    qtbot.waitUntil(lambda: panel.play.text() == "Play", timeout=TIMEOUT_MS)

    bar = panel.bar
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=QPoint(bar.width() // 2, bar.height() - 12))
    requested_s = bar.second(bar.width() // 2)
    both(lambda replay: replay.position_s == requested_s and replay.note is None)

    click(qtbot, panel.speeds[2.0])
    click(qtbot, panel.loop)
    both(lambda replay: replay.status.speed == 2.0 and replay.status.loop and replay.note is None)

    click(qtbot, panel.play)
    both(lambda replay: replay.status.state == "playing" and replay.position_s > requested_s)
    qtbot.waitUntil(
        lambda: all(w.frame_shown.link.state is LinkState.NO_WORKER for w in two),  # type: ignore[union-attr]
        timeout=TIMEOUT_MS,
    )
    assert there.bed_view.replay.isHidden(), "the controls are open only in the window of the key"

    click(qtbot, panel.record)
    dialog = panel.records_dialog
    assert dialog is not None
    qtbot.keyClicks(dialog.filter, "synthetic")
    qtbot.keyClick(dialog.filter, Qt.Key.Key_Return)
    both(lambda replay: replay.position_s < requested_s and replay.note is None)
