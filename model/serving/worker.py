"""ECG and other waves in; forecasts, beats, vital signs and alarms out, for all beds of a broker; no sockets.

Per tick: `stream.wire.ordering` decides which chunks are taken, and in which order;
`model.pipeline.analysis` analyses the chunks of all beds in one batch, `model.alarms` turns conditions into alarms, and
the results are published. Every sample is processed once or reported as lost. Intervals are monotonic time.
"""

from __future__ import annotations

import logging
import math
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from model.alarms.alarm_manager import AlarmManager
from model.alarms.state import AlarmContext, AlarmState
from model.conditions.changes import Began, Change, Ended
from model.pipeline import analysis
from model.pipeline.analysis import Analysis, BedState, Models
from model.serving import bed_watch, outputs
from model.serving.bed import Bed, new_counters, restored_bed
from model.serving.checkpoint import BedCheckpoint, Entry
from model.serving.checkpoint_store import CheckpointStore
from model.serving.wave_buffer import WaveBuffer
from stream.clock import Clock
from stream.errors import MessageError
from stream.replay.ledger import Write
from stream.timebase import FS
from stream.wire import ordering
from stream.wire.alarm_messages import ActiveAlarms, Alarm, Command
from stream.wire.bed_places import MAX_BEDS, BedPlaces
from stream.wire.lease import next_lease
from stream.wire.messages import BedStatus, Message, ProcessStatus, Waveform
from stream.wire.ordering import Arrival, Taken
from stream.wire.publishers import Publishers
from stream.wire.replay_actions import ReplayAction
from stream.wire.topics import Kind, Role, Topic
from stream.wire.wave_message import Wave

log = logging.getLogger("bedside.worker")

STATUS_EVERY_NS = 2_000_000_000
"""Interval of the periodic status of a bed in ns."""

WARNING_EVERY_NS = 1_000_000_000
"""Shortest interval between two logged warnings in ns."""

RESENT_PER_CHECK = 100
"""Largest number of recent events sent again per `Worker.advance_time`, so that a broker's queues do not overflow."""

CHECKPOINT_EVERY_NS = 1_000_000_000
"""Interval of the checkpoints of a bed in ns."""

FRESH_NS = 60_000_000_000
"""Age in ns up to which a bed in a checkpoint is expected to send at once, and is served before it does."""

MAX_BRIDGED = 60 * FS
"""Longest gap within an epoch, in samples, after which the analysis goes on with what it learned of the patient."""

