"""Where the beds of a publisher are in their records, and which of them sends next. No socket."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from stream.clock import Clock
from stream.replay.bed import Bed
from stream.replay.disturbances import Disturbances
from stream.replay.playhead import Playhead
from stream.replay.playhead_actions import shift_deadlines
from stream.replay.schedule import Schedule
from stream.replay.shard_run import ShardRun
from stream.replay.shard_runs import ShardRuns
from stream.replay.ticks import on_tick

log = logging.getLogger("bedside.publisher")


class ReplayedBeds:
    """The beds of a publisher, and their deadlines.

    Parameters
    ----------
    heads : sequence of Playhead
        One for each bed.
    disturbances : Disturbances
        Those of the beds; a bed that has any does not send with others of its shard.
    clock : Clock
    in_shards : bool
        Whether the ECG of all beds is sent in the messages of their shards.
    in_runs : bool
        Whether beds of a shard that just go on are moved together, see `stream.replay.shard_run`.

    Attributes
    ----------
    by_name : dict of str to Bed
    runs : ShardRuns
        Beds that move together.
    """

    def __init__(
        self, heads: Sequence[Playhead], disturbances: Disturbances, clock: Clock, *, in_shards: bool, in_runs: bool
    ) -> None:
        self._disturbances = disturbances
        self._clock = clock
        self._in_shards = in_shards
        self._in_runs = in_runs
        self._stepped_ns = clock.stepped_ns
        self.by_name = {head.bed: Bed(self._on_tick(head)) for head in heads}
        self.runs = ShardRuns(self._join_run, self._leave_run)
        self._unended: set[str] = set()
        self._deadlines = Schedule(self.by_name)
        for bed in self.by_name.values():
            self.move(bed, bed.head)
            self.find_run(bed.head)

    @property
    def unended(self) -> bool:
        """Whether there is a bed whose record has not ended."""
        return bool(self._unended)

    @property
    def follows_clock(self) -> bool:
        """Whether the deadlines have followed all steps of the clock; `now_ns` lets them."""
        return self._clock.stepped_ns == self._stepped_ns

    @property
    def due_ns(self) -> int:
        """The next deadline, of a bed or of a run."""
        return min(self._deadlines.first()[0], self.runs.due()[0])

    def next_due(self, now_ns: int) -> Bed | None:
        """Return the bed whose deadline is the earliest; None if none is due. Beds in a run are not among them."""
        due_ns, name = self._deadlines.first()
        return self.by_name[name] if due_ns <= now_ns else None

    def move(self, bed: Bed, head: Playhead) -> None:
        """Set the replay state of a bed and its next deadline; a run that moved it must have ended."""
        bed.own_head, bed.run = head, None
        self._deadlines.set(head.bed, head.due_ns)
        if head.ended:
            self._unended.discard(head.bed)
        else:
            self._unended.add(head.bed)

    def jump(self, bed: Bed, head: Playhead) -> None:
        """Go on somewhere else, or at other times: a run of the bed ends, and the deadlines move to its ticks."""
        self.runs.end(head.bed)
        self.move(bed, head if head.anchor_ns == bed.head.anchor_ns else self._on_tick(head))

    def find_run(self, head: Playhead) -> None:
        """Note that a bed may send with others of its shard from now on."""
        if self._in_runs and not self._disturbances.concern(head.bed):
            self.runs.find(head)

    def begin_runs(self) -> None:
        """Let the beds that may send together do so."""
        self.runs.begin(bed.own_head for name, bed in self.by_name.items() if not self._disturbances.concern(name))

    def now_ns(self) -> int:
        """Return the Unix time in ns; after a clock step, shift all deadlines first."""
        now = self._clock.now_ns()
        step_ns = self._clock.stepped_ns - self._stepped_ns
        if step_ns:
            # After a suspend of the machine, the hours in between must not be sent all at once.
            log.warning("the clock was stepped by %.1f s: the replay continues at its position", step_ns / 1e9)
            self._stepped_ns += step_ns
            self._disturbances.shift(step_ns)
            self.runs.end_all()
            for bed in self.by_name.values():
                self.move(bed, shift_deadlines(bed.head, step_ns))
        return now

    def _join_run(self, run: ShardRun) -> None:
        """Let a run move its beds."""
        for name in run.beds:
            self.by_name[name].run = run
            self._deadlines.set(name, None)

    def _leave_run(self, run: ShardRun) -> None:
        """Let the beds of a run that has ended go on one by one."""
        for name in run.beds:
            self.move(self.by_name[name], run.head(name))

    def _on_tick(self, head: Playhead) -> Playhead:
        return on_tick(head, self._stepped_ns) if self._in_shards else head
