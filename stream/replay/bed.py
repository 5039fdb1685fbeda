"""One bed of a publisher: its position, what became of the commands to it, and its status. No socket."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from stream.clock import rfc3339
from stream.records.synthetic.live_record import LiveRecord
from stream.replay.playhead import Playhead
from stream.replay.shard_run import ShardRun
from stream.wire.alarm_messages import Command
from stream.wire.command_filter import check
from stream.wire.injection_kinds import Disturbable
from stream.wire.scenario_status import ScenarioStatus
from stream.wire.status_messages import (
    MAX_REASON,
    MAX_RESULTS,
    BedStatus,
    CommandResult,
    Offer,
    RhythmOffer,
    RunningInjection,
)
from stream.wire.truth_message import Truth

MAX_EXECUTED_IDS = 64
"""Number of executed command ids kept per bed, so that no command is executed twice."""


@dataclass
class Bed:
    """The replay state of one bed.

    Attributes
    ----------
    own_head : Playhead
        Position and deadlines, without those of `run`.
    executed : deque of str
        Ids of the last executed commands.
    results : dict of str to CommandResult
        What became of the last commands, by their ids, oldest first.
    dropped : int
        Chunks that were dropped because the broker was unavailable.
    numerics : bool
        Whether the broker retains numerics of it.
    run : ShardRun or None
        What moves the bed at present, together with others of its shard.
    rhythm : Truth or None
        The rhythm that was set last.
    """

    own_head: Playhead
    executed: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_EXECUTED_IDS))
    results: dict[str, CommandResult] = field(default_factory=dict)
    dropped: int = 0
    numerics: bool = False
    run: ShardRun | None = None
    rhythm: Truth | None = None

    @property
    def head(self) -> Playhead:
        """Position and deadlines."""
        return self.own_head if self.run is None else self.run.head(self.own_head.bed)

    @property
    def counters(self) -> dict[str, float]:
        """What was published: ``seq`` counts the chunks of a session, and ``start`` its samples."""
        head = self.head
        return {"samples_published": head.start, "chunks_published": head.seq, "chunks_dropped": self.dropped}

    def accept(self, command: Command, now_ns: int) -> None:
        """Check a command, and record its id; Unix time in ns.

        Raises
        ------
        MessageError
            The command is out of date or repeated.
        """
        check(command, now_ns, self.executed)
        self.executed.append(command.command_id)

    def complete(self, command: Command) -> None:
        """Note that a command was executed."""
        self._note(CommandResult(command_id=command.command_id))

    def refuse(self, command: Command, reason: str) -> None:
        """Note that a command is refused; one that comes again stays what it was."""
        if command.command_id not in self.results:
            self._note(CommandResult(command_id=command.command_id, refused=reason[:MAX_REASON]))

    def _note(self, result: CommandResult) -> None:
        self.results[result.command_id] = result
        if len(self.results) > MAX_RESULTS:
            del self.results[next(iter(self.results))]

    def status(
        self,
        *,
        instance: str,
        now_ns: int,
        ended: bool,
        offers: tuple[Offer, ...],
        rhythms: tuple[RhythmOffer, ...],
        injections: tuple[RunningInjection, ...],
        disturbable: tuple[Disturbable, ...],
        scenario: ScenarioStatus | None,
    ) -> BedStatus:
        """Return the status of the bed; a chunk must have been sent.

        Parameters
        ----------
        instance : str
            Id of the process.
        now_ns : int
            Unix time.
        ended : bool
            Whether the publisher ends.
        offers, rhythms
            Records and episodes that can be chosen.
        injections : tuple of RunningInjection
        disturbable : tuple of str
        scenario : ScenarioStatus or None
        """
        head, record = self.head, self.head.record
        live = isinstance(record, LiveRecord)
        return BedStatus(
            bed=head.bed,
            role="publisher",
            instance=instance,
            state="ended" if ended or head.ended else "playing" if head.playing else "paused",
            when=rfc3339(now_ns),
            record=record.name,
            session=head.session,
            position=head.position,
            duration=0 if isinstance(record, LiveRecord) and record.endless else record.n,
            speed=head.speed,
            loop=head.loop,
            last_seq=head.seq - 1,
            synthetic=record.synthetic,
            counters=self.counters,
            records=offers,
            commands=tuple(self.results.values()),
            injections=injections,
            disturbable=disturbable,
            steerable=live,
            rhythms=() if live or record.alone else rhythms,
            episode=None if head.visit is None else head.visit.shown,
            scenario=scenario,
        )
