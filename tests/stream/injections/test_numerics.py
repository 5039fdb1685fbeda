"""What a device measures no more is missing; everything else stays."""

from __future__ import annotations

import pytest

from stream.injections.numerics import disturb
from stream.timebase import FS
from stream.wire.injection_kinds import InjectedSignal, InjectionKind
from stream.wire.status_messages import RunningInjection
from tests.waveforms import numeric

VALUES = (
    numeric("heart_rate", 70.0),
    numeric("pulse_rate", 70.0),
    numeric("pulse_rate_abp", 70.0),
    numeric("spo2", 97.0),
    numeric("abp_mean", 90.0),
    numeric("respiration_rate", 14.0),
)


@pytest.mark.parametrize(
    ("kind", "signal", "lead", "missing", "zero"),
    [
        ("cuff_inflation", "pleth", None, {"pulse_rate", "spo2"}, set()),
        ("lead_off", "ecg", None, {"heart_rate"}, set()),
        ("lead_off", "ecg", "V1", set(), set()),
        ("lead_off", "resp", None, {"respiration_rate"}, set()),
        ("disconnected_pressure", "abp", None, {"pulse_rate_abp"}, {"abp_mean"}),
        ("disconnected_pressure", "cvp", None, set(), set()),
    ],
)
def test_what_is_measured_no_more_is_missing(
    kind: InjectionKind, signal: InjectedSignal, lead: str | None, missing: set[str], zero: set[str]
) -> None:
    injection = RunningInjection(
        injection_id="a", kind=kind, signal=signal, lead=lead, level=None, hz=None, begin=10 * FS, end=None
    )
    found = {one.name: one for one in disturb(VALUES, 15 * FS, [injection], lambda _: 1.0)}
    assert {name for name, one in found.items() if one.value is None} == missing
    assert {name for name, one in found.items() if one.value == 0} == zero
    assert all(found[name].age_s == 5.25 for name in missing)
