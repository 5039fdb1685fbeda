"""The hours of a bed that a window keeps, longer than a message brings; a warning and its risk since then."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.view.chart import BedChart, HoursAhead, is_low, low_hours
from monitor.view.early_warning import EarlyWarning, early_warning
from monitor.view.hourly_course import SPANS_H
from stream.wire.outlook_message import PastValues, Risk
from tests.outlooks import alone, outlook


def hours_until(hour: int, **changes: Any) -> Any:
    """Return an outlook whose mean pressure in each hour is that hour, and whose risk is a hundredth of it."""
    numbers = range(max(hour - 23, 0), hour + 1)
    past = (PastValues(name="nibp_mean", unit="mmHg", values=tuple(float(number) for number in numbers)),)
    return outlook(hour=hour, past=past, past_risk=tuple(number / 100 for number in numbers), **changes)


def received(*outlooks: Any) -> HoursAhead:
    bed = BedChart()
    bed.add_numerics(alone(0, {}), 0)
    for one in outlooks:
        bed.add_outlook(one)
    assert bed.current is not None
    assert bed.current.hours is not None
    return bed.current.hours


@pytest.mark.parametrize("hours", [(0,), (30,), (30, 30), (20, 30, 40), range(90), (10, 33, 57)])
def test_every_hour_that_was_received_is_kept_up_to_the_longest_span(hours: Any) -> None:
    course = received(*(hours_until(hour) for hour in hours)).course
    first = max(min(hours) - 23, max(hours) - SPANS_H[-1] + 1, 0)
    assert course.values_of("nibp_mean") == tuple(float(hour) for hour in range(first, max(hours) + 1))
    assert course.last(6).values_of("nibp_mean") == course.values_of("nibp_mean")[-6:]


def test_hours_of_which_nothing_came_are_unknown_and_another_epoch_or_an_earlier_hour_begins_anew() -> None:
    course = received(hours_until(10), hours_until(40)).course
    assert course.values_of("nibp_mean")[:18] == (*(float(hour) for hour in range(11)), *[None] * 6, 17.0)
    assert len(received(hours_until(10), hours_until(40, epoch=1), hours_until(3)).course.rows) == 4
    bed = BedChart()
    bed.add_numerics(alone(0, {}), 0)
    bed.add_outlook(hours_until(10, epoch=1))
    assert bed.current is not None
    assert bed.current.hours is None, "the numerics are of another epoch"


def test_a_low_pressure_is_low_until_another_is_measured() -> None:
    values = (None, 60.0, None, 70.0, 64.0)
    past = (PastValues(name="nibp_mean", unit="mmHg", values=values),)
    low = received(outlook(past=past, past_risk=(None,) * 5, risks=(Risk(name="hypotension_6h", probability=None),)))
    assert low_hours(low.course) == (False, True, True, False, True)
    assert is_low(low.outlook)
    assert not is_low(received(outlook()).outlook)


def test_a_warning_says_since_when_and_what_its_risk_is_now() -> None:
    risks = (Risk(name="hypotension_6h", probability=0.3),)
    warned = received(hours_until(40, advisory_hour=35, risks=risks))
    assert early_warning(warned) == EarlyWarning(since=35, hours=5, before=0.35, now=0.3, over=False)
    assert early_warning(received(hours_until(40, advisory_hour=10, risks=risks))) == EarlyWarning(
        10, 30, None, 0.3, False
    )
    assert early_warning(received(hours_until(40, advisory=False))) is None
    assert early_warning(received(hours_until(40))) is None, "a worker that does not say since when"
