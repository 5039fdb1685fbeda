"""Numerics: vital signs, and the values for engineers."""

from __future__ import annotations

import msgspec

from monitor.gui.style.theme import NIGHT
from monitor.gui.window import MonitorWindow
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
