"""Commands by key and button, and the display of their effect."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea
from pytestqt.qtbot import QtBot

from monitor.gui.window import MonitorWindow
from stream.clock import rfc3339
from stream.wire.alarm_messages import (
    Acknowledge,
    Action,
    ActiveAlarms,
    Alarm,
    Command,
    Limits,
    PauseAlarms,
    PauseAudio,
    SetLimits,
)
from stream.wire.detail import SetDetail
from stream.wire.limit_ranges import LIMIT_RANGES
from tests.monitor.gui.conftest import Script
from tests.monitor.message_samples import SECOND, advisory, alarm, process, residual, status


def sent(script: Script) -> list[Action]:
    return [message.action for message in script.sent if isinstance(message, Command)]


def latch(script: Script) -> Alarm:
    over = alarm(400, "cleared", end=800, kind="ventricular_tachycardia", priority="high", latched=True)
    script.receive(over, ActiveAlarms(bed="bed-1", alarms=(over,)))
    return over


def test_a_latched_alarm_stays_until_it_is_acknowledged(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    script.stream(window, 20)
    over = latch(script)
    window.tick()
    assert "not acknowledged" in window.bed_view.banner.alarm
    qtbot.keyClick(window, Qt.Key.Key_A)
    assert sent(script) == [Acknowledge(alarm_id=over.alarm_id)]
    window.tick()
    assert window.bed_view.banner.alarm, "the key alone does not acknowledge"
    script.receive(
        msgspec.structs.replace(over, phase="acknowledged", acknowledged_by="nurse 1", latched=False),
        ActiveAlarms(bed="bed-1"),
    )
    window.tick()
    assert window.bed_view.banner.alarm == ""
    assert any("nurse 1" in window.bed_view.alarms.item(row).text() for row in range(window.bed_view.alarms.count()))


def test_an_acknowledged_active_alarm_does_not_flash(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.receive(alarm(400, "acknowledged", priority="high", acknowledged_by="nurse 1"))
    for _ in range(60):
        script.now += SECOND // 100
        window.tick()
        assert window.bed_view.banner.bright
    assert window.bed_view.banner.alarm.endswith("acknowledged by nurse 1")
    assert not window.bed_view.controls.acknowledge.isEnabled()


def test_pauses_are_requested_shown_with_a_countdown_and_ended(
    window: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    script.worker()
    script.stream(window, 20)
    qtbot.mouseClick(window.bed_view.controls.audio, Qt.MouseButton.LeftButton)
    assert sent(script) == [PauseAudio(seconds=120)]
    script.receive(ActiveAlarms(bed="bed-1", audio_paused_until=rfc3339(script.now + 90 * SECOND)))
    window.tick()
    assert window.bed_view.banner.notice == "AUDIO PAUSED 1:30"
    qtbot.keyClick(window, Qt.Key.Key_P)
    assert sent(script)[-1] == PauseAudio(seconds=0)
    qtbot.keyClick(window, Qt.Key.Key_O)
    assert sent(script)[-1] == PauseAlarms(seconds=60)
    script.receive(ActiveAlarms(bed="bed-1", alarms_paused_until=rfc3339(script.now + 9 * SECOND)))
    window.tick()
    assert window.bed_view.banner.notice == "ALARMS PAUSED 0:09"


def test_limits_are_edited_and_sent(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    script.worker()
    script.stream(window, 20)
    qtbot.keyClick(window, Qt.Key.Key_L)
    assert window.commands.limits_dialog is None, "no limits were reported yet"
    assert window.bed_view.controls.note.isVisible()
    script.receive(ActiveAlarms(bed="bed-1", limits=Limits(heart_rate_low=45, heart_rate_high=130, spo2_low=88)))
    window.tick()
    qtbot.keyClick(window, Qt.Key.Key_L)
    dialog = window.commands.limits_dialog
    assert dialog is not None
    low, high = (dialog.steppers[name].number for name in ("heart_rate_low", "heart_rate_high"))
    assert (low.value(), high.value()) == (45, 130)
    low.setValue(200)
    assert low.value() == 129, "low stays below high"
    low.setValue(60)
    qtbot.mouseClick(dialog.steppers["heart_rate_high"].plus, Qt.MouseButton.LeftButton)
    assert high.value() == 135
    assert "asystole" not in dialog.enabled
    assert [label.text() for label in dialog.always] == ["asystole: always on", "ventricular fibrillation: always on"]
    dialog.enabled["residual"].setChecked(False)
    dialog.accept()
    changed = Limits(heart_rate_low=60, heart_rate_high=135, spo2_low=88, off=("residual",))
    assert sent(script) == [SetLimits(limits=changed)], "limits that were not edited are kept"
    assert window.commands.limits_dialog is None


@pytest.mark.parametrize("size", [(800, 480), (1280, 752)])
def test_the_limits_are_large_enough_for_a_finger_and_fit_into_the_window(
    window: MonitorWindow, script: Script, qtbot: QtBot, size: tuple[int, int]
) -> None:
    window.resize(*size)
    script.worker()
    script.stream(window, 3)
    script.receive(ActiveAlarms(bed="bed-1", limits=Limits()))
    window.tick()
    window.open_limits()
    dialog = window.commands.limits_dialog
    assert dialog is not None
    qtbot.waitExposed(dialog)
    assert dialog.width() <= size[0]
    assert dialog.height() <= size[1]
    assert set(dialog.steppers) == set(LIMIT_RANGES), "every limit can be set"
    targets = [button for stepper in dialog.steppers.values() for button in (stepper.minus, stepper.plus)]
    for target in (*targets, *dialog.enabled.values()):
        assert target.height() >= 44
    assert all(target.width() >= 44 for target in targets)
    area = dialog.findChild(QScrollArea)
    assert area.widget().width() <= area.viewport().width(), "nothing is beyond the right edge"
    dialog.close()


def test_without_a_broker_a_command_is_not_sent_and_this_is_shown(
    window: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    script.worker()
    script.stream(window, 20)
    latch(script)
    window.tick()
    script.connected = False
    qtbot.keyClick(window, Qt.Key.Key_A)
    assert script.sent == []
    assert "not sent" in window.bed_view.controls.note.text()


def test_advisories_have_no_banner_and_are_acknowledged_by_the_key(
    window: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    script.worker()
    script.stream(window, 20)
    latest = residual(600, "cleared", end=640)
    script.receive(residual(600), latest, ActiveAlarms(bed="bed-1", advisory=advisory(latest, 400, 600)))
    window.tick()
    assert window.bed_view.banner.alarm == ""
    assert window.bed_view.banner.all_clear
    assert window.bed_view.alarms.count() == 1
    assert "2 in 1 min" in window.bed_view.alarms.item(0).text()
    assert window.bed_view.controls.acknowledge.isEnabled()
    qtbot.keyClick(window, Qt.Key.Key_A)
    assert sent(script) == [Acknowledge(alarm_id=latest.alarm_id)]
    done = msgspec.structs.replace(latest, phase="acknowledged", acknowledged_by="nurse 1")
    script.receive(done, ActiveAlarms(bed="bed-1", advisory=advisory(done, count=0, since="", onsets=())))
    window.tick()
    assert any("nurse 1" in window.bed_view.alarms.item(row).text() for row in range(window.bed_view.alarms.count()))
    assert not window.bed_view.controls.acknowledge.isEnabled()


def test_a_click_on_the_line_of_the_advisories_opens_the_latest(
    window: MonitorWindow, script: Script, qtbot: QtBot
) -> None:
    script.worker()
    script.stream(window, 20)
    script.receive(residual(400), residual(400, "cleared", end=440), residual(600))
    script.receive(ActiveAlarms(bed="bed-1", advisory=advisory(residual(600), 400, 600)))
    window.tick()
    items = window.bed_view.alarms
    place = items.visualItemRect(items.item(0)).center()
    qtbot.mouseClick(items.viewport(), Qt.MouseButton.LeftButton, pos=place)
    dialog = window.review.dialog
    assert dialog is not None
    assert dialog.review.alarm == residual(600)
    assert "Unusual complex: 1.00 mV, forecast 0.10 mV" in dialog.heading.text()
    assert dialog.summary["Alarm"] == "single unusual complex, advisory"


def test_a_window_asks_for_the_bed_of_a_large_ward_that_it_draws(window: MonitorWindow, script: Script) -> None:
    script.receive(status("publisher", "playing"), process("publisher"))
    script.stream(window, 20)
    assert sent(script) == [], "a small ward sends in full"
    script.receive(process("publisher", beds=tuple(f"bed-{number}" for number in range(1, 66))))
    for _ in range(25):
        script.now += SECOND
        window.tick()
    assert sent(script) == [SetDetail()] * 3
    assert {message.bed for message in script.sent if isinstance(message, Command)} == {"bed-1"}
