"""A driver of the alarm state machine for tests."""

from __future__ import annotations

from dataclasses import replace

from model.alarms import state_machine
from model.alarms.state import AlarmContext, AlarmState, restore, to_message
from model.conditions.changes import Began, Ended
from model.conditions.settings import load
from stream.clock import rfc3339
from stream.wire import codec
from stream.wire.alarm_messages import Action, ActiveAlarms, Alarm, AlarmKind, Command
from tests.waveforms import SESSION

CONFIG = load()
T0 = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


class AlarmDriver:
    """Drives the state machine of one bed with a manual clock, and keeps its events."""

    def __init__(self, state: AlarmState | None = None) -> None:
        self.state = state or AlarmState(limits=CONFIG.limits)
        self.sample = 0
        self.now = T0
        self.events: list[Alarm] = []
        self._commands = 0

    @property
    def context(self) -> AlarmContext:
        return AlarmContext("bed-1", SESSION, "mitdb/208", self.sample, self.now)

    def set_time(self, seconds: float) -> None:
        self.sample = round(360 * seconds)
        self.now = T0 + round(SECOND * seconds)

    def apply(self, step: tuple[tuple[Alarm, ...], AlarmState]) -> list[Alarm]:
        events, self.state = step
        self.events += events
        return list(events)

    def begin(self, kind: AlarmKind, **fields: object) -> list[Alarm]:
        change = Began(kind, max(self.sample - 360, 0), self.sample, "rule_met", **fields)  # type: ignore[arg-type]
        return self.apply(state_machine.process(CONFIG, self.state, change, self.context))

    def end(self, kind: AlarmKind) -> list[Alarm]:
        change = Ended(kind, 0, self.sample, self.sample, "rule_no_longer_met")
        return self.apply(state_machine.process(CONFIG, self.state, change, self.context))

    def command(self, action: Action, who: str = "nurse 1", number: int | None = None) -> list[Alarm]:
        self._commands += 1
        command = Command(
            command_id=f"{number or self._commands:032x}",
            bed="bed-1",
            who=who,
            when=rfc3339(self.now),
            action=action,
        )
        return self.apply(state_machine.execute(CONFIG, self.state, command, self.context))

    @property
    def listed(self) -> list[tuple[AlarmKind, bool]]:
        """Kind of each active alarm, and whether it is latched."""
        return [(alarm.kind, alarm.latched) for alarm in self.state.active]


def phases(events: list[Alarm]) -> list[tuple[str, str]]:
    """Return kind and phase of each event."""
    return [(alarm.kind, alarm.phase) for alarm in events]


def restart(driver: AlarmDriver, session: str = SESSION) -> tuple[AlarmDriver, list[Alarm]]:
    """Return the driver of a new worker that received the published list, and the events of its start."""
    message = to_message("bed-1", driver.state)
    received = codec.decode(codec.topic_of(message), codec.encode(message))
    restored = AlarmDriver()
    restored.sample, restored.now = driver.sample, driver.now
    assert isinstance(received, ActiveAlarms)
    restored.state = restore(received, driver.now)
    context = replace(restored.context, session=session)
    return restored, restored.apply(state_machine.resume(restored.state, context))
