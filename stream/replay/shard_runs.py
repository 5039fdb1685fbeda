"""The runs of all shards of a ward: when each sends its next tick, when one ends, and when another begins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from stream.replay.playhead import Playhead
from stream.replay.schedule import Schedule
from stream.replay.shard_run import TOGETHER_NS, ShardRun, is_able, together
from stream.wire.shard import WARD_SHARDS, ward_shard
from stream.wire.ward_messages import WardEcg


class ShardRuns:
    """At most one run per shard.

    Parameters
    ----------
    join, leave : callable
        Called with a run that begins to move its beds, and with one that has ended.
    """

    def __init__(self, join: Callable[[ShardRun], None], leave: Callable[[ShardRun], None]) -> None:
        self._join = join
        self._leave = leave
        self._runs: dict[int, ShardRun] = {}
        self._ticks = Schedule(map(str, range(WARD_SHARDS)))
        self._apart: set[int] = set()

    def due(self) -> tuple[int, int]:
        """Return the time in ns of the next tick, and its shard; `schedule.NEVER_NS` and 0 if there is none."""
        due_ns, shard = self._ticks.first()
        return due_ns, int(shard or 0)

    def next_tick(self, shard: int) -> WardEcg:
        """Return the message of the next tick of a shard that has a run."""
        run = self._runs[shard]
        message = run.next_tick()
        if run.left:
            self._ticks.set(str(shard), run.due_ns)
        else:
            self._end(shard)
        return message

    def find(self, head: Playhead) -> None:
        """Note that a bed may send with others of its shard from its next chunk on."""
        shard = ward_shard(head.bed)
        run = self._runs.get(shard)
        if is_able(head) and (run is None or abs((head.due_ns or 0) - run.due_ns) <= TOGETHER_NS):
            self._apart.add(shard)

    def begin(self, heads: Iterable[Playhead]) -> None:
        """Begin a run of each shard whose beds may send together; ``heads`` are those of all beds."""
        if not self._apart:
            return
        for shard in self._apart:
            self._end(shard)
        apart = defaultdict(list)
        for head in heads:
            if ward_shard(head.bed) in self._apart:
                apart[ward_shard(head.bed)].append(head)
        self._apart.clear()
        for shard, some in apart.items():
            if chosen := together(some):
                run = self._runs[shard] = ShardRun(chosen)
                self._ticks.set(str(shard), run.due_ns)
                self._join(run)

    def end(self, bed: str) -> None:
        """End the run of a bed's shard because something happens to the bed; `begin` begins another one."""
        shard = ward_shard(bed)
        if shard in self._runs:
            self._end(shard)
            self._apart.add(shard)

    def end_all(self) -> None:
        """End all runs, as `end`."""
        for shard in tuple(self._runs):
            self._end(shard)
            self._apart.add(shard)

    def _end(self, shard: int) -> None:
        self._ticks.set(str(shard), None)
        run = self._runs.pop(shard, None)
        if run is not None:
            self._leave(run)
