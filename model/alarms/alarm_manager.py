"""The alarms of one bed, live: runs `model.alarms.state_machine` and publishes its events and the list of alarms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from model.alarms import recent_events, state_machine
from model.alarms.recent_events import RecentEvents
from model.alarms.state import AlarmContext, AlarmState, restore, to_message
from model.conditions.changes import Change
from model.conditions.settings import AlarmConfig
from stream.wire.alarm_messages import ADVISORIES, ActiveAlarms, Alarm, Command, Limits
from stream.wire.lease import with_lease
from stream.wire.messages import Message


@dataclass(frozen=True, slots=True)
class SavedAlarms:
    """What a manager needs to continue in another process.

    Attributes
    ----------
    state : AlarmState
    recent : tuple of Alarm
    """

    state: AlarmState
    recent: RecentEvents = ()


class AlarmManager:
    """Manages the alarms of one bed.

    Parameters
    ----------
    config : AlarmConfig
    send : callable
        Sends a message; never blocks.
    lease : int
        See the attribute.
    save : callable, optional
        Called with the state after each transition and its new events, before they are sent: what has gone out is
        known to the next process.

    Attributes
    ----------
    lease : int
        All messages carry it; see `stream.wire.lease`.
    raised : int
        Number of alarms raised, without advisories.
    """

    def __init__(
        self,
        config: AlarmConfig,
        send: Callable[[Message], None],
        lease: int = 0,
        save: Callable[[AlarmState, Sequence[Alarm]], None] | None = None,
    ) -> None:
        self.raised = 0
        self._config = config
        self._send = send
        self.lease = lease
        self._save = save
        self._state = AlarmState(limits=config.limits)
        self._recent: RecentEvents = ()

    @property
    def limits(self) -> Limits:
        """The current limits of the bed."""
        return self._state.limits

    @property
    def urgent(self) -> bool:
        """Whether the condition of an alarm of high or medium priority holds."""
        return any(alarm.priority in ("high", "medium") for alarm in self._state.open)

    @property
    def waits(self) -> bool:
        """Whether `advance_time` may change anything."""
        return self._state.waits

    @property
    def saved(self) -> SavedAlarms:
        """State and recent events, for `restore_saved`."""
        return SavedAlarms(self._state, self._recent)

    def recent(self, now_ns: int) -> RecentEvents:
        """Return the recent events, marked as sent again."""
        return tuple(with_lease(event, self.lease) for event in recent_events.to_resend(self._recent, now_ns))

    def restore(self, message: ActiveAlarms, now_ns: int) -> None:
        """Restore the alarms that an earlier worker published; publish nothing yet."""
        self._state = restore(message, now_ns)

    def restore_saved(self, saved: SavedAlarms) -> None:
        """Restore the alarms that an earlier worker saved; publish nothing yet. Their conditions are unconfirmed."""
        self._state = replace(saved.state, conditions=(), unconfirmed=())
        self._recent = saved.recent

    def continue_saved(self, bed: str, saved: SavedAlarms) -> None:
        """Go on exactly where an earlier worker ended, with its conditions, and publish the list."""
        self._state, self._recent = saved.state, saved.recent
        self._send(with_lease(to_message(bed, self._state), self.lease))

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
        if self._state.waits:
            self._apply(*state_machine.advance_time(self._state, context), context)

    def shift_pauses(self, bed: str, by_ns: int) -> None:
        """Move the ends of the pauses with the clock, which was stepped, and publish the list if there are any."""
        before, self._state = self._state, state_machine.shift_pauses(self._state, by_ns)
        if self._state != before:
            self._send(with_lease(to_message(bed, self._state), self.lease))

    def _apply(self, events: Sequence[Alarm], state: AlarmState, context: AlarmContext) -> None:
        before, self._state = self._state, state
        if not events and state == before:
            return
        self._publish(events)
        listed = to_message(context.bed, state)
        if listed != to_message(context.bed, before):
            self._send(with_lease(listed, self.lease))

    def _publish(self, events: Sequence[Alarm]) -> None:
        """Save the state and the events, then send the events."""
        self._recent = recent_events.push(self._recent, events)
        if self._save is not None:
            self._save(self._state, events)
        # Events before the list: a receiver of the list has been sent the events that explain it.
        for event in events:
            self.raised += event.phase == "raised" and event.kind not in ADVISORIES
            self._send(with_lease(event, self.lease))
