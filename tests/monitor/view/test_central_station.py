"""Central station without a window: its grid, and the enlarged bed."""

from __future__ import annotations

import pytest

from monitor.view.central_station import HOLD_S, audible_frame, choose_enlarged, grid_columns
from monitor.view.presenter import Broker, Presenter
from monitor.view.view_model import Frame
from stream.clock import rfc3339
from stream.wire.alarm_messages import ActiveAlarms, Alarm
from stream.wire.messages import Message
from tests.monitor.message_samples import CONNECTED, SECOND, T0, alarm, process, received, status

ONLINE = Broker(True, CONNECTED)


@pytest.mark.parametrize(("beds", "expected"), [(0, 1), (1, 1), (2, 1), (4, 2), (6, 2), (9, 3), (12, 3), (16, 4)])
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


def enlarged_of(beds: Beds) -> str | None:
    found = choose_enlarged(None, beds.frames(), T0)
    return found and found.bed


def test_without_an_alarm_no_bed_is_enlarged() -> None:
    assert enlarged_of(Beds("a", "b")) is None


def test_the_most_urgent_alarm_enlarges_its_bed() -> None:
    beds = Beds("a", "b", "c")
    beds.set_alarms("a", "medium")
    beds.set_alarms("c", "low", "high")
    assert enlarged_of(beds) == "c"


@pytest.mark.parametrize("priority", ["low", "technical"])
def test_low_and_technical_alarms_do_not_enlarge(priority: str) -> None:
    beds = Beds("a", "b")
    beds.set_alarms("b", priority)
    assert enlarged_of(beds) is None


def test_an_acknowledged_alarm_does_not_enlarge() -> None:
    beds = Beds("a", "b")
    beds.set_alarms("b", "high", acknowledged_by="nurse 1")
    assert enlarged_of(beds) is None


def test_alarms_of_an_offline_worker_do_not_enlarge() -> None:
    beds = Beds("a", "b")
    beds.set_alarms("b", "high")
    beds.receive(process("worker", "offline"))
    assert enlarged_of(beds) is None


def test_only_a_more_urgent_alarm_replaces_the_enlarged_bed() -> None:
    beds = Beds("a", "b", "c")
    beds.set_alarms("b", "medium")
    first = choose_enlarged(None, beds.frames(), T0)
    beds.set_alarms("a", "medium")
    second = choose_enlarged(first, beds.frames(), T0 + SECOND)
    assert second is not None
    assert second.bed == "b", "of the same urgency, and enlarged before"
    beds.set_alarms("c", "high")
    third = choose_enlarged(second, beds.frames(), T0 + 2 * SECOND)
    assert third is not None
    assert third.bed == "c"


def test_a_bed_stays_enlarged_for_the_hold_time() -> None:
    beds = Beds("a", "b")
    beds.set_alarms("b", "high")
    enlarged = choose_enlarged(None, beds.frames(), T0)
    beds.set_alarms("b")
    assert choose_enlarged(enlarged, beds.frames(), T0 + round((HOLD_S - 0.1) * 1e9)) == enlarged
    assert choose_enlarged(enlarged, beds.frames(), T0 + round((HOLD_S + 0.1) * 1e9)) is None
    assert choose_enlarged(enlarged, beds.frames(), T0 - 3600 * SECOND) is None, "the clock was set back"


def test_a_removed_bed_is_not_enlarged() -> None:
    beds = Beds("a", "b")
    beds.set_alarms("b", "high")
    enlarged = choose_enlarged(None, beds.frames(), T0)
    assert choose_enlarged(enlarged, beds.frames()[:1], T0) is None


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
