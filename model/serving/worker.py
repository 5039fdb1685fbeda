"""ECG and other waves in; forecasts, beats, vital signs and alarms out, for all beds of a broker; no sockets.

Per tick: `model.serving.ticks` processes the chunks, `model.pipeline.beds` analyses those of all beds in one batch,
`model.alarms` turns conditions into alarms, and the results are published. Every sample is processed once or reported
as lost. Intervals are monotonic time.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache

from model.alarms.alarm_manager import AlarmManager
from model.pipeline.analysis import Models
from model.pipeline.beds import Beds
from model.serving import bed_watch
from model.serving.bed import Bed
from model.serving.bed_output import BedOutput
from model.serving.charted_beds import ChartedBeds
from model.serving.checkpoint import BedCheckpoint
from model.serving.checkpoint_store import CheckpointStore
from model.serving.checkpoint_writer import CheckpointWriter
from model.serving.clock_steps import ClockSteps
from model.serving.commands import Commands
from model.serving.hours_ahead import HoursAhead
from model.serving.numerics_buffer import NumericsBuffer
from model.serving.publisher_statuses import PublisherStatuses
from model.serving.resending import Resending
from model.serving.served_beds import Leases, ServedBeds, UrgentBeds
from model.serving.ticks import Ticks
from model.serving.wave_buffer import WaveBuffer
from model.trends.forecaster import TrendForecaster
from stream.clock import Clock, monotonic_ns
from stream.replay.ledger import Write
from stream.wire import bed_stream, other_writers
from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.bed_places import PLACES_VARIABLE
from stream.wire.both_ways import WardChunks
from stream.wire.messages import Message, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.shard import ALL_BEDS, Shard
from stream.wire.topics import Kind, Role, Topic
from stream.wire.wave_message import Wave


class Worker:
    """Analyses all beds and publishes forecasts, beats, vital signs and alarms.

    Parameters
    ----------
    models : Models
    send : callable
        Sends a message; never blocks.
    instance : str
        Name of this process in the status of its beds.
    clock : Clock
    write : callable
        Writes a line of the ledger; its columns are `bed_output.LEDGER`.
    release : callable
        Gives up a retained topic of a bed that is not served any more.
    refuse : callable
        Called with a bed that has sent a chunk and that is not served, because there are too many.
    store : CheckpointStore, optional
        Keeps the state of the beds for the next worker.
    shards : int
        Processes among which the beds are shared.

    Attributes
    ----------
    commands : Commands
    statuses : PublisherStatuses
    """

    def __init__(
        self,
        models: Models,
        *,
        send: Callable[[Message], None],
        instance: str,
        clock: Clock,
        write: Write,
        release: Callable[[Topic], None],
        refuse: Callable[[str], None],
        store: CheckpointStore | None = None,
        shards: int = 1,
    ) -> None:
        self._analysis = Beds(models)
        self._send = send
        self._clock = clock
        self._release = release
        self._output = BedOutput(send, write, instance, clock)
        self._checkpoints = CheckpointWriter(store, clock)
        self._beds = ServedBeds(
            models.alarms, instance, clock, send=send, checkpoints=self._checkpoints, lose=self._lose
        )
        forecaster = cache(TrendForecaster.load)  # where there are numerics
        self._charted = ChartedBeds(
            models.alarms,
            forecaster,
            self._beds,
            send=send,
            lose=self._release_topics,
            instance=instance,
            clock=clock,
            store=store,
        )
        self._waves = WaveBuffer(self._beds.limit)
        self._numerics = NumericsBuffer(self._beds.limit)
        self._ticks = Ticks(
            self._analysis,
            self._beds,
            self._waves,
            self._numerics,
            self._charted,
            self._output,
            HoursAhead(forecaster, send, self._checkpoints),
            self._checkpoints,
            clock,
            refuse_bed=refuse,
            shards=shards,
        )
        self._clock_steps = ClockSteps(clock, self._alarm_managers)
        self.statuses = PublisherStatuses(
            self._beds, self._charted, self._ticks, self._output, self._checkpoints, clock
        )
        self.commands = Commands(self._beds, self._charted, self._output, clock, self._clock_steps)
        self._resending = Resending()
        self._checked_ns = monotonic_ns(clock)

    @property
    def beds(self) -> tuple[str, ...]:
        """The beds that have sent samples, or values without ECG."""
        return tuple(sorted((*self._beds, *self._charted))) if self._charted else self._beds.names

    @property
    def analysed(self) -> Collection[str]:
        """The beds whose ECG is analysed."""
        return self._beds

    @property
    def limit(self) -> int:
        """Number of beds that are served at most."""
        return self._beds.limit

    @property
    def leases(self) -> Mapping[str, int]:
        """The lease of each bed that is served."""
        if not self._charted:
            return Leases(self._beds)
        return {**Leases(self._beds), **{name: alarms.lease for name, alarms in self._charted.alarm_managers()}}

    @property
    def urgent(self) -> UrgentBeds:
        """Beds with an active alarm of high or medium priority."""
        return UrgentBeds(self._beds)

    # --- begin and end --------------------------------------------------------------------------------------------

    def observe_lease(self, bed: str, lease: int) -> None:
        """Register the lease of another worker, before this one serves: it will use a higher one."""
        self._beds.observe_lease(bed, lease)

    def restore_alarms(self, active: ActiveAlarms) -> None:
        """Restore the retained alarms of an earlier worker; they continue when the bed sends samples."""
        if active.bed not in self._charted:
            self._beds.restore_alarms(active)

    def restore_beds(
        self, checkpoints: Iterable[BedCheckpoint], served_by: Mapping[str, str], shard: Shard = ALL_BEDS
    ) -> None:
        """Go on with the beds of earlier workers, and send their recent events again; see `ServedBeds.restore_beds`.

        Of a bed that had ECG at one time and none at another, what was saved last counts.
        """
        with_ecg = {one.chunk.bed: one for one in checkpoints}
        charted = {one.numerics.bed: one for one in self._charted.read_all(shard)}
        for name in with_ecg.keys() & charted.keys():
            older = with_ecg if with_ecg[name].alive_ns < charted[name].alive_ns else charted
            del older[name]
        self._beds.restore_beds(with_ecg.values(), served_by, self._analysis)
        self._charted.restore(charted.values(), served_by)
        self.resend_events()

    def stop(self) -> None:
        """Publish that the beds are no longer served. Their alarms stay retained, for the next worker to restore."""
        for bed in self._beds.values():
            self._checkpoints.save(bed)
            self._output.publish_stopped(bed)
        self._charted.stop()

    def _lose(self, bed: Bed) -> None:
        """Publish that a bed has lost its place, and give up its retained topics."""
        self._waves.forget(bed.name)
        self._output.publish_stopped(bed)
        self._release_topics(bed.name)

    def _release_topics(self, name: str) -> None:
        """Give up the retained topics of a bed that has lost its place."""
        for kind in (Kind.ALARMS_ACTIVE, Kind.VITALS, Kind.NUMERICS_DERIVED, Kind.OUTLOOK):
            self._release(Topic(kind, name))
        self._release(Topic(Kind.STATUS, name, Role.WORKER))
        self._output.warn(
            f"bed {name} has ended or been silent for long, and is not served any more: others need its place; "
            f"{PLACES_VARIABLE} sets how many there are, now {self.limit}"
        )

    # --- messages other than ECG ----------------------------------------------------------------------------------

    def add_wave(self, wave: Wave) -> None:
        """Keep a wave for the chunk of ECG of its interval; count and record those that give way to it."""
        for dropped in self._waves.put(wave, self._beds):
            if dropped.bed in self._beds:
                self._beds[dropped.bed].counters["waves_refused"] += 1
                self._output.record(dropped, "refused", signal=dropped.signal)

    def add_numerics(self, numerics: Numerics) -> None:
        """Keep values of a publisher for the chunk of ECG of their time; of a bed without ECG, use them at once."""
        if numerics.alone is None:
            for dropped in self._numerics.put(numerics, self._beds):
                if dropped.bed in self._beds:
                    self._beds[dropped.bed].counters["numerics_dropped"] += 1
                    self._output.record_numerics(dropped, "refused")
            return
        bed = self._beds.get(numerics.bed)
        if bed is not None:
            if not (bed.ended or bed.silent):
                bed.counters["rejected"] += 1
                self._output.record_numerics(numerics, "refused")
                self._output.warn(f"bed {bed.name} sends ECG: values of another publisher, without ECG, are refused")
                return
            self.statuses.end_record(bed)
            self._beds.give_up(bed.name)
        verdict, lost_samples = self._charted.receive(numerics)
        self._output.record_numerics(numerics, verdict, lost_samples)
        if verdict == "refused":
            self._output.warn(f"bed {numerics.bed}: values of session {numerics.session[:8]} are refused")

    def resend_events(self) -> None:
        """Send the recent events of all beds again, some with each `advance_time`; a pass in progress is repeated."""
        self._resending.request()

    # --- time -----------------------------------------------------------------------------------------------------

    def advance_time(self) -> None:
        """Detect beds that send nothing or twice, advance the time of their alarms, send recent events again."""
        self._clock_steps.follow()
        managers = [alarms for _, alarms in self._alarm_managers()]
        for event in self._resending.next_events(managers, self._clock.now_ns()):
            self._send(event)
        now_ns = monotonic_ns(self._clock)
        if now_ns - self._checked_ns >= bed_watch.NO_DATA_NS:
            for bed in self._beds.values():
                bed.received_ns = now_ns  # this process was stopped: what the beds have sent is still to be received
        self._checked_ns = now_ns
        for bed in self._beds.values():
            if not bed.silent and bed_watch.is_silent(bed, now_ns):
                arrival, bed.stream = bed_stream.flush(bed.stream, now_ns)
                self._ticks.run({bed.name: deque(arrival.taken)})
                if not arrival.taken:
                    self._output.change(bed, bed_watch.silence_began(bed, now_ns))
            if bed.run is None:  # of a bed in a run, nothing is contested
                contested = other_writers.is_contested(bed.stream, now_ns)
                self._output.change(bed, bed_watch.contest_changed(bed, contested))
            if bed.alarms.waits:
                bed.alarms.advance_time(bed.context(self._clock.now_ns()))
            if not bed.ended and now_ns >= bed.next_status_ns:
                self._output.publish_status(bed)  # also of a bed that is paused or silent: its lease stays in use
        self._charted.advance_time(now_ns)
        for name, alarms in self._beds.restored.items():
            alarms.advance_time(self._beds.restored_context(name))
        self._output.forecasts.flush(now_ns / 1e9)  # what the end of an epoch completes

    def _alarm_managers(self) -> Iterator[tuple[str, AlarmManager]]:
        """Yield the alarms of all beds."""
        yield from self._beds.alarm_managers()
        yield from self._charted.alarm_managers()

    # --- chunks of ECG --------------------------------------------------------------------------------------------

    def tick(self, chunks: Iterable[Waveform], wards: Iterable[WardChunks] = ()) -> None:
        """Process chunks; see `Ticks.tick`."""
        self._ticks.tick(chunks, wards)

    def shed(self, chunks: Sequence[Waveform]) -> None:
        """Leave out chunks that wait, because there is too much to do: a gap begins, named by a technical alarm.

        The chunk that follows ends it; that samples are missing before it shows as for any other gap.
        """
        now_ns = monotonic_ns(self._clock)
        samples = Counter[str]()
        for chunk in chunks:
            bed = self._beds.get(chunk.bed)
            if bed is not None and (chunk.session != bed.session or chunk.seq > bed.seq):
                samples[chunk.bed] += chunk.n
        for name, count in samples.items():
            bed = self._beds[name]
            bed.counters["shed_samples"] += count
            bed.received_ns = now_ns
            if not (bed.silent or bed.ended):
                self._output.change(bed, bed_watch.shedding_began(bed, count))
            if now_ns >= bed.next_status_ns:
                self._output.publish_status(bed)
