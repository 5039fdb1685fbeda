"""Replay controls with their real buttons: they show the publisher's status and send requests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from monitor.gui.replay.record_list import offer_text
from monitor.gui.replay.replay_panel import NO_BROKER, NO_PUBLISHER, ReplayPanel
from monitor.gui.style.theme import NIGHT
from monitor.view.presenter import Broker, Presenter
from monitor.view.view_model import Frame, Replay, Requested
from stream.timebase import FS
from stream.wire.alarm_texts import phrase
from stream.wire.replay_actions import ChooseRecord, ReplayAction, Seek, SetLoop, SetPlaying, SetSpeed, ShowEpisode
from stream.wire.status_messages import Offer, RhythmOffer, ShownEpisode
from tests.monitor.message_samples import CONNECTED, status

OFFERS = (
    Offer(name="mitdb/203", seconds=1805.6, rhythms=("AFIB", "VT")),
    Offer(name="mitdb/207", seconds=1805.6, rhythms=("N", "VFL")),
    Offer(name="mitdb/208", seconds=1805.6, rhythms=("N", "T")),
)
PLAYING = Replay(status("publisher", "playing", duration=1805 * FS, records=OFFERS), 725)


def frame(replay: Replay | None, connected: bool = True) -> Frame:
    return replace(
        Presenter().frame(0, None, Broker(connected, CONNECTED)),
        replay=replay,
    )


class Panel:
    def __init__(self, qtbot: QtBot) -> None:
        self.widget = ReplayPanel(NIGHT)
        self.requested: list[ReplayAction] = []
        self._qtbot = qtbot
        qtbot.addWidget(self.widget)
        self.widget.requested.connect(self.requested.append)
        self.widget.resize(800, 90)
        self.show(PLAYING)
        self.widget.show()
        qtbot.waitExposed(self.widget)

    def show(self, replay: Replay | None, **changes: Any) -> None:
        if replay is not None:
            of_status = {name: changes.pop(name) for name in ("state", "speed", "loop") if name in changes}
            replay = replace(replay, status=msgspec.structs.replace(replay.status, **of_status), **changes)
        self.widget.show_frame(frame(replay))

    def click(self, button: Any, at: QPoint | None = None) -> None:
        self._qtbot.mouseClick(button, Qt.MouseButton.LeftButton, pos=at or button.rect().center())


@pytest.fixture
def panel(qtbot: QtBot) -> Panel:
    return Panel(qtbot)


def dashed(button: Any) -> bool:
    return "dashed" in button.styleSheet()


def filled(button: Any) -> bool:
    return f"background: {NIGHT.text}" in button.styleSheet()


def test_it_shows_the_status_of_the_publisher(panel: Panel) -> None:
    assert panel.widget.time.text() == "12:05 / 30:05"
    assert panel.widget.play.text() == "Pause"
    assert panel.widget.record.text().startswith("mitdb/208")
    assert [speed for speed, button in panel.widget.speeds.items() if filled(button)] == [1.0]
    panel.show(PLAYING, state="paused", speed=4.0, loop=True)
    assert panel.widget.play.text() == "Play"
    assert [speed for speed, button in panel.widget.speeds.items() if filled(button)] == [4.0]
    assert filled(panel.widget.loop)


def test_buttons_send_requests_and_do_not_change_themselves(panel: Panel) -> None:
    widget = panel.widget
    for button in (widget.play, widget.ahead, widget.back, widget.speeds[8.0], widget.loop):
        panel.click(button)
    assert panel.requested == [
        SetPlaying(playing=False),
        Seek(position=735 * FS),
        Seek(position=715 * FS),
        SetSpeed(speed=8.0),
        SetLoop(loop=True),
    ]
    panel.show(PLAYING)
    assert widget.play.text() == "Pause"
    assert widget.time.text() == "12:05 / 30:05"
    assert not filled(widget.loop)


def test_pending_requests_are_marked(panel: Panel) -> None:
    requested = Requested(playing=False, position_s=90, speed=8.0, record="mitdb/203")
    panel.show(PLAYING, requested=requested, note=phrase("replay.requested", actions=phrase("replay.play")))
    widget = panel.widget
    assert [dashed(b) for b in (widget.play, widget.speeds[8.0], widget.record, widget.loop)] == [
        True,
        True,
        True,
        False,
    ]
    assert not filled(widget.speeds[8.0])
    assert widget.record.text().startswith("mitdb/208")
    assert widget.bar.text == "requested: play …"
    panel.show(PLAYING)
    assert not any(dashed(button) for button in (widget.play, widget.speeds[8.0], widget.record))


def test_steps_add_up_while_pending(panel: Panel) -> None:
    panel.click(panel.widget.ahead)
    panel.show(PLAYING, requested=Requested(position_s=735))
    panel.click(panel.widget.ahead)
    assert panel.requested[-1] == Seek(position=745 * FS)


def test_a_step_stays_within_the_record(panel: Panel) -> None:
    panel.show(PLAYING, position_s=4)
    panel.click(panel.widget.back)
    panel.show(PLAYING, position_s=1800)
    panel.click(panel.widget.ahead)
    assert panel.requested == [Seek(position=0), Seek(position=1804 * FS)]


@pytest.mark.parametrize("second", [0, 600, 1500])
def test_dragging_the_bar_seeks_on_release(panel: Panel, qtbot: QtBot, second: int) -> None:
    bar = panel.widget.bar
    y = bar.height() - 12
    qtbot.mousePress(bar, Qt.MouseButton.LeftButton, pos=QPoint(20, y))
    qtbot.mouseMove(bar, QPoint(60, y))
    assert panel.requested == []
    qtbot.mouseRelease(bar, Qt.MouseButton.LeftButton, pos=QPoint(round(bar.x_of(second)), y))
    (action,) = panel.requested
    assert isinstance(action, Seek)
    assert action.position / FS == pytest.approx(second, abs=1805 / bar.width())
    assert bar.x_of(725) == bar.x_of(panel.widget._replay.position_s), "the handle moves only with the publisher"


def test_positions_are_limited_to_the_record(panel: Panel, qtbot: QtBot) -> None:
    bar = panel.widget.bar
    assert bar.second(bar.width() + 50) == 1804
    assert bar.second(-50) == 0


def test_an_ended_record_can_be_played_again(panel: Panel) -> None:
    panel.show(PLAYING, state="ended", position_s=1805)
    panel.click(panel.widget.play)
    assert panel.requested == [Seek(position=0)]


def test_a_record_is_selected_by_its_rhythm(panel: Panel, qtbot: QtBot) -> None:
    panel.click(panel.widget.record)
    dialog = panel.widget.records_dialog
    assert dialog is not None
    assert dialog.records.currentItem().text().startswith("mitdb/208")
    qtbot.keyClicks(dialog.filter, "flutter")
    shown = [dialog.records.item(row) for row in range(3) if not dialog.records.item(row).isHidden()]
    assert [item.text() for item in shown] == ["mitdb/207   30:06   normal sinus rhythm, ventricular flutter"]
    qtbot.keyClick(dialog.filter, Qt.Key.Key_Return)
    assert panel.requested == [ChooseRecord(record="mitdb/207")]
    assert panel.widget.records_dialog is None


def test_a_record_is_selected_with_a_click(panel: Panel, qtbot: QtBot) -> None:
    panel.click(panel.widget.record)
    dialog = panel.widget.records_dialog
    assert dialog is not None
    records = dialog.records
    panel.click(records.viewport(), records.visualItemRect(records.item(0)).center())
    assert panel.requested == [ChooseRecord(record="mitdb/203")]


def test_a_cancelled_list_selects_nothing(panel: Panel, qtbot: QtBot) -> None:
    panel.click(panel.widget.record)
    qtbot.keyClicks(panel.widget.records_dialog.filter, "no such rhythm")
    qtbot.keyClick(panel.widget.records_dialog.filter, Qt.Key.Key_Return)
    assert panel.widget.records_dialog is not None
    qtbot.keyClick(panel.widget.records_dialog, Qt.Key.Key_Escape)
    assert panel.widget.records_dialog is None
    assert panel.requested == []


def test_without_a_publisher_the_reason_is_shown(panel: Panel) -> None:
    panel.show(None)
    assert not panel.widget.play.isVisible()
    assert panel.widget.reason.isVisible()
    assert panel.widget.reason.text() == NO_PUBLISHER
    panel.widget.show_frame(frame(None, connected=False))
    assert panel.widget.reason.text() == NO_BROKER
    panel.show(PLAYING)
    assert panel.widget.play.isVisible()
    assert not panel.widget.reason.isVisible()


def test_an_unknown_rhythm_code_is_unchanged() -> None:
    assert offer_text(Offer(name="x", seconds=61, rhythms=("XYZ",))) == "x   01:01   XYZ"


def test_a_rhythm_is_asked_for_and_only_the_own_request_is_shown(panel: Panel) -> None:
    show = panel.widget.show_rhythm
    assert not show.isVisible(), "without episodes"
    offering = msgspec.structs.replace(PLAYING.status, rhythms=(RhythmOffer(rhythm="VT", episodes=44),))
    panel.show(replace(PLAYING, status=offering))
    [entry] = panel.widget.rhythms.actions()
    assert entry.text() == "ventricular tachycardia  (44)"
    entry.trigger()
    assert panel.requested == [ShowEpisode(rhythm="VT")]
    panel.show(replace(PLAYING, status=offering), requested=Requested(episode=True))
    assert dashed(show)
    shown = ShownEpisode(rhythm="VT", record="mitdb/205", start_s=1.0, end_s=9.0, returns=True)
    panel.show(replace(PLAYING, status=msgspec.structs.replace(offering, episode=shown)))
    assert not dashed(show)
    assert not filled(show), "a student is not told that a teacher shows an episode"
