"""What commands and scenarios do to the beds of a publisher, each at once. No socket."""

from __future__ import annotations

import logging
from collections.abc import Callable

from msgspec.structs import replace

from stream.clock import Clock, rfc3339
from stream.errors import UsageError
from stream.records.episodes import Episode
from stream.records.record import Record
from stream.records.synthetic.live_record import LiveRecord
from stream.replay.bed import Bed
from stream.replay.bed_output import BedOutput
from stream.replay.descriptions import description, effect
from stream.replay.disturbances import Disturbances
from stream.replay.episode_truth import note
from stream.replay.playhead import AnyRecord
from stream.replay.playhead_actions import choose_record, execute, show
from stream.replay.replayed_beds import ReplayedBeds
from stream.replay.steering_commands import following_rhythm, steer, steering_effect
from stream.wire.messages import Message
from stream.wire.replay_actions import After, InjectionAction, Note, PatientAction, ReplayAction

log = logging.getLogger("bedside.publisher")

BedAction = ReplayAction | InjectionAction | PatientAction | Note
"""What needs no record but that of the bed."""


class BedActions:
    """Changes what is sent of beds. It publishes no status: whoever asks for a change does.

    Parameters
    ----------
    beds : ReplayedBeds
    output : BedOutput
    disturbances : Disturbances
    send : callable
        Sends a message without blocking.
    clock : Clock
    scenario : str or None
        Name of the scenario in progress, for the truth about the beds.
    """

    def __init__(
        self,
        beds: ReplayedBeds,
        output: BedOutput,
        disturbances: Disturbances,
        *,
        send: Callable[[Message], None],
        clock: Clock,
        scenario: str | None,
    ) -> None:
        self._beds = beds
        self._output = output
        self._disturbances = disturbances
        self._send = send
        self._clock = clock
        self._scenario = scenario

    def perform(self, name: str, action: BedAction, who: str) -> None:
        """Do what a command, or a step of a scenario, says; ``who`` is named in the log.

        Raises
        ------
        UsageError
            It cannot be done, such as a seek beyond the end of the record.
        """
        bed = self._beds.by_name[name]
        self._beds.runs.end(name)
        if isinstance(action, InjectionAction):
            done = self._disturbances.execute(action, bed.head, self._beds.now_ns())
        elif isinstance(action, PatientAction):
            done = self._steer(bed, action)
        elif isinstance(action, Note):
            self._send(note(bed.head, action.text, self._when()))
            done = f"note: {action.text}"
        else:
            head = execute(bed.head, action, self._beds.now_ns())
            if head.visit is None:
                self._output.leave_episode(bed)
            self._beds.jump(bed, head)
            done = effect(action, bed.head)
        log.info("%s: %s, by %r", name, done, who)

    def choose_record(self, name: str, record: AnyRecord) -> None:
        """Continue with another record, from its first sample.

        Raises
        ------
        UsageError
            See `stream.replay.playhead_actions.choose_record`.
        """
        self._choose_record(name, record, 0, loop=self._beds.by_name[name].head.loop)
        log.info("%s", description(self._beds.by_name[name].head))

    def go_to(self, name: str, record: AnyRecord, position: int) -> None:
        """Continue with a record of the scenario at a position; ECG restarts at its end: the scenario may be longer."""
        self._choose_record(name, record, position, loop=isinstance(record, Record) and not record.alone)

    def _choose_record(self, name: str, record: AnyRecord, position: int, *, loop: bool) -> None:
        bed = self._beds.by_name[name]
        head = choose_record(bed.head, record, self._beds.now_ns())
        self._output.leave_episode(bed)
        self._beds.jump(bed, replace(head, position=position, loop=loop))
        self._output.remove_numerics(bed)

    def show_episode(self, name: str, record: Record, episode: Episode, after: After) -> None:
        """Show an episode of a record, and return or go on.

        Raises
        ------
        UsageError
            See `stream.replay.playhead_actions.show`.
        """
        bed = self._beds.by_name[name]
        head = show(bed.head, record, episode, after, self._beds.now_ns())
        self._output.leave_episode(bed)
        self._beds.jump(bed, head)
        self._output.remove_numerics(bed)
        log.info("%s: %s of %s, from %.1f s, then %s", name, episode.rhythm, record.name, episode.start_s, after)

    def end_after(self, name: str, n: int) -> None:
        """End the replay of a recorded bed after its next samples."""
        bed = self._beds.by_name[name]
        self._output.leave_episode(bed)
        head = bed.head
        assert isinstance(head.record, Record)
        if n:
            head = replace(head, record=head.record.until(head.position + n))
        else:
            head = replace(head, position=head.record.n)
        self._beds.move(bed, replace(head, loop=False, visit=None))

    def send_rhythm(self, name: str, rhythm: str) -> None:
        """Send the truth about the rhythm of a patient at its next sample."""
        bed = self._beds.by_name[name]
        truths, bed.rhythm = following_rhythm(
            bed.head, bed.head.start, self._when(), rhythm, None, bed.rhythm, self._scenario
        )
        for truth in truths:
            self._send(truth)

    def _steer(self, bed: Bed, action: PatientAction) -> str:
        """Change a live patient; return what was done, in words."""
        head = bed.head
        if not isinstance(head.record, LiveRecord):
            raise UsageError(
                f"bed {head.bed} cannot be steered: {head.record.name} was made before; replay synthetic/live"
            )
        truths, bed.rhythm = steer(head, head.record, action, self._when(), bed.rhythm, self._scenario)
        for truth in truths:
            self._send(truth)
        return steering_effect(action)

    def _when(self) -> str:
        return rfc3339(self._clock.now_ns())
