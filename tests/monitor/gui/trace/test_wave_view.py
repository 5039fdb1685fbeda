"""Waves below the ECG: checks of drawn pixels and of the layout of the page."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from monitor.gui.style.theme import NIGHT
from monitor.gui.trace.sweep import GUTTER
from monitor.gui.window import MonitorWindow
from stream.wire.alarm_messages import ActiveAlarms, Limits
from tests.monitor.gui.conftest import Script
from tests.monitor.gui.trace.test_sweep import is_close_to
from tests.monitor.message_samples import alarm
from tests.waveforms import numeric, numerics, wave

SIGNALS = {"pleth": "NU", "abp": "mmHg", "resp": "NU"}


def stream(script: Script, window: MonitorWindow, count: int, *, silent: str = "") -> None:
    """Deliver chunks of ECG and of three waves, and numerics each second."""
    for _ in range(count):
        seq = script.next_seq
        for signal, unit in SIGNALS.items():
            if signal == silent:
                continue
            made = wave(seq)
            phase = (made.start / 360 + np.arange(made.n) / 125) * 1.2
            level = 90 + 30 * np.sin(2 * np.pi * phase) if unit == "mmHg" else np.sin(2 * np.pi * phase)
            adu = np.round(100 * level).astype("<i2").tobytes()
            script.receive(wave(seq, signal=signal, unit=unit, samples=adu))
        if seq % 10 == 0:
            script.receive(numerics(values=(numeric("spo2", 97.0), numeric("temperature", 36.8))))
        script.stream(window, 1)
    QApplication.processEvents()


def test_each_wave_has_a_lane_in_its_colour_with_its_number_beside_it(window: MonitorWindow, script: Script) -> None:
    script.worker()
    stream(script, window, 40)
    page = window.bed_view
    image = page.waves.grab().toImage()
    for number, signal in enumerate(SIGNALS):
        rows = range(image.height() * number // 3 + 2, image.height() * (number + 1) // 3 - 2)
        behind = range(GUTTER + 20, GUTTER + 60)
        assert any(is_close_to(image.pixelColor(x, y), NIGHT.wave[signal]) for x in behind for y in rows)
    assert [(tile.name, tile.main) for tile in page.numbers.tiles] == [("SpO₂", "97"), ("ABP", "--"), ("RR", "--")]
    assert page.numbers.tiles[1].note == "not measured"
    assert [tile.name for tile in page.small_numbers.tiles] == ["Temp"]
    assert page.numbers.y() == page.waves.y()
    assert page.numbers.height() == page.waves.height()
    assert page.sweep.height() > page.waves.height() / 2


def test_the_name_of_a_pressure_does_not_touch_its_limits(window: MonitorWindow, script: Script) -> None:
    stream(script, window, 20)
    image = window.bed_view.waves.grab().toImage()
    height = image.height() // len(SIGNALS)
    lane = range(height + 4, 2 * height - 4)

    def rows(ink: str) -> set[int]:
        return {y for y in lane if any(is_close_to(image.pixelColor(x, y), ink) for x in range(GUTTER - 2))}

    name, limits = rows(NIGHT.wave["abp"]), rows(NIGHT.faint)
    assert name
    assert min(limits) < min(name)
    assert max(name) < max(limits)
    assert not name & limits


def test_incremental_drawing_equals_a_full_redraw(window: MonitorWindow, script: Script) -> None:
    script.worker()
    stream(script, window, 90)
    view = window.bed_view.waves
    redraws = view.full_redraws
    stream(script, window, 8)
    assert view.full_redraws == redraws
    pieces = view.grab().toImage()
    view._drawn = None
    window.tick()
    whole = view.grab().toImage()
    differing = sum(
        abs(pieces.pixelColor(x, y).green() - whole.pixelColor(x, y).green()) > 100
        for x in range(pieces.width())
        for y in range(0, pieces.height(), 2)
    )
    # Joints of two segments overlap by a pixel of antialiasing.
    assert differing < 0.002 * pieces.width() * pieces.height() / 2


def test_a_wave_that_arrives_late_is_drawn_then(window: MonitorWindow, script: Script) -> None:
    script.worker()
    stream(script, window, 30)
    stream(script, window, 4, silent="abp")
    held = script.next_seq
    for seq in range(held - 4, held):
        made = wave(seq)
        adu = np.full(made.n, 9000, "<i2").tobytes()
        script.receive(wave(seq, signal="abp", unit="mmHg", samples=adu))
    stream(script, window, 1)
    trace = window.frame_shown.trace
    view = window.bed_view.waves
    image = view.grab().toImage()
    x = round(GUTTER + ((held - 3) * 36 % trace.span) * (view.width() - GUTTER) / trace.span)
    rows = range(image.height() // 3, 2 * image.height() // 3)
    assert any(is_close_to(image.pixelColor(x, y), NIGHT.wave["abp"]) for y in rows)


def test_a_number_in_alarm_has_the_colour_of_the_alarm_and_the_limits_stand_beside_it(
    window: MonitorWindow, script: Script
) -> None:
    script.worker()
    low = alarm(400, kind="spo2_low", priority="medium", value=86.0, limit=90.0)
    script.receive(ActiveAlarms(bed="bed-1", alarms=(low,), limits=Limits()))
    stream(script, window, 30)
    oxygen, pressure, breathing = window.bed_view.numbers.tiles
    assert (oxygen.limits, pressure.limits, breathing.limits) == (("", "90"), ("160", "90"), ("30", "8"))
    assert [tile.alarm is None for tile in (oxygen, pressure, breathing)] == [False, True, True]
    image = window.bed_view.numbers.grab().toImage()

    def in_colour(rows: range) -> bool:
        ink = NIGHT.priority["medium"]
        return any(is_close_to(image.pixelColor(x, y), ink) for x in range(image.width()) for y in rows)

    assert in_colour(range(image.height() // 3))
    assert not in_colour(range(image.height() // 3, image.height()))


def test_a_sensor_that_is_off_says_so(window: MonitorWindow, script: Script) -> None:
    script.worker()
    stream(script, window, 30)
    stream(script, window, 30, silent="abp")
    assert [tile.note for tile in window.bed_view.numbers.tiles] == ["recorded", "sensor off", "not measured"]


def test_the_order_of_the_waves_is_a_preference(window: MonitorWindow, script: Script) -> None:
    script.worker()
    window.preferences.change(waves="resp pleth")
    stream(script, window, 12)
    assert [wave.signal for wave in window.frame_shown.trace.waves] == ["resp", "pleth"]
    assert [tile.name for tile in window.bed_view.numbers.tiles] == ["RR", "SpO₂"]


def test_a_bed_with_ecg_alone_has_no_empty_lanes(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    QApplication.processEvents()
    page = window.bed_view
    assert page.waves.isHidden()
    assert page.foot.isHidden()
    assert page.alarms.isVisible()
    assert page.alarms.x() > page.sweep.width()


def test_the_drawer_for_engineers_opens_with_e(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    assert not window.bed_view.strip.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_E)
    assert window.bed_view.strip.isVisible()
    assert window.bed_view.engineer.isVisible()
    assert window.preferences.store.current.engineer
    qtbot.keyClick(window, Qt.Key.Key_E)
    assert not window.bed_view.strip.isVisible()


def test_a_frozen_trace_has_its_waves(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    stream(script, window, 100)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.keyClick(window, Qt.Key.Key_Left)
    window.tick()
    frozen = window.bed_view.freeze.frozen.trace
    assert [wave.signal for wave in frozen.waves] == list(SIGNALS)
    for trace in frozen.waves:
        assert frozen.first <= trace.times[0] < trace.times[-1] < frozen.cursor
        assert trace.range == next(w.range for w in window.frame_shown.trace.waves if w.signal == trace.signal)


def test_an_alarm_marks_the_lane_of_its_own_wave(window: MonitorWindow, script: Script) -> None:
    script.worker()
    stream(script, window, 30)
    raised = alarm(500, kind="abp_mean_low", priority="medium")
    script.receive(raised, alarm(200, "cleared", end=400, kind="spo2_low", priority="medium"))
    stream(script, window, 5)
    view = window.bed_view.waves
    trace = window.frame_shown.trace

    def marked(lane: int, sample: int) -> bool:
        image = view.grab().toImage()
        x = GUTTER + round(sample % trace.span * (view.width() - GUTTER) / trace.span)
        return is_close_to(image.pixelColor(x, view.height() * lane // 3 + 3), NIGHT.signal["medium"])

    assert [marked(1, sample) for sample in (450, 520, 1000, trace.cursor - 20)] == [False, True, True, True]
    assert [marked(0, sample) for sample in (150, 300, 450)] == [False, True, False]
    assert not marked(2, 600)
    script.receive(alarm(500, "cleared", end=700, kind="abp_mean_low", priority="medium"))
    stream(script, window, 1)
    assert [marked(1, sample) for sample in (520, 650, 750, 1000)] == [True, True, False, False]
