"""Sends each chunk at its deadline, for any number of beds in one loop. No socket.

The parts that it puts together: where the beds are (`ReplayedBeds`), what is sent of them (`BedOutput`, `BedStatuses`),
what commands and scenarios do to them (`BedActions`, `Commands`, `ScenarioRun`), and what disturbs them
(`Disturbances`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

from stream.clock import Clock
from stream.replay.bed import Bed
from stream.replay.bed_actions import BedActions
from stream.replay.bed_output import BedOutput
from stream.replay.bed_statuses import BedStatuses
from stream.replay.commands import Commands
from stream.replay.descriptions import names
from stream.replay.disturbances import Disturbances
from stream.replay.ledger import Write
from stream.replay.playhead import Playhead
from stream.replay.replayed_beds import ReplayedBeds
from stream.replay.scenario_episodes import NO_EPISODES, Episodes
from stream.replay.scenario_run import ScenarioRun
from stream.scenario.scenario import Scenario
from stream.timebase import FS
from stream.wire.alarm_texts import Language
from stream.wire.messages import Message
from stream.wire.shard import WARD_SHARDS
from stream.wire.topics import Topic

MAX_SLEEP_NS = 100_000_000
"""Maximum sleep, so that a command that moves a deadline forward takes effect in time."""

MAX_CHUNKS_PER_TURN = 10
"""Chunks, of ECG and of other waves, that are queued in one turn of the event loop, or those of one bed: fewer than a
turn can send, 20 with Mosquitto as it comes, so that a publisher that is late catches up."""

MAX_WARD_CHUNKS_PER_TURN = 256
"""The same of a ward, whose chunks share a few messages: more than a shard of 4,096 beds has."""


class Publisher:
    """Sends the chunks of several beds at their absolute deadlines.

    Parameters
    ----------
    heads : sequence of Playhead
        One for each bed.
    send : callable
        Sends a message without blocking, such as `stream.mqtt.client.Client.send`.
    remove : callable
        Removes the retained message of a topic, such as `stream.mqtt.client.Client.remove`.
    dropped : callable
        Returns the number of chunks of a bed that were dropped because the broker was unavailable.
    instance : str
        Id of this process in the status of its beds.
    clock : Clock
    write : callable
        Writes a row of the ledger, see `stream.replay.bed_output.LEDGER`.
    annotations : bool
        Also send the reference annotations of each chunk.
    in_shards : bool
        Send the ECG of all beds in the messages of their shards, and of those that somebody asks for on their own
        topics as well; see `stream.wire.detail`. Without it, of all on their own topics.
    scenario : Scenario or None
        What happens to the beds, which are those of the scenario, with its records.
    episodes : mapping
        Those of the scenario, see `stream.replay.scenario_episodes.episodes_of`.
    language : str
        Of the texts of the scenario.

    Attributes
    ----------
    beds : dict of str to Bed
    actions : BedActions
    commands : Commands
    statuses : BedStatuses
    """

    def __init__(
        self,
        heads: Sequence[Playhead],
        *,
        send: Callable[[Message], None],
        remove: Callable[[Topic], None],
        dropped: Callable[[str], int],
        instance: str,
        clock: Clock,
        write: Write,
        annotations: bool = False,
        in_shards: bool = False,
        scenario: Scenario | None = None,
        episodes: Episodes = NO_EPISODES,
        language: Language = "en",
    ) -> None:
        self._clock = clock
        self._max_chunks = MAX_WARD_CHUNKS_PER_TURN if in_shards else MAX_CHUNKS_PER_TURN
        self._disturbances = disturbances = Disturbances(send, in_shards=in_shards)
        self._positions = positions = ReplayedBeds(
            heads, disturbances, clock, in_shards=in_shards, in_runs=in_shards and not annotations
        )
        self.beds = positions.by_name
        self.statuses = BedStatuses(self.beds, disturbances, send=send, dropped=dropped, instance=instance, clock=clock)
        self._output = BedOutput(
            positions,
            self.statuses,
            disturbances,
            send=send,
            remove=remove,
            write=write,
            clock=clock,
            annotations=annotations,
            in_shards=in_shards,
        )
        self.actions = BedActions(
            positions,
            self._output,
            disturbances,
            send=send,
            clock=clock,
            scenario=None if scenario is None else scenario.name,
        )
        self._scenario: ScenarioRun | None = None
        if scenario is not None:
            self._scenario = ScenarioRun(scenario, self.beds, episodes, language, self.actions, self.statuses, send)
            self.statuses.scenario = self._scenario.status
        self.commands = Commands(positions, self.actions, self._output, self.statuses, self._scenario, clock)

    async def run(self) -> None:
        """Send all chunks at their deadlines; return when all records have ended."""
        while self._positions.unended:
            now_ns = self._positions.now_ns()
            overdue = self._publish_due(now_ns)
            self.statuses.publish_due(now_ns)
            if overdue:
                await asyncio.sleep(0)  # the connection must send meanwhile
            elif self._positions.follows_clock:  # else the deadlines must move first
                due_ns = min(self._positions.due_ns, self._disturbances.due_ns, self.statuses.due_ns)
                await self._clock.sleep_until(min(due_ns, now_ns + MAX_SLEEP_NS))

    def _publish_due(self, now_ns: int) -> bool:
        """Send what is due, as many chunks as fit into a turn; return whether there are more."""
        runs = self._positions.runs
        self._output.advance_time(now_ns)
        self._positions.begin_runs()
        for _ in range(WARD_SHARDS):
            due_ns, shard = runs.due()
            if due_ns > now_ns:
                break
            self._output.publish_tick(runs.next_tick(shard))
        overdue = runs.due()[0] <= now_ns
        ended: list[Bed] = []
        room = self._max_chunks
        while (bed := self._positions.next_due(now_ns)) is not None:
            if room <= 0:
                overdue = True
                break
            room -= 1 + len(bed.own_head.record.waves)
            self._publish(bed)
            if bed.own_head.ended:
                ended.append(bed)
        self._output.flush()
        for bed in ended:
            if self._scenario is not None:
                self._scenario.end(bed.own_head, self._clock.now_ns())
            self._output.remove_numerics(bed)
            self.statuses.publish(bed)
        return overdue

    def _publish(self, bed: Bed) -> None:
        """Send the interval of a bed that is due, after what the scenario does at its start."""
        due = bed.own_head
        if self._scenario is not None:
            self._scenario.reach(due, self._clock.now_ns())
            if bed.own_head is not due:
                return  # an episode is entered; its first chunk has a time of its own
        self._output.publish(bed)
        if self._scenario is not None and due.fast_until:
            self._scenario.pass_over(due.bed, bed.own_head.start - due.start)

    def summary(self) -> str:
        """Return a one-line summary of what was published."""
        total: Counter[str] = Counter()
        for bed in self.beds.values():
            self.statuses.count_dropped(bed)
            total.update(bed.counters)
        return (
            f"{names(tuple(self.beds))}: published {total['samples_published'] / FS:.1f} s of signal "
            f"in {total['chunks_published']} chunks, {total['chunks_dropped']} dropped"
        )

    def stop(self) -> None:
        """Publish the status ``ended`` of all beds that have not ended; their numerics no longer hold."""
        for bed in self.beds.values():
            self._disturbances.stop(bed.head, self._clock.now_ns())
            self._output.leave_episode(bed)
            if not bed.head.ended:
                self._output.remove_numerics(bed)
                self.statuses.publish(bed, ended=True)
