"""Central station without a window: its grid, and the beds in alarm."""

from __future__ import annotations

import pytest

from monitor.view.central_station import BedsInAlarm, audible_frame, beds_in_alarm, grid_columns, other_red_alarms
from monitor.view.presenter import Broker, Presenter
from monitor.view.view_model import Frame
from stream.clock import rfc3339
from stream.wire.alarm_messages import ActiveAlarms, Alarm
from stream.wire.messages import Message
from tests.monitor.message_samples import CONNECTED, SECOND, T0, alarm, process, received, status

ONLINE = Broker(True, CONNECTED)


@pytest.mark.parametrize(
    ("beds", "expected"), [(0, 1), (1, 1), (2, 1), (4, 2), (6, 2), (9, 3), (12, 3), (16, 4), (32, 6)]
)
def test_there_are_never_more_columns_than_rows(beds: int, expected: int) -> None:
    assert grid_columns(beds) == expected


class Beds:
    """Some beds with active alarms."""

    def __init__(self, *names: str) -> None:
        self.presenter = Presenter()
        self.names = names
        self.receive(process("worker"), process("publisher"))
        for name in names:
            self.receive(status("publisher", "playing", bed=name), status("worker", "forecasting", bed=name))

    def receive(self, *messages: Message) -> None:
        for message in messages:
            self.presenter.process(received(message, T0))

    def set_alarms(self, bed: str, *priorities: str, acknowledged_by: str | None = None) -> tuple[Alarm, ...]:
        """Set the active alarms of a bed."""
        alarms = tuple(
            alarm(100 * (i + 1), bed=bed, priority=priority, acknowledged_by=acknowledged_by)
            for i, priority in enumerate(priorities)
        )
        self.receive(ActiveAlarms(bed=bed, alarms=alarms))
        return alarms

    def frames(self) -> list[Frame]:
        return [self.presenter.frame(T0, name, ONLINE) for name in self.names]


def test_beds_in_alarm_are_counted_by_whether_the_alarm_has_ended() -> None:
    beds = Beds("a", "b", "c", "d")
    beds.set_alarms("a", "medium")
    beds.set_alarms("b", "high", acknowledged_by="nurse 1")
    over = alarm(100, "cleared", end=200, bed="c", priority="high", latched=True)
    beds.receive(ActiveAlarms(bed="c", alarms=(over,)))
    assert beds_in_alarm(beds.frames()) == BedsInAlarm(active=1, ended=1)


def test_red_alarms_of_other_beds_are_active_before_ended() -> None:
    beds = Beds("a", "b", "c", "d")
    over = alarm(100, "cleared", end=200, bed="a", priority="high", latched=True)
    beds.receive(ActiveAlarms(bed="a", alarms=(over, alarm(300, bed="a", priority="medium"))))
    beds.set_alarms("b", "low", "high")
    beds.set_alarms("c", "high", acknowledged_by="nurse 1")
    beds.set_alarms("d", "high")
    found = other_red_alarms(beds.presenter.red_alarms(T0), ["d"])
    assert [(red.bed, red.line.latched) for red in found] == [("b", False), ("a", True)]
    beds.receive(process("worker", "offline"))
    assert beds.presenter.red_alarms(T0) == ()


def test_a_red_alarm_is_marked_while_the_alarms_of_its_bed_are_paused() -> None:
    beds = Beds("a")
    red = (alarm(300, bed="a", priority="high"),)
    beds.receive(ActiveAlarms(bed="a", alarms=red, alarms_paused_until=rfc3339(T0 + 60 * SECOND)))
    assert [found.paused for found in beds.presenter.red_alarms(T0)] == [True]
    assert [found.paused for found in beds.presenter.red_alarms(T0 + 61 * SECOND)] == [False]


# --- sounds ---------------------------------------------------------------------------------------------------------


def test_alarms_of_all_beds_are_audible_unless_their_tone_is_paused() -> None:
    beds = Beds("a", "b", "c")
    beds.set_alarms("b", "high")
    beds.receive(
        ActiveAlarms(
            bed="c", alarms=(alarm(500, bed="c", priority="medium"),), audio_paused_until=rfc3339(T0 + 60 * SECOND)
        )
    )
    selected, *others = beds.frames()
    found = audible_frame(selected, [selected, *others])
    assert [line.alarm.priority for line in found.active] == ["high"]
    assert found.worker
    assert found.patient == selected.patient
    beds.receive(process("worker", "offline"))
    assert not audible_frame(selected, beds.frames()).worker
