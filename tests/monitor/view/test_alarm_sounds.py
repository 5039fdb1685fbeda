"""Sounds of beats and alarms, and what silences them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.view.alarm_sounds import REPEAT_INTERVAL_S, AlarmSounds
from monitor.view.presenter import Broker, Presenter
from monitor.view.view_model import AlarmLine, Frame, Patient, Pauses
from tests.monitor import message_samples
from tests.monitor.message_samples import CONNECTED, SECOND

EMPTY = replace(Presenter().frame(0, None, Broker(True, CONNECTED)), worker=True)


def alarm(priority: str = "high", number: int = 1, **changes: object) -> AlarmLine:
    message = message_samples.alarm(400, alarm_id=f"id-{number}", priority=priority, **changes)
    return AlarmLine(message, "12:00:00", 1.0, active=True)


class Recorder:
    """Alarm sounds with a list of the sounds played."""

    def __init__(self) -> None:
        self.played: list[str] = []
        self.alarm_sounds = AlarmSounds(self.played.append)

    def show(self, at_s: float, *alarms: AlarmLine, **changes: object) -> list[str]:
        """Process a frame and return the sounds that it started."""
        before = len(self.played)
        frame: Frame = replace(EMPTY, now_ns=round(at_s * SECOND), active=alarms, **changes)  # type: ignore[arg-type]
        self.alarm_sounds.update(frame)
        return self.played[before:]


def test_a_beat_sounds_once() -> None:
    recorder = Recorder()
    beating = [False, True, True, True, False, True]
    for number, now in enumerate(beating):
        recorder.show(number / 60, patient=Patient(beating=now))
    assert recorder.played == ["beat", "beat"]


@pytest.mark.parametrize("priority", REPEAT_INTERVAL_S)
def test_an_alarm_sounds_at_its_interval(priority: str) -> None:
    recorder = Recorder()
    for tenth in range(round(REPEAT_INTERVAL_S[priority] * 10 * 2.5)):
        recorder.show(tenth / 10, alarm(priority))
    assert recorder.played == [priority] * 3


def test_the_most_urgent_alarm_sounds_and_a_new_one_at_once() -> None:
    recorder = Recorder()
    low, other, high = alarm("low", 1), alarm("low", 2), alarm("high", 3)
    assert recorder.show(0, low) == ["low"]
    assert recorder.show(1, low) == []
    assert recorder.show(2, low, other) == ["low"]
    assert recorder.show(3, high, low, other) == ["high"]
    assert recorder.show(4, low, other) == ["low"], "the remaining alarm, when the more urgent one has ended"


@pytest.mark.parametrize(
    "silence",
    [{"pauses": Pauses(audio_s=90)}, {"pauses": Pauses(alarms_s=30)}, {"worker": False}],
)
def test_a_pause_or_an_offline_worker_silences_alarms(silence: dict[str, object]) -> None:
    recorder = Recorder()
    assert recorder.show(0, alarm()) == ["high"]
    assert recorder.show(10, alarm(), **silence) == []
    assert recorder.show(10.1, alarm()) == ["high"], "it sounds at once after the silence"


def test_an_acknowledged_alarm_is_silent() -> None:
    assert Recorder().show(0, alarm(acknowledged_by="nurse 1")) == []


def test_a_muted_monitor_plays_nothing() -> None:
    recorder = Recorder()
    recorder.alarm_sounds.muted = True
    assert recorder.show(0, alarm(), patient=Patient(beating=True)) == []
    recorder.alarm_sounds.muted = False
    assert recorder.show(1, alarm(), patient=Patient(beating=True)) == ["high"], "not the beat already started"
