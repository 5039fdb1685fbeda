"""What sounds, and what silences it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.view.alarm_sounds import REPEAT_S, Sounding
from monitor.view.presenter import Broker, Presenter
from monitor.view.view_model import AlarmLine, Frame, Patient, Pauses
from tests.monitor.stories import CONNECTED, SECOND

EMPTY = replace(Presenter().frame(0, None, Broker(True, CONNECTED)), worker=True)


def alarm(priority: str = "high", number: int = 1, **changes: object) -> AlarmLine:
    line = AlarmLine(f"id-{number}", "residual", priority, "text", "12:00:00", 1.0, active=True)
    return replace(line, **changes)  # type: ignore[arg-type]


class Room:
    """A monitor and what was heard of it."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.sounding = Sounding(self.heard.append)

    def show(self, at_s: float, *alarms: AlarmLine, **changes: object) -> list[str]:
        """Show a frame and return what has been heard since the last."""
        before = len(self.heard)
        frame: Frame = replace(EMPTY, now_ns=round(at_s * SECOND), active=alarms, **changes)  # type: ignore[arg-type]
        self.sounding.hear(frame)
        return self.heard[before:]


def test_a_beat_sounds_once() -> None:
    room = Room()
    beating = [False, True, True, True, False, True]
    for number, now in enumerate(beating):
        room.show(number / 60, patient=Patient(beating=now))
    assert room.heard == ["beat", "beat"]


@pytest.mark.parametrize("priority", REPEAT_S)
def test_an_alarm_sounds_again_and_again_in_its_rhythm(priority: str) -> None:
    room = Room()
    for tenth in range(round(REPEAT_S[priority] * 10 * 2.5)):
        room.show(tenth / 10, alarm(priority))
    assert room.heard == [priority] * 3


def test_the_most_urgent_sounds_and_a_new_one_at_once() -> None:
    room = Room()
    low, other, high = alarm("low", 1), alarm("low", 2), alarm("high", 3)
    assert room.show(0, low) == ["low"]
    assert room.show(1, low) == []
    assert room.show(2, low, other) == ["low"]
    assert room.show(3, high, low, other) == ["high"]
    assert room.show(4, low, other) == ["low"], "the one that still calls, when the more urgent is over"


@pytest.mark.parametrize(
    "silence",
    [{"pauses": Pauses(audio_s=90)}, {"pauses": Pauses(alarms_s=30)}, {"worker": False}],
)
def test_a_pause_silences_alarms_and_so_does_a_worker_that_is_gone(silence: dict[str, object]) -> None:
    room = Room()
    assert room.show(0, alarm()) == ["high"]
    assert room.show(10, alarm(), **silence) == []
    assert room.show(10.1, alarm()) == ["high"], "after the silence it sounds at once"


def test_whom_somebody_has_seen_is_silent() -> None:
    assert Room().show(0, alarm(acknowledged_by="nurse 1")) == []


def test_muted_is_silent_altogether() -> None:
    room = Room()
    room.sounding.muted = True
    assert room.show(0, alarm(), patient=Patient(beating=True)) == []
    room.sounding.muted = False
    assert room.show(1, alarm(), patient=Patient(beating=True)) == ["high"], "not the beat that had begun"
