"""The alarms of one bed, live: feeds the state machine of `model.alarms.state_machine`, and publishes what comes of
it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from model.alarms import state_machine
from model.alarms.state_machine import AlarmState, Scene
from model.conditions.changes import Change
from model.conditions.settings import AlarmConfig
from stream.wire.alarm_messages import ActiveAlarms, Alarm, Command, Limits
from stream.wire.messages import Message


class AlarmDesk:
    """Keeps the alarms of a bed.

    Parameters
    ----------
    config : AlarmConfig
    send : callable
        Takes a message and never blocks.

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
        """The limits that people have set for the bed."""
        return self._state.limits

    def recall(self, message: ActiveAlarms, now_ns: int) -> None:
        """Take up what an earlier worker left; nothing is published yet."""
        self._state = state_machine.recall(message, now_ns)

    def resume(self, scene: Scene) -> None:
        """Begin, now that the bed sends; the list is published in any case."""
        events, self._state = state_machine.resume(self._state, scene)
        self._publish(events)
        self._send(state_machine.to_message(scene.bed, self._state))

    def finish(self, scene: Scene) -> None:
        """End whatever lasts: the record has ended."""
        self._settle(*state_machine.finish(self._state, scene), scene)

    def take(self, changes: Sequence[Change], scene: Scene) -> None:
        """Take conditions that began or ended."""
        for change in changes:
            self._settle(*state_machine.take(self._config, self._state, change, scene), scene)

    def obey(self, command: Command, scene: Scene) -> None:
        """Carry out a command.

        Raises
        ------
        MessageError
            It is old, repeated, or about an alarm that is not there.
        """
        self._settle(*state_machine.obey(self._config, self._state, command, scene), scene)

    def wait(self, scene: Scene) -> None:
        """Let time pass."""
        self._settle(*state_machine.wait(self._state, scene), scene)

    def _settle(self, events: Sequence[Alarm], state: AlarmState, scene: Scene) -> None:
        self._publish(events)
        before, self._state = state_machine.to_message(scene.bed, self._state), state
        after = state_machine.to_message(scene.bed, state)
        if after != before:
            self._send(after)

    def _publish(self, events: Sequence[Alarm]) -> None:
        # The events first: whoever sees the list can have the events that made it.
        for event in events:
            self.raised += event.phase == "raised"
            self._send(event)
