"""Executes the commands to a worker: those about alarms, and requests for a bed's forecasts in full; no sockets."""

from __future__ import annotations

from model.serving.bed_output import BedOutput
from model.serving.charted_beds import ChartedBeds
from model.serving.clock_steps import ClockSteps
from model.serving.served_beds import ServedBeds
from stream.clock import Clock, monotonic_ns
from stream.errors import MessageError
from stream.wire import command_filter
from stream.wire.alarm_messages import Command
from stream.wire.answer import Answer
from stream.wire.detail import SetDetail
from stream.wire.replay_actions import PublisherAction


class Commands:
    """Executes commands; a rejected one is counted and logged.

    Parameters
    ----------
    beds : ServedBeds
    charted : ChartedBeds
    output : BedOutput
    clock : Clock
    clock_steps : ClockSteps
    """

    def __init__(
        self, beds: ServedBeds, charted: ChartedBeds, output: BedOutput, clock: Clock, clock_steps: ClockSteps
    ) -> None:
        self._beds = beds
        self._charted = charted
        self._output = output
        self._clock = clock
        self._clock_steps = clock_steps

    def execute(self, command: Command) -> None:
        """Execute a command, unless it is one to the publisher, or an answer, which nobody executes."""
        if isinstance(command.action, PublisherAction | Answer):
            return
        if isinstance(command.action, SetDetail):
            self._set_detail(command)
            return
        self._clock_steps.follow()
        bed = self._beds.get(command.bed)
        try:
            if bed is not None:
                bed.alarms.execute(command, bed.context(self._clock.now_ns()))
                bed.counters["commands"] += 1
            elif command.bed in self._charted:
                self._charted.execute(command)
            elif command.bed in self._beds.restored:
                self._beds.restored[command.bed].execute(command, self._beds.restored_context(command.bed))
            else:
                self._output.warn(f"command for bed {command.bed}, which is unknown: ignored")
        except MessageError as error:
            if bed is not None:
                bed.counters["rejected"] += 1
            self._output.warn(str(error))

    def _set_detail(self, command: Command) -> None:
        """Send the forecasts of a bed in full for a while; it may send its first chunk later."""
        try:
            command_filter.check(command, self._clock.now_ns(), ())
        except MessageError as error:
            self._output.warn(str(error))
            return
        if not self._output.forecasts.set_detail(command.bed, monotonic_ns(self._clock) / 1e9):
            self._output.warn(f"bed {command.bed} is not sent in full: too many others are")
