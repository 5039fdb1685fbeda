"""Central station with its real widgets: tiles, clicks, keys, and the contents of each tile."""

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
from monitor.gui.style.theme import NIGHT, colour
from monitor.gui.window import MonitorWindow
from stream.wire.alarm_messages import Acknowledge, ActiveAlarms, Command, Limits
from stream.wire.topics import Kind, Role, Topic
from tests.monitor.gui.conftest import Script
from tests.monitor.gui.trace.test_sweep import inks, is_close_to
from tests.monitor.message_samples import SECOND, alarm, forecast, process, removed, sine, status, vitals
from tests.waveforms import numeric, numerics

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
    """Deliver chunks of each bed, and draw frames until each tile is up to date."""
    script.receive(process("worker"), process("publisher"))
    for bed in beds:
        script.receive(status("publisher", "playing", bed=bed), status("worker", "forecasting", bed=bed))
    for seq in range(script.next_seq, script.next_seq + chunks):
        for bed in beds:
            made = sine(seq, bed=bed, **changes)
            script.now = max(script.now, made.due_ns)
            script.receive(made, forecast(made.end - 1, bed=bed, score=0.2))
        for _ in range(6):
            window.tick()
            script.now += SECOND // 60
    script.next_seq += chunks
    settle(window)


def settle(window: MonitorWindow) -> None:
    """Draw frames until each tile was drawn completely."""
    for _ in range(20):
        window.tick()
        QApplication.processEvents()


def click(qtbot: QtBot, window: MonitorWindow, bed: str) -> None:
    qtbot.mouseClick(window.station.tiles[bed].sweep, Qt.MouseButton.LeftButton)


# --- tiles ----------------------------------------------------------------------------------------------------------


def test_each_bed_has_a_tile_while_its_status_exists(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(3))
    assert list(station.station.tiles) == names(3)
    stream(script, station, names(5))
    assert list(station.station.tiles) == names(5)
    removed_topic = Topic(Kind.STATUS, "bed-02", Role.PUBLISHER)
    script._waiting.append(removed(removed_topic, script.now))
    settle(station)
    assert list(station.station.tiles) == ["bed-01", "bed-03", "bed-04", "bed-05"]
    assert all(tile.isVisible() for tile in station.station.tiles.values())
    assert "4 beds" in station.station.title.text()


def test_without_a_bed_the_title_reads_0_beds(station: MonitorWindow) -> None:
    station.tick()
    assert "0 beds" in station.station.title.text()
    assert station.footer.simulation.isVisible()


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
@pytest.mark.parametrize("count", [1, 9, 16])
def test_tiles_fill_the_window_and_each_shows_its_trace(
    station: MonitorWindow, script: Script, count: int, size: tuple[int, int]
) -> None:
    station.resize(*size)
    stream(script, station, names(count))
    assert (station.width(), station.height()) == size
    for bed, tile in station.station.tiles.items():
        assert tile.header.content.bed == bed
        assert tile.sweep.height() > 60
        image: QImage = tile.sweep.grab().toImage()
        columns = range(tile.sweep.gutter + 4, tile.sweep.gutter + 40)
        assert any(is_close_to(ink, NIGHT.ecg) for ink in inks(image, columns)), bed


def test_the_title_gives_the_number_of_beds_beyond_32(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(34), chunks=1)
    assert len(station.station.tiles) == 32
    assert "the first 32 of 34 beds" in station.station.title.text()


# --- contents of a tile --------------------------------------------------------------------------------------------


def tile_of(station: MonitorWindow, script: Script, **changes: object) -> BedTile:
    stream(script, station, names(1), **changes)
    return station.station.tiles["bed-01"]


def test_a_tile_shows_the_heart_rate_of_the_worker(station: MonitorWindow, script: Script) -> None:
    tile = tile_of(station, script)
    assert tile.header.content.rate == "--"
    script.receive(vitals(400, bed="bed-01"))
    settle(station)
    assert tile.header.content.rate == "72"


def test_a_tile_shows_spo2_and_pressure_of_beds_that_have_them(station: MonitorWindow, script: Script) -> None:
    tile = tile_of(station, script)
    assert tile.header.content.numbers == ()
    values = (numeric("spo2", 84.0), numeric("abp_systolic", 121.0), numeric("abp_diastolic", 79.0))
    low = alarm(400, kind="spo2_low", priority="medium", bed="bed-01")
    script.receive(numerics(bed="bed-01", values=values), ActiveAlarms(bed="bed-01", alarms=(low,)))
    settle(station)
    oxygen, pressure = tile.header.content.numbers
    assert (oxygen.text, pressure.text) == ("SpO₂ 84", "ABP 121/79")
    assert oxygen.alarm is not None
    assert pressure.alarm is None
    image = tile.header.grab().toImage()
    drawn = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height() // 2)]
    assert any(is_close_to(ink, NIGHT.wave["abp"]) for ink in drawn)


