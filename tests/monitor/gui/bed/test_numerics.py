"""Numerics: vital signs, and the values for engineers."""

from __future__ import annotations

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from monitor.gui.bed.numerics import HeartRate, pvc_text
from monitor.gui.style.theme import NIGHT, colour
from monitor.gui.window import MonitorWindow
from monitor.view.view_model import Patient
from stream.wire.alarm_messages import (
    ActiveAlarms,
)
from stream.wire.messages import Beat
from tests.monitor.gui.conftest import Script
from tests.monitor.message_samples import SECOND, alarm, forecast, sine, vitals
from tests.waveforms import SESSION


def test_without_vital_signs_the_heart_rate_reads_dashes(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 30)
    assert window.bed_view.heart_rate.value == "--"


def test_vital_signs_are_shown_until_they_are_outdated(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.receive(vitals(719), ActiveAlarms(bed="bed-1"))
    window.tick()
    assert window.bed_view.heart_rate.value == "72"
    shown = window.bed_view.heart_rate.patient
    assert (shown.vitals.rhythm, shown.vitals.pvc_per_min) == ("sinus", 2)
    assert (shown.limits.heart_rate_low, shown.limits.heart_rate_high) == (50, 120)
    script.stream(window, 40)
    assert window.bed_view.heart_rate.value == "--", "four seconds without vital signs"
    assert window.bed_view.heart_rate.rhythm == "--"


def test_unknown_values_read_dashes(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.receive(vitals(719, heart_rate=None, rhythm="unknown"))
    window.tick()
    assert window.bed_view.heart_rate.value == "--"
    assert window.bed_view.heart_rate.rhythm == "--"


def test_a_rhythm_without_beats_has_no_premature_ones() -> None:
    rhythms = ("sinus", "ventricular fibrillation", "asystole")
    assert [pvc_text(Patient(vitals(719, rhythm=rhythm))) for rhythm in rhythms] == ["2", "--", "--"]


def test_the_heart_symbol_grows_when_the_cursor_passes_a_qrs(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    script.receive(vitals(719), Beat(bed="bed-1", session=SESSION, index=740, type="N", rr_ms=800, quality=1.0))
    beating = []
    for _ in range(8):
        script.stream(window, 1)
        beating.append(window.bed_view.heart_rate.patient.beating)
    assert True in beating
    assert beating[0] is False
    assert beating[-1] is False


def test_a_heart_rate_in_alarm_flashes_in_the_colour_of_the_alarm_and_stays_readable(
    window: MonitorWindow, script: Script
) -> None:
    script.worker()
    script.stream(window, 20)
    number = window.bed_view.heart_rate
    assert number.colours == (NIGHT.ecg, "")
    high = alarm(400, kind="heart_rate_high", priority="medium", value=131.0, limit=120.0)
    script.receive(vitals(719, heart_rate=131.0), high, ActiveAlarms(bed="bed-1", alarms=(high,)))
    seen = set()
    for _ in range(40):
        script.now += SECOND // 20
        window.tick()
        seen.add(number.colours)
    assert seen == {(NIGHT.priority["medium"], ""), (NIGHT.signal_ink["medium"], NIGHT.signal["medium"])}
    assert number.alarm is not None
    assert number.alarm.violated == "high"
    script.receive(msgspec.structs.replace(high, phase="acknowledged", acknowledged_by="nurse 1"))
    seen.clear()
    for _ in range(40):
        script.now += SECOND // 20
        window.tick()
        seen.add(number.colours)
    assert seen == {(NIGHT.priority["medium"], "")}, "acknowledged: steady, in the colour of the alarm"


def test_the_rhythm_has_the_colour_of_its_alarm(window: MonitorWindow, script: Script) -> None:
    script.worker()
    script.stream(window, 20)
    fibrillation = alarm(400, kind="atrial_fibrillation", priority="medium")
    script.receive(vitals(719, rhythm="atrial fibrillation"), ActiveAlarms(bed="bed-1", alarms=(fibrillation,)))
    window.tick()
    assert window.bed_view.heart_rate.rhythm_ink == NIGHT.priority["medium"]
    script.receive(vitals(720, rhythm="sinus"))
    window.tick()
    assert window.bed_view.heart_rate.rhythm_ink == NIGHT.ecg


def test_engineer_values_read_dashes_until_they_are_known(window: MonitorWindow, script: Script) -> None:
    window.preferences.change(engineer=True)
    window.tick()
    assert dict(window.bed_view.engineer.rows)["forecast skill, 100 ms ahead"] == "--"
    script.worker()
    script.stream(window, 30)
    rows = dict(window.bed_view.engineer.rows)
    assert rows["anomaly score / unusual from"] == "0.2 / 3"
    assert rows["forecast skill, 100 ms ahead"] == "--", "the worker has not sent any"
    script.receive(vitals(1079, skill=0.75))
    window.tick()
    assert dict(window.bed_view.engineer.rows)["forecast skill, 100 ms ahead"] == "75%"


def test_a_score_just_below_zero_reads_as_zero(window: MonitorWindow, script: Script) -> None:
    window.preferences.change(engineer=True)
    script.worker()
    script.receive(sine(0), forecast(35, score=-0.01))
    window.tick()
    assert window.bed_view.engineer.rows[0] == ("anomaly score / unusual from", "0.0 / 3")


def test_the_jitter_is_one_of_the_engineer_values(window: MonitorWindow, script: Script) -> None:
    window.preferences.change(engineer=True)
    window.tick()
    assert dict(window.bed_view.engineer.rows)["jitter of the arrivals"] == "-- ms"
    script.worker()
    for seq in range(20):
        made = sine(seq)
        script.now = made.due_ns + (40_000_000 if seq == 7 else 0)
        script.receive(made)
        window.tick()
    assert dict(window.bed_view.engineer.rows)["jitter of the arrivals"] == "40 ms"


@pytest.mark.parametrize(("compact", "crowded"), [(False, False), (False, True), (True, False), (True, True)])
def test_the_rhythm_is_never_cut(qtbot: QtBot, compact: bool, crowded: bool) -> None:
    view = HeartRate(NIGHT)
    qtbot.addWidget(view)
    view.set_compact(compact, crowded=crowded)
    view.patient = Patient(vitals(719, rhythm="asystole"))
    view.resize(300, view.minimumHeight())
    image = view.grab().toImage()
    line = {image.pixel(x, view.height() - 1) for x in range(image.width())}
    assert line == {colour(NIGHT.panel).rgb()}, "nothing reaches the lower edge"
    whole = HeartRate(NIGHT)
    qtbot.addWidget(whole)
    whole.set_compact(compact)
    whole.patient = view.patient
    whole.resize(300, 400)
    assert _rhythm_ink(view) >= _rhythm_ink(whole), "the next line may begin there, nothing is missing"


def _rhythm_ink(view: HeartRate) -> int:
    """Return how many pixels the first 23 rows of texts below the number have."""
    image, top = view.grab().toImage(), view._number_height + 8
    ground = colour(NIGHT.panel).rgb()
    return sum(image.pixel(x, y) != ground for x in range(14, 150) for y in range(top, min(top + 23, image.height())))
