"""Order of alarms in banner and list."""

from __future__ import annotations

import pytest

from monitor.view.alarm_order import ROTATE_S, Rotation, group_of, grouped, urgent_lines
from monitor.view.view_model import AdvisoryCount, AlarmLine
from tests.monitor.message_samples import SECOND, T0, alarm, residual

PRIORITIES = {"h": "high", "m": "medium", "l": "low", "t": "technical"}


def line(name: str) -> AlarmLine:
    """Return a line from its name: priority, then ``-`` for ended, ``!`` for acknowledged, ``.`` for past."""
    ended = "-" in name
    event = alarm(
        400,
        alarm_id=name,
        priority=PRIORITIES[name[0]],
        end=500 if ended or "." in name else None,
        latched=ended,
        acknowledged_by="nurse 1" if "!" in name else None,
    )
    return AlarmLine(event, "12:00:00", 1.0, active="." not in name)


def lines(text: str) -> tuple[AlarmLine, ...]:
    return tuple(line(name) for name in text.split())


def names(found: tuple[AlarmLine, ...]) -> str:
    return " ".join(line.key for line in found)


@pytest.mark.parametrize(
    ("active", "shown"),
    [
        ("", ""),
        ("h1 h2- m3", "h1 h2-"),
        ("h1- h2 m3", "h2 h1-"),
        ("h1- m2 m3", "m2 m3 h1-"),
        ("h1- l2", "h1-"),
        ("h1- t2", "h1-"),
        ("h1! m2", "m2"),
        ("h1! m2!", "h1!"),
        ("m1 l2 t3", "m1"),
        ("t1", "t1"),
    ],
)
def test_active_alarms_come_before_ended_ones_and_an_ended_high_one_before_low_ones(active: str, shown: str) -> None:
    assert names(urgent_lines(lines(active))) == shown


def test_each_alarm_is_shown_in_turn_and_a_new_one_at_once() -> None:
    rotation, two = Rotation(), lines("h1 h2-")
    turns = [rotation.line(two, T0 + turn * ROTATE_S * SECOND).key for turn in range(3)]
    assert turns == ["h1", "h2-", "h1"]
    late = T0 + 5 * ROTATE_S * SECOND
    assert rotation.line(two, late).key == "h2-"
    assert rotation.line(lines("h3 h1 h2-"), late).key == "h3"
    assert rotation.line((), late) is None


def test_the_rotation_starts_again_when_the_clock_was_set_back() -> None:
    rotation, two = Rotation(), lines("h1 h2-")
    rotation.line(two, T0)
    assert rotation.line(two, T0 - 3600 * SECOND).key == "h1"


def test_the_list_groups_active_latched_advisories_and_past() -> None:
    counting = AlarmLine(residual(800), "12:00:00", 0.5, True, AdvisoryCount(1, 1, "11:00:00", "12:00:00"))
    history = (counting, *lines("l1. m2 h3- h4. h5 t6!"))
    assert names(grouped(history)) == "h5 m2 t6! h3- residual l1. h4."
    assert [group_of(line) for line in grouped(history)] == [
        *["active"] * 3,
        "latched",
        "advisories",
        *["past"] * 2,
    ]