def test_a_stale_tile_is_dimmed_and_shows_the_age(station: MonitorWindow, script: Script) -> None:
    tile = tile_of(station, script)
    bright = max(ink.green() for ink in inks(tile.sweep.grab().toImage(), range(60, 120)))
    script.now += 7 * SECOND
    settle(station)
    assert tile.header.content.message == "NO DATA 7 s"
    assert tile.header.content.rate == "--"
    image = tile.sweep.grab().toImage()
    assert max(ink.green() for ink in inks(image, range(60, 120))) < bright / 2


def test_a_tile_shows_no_worker_learning_and_synthetic(station: MonitorWindow, script: Script) -> None:
    tile = tile_of(station, script, synthetic=True)
    assert tile.header.content.synthetic
    script.receive(status("worker", "learning", bed="bed-01"))
    settle(station)
    assert tile.header.content.message.startswith("learning")
    script.receive(process("worker", "offline"))
    settle(station)
    assert tile.header.content.message.startswith("NO WORKER")


def test_the_most_urgent_alarm_flashes_in_its_colour(station: MonitorWindow, script: Script) -> None:
    tile = tile_of(station, script)
    high = alarm(400, bed="bed-01", priority="high", kind="ventricular_tachycardia", value=182.0, beats=5)
    script.receive(ActiveAlarms(bed="bed-01", alarms=(alarm(300, bed="bed-01"), high)))
    bright = set()
    for _ in range(60):
        script.now += SECOND // 60
        station.tick()
        bright.add(tile.header.content.bright)
    assert tile.header.content.message == "*** Ventricular tachycardia: 5 beats at 182/min"
    assert tile.header.content.priority == "high"
    assert bright == {True, False}


def test_without_a_broker_every_tile_shows_it(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(4))
    script.connected = False
    settle(station)
    assert all("NO CONNECTION" in tile.header.content.message for tile in station.station.tiles.values())


# --- alarms -----------------------------------------------------------------------------------------------------------


def test_the_grid_stands_still_when_alarms_come_and_go(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(9))
    tiles = station.station.tiles
    before = {bed: tile.geometry() for bed, tile in tiles.items()}
    assert len({geometry.size().width() for geometry in before.values()}) <= 2, "of one size, but for a rounded pixel"
    script.receive(ActiveAlarms(bed="bed-05", alarms=(alarm(400, bed="bed-05", priority="high"),)))
    settle(station)
    assert {bed: tile.geometry() for bed, tile in tiles.items()} == before
    script.receive(ActiveAlarms(bed="bed-05"))
    settle(station)
    assert {bed: tile.geometry() for bed, tile in tiles.items()} == before


