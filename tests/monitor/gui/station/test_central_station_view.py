"""The central station through its real widgets: cards that come and go, clicks, keys, and what each card says."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from monitor.gui.station.bed_tile import BedTile
from monitor.gui.style.theme import NIGHT
from monitor.gui.window import MonitorWindow
from stream.wire.alarm_messages import Acknowledge, ActiveAlarms, Command
from stream.wire.topics import Kind, Role, Topic
from tests.monitor.gui.conftest import Script
from tests.monitor.gui.trace.test_sweep import inks, looks_like
from tests.monitor.message_samples import SECOND, alarm, forecast, process, removed, sine, status, vitals

KEYS = {"right": Qt.Key.Key_Right, "left": Qt.Key.Key_Left, "down": Qt.Key.Key_Down, "up": Qt.Key.Key_Up}


@pytest.fixture
def station(qtbot: QtBot, script: Script) -> Iterator[MonitorWindow]:
    made = MonitorWindow(script, clock=script.clock, station=True, timed=False)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.close()


def names(count: int) -> list[str]:
    return [f"bed-{number:02}" for number in range(1, count + 1)]


def stream(script: Script, window: MonitorWindow, beds: list[str], chunks: int = 12, **changes: object) -> None:
    """Let chunks of each bed come, and draw frames until each card has had its turn."""
    script.say(process("worker"), process("publisher"))
    for bed in beds:
        script.say(status("publisher", "playing", bed=bed), status("worker", "forecasting", bed=bed))
    for seq in range(script.next_seq, script.next_seq + chunks):
        for bed in beds:
            made = sine(seq, bed=bed, **changes)
            script.now = max(script.now, made.due_ns)
            script.say(made, forecast(made.end - 1, bed=bed, score=0.2))
        for _ in range(6):
            window.tick()
            script.now += SECOND // 60
    script.next_seq += chunks
    settle(window)


def settle(window: MonitorWindow) -> None:
    """Draw frames until each card has had its turn to be drawn whole."""
    for _ in range(20):
        window.tick()
        QApplication.processEvents()


def click(qtbot: QtBot, window: MonitorWindow, bed: str) -> None:
    qtbot.mouseClick(window.station.cards[bed].sweep, Qt.MouseButton.LeftButton)


# --- beds come and go -----------------------------------------------------------------------------------------------


def test_each_bed_has_a_card_and_they_come_and_go_with_their_status(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(3))
    assert list(station.station.cards) == names(3)
    stream(script, station, names(5))
    assert list(station.station.cards) == names(5)
    gone = Topic(Kind.STATUS, "bed-02", Role.PUBLISHER)
    script._waiting.append(removed(gone, script.now))
    settle(station)
    assert list(station.station.cards) == ["bed-01", "bed-03", "bed-04", "bed-05"]
    assert all(card.isVisible() for card in station.station.cards.values())
    assert "4 beds" in station.station.title.text()


def test_without_a_bed_it_says_so(station: MonitorWindow) -> None:
    station.tick()
    assert "0 beds" in station.station.title.text()
    assert station.footer.simulation.isVisible()


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
@pytest.mark.parametrize("count", [1, 9, 16])
def test_cards_fill_the_window_and_each_shows_its_trace(
    station: MonitorWindow, script: Script, count: int, size: tuple[int, int]
) -> None:
    station.resize(*size)
    stream(script, station, names(count))
    assert (station.width(), station.height()) == size
    for bed, card in station.station.cards.items():
        assert card.head.bed == bed
        assert card.sweep.height() > 60
        image: QImage = card.sweep.grab().toImage()
        columns = range(card.sweep.gutter + 4, card.sweep.gutter + 40)
        assert any(looks_like(ink, NIGHT.ecg) for ink in inks(image, columns)), bed


def test_of_more_than_sixteen_beds_it_says_how_many_are_not_shown(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(18), chunks=2)
    assert len(station.station.cards) == 16
    assert "the first 16 of 18 beds" in station.station.title.text()


# --- what a card says -----------------------------------------------------------------------------------------------


def card_of(station: MonitorWindow, script: Script, **changes: object) -> BedTile:
    stream(script, station, names(1), **changes)
    return station.station.cards["bed-01"]


def test_a_card_shows_the_worker_s_heart_rate_and_invents_none(station: MonitorWindow, script: Script) -> None:
    card = card_of(station, script)
    assert card.head.rate == "--"
    script.say(vitals(400, bed="bed-01"))
    settle(station)
    assert card.head.rate == "72"


def test_stale_dims_and_says_for_how_long(station: MonitorWindow, script: Script) -> None:
    card = card_of(station, script)
    bright = max(ink.green() for ink in inks(card.sweep.grab().toImage(), range(60, 120)))
    script.now += 7 * SECOND
    settle(station)
    assert card.head.message == "NO DATA 7 s"
    assert card.head.rate == "--"
    image = card.sweep.grab().toImage()
    assert max(ink.green() for ink in inks(image, range(60, 120))) < bright / 2


def test_it_says_no_worker_learning_and_synthetic(station: MonitorWindow, script: Script) -> None:
    card = card_of(station, script, synthetic=True)
    assert card.head.synthetic
    script.say(status("worker", "learning", bed="bed-01"))
    settle(station)
    assert card.head.message.startswith("learning")
    script.say(process("worker", "offline"))
    settle(station)
    assert card.head.message.startswith("NO WORKER")


def test_the_most_urgent_alarm_flashes_in_its_colour(station: MonitorWindow, script: Script) -> None:
    card = card_of(station, script)
    high = alarm(400, bed="bed-01", priority="high", kind="ventricular_tachycardia", value=182.0, beats=5)
    script.say(ActiveAlarms(bed="bed-01", alarms=(alarm(300, bed="bed-01"), high)))
    bright = set()
    for _ in range(60):
        script.now += SECOND // 60
        station.tick()
        bright.add(card.head.bright)
    assert card.head.message == "*** Ventricular tachycardia: 5 beats at 182/min"
    assert card.head.priority == "high"
    assert bright == {True, False}


def test_without_a_broker_every_card_says_so(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(4))
    script.connected = False
    settle(station)
    assert all("NO CONNECTION" in card.head.message for card in station.station.cards.values())


# --- one comes forward ----------------------------------------------------------------------------------------------


def test_one_in_alarm_comes_forward_keeps_its_place_and_goes_back(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(9))
    cards = station.station.cards
    before = cards["bed-05"].size()
    calling = alarm(400, bed="bed-05", priority="high")
    script.say(ActiveAlarms(bed="bed-05", alarms=(calling,)))
    settle(station)
    forward = cards["bed-05"]
    assert forward.width() > 1.2 * before.width()
    assert forward.height() > 1.2 * before.height()
    assert all(
        forward.width() > card.width() for bed, card in cards.items() if bed not in ("bed-02", "bed-05", "bed-08")
    )
    assert list(cards) == names(9), "nobody changes places"
    script.say(ActiveAlarms(bed="bed-05"))
    stream(script, station, names(9), chunks=90)
    assert abs(cards["bed-05"].width() - before.width()) <= 2


# --- clicks and keys ------------------------------------------------------------------------------------------------


def test_a_click_opens_the_bed_and_a_key_or_the_button_returns(
    station: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    stream(script, station, names(4))
    click(qtbot, station, "bed-03")
    station.tick()
    assert not station.at_station
    assert station.bed_view.isVisible()
    assert station.bed_view.header.bed.text() == "BED-03"
    qtbot.keyClick(station, Qt.Key.Key_C)
    assert station.at_station
    click(qtbot, station, "bed-01")
    station.tick()
    QApplication.processEvents()
    qtbot.mouseClick(station.bed_view.beds.station, Qt.MouseButton.LeftButton)
    assert station.at_station


def test_arrows_choose_a_card_and_enter_opens_it(station: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    stream(script, station, names(9))
    for key, bed in [("right", 2), ("down", 5), ("left", 4), ("down", 7), ("down", 7), ("up", 4)]:
        qtbot.keyClick(station, KEYS[key])
        station.tick()
        assert station.frame_shown.bed == f"bed-{bed:02}"
    qtbot.keyClick(station, Qt.Key.Key_Return)
    station.tick()
    assert station.bed_view.header.bed.text() == "BED-04"


def test_keys_act_on_the_chosen_bed(station: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    stream(script, station, names(4))
    calling = alarm(300, bed="bed-02", priority="high")
    script.say(ActiveAlarms(bed="bed-02", alarms=(calling,)))
    settle(station)
    qtbot.keyClick(station, Qt.Key.Key_2)
    settle(station)
    qtbot.keyClick(station, Qt.Key.Key_A)
    (sent,) = script.sent
    assert isinstance(sent, Command)
    assert (sent.bed, sent.action) == ("bed-02", Acknowledge(alarm_id=calling.alarm_id))
    script.connected = False
    qtbot.keyClick(station, Qt.Key.Key_P)
    assert "not sent" in station.station.note.text()


def test_keys_of_the_large_trace_do_nothing_here(station: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    stream(script, station, names(2))
    for key in (Qt.Key.Key_Space, Qt.Key.Key_T, Qt.Key.Key_Plus, Qt.Key.Key_G):
        qtbot.keyClick(station, key)
    assert station.at_station
    assert station.bed_view.freeze.frozen is None
    assert station.bed_view.trend.isHidden()


def test_the_paper_speed_is_one_of_two(station: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    stream(script, station, names(2))
    assert station.station.speed == 25.0
    card = station.station.cards["bed-01"].sweep
    span = card.view(25.0, None).span
    qtbot.keyClick(station, Qt.Key.Key_S)
    settle(station)
    assert "12.5 mm/s" in station.station.title.text()
    assert abs(card.drawn.span - 2 * span) <= 1
    qtbot.keyClick(station, Qt.Key.Key_S)
    assert station.station.speed == 25.0


def test_a_trace_that_stands_goes_on_when_people_return(station: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    stream(script, station, names(2))
    click(qtbot, station, "bed-01")
    station.tick()
    qtbot.keyClick(station, Qt.Key.Key_Space)
    assert station.bed_view.freeze.frozen is not None
    qtbot.keyClick(station, Qt.Key.Key_C)
    assert station.bed_view.freeze.frozen is None


# --- what it costs, and what is left --------------------------------------------------------------------------------


def test_a_running_card_draws_its_new_columns_only(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(9))
    before = {bed: card.sweep.full_redraws for bed, card in station.station.cards.items()}
    stream(script, station, names(9), chunks=10)
    assert {bed: card.sweep.full_redraws for bed, card in station.station.cards.items()} == before


def test_the_presenter_is_asked_for_the_cards_whose_turn_it_is(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(16))
    requested = [set(station.station.wanted())]
    for _ in range(2):
        station.tick()
        requested.append(set(station.station.wanted()))
    assert set.union(*requested) == set(names(16))
    assert max(map(len, requested)) <= 6


def test_resized_it_is_drawn_anew(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(4))
    station.resize(900, 600)
    QApplication.processEvents()
    stream(script, station, names(4), chunks=3)
    for card in station.station.cards.values():
        columns = range(card.sweep.gutter + 4, card.sweep.gutter + 40)
        assert any(looks_like(ink, NIGHT.ecg) for ink in inks(card.sweep.grab().toImage(), columns))


def test_cards_that_go_leave_nothing(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(1))
    widgets = len(station.findChildren(QWidget))
    for _ in range(5):
        stream(script, station, names(6), chunks=2)
        gone = [weakref.ref(card) for bed, card in station.station.cards.items() if bed != "bed-01"]
        for bed in names(6)[1:]:
            script._waiting.append(removed(Topic(Kind.STATUS, bed, Role.PUBLISHER), script.now))
        settle(station)
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
        assert [ref() for ref in gone] == [None] * 5
        assert station.presenter.bed("bed-02") is None
    assert len(station.findChildren(QWidget)) == widgets


def test_a_window_that_begins_with_one_bed_has_the_station_behind_a_key(
    window: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    script.stream(window, 3)
    script.stream(window, 3, bed="bed-2")
    assert not window.at_station
    qtbot.keyClick(window, Qt.Key.Key_C)
    window.tick()
    assert window.at_station
    assert list(window.station.cards) == ["bed-1", "bed-2"]


def test_cards_take_a_millimetre_that_was_measured(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(1))
    station.preferences.change(px_per_mm=5.5)
    assert station.station.cards["bed-01"].sweep.px_per_mm == 5.5
    stream(script, station, names(2))
    assert station.station.cards["bed-02"].sweep.px_per_mm == 5.5
