"""Conditions of SpO2, pressures, respiration, pulse and sensors: each begins, ends, and is suppressed as it should."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from model.conditions import numeric_conditions, settings
from model.conditions.changes import Began, Change, Ended
from model.conditions.numeric_conditions import NumericState, Second
from model.conditions.numeric_values import DELAY, NumericSamples
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind, Limits
from stream.wire.messages import Rhythm
from stream.wire.numerics_message import UNIT_OF, Numeric, NumericName

CONFIG = settings.load()
few = hypothesis_settings(max_examples=30)
Values = Mapping[NumericName, float | None]


def samples(second: int, values: Values) -> NumericSamples:
    return NumericSamples(
        second * FS,
        tuple(
            Numeric(name=name, value=value, unit=UNIT_OF[name], source="recorded", age_s=0.0)
            for name, value in values.items()
        ),
    )


def run(
    values: Sequence[Values | None],
    limits: Limits = CONFIG.limits,
    heart_rate: float | None = 75.0,
    rhythm: Sequence[Rhythm] = (),
    config: settings.AlarmConfig = CONFIG,
) -> list[Change]:
    """Return the changes with the given values in each second; None: no message."""
    state, changes = NumericState(), []
    for second, own in enumerate(values):
        received = [] if own is None else [samples(second, own)]
        state = numeric_conditions.receive(state, received)
        now = Second((second + 1) * FS - 1, heart_rate, rhythm[second] if rhythm else "sinus")
        found, state = numeric_conditions.step(config, limits, state, [now])
        changes += found
    return changes


def seconds(values: Values, n: int) -> list[Values | None]:
    return [values] * n


@pytest.mark.parametrize(
    ("kind", "name", "normal", "bad", "barely", "limit"),
    [
        ("spo2_low", "spo2", 97.0, 85.0, 90.5, 90),
        ("desaturation", "spo2", 97.0, 76.0, 80.5, 80),
        ("abp_systolic_low", "abp_systolic", 120.0, 80.0, 92.0, 90),
        ("abp_systolic_high", "abp_systolic", 120.0, 180.0, 158.0, 160),
        ("abp_mean_low", "abp_mean", 80.0, 50.0, 62.0, 60),
        ("abp_mean_high", "abp_mean", 80.0, 125.0, 108.0, 110),
        ("abp_diastolic_low", "abp_diastolic", 65.0, 40.0, 52.0, 50),
        ("abp_diastolic_high", "abp_diastolic", 65.0, 100.0, 88.0, 90),
        ("respiration_low", "respiration_rate", 15.0, 5.0, 8.2, 8),
        ("respiration_high", "respiration_rate", 15.0, 38.0, 29.0, 30),
    ],
)
def test_a_limit_is_violated_for_its_delay_and_released_by_a_margin(
    kind: AlarmKind, name: NumericName, normal: float, bad: float, barely: float, limit: int
) -> None:
    values = [*seconds({name: normal}, 10), *seconds({name: bad}, 25), *seconds({name: barely}, 5)]
    began, ended = run([*values, *seconds({name: normal}, 10)])
    assert isinstance(began, Began)
    assert isinstance(ended, Ended)
    assert (began.kind, began.value, began.limit, began.onset) == (kind, bad, limit, 12 * FS - 1)
    assert began.at - began.onset == CONFIG.delay_s[kind] * FS
    assert (ended.kind, ended.reason, ended.value, ended.end) == (kind, "rule_no_longer_met", bad, 41 * FS)


@pytest.mark.parametrize(("name", "value"), [("spo2", 90.0), ("abp_mean", 60.0), ("respiration_rate", 30.0)])
def test_at_the_limit_nothing_is_violated(name: NumericName, value: float) -> None:
    assert run(seconds({name: value}, 40)) == []


def test_a_violation_shorter_than_the_delay_is_none() -> None:
    values = [*seconds({"spo2": 97.0}, 5), *seconds({"spo2": 85.0}, 9), *seconds({"spo2": 97.0}, 20)]
    assert run(values) == []


def test_apnoea_is_reported_at_its_limit_and_ended_by_a_breath() -> None:
    breathing: Values = {"respiration_rate": 14.0, "apnoea": None}
    pause: list[Values | None] = [{"respiration_rate": None, "apnoea": float(s)} for s in range(10, 33)]
    began, ended = run([*seconds(breathing, 10), *pause, *seconds(breathing, 10)])
    assert (began.kind, began.value, began.limit) == ("apnoea", 20.0, 20)
    assert isinstance(ended, Ended)
    assert (ended.reason, ended.value) == ("rule_no_longer_met", 32.0)


def test_a_pause_shorter_than_the_limit_of_apnoea_is_a_low_rate_after_its_delay() -> None:
    breathing: Values = {"respiration_rate": 14.0, "apnoea": None}
    pause: list[Values | None] = [{"respiration_rate": None, "apnoea": float(s)} for s in range(10, 33)]
    (low,) = run([*seconds(breathing, 10), *pause], limits=Limits(apnoea=40))
    assert (low.kind, low.value, low.limit) == ("respiration_low", 60 / 24, 8)
    assert run([*seconds(breathing, 10), *pause[:14], *seconds(breathing, 10)], limits=Limits(apnoea=40)) == []


def test_apnoea_replaces_a_low_respiration_rate() -> None:
    slow = seconds({"respiration_rate": 4.0}, 20)
    pause: list[Values | None] = [{"respiration_rate": 4.0, "apnoea": float(s)} for s in range(10, 30)]
    low, replaced, apnoea = run([*slow, *pause])
    assert (low.kind, replaced.kind, apnoea.kind) == ("respiration_low", "respiration_low", "apnoea")
    assert isinstance(replaced, Ended)
    assert (replaced.reason, replaced.replaced_by) == ("replaced", "apnoea")


def test_after_an_apnoea_the_delay_of_a_low_rate_begins_anew() -> None:
    pause: list[Values | None] = [{"respiration_rate": 0.0, "apnoea": float(s)} for s in range(10, 45)]
    resumes: Values = {"respiration_rate": 5.0, "apnoea": None}
    found = run([*seconds({"respiration_rate": 14.0}, 5), *pause, *seconds(resumes, 14)])
    assert [change.kind for change in found] == ["apnoea", "apnoea"]
    assert run([*pause, *seconds(resumes, 16)])[-1].kind == "respiration_low"


CONNECTED: Values = {"abp_systolic": 120.0, "abp_diastolic": 70.0, "abp_mean": 85.0}


@pytest.mark.parametrize(
    "static",
    [
        {"abp_systolic": None, "abp_diastolic": None, "abp_mean": 2.0},
        {"abp_systolic": 3.0, "abp_diastolic": 2.0, "abp_mean": 2.5},
    ],
)
def test_an_open_line_is_static_and_raises_no_other_alarm_of_the_pressure(static: Values) -> None:
    began, ended = run([*seconds(CONNECTED, 20), *seconds(static, 30), *seconds(CONNECTED, 20)])
    assert (began.kind, ended.kind) == ("abp_disconnected",) * 2
    assert isinstance(ended, Ended)
    assert ended.reason == "rule_no_longer_met"


def test_a_mean_without_a_pulse_is_an_open_line_though_its_quality_is_not_known() -> None:
    """As measured from a wave: without beats the quality of the mean is 0."""

    def second(n: int, mean: float, pressure: float | None, quality: float | None) -> Second:
        values: dict[NumericName, float | None] = {
            "abp_mean": mean,
            "abp_systolic": pressure,
            "abp_diastolic": None if pressure is None else pressure - 50,
        }
        measured = tuple(
            Numeric(name=name, value=value, unit="mmHg", source="measured", age_s=0.2, quality=quality)
            for name, value in values.items()
        )
        return Second((n + 1) * FS - 1, 75.0, "sinus", measured)

    connected = [second(n, 80.0, 120.0, 1.0) for n in range(20)]
    opened = [second(n, -1.0, None, 0.0) for n in range(20, 40)]
    clipped = [second(n, 185.0, None, 0.0) for n in range(40, 60)]
    changes, _ = numeric_conditions.step(CONFIG, CONFIG.limits, NumericState(), [*connected, *opened, *clipped])
    assert [(change.kind, type(change)) for change in changes] == [
        ("abp_disconnected", Began),
        ("abp_disconnected", Ended),
        ("abp_fault", Began),
    ]


def test_a_low_pressure_with_a_pulse_is_no_open_line() -> None:
    low: Values = {"abp_systolic": 14.0, "abp_diastolic": 6.0, "abp_mean": 9.0}
    assert {change.kind for change in run([*seconds(CONNECTED, 20), *seconds(low, 30)])} == {"abp_mean_low"}


def test_one_pressure_raises_one_alarm_of_the_mean_before_the_others() -> None:
    shock: Values = {"abp_systolic": 70.0, "abp_diastolic": 30.0, "abp_mean": 43.0}
    assert [change.kind for change in run([*seconds(CONNECTED, 10), *seconds(shock, 30)])] == ["abp_mean_low"]
    limits = Limits(off=("abp_mean_low",))
    assert [change.kind for change in run(seconds(shock, 30), limits=limits)] == ["abp_systolic_low"]


def test_the_milder_alarm_of_a_saturation_follows_when_the_severe_one_ends() -> None:
    values = [*seconds({"spo2": 75.0}, 20), *seconds({"spo2": 86.0}, 20)]
    severe, ended, mild = run(values)
    assert (severe.kind, ended.kind, mild.kind) == ("desaturation", "desaturation", "spo2_low")
    assert isinstance(ended, Ended)
    assert isinstance(mild, Began)
    assert mild.onset == ended.end, "it does not hold while it is suppressed"


def test_a_pulse_that_is_not_that_of_the_ecg() -> None:
    began, ended = run([*seconds({"pulse_rate": 40.0}, 50), *seconds({"pulse_rate": 70.0}, 10)])
    assert (began.kind, began.value, began.limit) == ("pulse_mismatch", 35.0, 20)
    assert began.at == 31 * FS - 1 + FS
    assert isinstance(ended, Ended)
    agreeing: Values = {"pulse_rate": 40.0, "pulse_rate_abp": 74.0}
    assert run(seconds(agreeing, 60)) == [], "the other pulse proves this one wrong"
    assert run(seconds({"pulse_rate": 40.0}, 60), heart_rate=None) == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [("pleth_off", "spo2"), ("pleth_off", "pulse_rate"), ("abp_fault", "abp_mean"), ("resp_fault", "respiration_rate")],
)
def test_a_sensor_that_was_in_use_and_gives_no_values(kind: AlarmKind, name: NumericName) -> None:
    value = 75.0 if name != "respiration_rate" else 15.0
    used = {name: 97.0 if name == "spo2" else value}
    began, ended = run([*seconds(used, 10), *seconds({name: None}, 30), *seconds(used, 5)])
    assert (began.kind, began.at, ended.kind) == (kind, 22 * FS - 1, kind)
    assert run(seconds({name: None}, 60)) == [], "one that was never in use is not missed"


def test_breathing_that_pauses_is_no_fault_of_the_sensor() -> None:
    pause: list[Values | None] = [{"respiration_rate": None, "apnoea": float(s)} for s in range(10, 60)]
    assert [change.kind for change in run([*seconds({"respiration_rate": 15.0}, 10), *pause])] == ["apnoea"]


@pytest.mark.parametrize("missing", [{"spo2": None}, None])
def test_an_unknown_value_begins_nothing_and_ends_a_condition_as_unknown(missing: Values | None) -> None:
    """Missing, or not sent any more."""
    values = [*seconds({"spo2": 85.0}, 20), *([missing] * 40)]
    changes = [change for change in run(values) if change.kind == "spo2_low"]
    _, ended = changes
    assert isinstance(ended, Ended)
    assert ended.reason == "signal_unusable"
    assert [change.kind for change in run([*seconds({"spo2": 85.0}, 1), *([missing] * 60)])] == ["pleth_off"]


def test_values_that_come_once_in_a_minute_are_known_in_between() -> None:
    values = [{"spo2": 85.0} if second % 60 == 0 else None for second in range(240)]
    changes = [change for change in run(values) if change.kind == "spo2_low"]
    [began] = changes
    assert began.onset == 62 * FS - 1, "the second message shows how often they come"


def test_bad_measurements_are_not_known() -> None:
    bad = [
        Second(
            (n + 1) * FS - 1,
            measured=(
                Numeric(name="abp_mean", value=40.0, unit="mmHg", source="measured", age_s=0.0, quality=quality),
            ),
        )
        for n, quality in enumerate([0.4] * 30 + [0.6] * 10)
    ]
    [began], _ = numeric_conditions.step(CONFIG, CONFIG.limits, NumericState(), bad)
    assert (began.kind, began.onset) == ("abp_mean_low", 31 * FS - 1)


@pytest.mark.parametrize(
    ("rhythm", "kind"), [("asystole", "asystole"), ("ventricular fibrillation", "ventricular_fibrillation")]
)
def test_an_arrest_suppresses_what_follows_from_it(rhythm: Rhythm, kind: AlarmKind) -> None:
    shock: Values = {"abp_mean": 30.0, "spo2": 70.0, "pulse_rate": None}
    rhythms: list[Rhythm] = [*["sinus"] * 20, *[rhythm] * 20, *["sinus"] * 20]  # type: ignore[list-item]
    changes = run(seconds(shock, 60), rhythm=rhythms)
    low = [change for change in changes if change.kind == "abp_mean_low"]
    _, replaced, again = low
    assert isinstance(replaced, Ended)
    assert (replaced.reason, replaced.replaced_by) == ("replaced", kind)
    assert isinstance(again, Began)
    assert again.at - again.onset == 4 * FS, "its delay begins after the arrest"
    assert [change.kind for change in changes if change.kind == "desaturation"] == ["desaturation"]
    off = replace(CONFIG, disabled=frozenset({kind}))
    assert len([c for c in run(seconds(shock, 60), rhythm=rhythms, config=off) if c.kind == "abp_mean_low"]) == 1


def test_a_kind_that_is_switched_off_is_not_tracked() -> None:
    state, found = NumericState(), []
    for second in range(40):
        state = numeric_conditions.receive(state, [samples(second, {"spo2": 85.0})])
        limits = Limits(off=("spo2_low",)) if second >= 20 else Limits()
        changes, state = numeric_conditions.step(CONFIG, limits, state, [Second((second + 1) * FS - 1)])
        found += changes
    _, ended = found
    assert isinstance(ended, Ended)
    assert (ended.reason, ended.at) == ("switched_off", 21 * FS - 1)


def test_all_conditions_end_with_the_signal() -> None:
    state = numeric_conditions.receive(NumericState(), [samples(0, {"spo2": 70.0, "abp_mean": 40.0})])
    seconds = [Second((n + 1) * FS - 1) for n in range(15)]
    # One message is known for 10 s only: the delay of the pressure has passed then, that of the saturation has not.
    began, state = numeric_conditions.step(CONFIG, CONFIG.limits, state, seconds)
    assert [change.kind for change in began] == ["abp_mean_low"]
    [ended] = numeric_conditions.close(state, 15 * FS - 1)
    assert (ended.kind, ended.reason, ended.end) == ("abp_mean_low", "signal_interrupted", 15 * FS)
    after = numeric_conditions.after_gap(state)
    assert (after.conditions, after.values, after.used) == ({}, state.values, state.used)


VALUES = st.fixed_dictionaries(
    {
        "spo2": st.none() | st.integers(60, 100).map(float),
        "abp_mean": st.none() | st.integers(0, 150).map(float),
        "respiration_rate": st.none() | st.integers(0, 50).map(float),
        "apnoea": st.none() | st.integers(10, 40).map(float),
        "pulse_rate": st.none() | st.integers(20, 150).map(float),
    }
)


@few
@given(seed=st.integers(0, 2**32 - 1), phases=st.lists(st.tuples(VALUES, st.integers(1, 25)), min_size=1, max_size=6))
def test_the_order_of_arrival_and_the_steps_change_nothing(seed: int, phases: Any) -> None:
    """Messages that come up to `DELAY` after their time, in steps of any length."""
    values = [own for own, n in phases for _ in range(n)]
    messages = [samples(second, own) for second, own in enumerate(values)]
    expected = run(values)
    state, found, at = NumericState(), [], 0
    rng = np.random.default_rng(seed)
    late = rng.integers(0, DELAY, len(messages)).tolist()
    waiting = sorted(zip(messages, late, strict=True), key=lambda item: item[0].index + item[1])
    while at < len(values):
        step = int(rng.integers(1, 8))
        now = [Second((second + 1) * FS - 1, 75.0, "sinus") for second in range(at, min(at + step, len(values)))]
        received = []
        while waiting and waiting[0][0].index + waiting[0][1] <= now[-1].at:
            received.append(waiting.pop(0)[0])
        state = numeric_conditions.receive(state, received)
        changes, state = numeric_conditions.step(CONFIG, CONFIG.limits, state, now)
        found, at = [*found, *changes], at + step
    assert found == expected
    for kind in {change.kind for change in found}:
        own = [change for change in found if change.kind == kind]
        assert all(isinstance(change, Ended) == bool(n % 2) for n, change in enumerate(own)), (
            "onsets and ends alternate"
        )
        assert all(change.onset <= change.at for change in own)


def test_values_given_at_once_are_used_as_if_each_came_in_its_time() -> None:
    sent = [samples(second, {"spo2": 97.0 if second // 60 % 2 else 85.0}) for second in range(300)]
    at_once = numeric_conditions.receive(NumericState(), [*sent, sent[0]])
    one_by_one, expected, found = NumericState(), [], []
    for second, own in enumerate(sent):
        one_by_one = numeric_conditions.receive(one_by_one, [own])
        now = [Second(second * FS + FS - 1)]
        changes, one_by_one = numeric_conditions.step(CONFIG, Limits(), one_by_one, now)
        expected += changes
        changes, at_once = numeric_conditions.step(CONFIG, Limits(), at_once, now)
        found += changes
    assert found == expected
    assert len([change for change in found if isinstance(change, Began)]) == 3
    assert len(one_by_one.values.waiting) <= 1