def test_the_selected_tile_in_alarm_keeps_the_colour_of_the_alarm(
    station: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    stream(script, station, names(4))
    script.receive(ActiveAlarms(bed="bed-02", alarms=(alarm(300, bed="bed-02", priority="high"),)))
    settle(station)
    qtbot.keyClick(station, Qt.Key.Key_2)
    settle(station)
    tile = station.station.tiles["bed-02"]
    assert tile.edges == (NIGHT.priority["high"], NIGHT.text)
    image = tile.grab().toImage()
    assert image.pixelColor(1, 40) == colour(NIGHT.priority["high"])
    assert image.pixelColor(5, 40) == colour(NIGHT.text)


def is_filled(station: MonitorWindow, script: Script, tile: BedTile) -> bool:
    """Return whether the message has the full colour of high priority at any time of its flash cycle."""
    filled = False
    for _ in range(12):
        script.now += SECOND // 12
        station.tick()
        image = tile.header.grab().toImage()
        row = image.height() * 3 // 4
        filled |= any(image.pixelColor(x, row) == colour(NIGHT.signal["high"]) for x in range(0, image.width() // 2))
    return filled


def test_an_active_alarm_is_shown_before_an_ended_one_which_is_dim(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(2))
    over = alarm(300, "cleared", 400, bed="bed-01", kind="ventricular_fibrillation", priority="high", latched=True)
    script.receive(ActiveAlarms(bed="bed-01", alarms=(over,)))
    settle(station)
    tile = station.station.tiles["bed-01"]
    assert tile.edges[0] == NIGHT.priority_tint["high"]
    assert "0 in alarm  ·  1 ended, not acknowledged" in station.station.title.text()
    assert tile.header.content.names[-1].endswith(", ended")
    assert not is_filled(station, script, tile)
    now = alarm(500, bed="bed-01", kind="ventricular_tachycardia", priority="high", value=182.0, beats=5)
    script.receive(ActiveAlarms(bed="bed-01", alarms=(over, now)))
    station.tick()
    assert (tile.header.line.alarm, tile.header.content.others) == (now, "+1")
    assert tile.edges[0] == NIGHT.priority["high"]
    assert is_filled(station, script, tile)
    assert "1 in alarm" in station.station.title.text()


def test_a_tile_shows_rhythm_and_limits(station: MonitorWindow, script: Script) -> None:
    tile = tile_of(station, script)
    fibrillation = alarm(400, bed="bed-01", kind="atrial_fibrillation", priority="medium")
    script.receive(
        vitals(400, bed="bed-01", rhythm="atrial fibrillation"),
        ActiveAlarms(bed="bed-01", alarms=(fibrillation,), limits=Limits(heart_rate_low=45, heart_rate_high=130)),
    )
    settle(station)
    content = tile.header.content
    assert (content.limits, content.rhythms) == (("130", "45"), ("atrial fibrillation", "AF"))
    assert content.rhythm_priority == "medium"


@pytest.mark.parametrize("size", [(800, 480), (1280, 752), (3840, 2160)])
def test_32_tiles_show_name_and_heart_rate(station: MonitorWindow, script: Script, size: tuple[int, int]) -> None:
    station.resize(*size)
    stream(script, station, names(32), chunks=2)
    assert (station.width(), station.height()) == size
    assert len(station.station.tiles) == 32
    for bed, tile in station.station.tiles.items():
        assert tile.header.content.bed == bed
        assert tile.header.height() >= 40
        assert station.station.rect().contains(tile.geometry())


def test_a_red_alarm_of_a_bed_without_a_tile_is_seen_and_opens_it(
    station: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    stream(script, station, names(33), chunks=1)
    assert station.station.others.isHidden()
    script.receive(ActiveAlarms(bed="bed-33", alarms=(alarm(300, bed="bed-33", kind="asystole", priority="high"),)))
    settle(station)
    assert (station.station.others.headline, station.station.others.detail) == ("BED-33", "*** Asystole")
    alone = station.station.others.width()
    station.station.show_note("saved")
    qtbot.waitUntil(lambda: station.station.others.width() < alone)
    qtbot.mouseClick(station.station.others, Qt.MouseButton.LeftButton)
    station.tick()
    assert station.bed_view.header.bed.text() == "BED-33"


def test_red_alarms_of_other_beds_are_seen_on_the_page_of_a_bed(
    station: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    stream(script, station, names(3), chunks=2)
    click(qtbot, station, "bed-01")
    script.receive(
        ActiveAlarms(bed="bed-01", alarms=(alarm(300, bed="bed-01", priority="high"),)),
        ActiveAlarms(bed="bed-02", alarms=(alarm(300, bed="bed-02", priority="medium"),)),
    )
    settle(station)
    others = station.bed_view.others
    assert others.isHidden(), "its own alarms are in the banner, and a medium one is no red alarm"
    script.receive(ActiveAlarms(bed="bed-03", alarms=(alarm(300, bed="bed-03", kind="asystole", priority="high"),)))
    settle(station)
    assert others.isVisible()
    assert others.headline == "BED-03"
    qtbot.mouseClick(others, Qt.MouseButton.LeftButton)
    settle(station)
    assert station.bed_view.header.bed.text() == "BED-03"
    assert others.headline == "BED-01"


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


def test_arrows_select_a_tile_and_enter_opens_it(station: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    stream(script, station, names(9))
    for key, bed in [("right", 2), ("down", 5), ("left", 4), ("down", 7), ("down", 7), ("up", 4)]:
        qtbot.keyClick(station, KEYS[key])
        station.tick()
        assert station.frame_shown.bed == f"bed-{bed:02}"
    qtbot.keyClick(station, Qt.Key.Key_Return)
    station.tick()
    assert station.bed_view.header.bed.text() == "BED-04"


def test_keys_act_on_the_selected_bed(station: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    stream(script, station, names(4))
    raised = alarm(300, bed="bed-02", priority="high")
    script.receive(ActiveAlarms(bed="bed-02", alarms=(raised,)))
    settle(station)
    qtbot.keyClick(station, Qt.Key.Key_2)
    settle(station)
    qtbot.keyClick(station, Qt.Key.Key_A)
    (sent,) = script.sent
    assert isinstance(sent, Command)
    assert (sent.bed, sent.action) == ("bed-02", Acknowledge(alarm_id=raised.alarm_id))
    script.connected = False
    qtbot.keyClick(station, Qt.Key.Key_P)
    assert "not sent" in station.station.note.text()


def test_keys_of_the_large_trace_have_no_effect(station: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    stream(script, station, names(2))
    for key in (Qt.Key.Key_Space, Qt.Key.Key_T, Qt.Key.Key_Plus, Qt.Key.Key_G):
        qtbot.keyClick(station, key)
    assert station.at_station
    assert station.bed_view.freeze.frozen is None
    assert station.bed_view.trend.isHidden()


def test_the_paper_speed_is_one_of_two(station: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    stream(script, station, names(2))
    assert station.station.speed == 25.0
    tile = station.station.tiles["bed-01"].sweep
    span = tile.view(25.0, None).span
    qtbot.keyClick(station, Qt.Key.Key_S)
    settle(station)
    assert "12.5 mm/s" in station.station.title.text()
    assert abs(tile.drawn.span - 2 * span) <= 1
    qtbot.keyClick(station, Qt.Key.Key_S)
    assert station.station.speed == 25.0


def test_returning_to_the_station_unfreezes_the_trace(station: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    stream(script, station, names(2))
    click(qtbot, station, "bed-01")
    station.tick()
    qtbot.keyClick(station, Qt.Key.Key_Space)
    assert station.bed_view.freeze.frozen is not None
    qtbot.keyClick(station, Qt.Key.Key_C)
    assert station.bed_view.freeze.frozen is None


# --- drawing and cleanup --------------------------------------------------------------------------------------------


def test_a_tile_draws_only_its_new_columns(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(9))
    before = {bed: tile.sweep.full_redraws for bed, tile in station.station.tiles.items()}
    stream(script, station, names(9), chunks=10)
    assert {bed: tile.sweep.full_redraws for bed, tile in station.station.tiles.items()} == before


def test_frames_are_requested_for_one_group_of_tiles_at_a_time(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(16))
    requested = [set(station.station.wanted())]
    for _ in range(2):
        station.tick()
        requested.append(set(station.station.wanted()))
    assert set.union(*requested) == set(names(16))
    assert max(map(len, requested)) <= 6


def test_it_is_redrawn_after_a_resize(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(4))
    station.resize(900, 600)
    QApplication.processEvents()
    stream(script, station, names(4), chunks=3)
    for tile in station.station.tiles.values():
        columns = range(tile.sweep.gutter + 4, tile.sweep.gutter + 40)
        assert any(is_close_to(ink, NIGHT.ecg) for ink in inks(tile.sweep.grab().toImage(), columns))


def test_removed_tiles_leave_no_widgets(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(1))
    widgets = len(station.findChildren(QWidget))
    for _ in range(5):
        stream(script, station, names(6), chunks=2)
        references = [weakref.ref(tile) for bed, tile in station.station.tiles.items() if bed != "bed-01"]
        for bed in names(6)[1:]:
            script._waiting.append(removed(Topic(Kind.STATUS, bed, Role.PUBLISHER), script.now))
        settle(station)
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
        assert [ref() for ref in references] == [None] * 5
        assert station.presenter.bed("bed-02") is None
    assert len(station.findChildren(QWidget)) == widgets


def test_the_key_c_opens_the_central_station(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.stream(window, 3)
    script.stream(window, 3, bed="bed-2")
    assert not window.at_station
    qtbot.keyClick(window, Qt.Key.Key_C)
    window.tick()
    assert window.at_station
    assert list(window.station.tiles) == ["bed-1", "bed-2"]


def test_tiles_use_a_measured_screen_resolution(station: MonitorWindow, script: Script) -> None:
    stream(script, station, names(1))
    station.preferences.change(px_per_mm=5.5)
    assert station.station.tiles["bed-01"].sweep.px_per_mm == 5.5
    stream(script, station, names(2))
    assert station.station.tiles["bed-02"].sweep.px_per_mm == 5.5
