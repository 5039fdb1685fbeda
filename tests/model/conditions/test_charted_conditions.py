"""Alarms of hourly values: limits without a delay, missing hours, and no alarm of a sensor."""

from __future__ import annotations

from model.conditions import charted_conditions, settings
from model.conditions.changes import Began, Change, Ended
from stream.wire.alarm_messages import Limits
from stream.wire.numerics_message import NumericName
from stream.wire.outlook_message import HOUR
from tests.outlooks import alone
from tests.waveforms import numeric

CONFIG, LIMITS = settings.load(), Limits()


def changes_of(hours: list[dict[NumericName, float | None]], interval_s: float = 3600.0) -> list[tuple[int, Change]]:
    """Return the changes with the number of the message that brought them."""
    conditions, found = {}, []
    for number, values in enumerate(hours):
        known = charted_conditions.measured(alone(number, values).values, interval_s)
        at = number * round(interval_s * 360)
        changes, conditions = charted_conditions.step(CONFIG, LIMITS, conditions, known, at, interval_s)
        found += [(number, change) for change in changes]
    return found


def kinds(found: list[tuple[int, Change]]) -> list[tuple[int, str, str]]:
    return [(at, type(change).__name__, change.kind) for at, change in found]


def test_an_hourly_value_beyond_its_limit_is_an_alarm_at_once_and_ends_with_the_first_one_inside() -> None:
    found = changes_of(
        [{"nibp_mean": 70.0}, {"nibp_mean": 55.0}, {"nibp_mean": 52.0}, {"nibp_mean": 61.0}, {"nibp_mean": 70.0}]
    )
    assert kinds(found) == [(1, "Began", "abp_mean_low"), (4, "Ended", "abp_mean_low")]  # 61 is inside by less than 5 %
    (_, began), (_, ended) = found
    assert isinstance(began, Began)
    assert (began.onset, began.value, began.limit) == (HOUR, 55.0, 60.0)
    assert isinstance(ended, Ended)
    assert (ended.value, ended.reason, ended.end) == (52.0, "rule_no_longer_met", 4 * HOUR)


def test_a_missing_value_keeps_its_alarm_for_two_hours_and_never_raises_one_of_a_sensor() -> None:
    hours: list[dict[NumericName, float | None]] = [{"spo2": 85.0}, {"spo2": None}, {"spo2": None}, {"spo2": None}]
    found = changes_of(hours)
    assert kinds(found) == [(0, "Began", "spo2_low"), (3, "Ended", "spo2_low")]
    [_, (_, ended)] = found
    assert isinstance(ended, Ended)
    assert (ended.reason, ended.end) == ("signal_unusable", HOUR)  # one hour is known


def test_the_heart_rate_and_the_line_before_the_cuff_decide() -> None:
    found = changes_of([{"heart_rate": 130.0, "abp_mean": 80.0, "nibp_mean": 40.0, "respiration_rate": 40.0}])
    assert [kind for _, _, kind in kinds(found)] == ["heart_rate_high", "respiration_high"]


def test_values_of_each_second_have_the_delays_of_a_monitor() -> None:
    found = changes_of([{"spo2": 85.0}] * 12, interval_s=1.0)
    assert kinds(found) == [(10, "Began", "spo2_low")]


def test_a_value_of_an_hour_ago_is_not_measured_now() -> None:
    old, new = numeric("spo2", 85.0, age_s=3600.0), numeric("nibp_mean", 80.0, age_s=1800.0)
    assert charted_conditions.measured((old, new), 3600.0) == {"nibp_mean": 80.0}