MAX_LEASES = 1024
"""Largest number of beds whose leases are registered."""


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
        Writes a line of the ledger; its columns are `LEDGER`.
    release : callable
        Gives up a retained topic of a bed that is not served any more.
    store : CheckpointStore, optional
        Keeps the state of the beds for the next worker.

    Attributes
    ----------
    LEDGER : tuple of str
        Columns of the ledger. ``verdict`` is taken, gap, duplicate or refused; ``lost_samples`` were lost before the
        chunk.
    """

    LEDGER = ("bed", "session", "seq", "start", "n", "verdict", "lost_samples")

    def __init__(
        self,
        models: Models,
        *,
        send: Callable[[Message], None],
        instance: str,
        clock: Clock,
        write: Write,
        release: Callable[[Topic], None] = lambda topic: None,  # noqa: ARG005
        store: CheckpointStore | None = None,
    ) -> None:
        self._models = models
        self._send = send
        self._instance = instance
        self._clock = clock
        self._write = write
        self._release = release
        self._store = store
        self._beds: dict[str, Bed] = {}
        self._waves = WaveBuffer(MAX_BEDS)
        self._restored: dict[str, AlarmManager] = {}
        self._waiting: dict[str, Bed] = {}
        self._highest_leases: dict[str, int] = {}
        self._publishers = Publishers()
        self._places = BedPlaces()
        self._stepped_ns = clock.stepped_ns
        self._checked_ns = self._monotonic_ns()
        self._next_warning_ns = 0
        self._to_resend: deque[Alarm] = deque()
        self._resend_again = False

    @property
    def beds(self) -> tuple[str, ...]:
        """The beds that have sent samples."""
        return tuple(sorted(self._beds))

    @property
    def leases(self) -> Mapping[str, int]:
        """The lease of each bed that has sent samples."""
        return {name: bed.lease for name, bed in self._beds.items()}

    def observe_lease(self, bed: str, lease: int) -> None:
        """Register the lease of another worker, before this one serves: it will use a higher one."""
        if bed in self._highest_leases or len(self._highest_leases) < MAX_LEASES:
            self._highest_leases[bed] = max(self._highest_leases.get(bed, 0), lease)
        if bed in self._restored:
            self._restored[bed].lease = self._lease(bed)

    def _alarm_manager(self, bed: str) -> AlarmManager:
        def save(state: AlarmState, events: Sequence[Alarm]) -> None:
            if self._store is not None:
                self._store.append(bed, Entry(alarms=state, events=tuple(events)))

        return AlarmManager(self._models.alarms, self._send, self._lease(bed), save)

    def _lease(self, bed: str) -> int:
        return next_lease(self._highest_leases.get(bed, 0))

    def restore_alarms(self, active: ActiveAlarms) -> None:
        """Restore the retained alarms of an earlier worker; they continue when the bed sends samples.

        Kinds of alarm that are switched off in the list are logged: anyone who may write to the broker can write it.
        """
        if active.bed in self._beds or not self._admit_name(active.bed, retained=True):
            return
        alarms = self._restored[active.bed] = self._alarm_manager(active.bed)
        alarms.restore(active, self._clock.now_ns())
        if active.limits.off:
            log.warning("bed %s: alarms restored as switched off: %s", active.bed, ", ".join(active.limits.off))

    def restore_beds(self, checkpoints: Iterable[BedCheckpoint], served_by: Mapping[str, str]) -> None:
        """Go on with the beds of earlier workers, and send their recent events again.

        Parameters
        ----------
        checkpoints : iterable of BedCheckpoint
            They prevail over the retained alarms.
        served_by : mapping of str to str
            The process that served each bed last, according to the retained status of the bed. If that process did
            not continue the checkpoint, the checkpoint is outdated and is ignored.
        """
        now_ns = self._clock.now_ns()
        for checkpoint in checkpoints:
            name = checkpoint.chunk.bed
            if served_by.get(name, self._instance) not in (*checkpoint.served_by, self._instance):
                log.warning("bed %s starts anew: another worker has served it since its checkpoint", name)
                continue
            self.observe_lease(name, checkpoint.lease)
            alarms, lease = self._alarm_manager(name), self._lease(name)
            bed = restored_bed(checkpoint, alarms, self._instance, lease, now_ns, self._monotonic_ns())
            fresh = abs(now_ns - bed.alive_ns) <= FRESH_NS and not bed.ended
            if not self._admit_name(name, signal_s=bed.chunk.end / FS if fresh else 0.0, retained=not fresh):
                continue
            self._save(bed)
            if fresh:
                self._beds[name] = bed
                self._restored.pop(name, None)
            else:
                self._waiting[name] = bed
                self._restored[name] = bed.alarms
        self.resend_events()

    def update_status(self, status: BedStatus | ProcessStatus) -> None:
        """Process a publisher's status, or that of its process.

        The end of the record clears all alarms whose condition holds.
        """
        if status.role != "publisher":
            return
        if isinstance(status, BedStatus) and not self._admit_name(status.bed, retained=True):
            return
        for name, session in self._publishers.update(status):
            self._end_publisher(name, session)
        if not isinstance(status, BedStatus):
            return
        bed = self._beds.get(status.bed)
        if bed is None:
            if status.state == "ended" and status.bed in self._restored:
                self._restored[status.bed].finish(self._context_without_samples(status.bed))
        elif status.session == bed.chunk.session:
            believed_ns = self._monotonic_ns() + bed_watch.PAUSE_BELIEVED_NS
            bed.paused_until_ns = believed_ns if status.state == "paused" else 0
            if status.state == "ended" and not bed.ended:
                bed.ended, bed.silent = True, False
                if not bed.restored:
                    self._finish(bed)
                bed.alarms.finish(bed.context(self._clock.now_ns()))
                self._save(bed)

    def execute(self, command: Command) -> None:
        """Execute a command; a rejected one is counted and logged."""
        if isinstance(command.action, ReplayAction):
            return  # the publisher executes it
        self._follow_clock_steps()
        bed = self._beds.get(command.bed)
        try:
            if bed is not None:
                bed.alarms.execute(command, bed.context(self._clock.now_ns()))
                bed.counters["commands"] += 1
            elif command.bed in self._restored:
                self._restored[command.bed].execute(command, self._context_without_samples(command.bed))
            else:
                self._warn(f"command for bed {command.bed}, which is unknown: ignored")
        except MessageError as error:
            if bed is not None:
                bed.counters["rejected"] += 1
            self._warn(str(error))

    def resend_events(self) -> None:
        """Send the recent events of all beds again, some with each `advance_time`; a pass in progress is repeated."""
        self._resend_again = True

    def advance_time(self) -> None:
        """Detect beds that send nothing or twice, advance the time of their alarms, send recent events again."""
        self._follow_clock_steps()
        self._resend_some(self._clock.now_ns())
        now_ns = self._monotonic_ns()
        if now_ns - self._checked_ns >= bed_watch.NO_DATA_NS:
            for bed in self._beds.values():
                bed.heard_ns = now_ns  # this process was stopped: what the beds have sent is still to be received
        self._checked_ns = now_ns
        for bed in self._beds.values():
            if not bed.silent and bed_watch.is_silent(bed, now_ns):
                arrival, bed.stream = ordering.flush(bed.stream, now_ns)
                self._run({bed.chunk.bed: deque(arrival.taken)})
                if not arrival.taken:
                    self._change(bed, bed_watch.silence_began(bed, now_ns))
            self._change(bed, bed_watch.contest_changed(bed, bed.stream.is_contested(now_ns)))
            bed.alarms.advance_time(bed.context(self._clock.now_ns()))
            if not bed.ended and now_ns >= bed.next_status_ns:
                # Also of a bed that is paused or silent: its lease stays in use.
                self._publish_status(bed, "learning" if bed.learning else "forecasting")
        for name, alarms in self._restored.items():
            alarms.advance_time(self._context_without_samples(name))

    def _follow_clock_steps(self) -> None:
        """Move the ends of pauses with a step of the clock: a pause lasts as long as it was meant to."""
        self._clock.now_ns()
        step_ns = self._clock.stepped_ns - self._stepped_ns
        self._stepped_ns += step_ns
        if step_ns:
            for bed in self._beds.values():
                bed.alarms.shift_pauses(bed.chunk.bed, step_ns)
            for name, alarms in self._restored.items():
                alarms.shift_pauses(name, step_ns)

    def _monotonic_ns(self) -> int:
        """Return a time in ns that no step of the clock changes."""
        return self._clock.now_ns() - self._clock.stepped_ns

    def add_wave(self, wave: Wave) -> None:
        """Keep a wave for the chunk of ECG of its interval."""
        self._waves.put(wave, self._beds)

    def shed(self, chunks: Sequence[Waveform]) -> None:
        """Leave out chunks that wait, because there is too much to do: a gap begins, named by a technical alarm.

        The chunk that follows ends it; that samples are missing before it shows as for any other gap.
        """
        now_ns = self._monotonic_ns()
        samples = Counter[str]()
        for chunk in chunks:
            bed = self._beds.get(chunk.bed)
            if bed is not None and (chunk.session != bed.chunk.session or chunk.seq > bed.place.seq):
                samples[chunk.bed] += chunk.n
        for name, count in samples.items():
            bed = self._beds[name]
            bed.counters["shed_samples"] += count
            bed.heard_ns = now_ns
            if not (bed.silent or bed.ended):
                bed.silent = bed.shed = True
                self._change(bed, [Began("no_data", bed.chunk.end, bed.chunk.end, "samples_lost", count / FS)])
            if now_ns >= bed.next_status_ns:
                self._publish_status(bed, "learning" if bed.learning else "forecasting")

    @property
    def urgent(self) -> frozenset[str]:
        """Beds with an active alarm of high or medium priority."""
        return frozenset(name for name, bed in self._beds.items() if bed.alarms.urgent)

    def tick(self, chunks: Sequence[Waveform]) -> None:
        """Process chunks in order; in each round, one chunk of each bed is analysed in one batch."""
        received: dict[str, deque[Waveform | Taken]] = {}
        for chunk in chunks:
            received.setdefault(chunk.bed, deque()).append(chunk)
        self._run(received)

    def _run(self, received: Mapping[str, deque[Waveform | Taken]]) -> None:
        while any(received.values()):
            self._step([bed for waiting in received.values() if (bed := self._next(waiting)) is not None])

    def _next(self, waiting: deque[Waveform | Taken]) -> Bed | None:
        """Place the next chunk of a bed that is taken; return None if there is none."""
        while waiting:
            item = waiting.popleft()
            if isinstance(item, Waveform):
                waiting.extendleft(reversed(self._receive(item)))
            elif (bed := self._place(item)) is not None:
                return bed
        return None

    def stop(self) -> None:
        """Publish that the beds are no longer served. Their alarms stay retained, for the next worker to restore."""
        for bed in self._beds.values():
            self._save(bed)
            self._publish_status(bed, "stopped")

    # --- order of chunks ------------------------------------------------------------------------------------------

    def _receive(self, chunk: Waveform) -> tuple[Taken, ...]:
        """Return the chunks that are taken now that this one has been received; count the others."""
        bed = self._beds.get(chunk.bed)
        if bed is None:
            return self._admit(chunk)
        arrival, bed.stream = ordering.receive(bed.stream, chunk, self._monotonic_ns())
        if arrival.duplicate:
            bed.counters["duplicates"] += 1
            self._record(chunk, "duplicate", 0)
        self._refuse(bed, arrival)
        return arrival.taken

    def _admit(self, chunk: Waveform) -> tuple[Taken, ...]:
        """Begin to serve the bed of its first chunk, unless there are too many beds."""
        if not self._admit_name(chunk.bed):
            self._warn(f"bed {chunk.bed} is not served: there are {MAX_BEDS} beds already")
            return ()
        alarms = self._restored.pop(chunk.bed, None) or self._alarm_manager(chunk.bed)
        waiting = self._waiting.pop(chunk.bed, None)
        if waiting is not None:
            self._beds[chunk.bed] = waiting
            return self._receive(chunk)
        now_ns = self._monotonic_ns()
        arrival, stream = ordering.receive(None, chunk, now_ns)
        bed = self._beds[chunk.bed] = Bed(
            chunk, stream, self._begin(chunk), alarms, self._lease(chunk.bed), heard_ns=now_ns
        )
        bed.served_by = (self._instance,)
        alarms.resume(bed.context(self._clock.now_ns()))
        return arrival.taken

    def _admit_name(self, name: str, *, retained: bool = False, signal_s: float = 0.0) -> bool:
        """Return whether a bed has a place; the one that loses its place to it is not served any more."""
        admitted, lost = self._places.admit(name, self._monotonic_ns() / 1e9, signal_s, retained=retained)
        if lost is not None:
            self._restored.pop(lost, None)
            self._waiting.pop(lost, None)
            bed = self._beds.pop(lost, None)
            if bed is not None:
                self._publish_status(bed, "stopped")
                for kind, role in ((Kind.ALARMS_ACTIVE, None), (Kind.VITALS, None), (Kind.STATUS, Role.WORKER)):
                    self._release(Topic(kind, lost, role))
                self._warn(f"bed {lost} has been silent for long and is not served any more: others need its place")
        return admitted

    def _end_publisher(self, name: str, session: str) -> None:
        """Process what the end of a session's publisher decides."""
        bed = self._beds.get(name)
        if bed is None:
            return
        arrival, bed.stream = ordering.release(bed.stream, session, self._monotonic_ns())
        self._refuse(bed, arrival)
        self._run({name: deque(arrival.taken)})
        if session == bed.chunk.session:
            bed.paused_until_ns = 0

    def _refuse(self, bed: Bed, arrival: Arrival) -> None:
        """Count and record the chunks that are not processed."""
        for chunk in arrival.refused:
            bed.counters["rejected"] += 1
            self._record(chunk, "refused", 0)
            why = "does not continue the last one" if chunk.session == bed.chunk.session else "has another publisher"
            self._warn(f"bed {chunk.bed}: chunk {chunk.seq} of session {chunk.session[:8]} {why}: refused")

    def _place(self, taken: Taken) -> Bed | None:
        """Update a bed with the chunk that is to be analysed next."""
        chunk, lost = taken.chunk, taken.check.lost_samples
        bed = self._beds[chunk.bed]
        bed.lost_samples = lost
        self._admit_name(chunk.bed, signal_s=chunk.n / FS)
        bed.heard_ns, bed.paused_until_ns = self._monotonic_ns(), 0
        if chunk is bed.chunk:
            return bed  # the first one
        if bed.silent:
            self._end_silence(bed, chunk, lost)
        if taken.check.discontinuous or bed.ended or bed.restored:
            self._restart_analysis(bed, chunk)
        if chunk.session != bed.chunk.session:
            self._change(bed, bed_watch.contest_changed(bed, False))
            bed.counters = new_counters()
        if lost:
            bed.counters["gaps"] += 1
            bed.counters["lost_samples"] += lost
            self._warn(f"bed {chunk.bed}: gap of {lost} samples before sample {chunk.start}")
        bed.chunk = chunk
        if bed.restored:
            bed.restored = False
            bed.alarms.resume(bed.context(self._clock.now_ns()))
        if lost and not bed.silent:
            self._report_gap(bed, lost)
        bed.silent = bed.shed = False
        return bed

    def _restart_analysis(self, bed: Bed, chunk: Waveform) -> None:
        """End all conditions and restart the analysis with ``chunk``, which does not continue the last one.

        After a short gap the analysis goes on with what it learned of the patient. The alarms of a restored bed stay
        until their conditions are confirmed, or not in time.
        """
        if not bed.ended and not bed.restored:
            self._finish(bed)
        bed.ended = False
        place = bed.place
        same = (chunk.session, chunk.epoch, chunk.leads) == (place.session, place.epoch, place.leads)
        if same and bed.state.leads == chunk.leads and 0 <= chunk.start - place.end <= MAX_BRIDGED:
            bed.state = analysis.after_gap(self._models, bed.state, chunk.start, chunk.epoch_start)
        else:
            bed.state = self._begin(chunk)
            bed.next_checkpoint_ns = 0  # what was saved belongs to another epoch
        bed.learning = True
        bed.next_status_ns = 0

    def _finish(self, bed: Bed) -> None:
        """Publish what the end of the epoch completes, and end all conditions."""
        found = analysis.finish(self._models, bed.state)
        self._publish(bed, found)
        self._change(bed, found.changes)

    def _report_gap(self, bed: Bed, lost_samples: int) -> None:
        """Raise and clear the technical alarm of lost samples."""
        start = bed.chunk.start
        onset, seconds = start - lost_samples, lost_samples / FS
        self._change(
            bed,
            [
                Began("no_data", onset, start - 1, "samples_lost", seconds),
                Ended("no_data", onset, start, start - 1, "samples_lost", seconds),
            ],
        )

    def _end_silence(self, bed: Bed, chunk: Waveform, lost_samples: int) -> None:
        """Clear the technical alarm of a bed that was silent, or whose chunks were shed."""
        end = bed.chunk.end
        if bed.shed and lost_samples:
            ended = Ended("no_data", end, chunk.start, chunk.start - 1, "samples_lost", lost_samples / FS)
        else:
            ended = Ended("no_data", end, chunk.start, chunk.start, "data_resumed")
        self._change(bed, [ended])

    def _begin(self, chunk: Waveform) -> BedState:
        return analysis.begin(self._models, chunk.leads, chunk.start, chunk.epoch_start)

    def _save(self, bed: Bed) -> None:
        """Write a checkpoint of a bed."""
        # Each bed has its own moment within the interval, so that those of many beds are not written at once.
        phase = zlib.crc32(bed.chunk.bed.encode()) * 997 % CHECKPOINT_EVERY_NS
        bed.next_checkpoint_ns = (self._monotonic_ns() - phase) // CHECKPOINT_EVERY_NS * CHECKPOINT_EVERY_NS
        bed.next_checkpoint_ns += CHECKPOINT_EVERY_NS + phase
        bed.checkpoint += 1
        if self._store is not None:
            self._store.write(bed.to_checkpoint())

    def _save_progress(self, bed: Bed, now_ns: int) -> None:
        """Write that the last chunk is processed; about once per second as a checkpoint."""
        bed.alive_ns = now_ns
        if self._store is not None and bed.next_checkpoint_ns:
            self._store.append(bed.chunk.bed, Entry(now_ns, bed.place, dict(bed.counters)))
        if self._monotonic_ns() >= bed.next_checkpoint_ns:
            self._save(bed)

    def _record(self, chunk: Waveform, verdict: str, lost_samples: int) -> None:
        """Write a line of the ledger."""
        self._write(chunk.bed, chunk.session, chunk.seq, chunk.start, chunk.n, verdict, lost_samples)

    def _warn(self, text: str) -> None:
        """Log a warning, at most one per second; the counters are complete."""
        now_ns = self._monotonic_ns()
        if now_ns >= self._next_warning_ns:
            self._next_warning_ns = now_ns + WARNING_EVERY_NS
            log.warning("%s", text)

    def _context_without_samples(self, bed: str) -> AlarmContext:
        """Return the context of a bed whose alarms were restored and that has sent no samples."""
        return AlarmContext(bed, "", "", 0, self._clock.now_ns())

    # --- analysis and output --------------------------------------------------------------------------------------

    def _step(self, beds: Sequence[Bed]) -> None:
        """Analyse the last chunk of each bed, and publish the results."""
        if not beds:
            return
        results = analysis.step(
            self._models,
            [bed.state for bed in beds],
            [bed.chunk.mv() for bed in beds],
            [bed.alarms.limits for bed in beds],
            [self._waves.take(bed.chunk) for bed in beds],
        )
        for bed, (found, state) in zip(beds, results, strict=True):
            bed.state = state
            bed.counters["samples_forecast"] += bed.chunk.n
            self._publish(bed, found)
            self._change(bed, found.changes)
            self._record(bed.chunk, "gap" if bed.lost_samples else "taken", bed.lost_samples)
            self._save_progress(bed, self._clock.now_ns())
            was_learning = bed.learning
            if found.forecasts:
                bed.learning = math.isnan(found.forecasts[-1].score)
            if bed.learning != was_learning or self._monotonic_ns() >= bed.next_status_ns:
                self._publish_status(bed, "learning" if bed.learning else "forecasting")

    def _publish(self, bed: Bed, found: Analysis) -> None:
        """Publish forecasts, beats and vital signs."""
        for forecast in found.forecasts:
            self._send(outputs.forecast_message(bed.chunk, forecast, self._clock.now_ns(), bed.lease))
        for beat in found.beats:
            self._send(outputs.beat_message(bed.chunk, beat, bed.lease))
        for vitals in found.vitals[-1:]:  # a chunk of several seconds completes several; only the latest is current
            self._send(outputs.vitals_message(bed.chunk, vitals, self._clock.now_ns(), bed.lease))

    def _resend_some(self, now_ns: int) -> None:
        """Send the next few events of the present pass, or begin a pass that was asked for."""
        if not self._to_resend and self._resend_again:
            self._resend_again = False
            managers = [*(bed.alarms for bed in self._beds.values()), *self._restored.values()]
            self._to_resend.extend(event for alarms in managers for event in alarms.recent(now_ns))
        for _ in range(min(RESENT_PER_CHECK, len(self._to_resend))):
            self._send(self._to_resend.popleft())

    def _change(self, bed: Bed, changes: Iterable[Change]) -> None:
        """Process begins and ends of conditions."""
        before = bed.alarms.raised
        bed.alarms.process(tuple(changes), bed.context(self._clock.now_ns()))
        bed.counters["alarms"] += bed.alarms.raised - before

    def _publish_status(self, bed: Bed, state: Literal["learning", "forecasting", "stopped"]) -> None:
        bed.next_status_ns = self._monotonic_ns() + STATUS_EVERY_NS
        self._send(outputs.status_message(bed, self._instance, state, self._clock.now_ns()))
