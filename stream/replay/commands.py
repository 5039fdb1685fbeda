"""Executes the commands to a publisher, each once, and lets its scenario know what others do. No socket.

The status of a bed says what became of the last commands to it.
"""

from __future__ import annotations

import contextlib
import logging

from stream.clock import Clock
from stream.errors import MessageError, UsageError
from stream.replay.bed_actions import BedActions
from stream.replay.bed_output import BedOutput
from stream.replay.bed_statuses import BedStatuses
from stream.replay.replayed_beds import ReplayedBeds
from stream.replay.scenario_run import ScenarioRun
from stream.scenario.timeline import Event
from stream.wire.alarm_messages import Alarm, Command
from stream.wire.detail import SetDetail
from stream.wire.replay_actions import ChooseRecord, PublisherAction, SetRhythm, SetScenario, ShowEpisode

log = logging.getLogger("bedside.publisher")


class Commands:
    """Executes commands.

    Parameters
    ----------
    beds : ReplayedBeds
    actions : BedActions
    output : BedOutput
    statuses : BedStatuses
    scenario : ScenarioRun or None
    clock : Clock
    """

    def __init__(
        self,
        beds: ReplayedBeds,
        actions: BedActions,
        output: BedOutput,
        statuses: BedStatuses,
        scenario: ScenarioRun | None,
        clock: Clock,
    ) -> None:
        self._beds = beds
        self._actions = actions
        self._output = output
        self._statuses = statuses
        self._scenario = scenario
        self._clock = clock

    def execute(self, command: Command) -> None:
        """Execute a command and publish the resulting status.

        Not of `ChooseRecord` and `ShowEpisode`: their records must be loaded first. `accept` the command, change the
        bed by `BedActions`, then `complete` it.

        Raises
        ------
        MessageError
            The command is out of date or repeated.
        UsageError
            The command cannot be executed, such as a seek beyond the end of the record.
        """
        action, name = command.action, command.bed
        if not isinstance(action, PublisherAction | SetDetail):
            self._observe(command)
            return  # for the worker
        assert not isinstance(action, ChooseRecord | ShowEpisode)
        self.accept(command)
        if isinstance(action, SetDetail):
            self._output.send_in_full(name)
        elif isinstance(action, SetScenario):
            log.info("%s: %s, by %r", name, self._set_scenario(name, action), command.who)
        else:
            self._actions.perform(name, action, command.who)
        if isinstance(action, SetRhythm) and self._scenario is not None:
            head = self._beds.by_name[name].head
            self._scenario.observe(head, Event("rhythm", action.rhythm), self._clock.now_ns())
        self.complete(command)

    def accept(self, command: Command) -> None:
        """Check a command, and record its id.

        Raises
        ------
        MessageError
            The command is out of date or repeated.
        """
        self._beds.by_name[command.bed].accept(command, self._clock.now_ns())

    def complete(self, command: Command) -> None:
        """Report in the status of its bed that a command was executed; `SetDetail`, which is frequent, in the next."""
        bed = self._beds.by_name[command.bed]
        bed.complete(command)
        if not isinstance(command.action, SetDetail):
            self._statuses.publish(bed)

    def refuse(self, command: Command, reason: str) -> None:
        """Report in the status of its bed that a command is refused."""
        bed = self._beds.by_name[command.bed]
        bed.refuse(command, reason)
        self._statuses.publish(bed)

    def observe_alarm(self, alarm: Alarm) -> None:
        """Let the scenario know that an alarm is raised; not if a worker sends the event again for a store."""
        if self._scenario is None or alarm.phase != "raised" or alarm.resent or alarm.bed not in self._beds.by_name:
            return
        head = self._beds.by_name[alarm.bed].head
        if alarm.session == head.session:
            self._scenario.observe(head, Event("alarm", alarm.kind), self._clock.now_ns())

    def _observe(self, command: Command) -> None:
        """Let the scenario know what somebody does at a monitor."""
        if self._scenario is None:
            return
        bed = self._beds.by_name[command.bed]
        with contextlib.suppress(MessageError):  # whoever executes it says so
            bed.accept(command, self._clock.now_ns())
            event = Event("action", str(command.action.__struct_config__.tag))
            self._scenario.observe(bed.head, event, self._clock.now_ns())

    def _set_scenario(self, name: str, action: SetScenario) -> str:
        """Move, pause or continue the scenario of all beds; return what was done, in words."""
        if self._scenario is None:
            raise UsageError(f"bed {name} has no scenario: replay one with --scenario")
        done = self._scenario.set(action, self._clock.now_ns())
        for other, bed in self._beds.by_name.items():
            self._beds.move(bed, bed.head)
            if other != name:
                self._statuses.publish(bed)
        return done
