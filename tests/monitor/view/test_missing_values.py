"""Why a number is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.view.display_texts import english
from monitor.view.missing_values import heart_rate_reason, number_reason
from monitor.view.number_groups import BY_WAVE
from monitor.view.view_model import Frame
from stream.wire.alarm_messages import ActiveAlarms
from tests.monitor.message_samples import alarm, vitals
from tests.monitor.view.scenario import OFFLINE, Scenario


def heart_rate(frame: Frame) -> str:
    return english(reason) if (reason := heart_rate_reason(frame)) is not None else ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"heart_rate": None, "rhythm": "asystole"}, "no beats"),
        ({"heart_rate": None, "rhythm": "unknown", "inops": ("lead_off",)}, "lead off"),
        ({"heart_rate": None, "rhythm": "unknown", "quality": 0.2}, "poor signal"),
        ({"heart_rate": None, "rhythm": "unknown", "rr_ms": None}, "learning"),
        ({"heart_rate": None, "rhythm": "unknown"}, "too few beats"),
    ],
)
def test_the_worker_says_why_there_is_no_heart_rate(changes: dict[str, Any], reason: str) -> None:
    assert heart_rate(Scenario().stream(30).receive(vitals(1079, **changes)).frame()) == reason


def test_without_worker_or_data_that_is_the_reason_for_all_numbers() -> None:
    scenario = Scenario(worker=False).stream(30)
    frame = scenario.frame()
    assert heart_rate(frame) == "no analysis"
    assert english(number_reason(BY_WAVE["resp"], None, frame, off=False)) == "no analysis"
    assert heart_rate(scenario.frame(broker=OFFLINE)) == "NO BROKER"
    assert heart_rate(Scenario().stream(30).frame()) == "learning"
    assert heart_rate_reason(replace(frame, trace=None)) is None


def test_a_number_names_its_sensor_or_its_pause() -> None:
    scenario = Scenario().stream(30)
    assert english(number_reason(BY_WAVE["cvp"], None, scenario.frame(), off=False)) == "not measured"
    assert english(number_reason(BY_WAVE["cvp"], None, scenario.frame(), off=True)) == "sensor off"
    alarms = tuple(alarm(900, kind=kind, alarm_id=kind) for kind in ("pleth_off", "apnoea"))
    frame = scenario.receive(ActiveAlarms(bed="bed-1", alarms=alarms)).frame()
    reasons = [number_reason(BY_WAVE[wave], None, frame, off=False) for wave in ("pleth", "abp", "resp")]
    assert [english(reason) for reason in reasons] == ["sensor off", "not measured", "no breath"]
