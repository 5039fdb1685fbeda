"""The alarms of one bed, live: runs `model.alarms.state_machine` and publishes its events and the list of alarms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from model.alarms import state_machine
from model.alarms.state import AlarmContext, AlarmState, restore, to_message
from model.conditions.changes import Change
from model.conditions.settings import AlarmConfig
from stream.wire.alarm_messages import ADVISORIES, ActiveAlarms, Alarm, Command, Limits
from stream.wire.lease import with_lease
from stream.wire.messages import Message


class AlarmManager:
    """Manages the alarms of one bed.

    Parameters
    ----------
    config : AlarmConfig
    send : callable
        Sends a message; never blocks.
    lease : int
        See the attribute.

    Attributes
    ----------
    lease : int
        All messages carry it; see `stream.wire.lease`.
    raised : int
        Number of alarms raised, without advisories.
    """

    def __init__(self, config: AlarmConfig, send: Callable[[Message], None], lease: int = 0) -> None:
        self.lease = lease
        self.raised = 0
        self._config = config
        self._send = send
        self._state = AlarmState(limits=config.limits)

    @property
    def limits(self) -> Limits:
        """The current limits of the bed."""
        return self._state.limits

    @property
    def urgent(self) -> bool:
        """Whether the condition of an alarm of high or medium priority holds."""
        return any(alarm.priority in ("high", "medium") for alarm in self._state.open)

    def restore(self, message: ActiveAlarms, now_ns: int) -> None:
        """Restore the alarms that an earlier worker published; publish nothing yet."""
        self._state = restore(message, now_ns)

    def resume(self, context: AlarmContext) -> None:
        """Continue with restored alarms when the bed sends its first samples, and publish the list."""
        events, self._state = state_machine.resume(self._state, context)
        self._publish(events)
        self._send(with_lease(to_message(context.bed, self._state), self.lease))

    def finish(self, context: AlarmContext) -> None:
        """Clear all alarms whose condition holds, because the record has ended."""
        self._apply(*state_machine.finish(self._state, context), context)

    def process(self, changes: Sequence[Change], context: AlarmContext) -> None:
        """Process begins and ends of conditions."""
        for change in changes:
            self._apply(*state_machine.process(self._config, self._state, change, context), context)

    def execute(self, command: Command, context: AlarmContext) -> None:
        """Execute a command.

        Raises
        ------
        MessageError
            The command is old or repeated, or its alarm is not in the list.
        """
        self._apply(*state_machine.execute(self._config, self._state, command, context), context)

    def advance_time(self, context: AlarmContext) -> None:
        """Clear restored alarms that were not confirmed in time, and end pauses that are over."""
        self._apply(*state_machine.advance_time(self._state, context), context)

    def _apply(self, events: Sequence[Alarm], state: AlarmState, context: AlarmContext) -> None:
        self._publish(events)
        before, self._state = to_message(context.bed, self._state), state
        after = to_message(context.bed, state)
        if after != before:
            self._send(with_lease(after, self.lease))

    def _publish(self, events: Sequence[Alarm]) -> None:
        # Events before the list: a receiver of the list has been sent the events that explain it.
        for event in events:
            self.raised += event.phase == "raised" and event.kind not in ADVISORIES
            self._send(with_lease(event, self.lease))
