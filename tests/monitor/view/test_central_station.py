"""The central station without a window: its grid, and which bed comes forward."""

from __future__ import annotations

import pytest

from monitor.view.central_station import LINGER_S, columns, come_forward, heard
from monitor.view.presenter import Broker, Presenter
from monitor.view.view_model import Frame
from stream.clock import rfc3339
from stream.wire.alarm_messages import ActiveAlarms, Alarm
from stream.wire.messages import Message
from tests.monitor.stories import CONNECTED, SECOND, T0, alarm, process, received, status

ONLINE = Broker(True, CONNECTED)


@pytest.mark.parametrize(("beds", "expected"), [(0, 1), (1, 1), (2, 1), (4, 2), (6, 2), (9, 3), (12, 3), (16, 4)])
def test_there_are_never_more_columns_than_rows(beds: int, expected: int) -> None:
    assert columns(beds) == expected


class Beds:
    """Some beds, and the alarms that last."""

    def __init__(self, *names: str) -> None:
        self.presenter = Presenter()
        self.names = names
        self.say(process("worker"), process("publisher"))
        for name in names:
            self.say(status("publisher", "playing", bed=name), status("worker", "forecasting", bed=name))

    def say(self, *messages: Message) -> None:
        for message in messages:
            self.presenter.take(received(message, T0))

    def lasts(self, bed: str, *priorities: str, acknowledged_by: str | None = None) -> tuple[Alarm, ...]:
        """Let a bed have these alarms and no others."""
        alarms = tuple(
            alarm(100 * (i + 1), bed=bed, priority=priority, acknowledged_by=acknowledged_by)
            for i, priority in enumerate(priorities)
        )
        self.say(ActiveAlarms(bed=bed, alarms=alarms))
        return alarms

    def frames(self) -> list[Frame]:
        return [self.presenter.frame(T0, name, ONLINE) for name in self.names]


def forward_of(beds: Beds) -> str | None:
    found = come_forward(None, beds.frames(), T0)
    return found and found.bed


def test_without_an_alarm_nobody_is_forward() -> None:
    assert forward_of(Beds("a", "b")) is None


def test_the_most_urgent_is_forward() -> None:
    beds = Beds("a", "b", "c")
    beds.lasts("a", "medium")
    beds.lasts("c", "low", "high")
    assert forward_of(beds) == "c"


@pytest.mark.parametrize("priority", ["low", "technical"])
def test_what_is_not_urgent_brings_nobody_forward(priority: str) -> None:
    beds = Beds("a", "b")
    beds.lasts("b", priority)
    assert forward_of(beds) is None


def test_an_answered_alarm_brings_nobody_forward() -> None:
    beds = Beds("a", "b")
    beds.lasts("b", "high", acknowledged_by="nurse 1")
    assert forward_of(beds) is None


def test_what_a_dead_worker_said_brings_nobody_forward() -> None:
    beds = Beds("a", "b")
    beds.lasts("b", "high")
    beds.say(process("worker", "offline"))
    assert forward_of(beds) is None


def test_the_one_that_is_forward_gives_way_to_a_more_urgent_one_alone() -> None:
    beds = Beds("a", "b", "c")
    beds.lasts("b", "medium")
    first = come_forward(None, beds.frames(), T0)
    beds.lasts("a", "medium")
    second = come_forward(first, beds.frames(), T0 + SECOND)
    assert second is not None
    assert second.bed == "b", "as urgent, and there before"
    beds.lasts("c", "high")
    third = come_forward(second, beds.frames(), T0 + 2 * SECOND)
    assert third is not None
    assert third.bed == "c"


def test_it_stays_for_a_while_after_the_alarm_and_no_longer() -> None:
    beds = Beds("a", "b")
    beds.lasts("b", "high")
    there = come_forward(None, beds.frames(), T0)
    beds.lasts("b")
    assert come_forward(there, beds.frames(), T0 + round((LINGER_S - 0.1) * 1e9)) == there
    assert come_forward(there, beds.frames(), T0 + round((LINGER_S + 0.1) * 1e9)) is None


def test_a_bed_that_vanished_is_not_forward() -> None:
    beds = Beds("a", "b")
    beds.lasts("b", "high")
    there = come_forward(None, beds.frames(), T0)
    assert come_forward(there, beds.frames()[:1], T0) is None


# --- what sounds ----------------------------------------------------------------------------------------------------


def test_alarms_of_all_beds_are_heard_but_of_those_whose_tone_is_paused() -> None:
    beds = Beds("a", "b", "c")
    beds.lasts("b", "high")
    beds.say(
        ActiveAlarms(
            bed="c", alarms=(alarm(500, bed="c", priority="medium"),), audio_paused_until=rfc3339(T0 + 60 * SECOND)
        )
    )
    chosen, *others = beds.frames()
    found = heard(chosen, [chosen, *others])
    assert [line.priority for line in found.active] == ["high"]
    assert found.worker
    assert found.patient == chosen.patient
    beds.say(process("worker", "offline"))
    assert not heard(chosen, beds.frames()).worker
