"""The alarms of one bed, live: steps `model.alarms.state_machine`, and publishes its events and the list of alarms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from model.alarms import state_machine
from model.alarms.state_machine import AlarmContext, AlarmState
from model.conditions.changes import Change
from model.conditions.settings import AlarmConfig
from stream.wire.alarm_messages import ActiveAlarms, Alarm, Command, Limits
from stream.wire.messages import Message


class AlarmManager:
    """Manages the alarms of a bed.

    Parameters
    ----------
    config : AlarmConfig
    send : callable
        Sends a message; never blocks.

    Attributes
    ----------
    raised : int
        Alarms raised.
    """

    def __init__(self, config: AlarmConfig, send: Callable[[Message], None]) -> None:
        self.raised = 0
        self._config = config
        self._send = send
        self._state = AlarmState(limits=config.limits)

    @property
    def limits(self) -> Limits:
        """The limits of the bed, as set by users."""
        return self._state.limits

    def restore(self, message: ActiveAlarms, now_ns: int) -> None:
        """Restore the alarms that an earlier worker left; nothing is published yet."""
        self._state = state_machine.restore(message, now_ns)

    def resume(self, context: AlarmContext) -> None:
        """Begin, now that the bed sends; the list is published in any case."""
        events, self._state = state_machine.resume(self._state, context)
        self._publish(events)
        self._send(state_machine.to_message(context.bed, self._state))

    def finish(self, context: AlarmContext) -> None:
        """End all alarms that last: the record has ended."""
        self._settle(*state_machine.finish(self._state, context), context)

    def process(self, changes: Sequence[Change], context: AlarmContext) -> None:
        """Process conditions that began or ended."""
        for change in changes:
            self._settle(*state_machine.process(self._config, self._state, change, context), context)

    def execute(self, command: Command, context: AlarmContext) -> None:
        """Execute a command.

        Raises
        ------
        MessageError
            It is old, repeated, or about an alarm that is not there.
        """
        self._settle(*state_machine.execute(self._config, self._state, command, context), context)

    def advance_time(self, context: AlarmContext) -> None:
        """Advance time."""
        self._settle(*state_machine.advance_time(self._state, context), context)

    def _settle(self, events: Sequence[Alarm], state: AlarmState, context: AlarmContext) -> None:
        self._publish(events)
        before, self._state = state_machine.to_message(context.bed, self._state), state
        after = state_machine.to_message(context.bed, state)
        if after != before:
            self._send(after)

    def _publish(self, events: Sequence[Alarm]) -> None:
        # The events first: whoever receives the list can have received the events that made it.
        for event in events:
            self.raised += event.phase == "raised"
            self._send(event)
