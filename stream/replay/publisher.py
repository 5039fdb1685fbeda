"""Sends each chunk at its deadline, for any number of beds in one loop, and executes commands. No socket.

Logged: executed commands, the end of a record, dropped chunks.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
from msgspec.structs import replace

from stream.clock import Clock, monotonic_ns, rfc3339, unix_ns
from stream.errors import MessageError, UsageError
from stream.records.episodes import Episode
from stream.records.record import Annotations, Record
from stream.records.synthetic.live_record import LiveRecord
from stream.replay.bed import Bed
from stream.replay.descriptions import MAX_NAMED, description, effect, names
from stream.replay.disturbances import Disturbances, Interval
from stream.replay.episode_truth import left, note, passed
from stream.replay.ledger import Write, discard
from stream.replay.playhead import AnyRecord, Playhead
from stream.replay.playhead_actions import choose_record, execute, shift_deadlines, show
from stream.replay.scenario_episodes import NO_EPISODES, Episodes
from stream.replay.scenario_run import ScenarioRun
from stream.replay.schedule import Schedule
from stream.replay.shard_run import ShardRun
from stream.replay.shard_runs import ShardRuns
from stream.replay.steering_commands import following_rhythm, steer, steering_effect
from stream.replay.ticks import on_tick
from stream.scenario.scenario import Scenario
from stream.scenario.timeline import Event
from stream.timebase import FS
from stream.wire.alarm_messages import Alarm, Command
from stream.wire.alarm_texts import Language
from stream.wire.detail import IN_FULL, DetailLeases, SetDetail
from stream.wire.messages import Annotation, Message, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.replay_actions import (
    After,
    InjectionAction,
    Note,
    PatientAction,
    PublisherAction,
    SetRhythm,
    SetScenario,
)
from stream.wire.shard import WARD_SHARDS
from stream.wire.status_messages import Offer, RhythmOffer
from stream.wire.topics import Kind, Topic
from stream.wire.ward_messages import Beds, ShardBatch, ward_ecg
from stream.wire.wave_message import Wave

log = logging.getLogger("bedside.publisher")

STATUS_INTERVAL_NS = 2_000_000_000
MAX_SLEEP_NS = 100_000_000
"""Maximum sleep, so that a command that moves a deadline forward takes effect in time."""

MAX_CHUNKS_PER_TURN = 10
"""Chunks, of ECG and of other waves, that are queued in one turn of the event loop, or those of one bed: fewer than a
turn can send, 20 with Mosquitto as it comes, so that a publisher that is late catches up."""

MAX_WARD_CHUNKS_PER_TURN = 256
"""The same of a ward, whose chunks share a few messages: more than a shard of 4,096 beds has."""

MIN_LOGGED_LOOP_S = 1.0
"""The end of a looping record is logged if the record lasts at least this long in wall time."""


class Publisher:
    """Sends the chunks of several beds at their absolute deadlines, and executes commands.

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
        Writes a row of the ledger: bed, session, seq, start, n, due_ns, sent_ns, signal.
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
    offers : tuple of Offer
        Records that can be selected by command; part of each bed's status.
    rhythms : tuple of RhythmOffer
        Rhythms of which there are episodes; part of the status of beds that can show them.
    """

    LEDGER = ("bed", "session", "seq", "start", "n", "due_ns", "sent_ns", "signal")

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
        self._stepped_ns = clock.stepped_ns
        self._shards = ShardBatch(ward_ecg, send) if in_shards else None
        self._detail = DetailLeases()
        self._disturbances = Disturbances(send, in_shards=in_shards)
        self.beds = {head.bed: Bed(self._on_tick(head)) for head in heads}
        self.offers: tuple[Offer, ...] = ()
        self.rhythms: tuple[RhythmOffer, ...] = ()
        self._send = send
        self._remove = remove
        self._dropped = dropped
        self._instance = instance
        self._clock = clock
        self._write = write
        self._annotations = annotations
        self._scenario: ScenarioRun | None = None
        if scenario is not None:
            records = [head.record for head in heads]
            self._scenario = ScenarioRun(scenario, records, episodes, language, send=send, actor=self)
        self._unended: set[str] = set()
        self._deadlines, self._statuses = Schedule(self.beds), Schedule(self.beds)
        self._runs = ShardRuns(self._join_run, self._leave_run)
        now_ns = clock.now_ns()
        for number, bed in enumerate(self.beds.values(), 1):
            self._move(bed, bed.head)
            self._statuses.set(bed.head.bed, now_ns + STATUS_INTERVAL_NS * number // len(self.beds))
            self._find_run(bed.head)

    async def run(self) -> None:
        """Send all chunks at their deadlines; return when all records have ended."""
        while self._unended:
            now = self._now_ns()
            overdue = self._publish_due(now)
            self._publish_statuses(now)
            if overdue:
                await asyncio.sleep(0)  # the connection must send meanwhile
            elif self._clock.stepped_ns == self._stepped_ns:  # else the deadlines must move first
                due_ns = min(self._deadlines.first()[0], self._runs.due()[0], self._disturbances.due_ns)
                next_ns = min(due_ns, self._statuses.first()[0], now + MAX_SLEEP_NS)
                await self._clock.sleep_until(next_ns)

    def _publish_due(self, now_ns: int) -> bool:
        """Send the chunks that are due, `MAX_CHUNKS_PER_TURN` at most; return whether there are more."""
        if self._detail:
            self._detail.expire(monotonic_ns(self._clock) / 1e9)
        self._disturbances.release(now_ns)
        self._runs.begin(bed.own_head for name, bed in self.beds.items() if not self._disturbances.concern(name))
        for _ in range(WARD_SHARDS):
            due_ns, shard = self._runs.due()
            if due_ns > now_ns:
                break
            self._publish_tick(shard)
        overdue = self._runs.due()[0] <= now_ns
        ended: list[Bed] = []
        room = MAX_CHUNKS_PER_TURN if self._shards is None else MAX_WARD_CHUNKS_PER_TURN
        while (first := self._deadlines.first())[0] <= now_ns:
            if room <= 0:
                overdue = True
                break
            bed = self.beds[first[1]]
            room -= 1 + len(bed.own_head.record.waves)
            self._publish(bed)
            if bed.own_head.ended:
                ended.append(bed)
        if self._shards is not None:
            self._shards.flush()
        for bed in ended:
            if self._scenario is not None:
                self._scenario.end(bed.own_head, self._clock.now_ns())
            self._remove_numerics(bed)
            self.publish_status(bed)
        return overdue

    def _join_run(self, run: ShardRun) -> None:
        """Let a run move its beds."""
        for name in run.beds:
            self.beds[name].run = run
            self._deadlines.set(name, None)

    def _leave_run(self, run: ShardRun) -> None:
        """Let the beds of a run that has ended go on one by one."""
        for name in run.beds:
            self._move(self.beds[name], run.head(name))

    def _publish_tick(self, shard: int) -> None:
        """Send the next tick of a run, and of its beds that somebody asks for their own chunks."""
        message = self._runs.next_tick(shard)
        self._send(message)
        if self._detail or self._write is not discard:
            wanted: Beds = self._detail if self._write is discard else self.beds
            for chunk in message.chunks(wanted):
                if chunk.bed in self._detail:
                    self._send(chunk)
                self._write_chunk(chunk)

    def _publish_statuses(self, now_ns: int) -> None:
        """Publish the statuses that are due. Each bed has its own moment: those of a ward would delay its chunks."""
        while (first := self._statuses.first())[0] <= now_ns:
            bed = self.beds[first[1]]
            if not bed.head.ended:
                self.publish_status(bed)
            self._statuses.set(first[1], now_ns + STATUS_INTERVAL_NS)

    def _move(self, bed: Bed, head: Playhead) -> None:
        """Set the replay state of a bed and its next deadline; a run that moved it must have ended."""
        bed.own_head, bed.run = head, None
        self._deadlines.set(head.bed, head.due_ns)
        if head.ended:
            self._unended.discard(head.bed)
        else:
            self._unended.add(head.bed)

    def _now_ns(self) -> int:
        """Return the Unix time in ns; after a clock step, shift all deadlines first."""
        now = self._clock.now_ns()
        step_ns = self._clock.stepped_ns - self._stepped_ns
        if step_ns:
            # After a suspend of the machine, the hours in between must not be sent all at once.
            log.warning("the clock was stepped by %.1f s: the replay continues at its position", step_ns / 1e9)
            self._stepped_ns += step_ns
            self._statuses.shift(step_ns)
            self._disturbances.shift(step_ns)
            self._runs.end_all()
            for bed in self.beds.values():
                self._move(bed, shift_deadlines(bed.head, step_ns))
        return now

    def execute(self, command: Command) -> None:
        """Execute a command and publish the resulting status; for `ChooseRecord` see `choose_record`.

        Raises
        ------
        MessageError
            The command is out of date or repeated.
        UsageError
            The command cannot be executed, such as a seek beyond the end of the record.
        """
        if not isinstance(command.action, PublisherAction | SetDetail):
            self._observe(command)
            return  # for the worker
        bed = self.accept(command)
        self.perform(bed, command.action, command.who)
        self.complete(command)

    def perform(self, bed: Bed, action: PublisherAction | SetDetail, who: str) -> None:
        """Do what a command, or a scenario, says.

        Raises
        ------
        UsageError
            It cannot be done.
        """
        if isinstance(action, SetDetail):
            self._set_detail(bed)
            return
        self._runs.end(bed.head.bed)
        if isinstance(action, InjectionAction):
            done = self._disturbances.execute(action, bed.head, self._now_ns())
        elif isinstance(action, PatientAction):
            done = self._steer(bed, action)
        elif isinstance(action, SetScenario):
            done = self._set_scenario(bed, action)
        elif isinstance(action, Note):
            self._send(note(bed.head, action.text, rfc3339(self._clock.now_ns())))
            done = f"note: {action.text}"
        else:
            head = execute(bed.head, action, self._now_ns())
            if head.visit is None:
                self._leave_episode(bed)
            self._move(bed, head if head.anchor_ns == bed.head.anchor_ns else self._on_tick(head))
            done = effect(action, bed.head)
        log.info("%s: %s, by %r", bed.head.bed, done, who)

    def _steer(self, bed: Bed, action: PatientAction) -> str:
        """Change a live patient; return what was done, in words."""
        head = bed.head
        if not isinstance(head.record, LiveRecord):
            raise UsageError(
                f"bed {head.bed} cannot be steered: {head.record.name} was made before; replay synthetic/live"
            )
        when, scenario = rfc3339(self._clock.now_ns()), None if self._scenario is None else self._scenario.scenario.name
        truths, bed.rhythm = steer(head, head.record, action, when, bed.rhythm, scenario)
        for truth in truths:
            self._send(truth)
        if self._scenario is not None and isinstance(action, SetRhythm):
            self._scenario.observe(head, Event("rhythm", action.rhythm), self._clock.now_ns())
        return steering_effect(action)

    # --- scenario ------------------------------------------------------------------------------------------------

    def do(self, bed: str, action: PatientAction | InjectionAction) -> None:
        """Do a step of the scenario; what is not possible, after a command of somebody, is logged."""
        try:
            self.perform(self.beds[bed], action, "scenario")
        except UsageError as error:
            log.warning("%s: a step of the scenario is left out: %s", bed, error)
        else:
            self.publish_status(self.beds[bed])

    def show(self, bed: str, record: AnyRecord, position: int) -> None:
        """Go on with another record at a position, for the scenario."""
        head = choose_record(self.beds[bed].head, record, self._now_ns())
        self._leave_episode(self.beds[bed])
        self._move(
            self.beds[bed], replace(head, position=position, loop=isinstance(record, Record) and not record.alone)
        )
        self._remove_numerics(self.beds[bed])

    def end_after(self, bed: str, n: int) -> None:
        """End the replay of a recorded bed after its next samples, for the scenario."""
        one = self.beds[bed]
        self._leave_episode(one)
        head = one.head
        assert isinstance(head.record, Record)
        if n:
            head = replace(head, record=head.record.until(head.position + n))
        else:
            head = replace(head, position=head.record.n)
        self._move(one, replace(head, loop=False, visit=None))

    def show_episode(self, bed: str, record: Record, episode: Episode, then: After) -> None:
        """Show an episode, for the scenario; what is not possible, after a command of somebody, is logged."""
        try:
            self.visit(self.beds[bed], record, episode, then)
        except UsageError as error:
            log.warning("%s: a step of the scenario is left out: %s", bed, error)
        else:
            self.publish_status(self.beds[bed])

    def tell_rhythm(self, bed: str, rhythm: str) -> None:
        """Tell which rhythm a patient has at its next sample, for the scenario."""
        one, scenario = self.beds[bed], None if self._scenario is None else self._scenario.scenario.name
        when = rfc3339(self._clock.now_ns())
        truths, one.rhythm = following_rhythm(one.head, one.head.start, when, rhythm, None, one.rhythm, scenario)
        for truth in truths:
            self._send(truth)

    def _set_scenario(self, bed: Bed, action: SetScenario) -> str:
        if self._scenario is None:
            raise UsageError(f"bed {bed.head.bed} has no scenario: replay one with --scenario")
        done = self._scenario.set(action, lambda name: self.beds[name].head)
        for other in self.beds.values():
            self._move(other, other.head)
            if other is not bed:
                self.publish_status(other)
        return done

    def _observe(self, command: Command) -> None:
        """Let the scenario know what somebody does at a monitor."""
        if self._scenario is None:
            return
        bed = self.beds[command.bed]
        with contextlib.suppress(MessageError):  # whoever executes it says so
            bed.accept(command, self._clock.now_ns())
            event = Event("action", str(command.action.__struct_config__.tag))
            self._scenario.observe(bed.head, event, self._clock.now_ns())

    def observe_alarm(self, alarm: Alarm) -> None:
        """Let the scenario know that an alarm is raised; not if a worker sends the event again for a store."""
        if self._scenario is None or alarm.phase != "raised" or alarm.resent or alarm.bed not in self.beds:
            return
        head = self.beds[alarm.bed].head
        if alarm.session == head.session:
            self._scenario.observe(head, Event("alarm", alarm.kind), self._clock.now_ns())

    # -------------------------------------------------------------------------------------------------------------

    def _set_detail(self, bed: Bed) -> None:
        """Send a bed in full for a while."""
        name = bed.head.bed
        if self._shards is not None and not self._detail.renew(name, monotonic_ns(self._clock) / 1e9):
            raise UsageError(f"bed {name} cannot be sent in full: {IN_FULL} others are; look at fewer")

    def _on_tick(self, head: Playhead) -> Playhead:
        return head if self._shards is None else on_tick(head, self._stepped_ns)

    def accept(self, command: Command) -> Bed:
        """Check a command, record its id, and return its bed.

        Raises
        ------
        MessageError
            The command is out of date or repeated.
        """
        bed = self.beds[command.bed]
        bed.accept(command, self._clock.now_ns())
        return bed

    def complete(self, command: Command) -> None:
        """Report in the status of its bed that a command was executed; `SetDetail`, which is frequent, in the next."""
        bed = self.beds[command.bed]
        bed.complete(command)
        if not isinstance(command.action, SetDetail):
            self.publish_status(bed)

    def refuse(self, command: Command, reason: str) -> None:
        """Report in the status of its bed that a command is refused."""
        bed = self.beds[command.bed]
        bed.refuse(command, reason)
        self.publish_status(bed)

    def choose_record(self, bed: Bed, record: AnyRecord) -> None:
        """Continue with another record; `complete` publishes the resulting status."""
        head = self._on_tick(choose_record(bed.head, record, self._now_ns()))
        self._leave_episode(bed)
        self._runs.end(head.bed)
        self._move(bed, head)
        self._remove_numerics(bed)
        log.info("%s", description(bed.head))

    def visit(self, bed: Bed, record: Record, episode: Episode, after: After) -> None:
        """Show an episode of a record, and return or go on.

        Raises
        ------
        UsageError
            See `stream.replay.playhead_actions.show`.
        """
        head = self._on_tick(show(bed.head, record, episode, after, self._now_ns()))
        self._leave_episode(bed)
        self._runs.end(head.bed)
        self._move(bed, head)
        self._remove_numerics(bed)
        log.info("%s: %s of %s, from %.1f s, then %s", head.bed, episode.rhythm, record.name, episode.start_s, after)

    def _leave_episode(self, bed: Bed) -> None:
        """Tell the end of the episode that a bed shows, before it is over."""
        for truth in left(bed.head, rfc3339(self._clock.now_ns())):
            self._send(truth)

    def summary(self) -> str:
        """Return a one-line summary of what was published."""
        for bed in self.beds.values():
            self._count_dropped(bed)
        total: Counter[str] = Counter()
        for bed in self.beds.values():
            total.update(bed.counters)
        return (
            f"{names(tuple(self.beds))}: published {total['samples_published'] / FS:.1f} s of signal "
            f"in {total['chunks_published']} chunks, {total['chunks_dropped']} dropped"
        )

    def stop(self) -> None:
        """Publish the status ``ended`` of all beds that have not ended; their numerics no longer hold."""
        for bed in self.beds.values():
            self._disturbances.stop(bed.head, self._clock.now_ns())
            self._leave_episode(bed)
            if not bed.head.ended:
                self._remove_numerics(bed)
                self.publish_status(bed, ended=True)

    def publish_status(self, bed: Bed, *, ended: bool = False) -> None:
        """Publish the status of a bed, unless no chunk has been sent yet."""
        head = bed.head
        if head.seq == 0:
            return
        self._count_dropped(bed)
        self._send(
            bed.status(
                instance=self._instance,
                now_ns=self._clock.now_ns(),
                ended=ended,
                offers=self.offers,
                rhythms=self.rhythms,
                injections=self._disturbances.running(head.bed),
                disturbable=self._disturbances.disturbable(head.record),
                scenario=None if self._scenario is None else self._scenario.status(head.bed),
            )
        )

    def _publish(self, bed: Bed) -> None:
        if self._scenario is not None:
            due = bed.own_head
            self._scenario.reach(due, self._clock.now_ns())
            if bed.own_head is not due:
                return  # an episode is entered; its first chunk has a time of its own
        record = bed.own_head.record
        if record.alone:
            self._publish_alone(bed)
            return
        before = bed.own_head
        waves, numerics = before.next_waves(), before.next_numerics()
        chunk, head = before.next_chunk()
        if self._scenario is not None and before.fast_until:
            self._scenario.pass_over(before.bed, chunk.n)
        waves, chunk, numerics = self._disturbances.disturb(record, Interval(waves, chunk, numerics))
        send = partial(self._disturbances.carry, chunk)
        for wave in waves:
            send(wave)
            self._write_chunk(wave, wave.signal)
        self._move(bed, head)
        if self._shards is not None:
            self._shards.add(chunk.bed, chunk, len(chunk.samples))
        self._find_run(head)
        if self._shards is None or chunk.bed in self._detail:
            send(chunk)
        if numerics is not None:
            send(numerics)
            self._write_numerics(numerics)
            bed.numerics = True
        self._write_chunk(chunk)
        for truth in passed(before, chunk.n, rfc3339(self._clock.now_ns())) if before.visit is not None else ():
            self._send(truth)
        if head.visit is not before.visit:
            self._end_visit(bed)
        else:
            self._log_end(head, chunk.epoch)
        if self._annotations and record.annotations is not None:
            for annotation in annotations_of(chunk, record.annotations):
                send(annotation)
        if self._disturbances.finish(chunk, head, self._clock.now_ns()):
            self.publish_status(bed)

    def _end_visit(self, bed: Bed) -> None:
        """Go on after an episode, in its record or in the one before."""
        self._remove_numerics(bed)
        log.info("%s", description(bed.own_head))
        self.publish_status(bed)

    def _publish_alone(self, bed: Bed) -> None:
        """Send the next numerics of a bed that has nothing else."""
        before = bed.own_head
        numerics, head = before.next_alone()
        self._move(bed, head)
        if numerics is not None:
            self._send(numerics)
            self._write_numerics(numerics)
            bed.numerics = True
            if head.seq == 1:
                self.publish_status(bed)  # the next one may be an hour away
        self._log_end(head, before.epoch)

    def _remove_numerics(self, bed: Bed) -> None:
        """Remove the retained numerics of a bed: its record has ended, or another one is chosen."""
        self._disturbances.release_all(bed.own_head.bed)
        if bed.numerics:
            self._remove(Topic(Kind.NUMERICS, bed.own_head.bed))
            bed.numerics = False

    def _find_run(self, head: Playhead) -> None:
        """Note that a bed may send with others of its shard from now on."""
        if self._shards is not None and not self._annotations and not self._disturbances.concern(head.bed):
            self._runs.find(head)

    def _write_chunk(self, chunk: Waveform | Wave, signal: str = "ecg") -> None:
        due_ns, now_ns = chunk.due_ns, self._clock.now_ns()
        self._write(chunk.bed, chunk.session, chunk.seq, chunk.start, chunk.n, due_ns, now_ns, signal)

    def _write_numerics(self, message: Numerics) -> None:
        due_ns, now_ns = unix_ns(message.when), self._clock.now_ns()
        n = len(message.values)
        self._write(message.bed, message.session, "", message.index, n, due_ns, now_ns, "numerics")

    def _log_end(self, head: Playhead, epoch: int) -> None:
        """Log that the record has ended with the last message, of an epoch."""
        if head.ended:
            log.info("%s: record %s has ended", head.bed, head.record.name)
        elif head.epoch > epoch and self._logs_loop(head):
            log.info("%s: record %s has ended and is restarted", head.bed, head.record.name)

    def _logs_loop(self, head: Playhead) -> bool:
        """Return whether the restart of a record is logged: in a large ward, some record ends all the time."""
        return len(self.beds) <= MAX_NAMED and head.record.n / (FS * head.speed) >= MIN_LOGGED_LOOP_S

    def _count_dropped(self, bed: Bed) -> None:
        name = bed.own_head.bed
        dropped = self._dropped(name)
        if dropped > bed.dropped:
            log.warning("%s: the broker was unavailable for too long, %d chunks dropped so far", name, dropped)
        bed.dropped = dropped


def annotations_of(chunk: Waveform, reference: Annotations) -> Iterator[Annotation]:
    """Yield the reference annotations of the samples in a chunk."""
    first, stop = np.searchsorted(reference.sample, [chunk.position, chunk.position + chunk.n])
    for i in range(int(first), int(stop)):
        yield Annotation(
            bed=chunk.bed,
            session=chunk.session,
            index=chunk.start + int(reference.sample[i]) - chunk.position,
            symbol=reference.symbol[i],
            aux=reference.aux[i],
        )
