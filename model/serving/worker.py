"""ECG and other waves in; forecasts, beats, vital signs and alarms out, for all beds of a broker; no sockets.

Per tick: `stream.wire.continuity` checks the order of each chunk, `model.pipeline.analysis` analyses the chunks of all
beds in one batch, `model.alarms` turns conditions into alarms, and the results are published. Every sample is processed
once or reported as lost.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from model.alarms.alarm_manager import AlarmManager
from model.alarms.state import AlarmContext
from model.conditions.changes import Began, Change, Ended
from model.pipeline import analysis
from model.pipeline.analysis import Analysis, BedState, Models
from model.serving import outputs
from model.serving.bed import Bed, new_counters
from model.serving.wave_buffer import WaveBuffer
from stream.clock import Clock
from stream.errors import MessageError
from stream.replay.ledger import Write
from stream.timebase import FS
from stream.wire.alarm_messages import ActiveAlarms, Command
from stream.wire.continuity import Continuity, SequenceCheck, check_sequence
from stream.wire.lease import next_lease
from stream.wire.messages import BedStatus, Message, Waveform
from stream.wire.replay_actions import ReplayAction
from stream.wire.wave_message import Wave

log = logging.getLogger("bedside.worker")

STATUS_EVERY_NS = 2_000_000_000
"""Interval of the periodic status of a bed in ns."""

WARNING_EVERY_NS = 1_000_000_000
"""Shortest interval between two logged warnings in ns."""

MAX_BEDS = 64
"""Largest number of beds; further ones are not served."""

MAX_LEASES = 1024
"""Largest number of beds whose leases are registered."""

NO_DATA_NS = 5_000_000_000
"""A playing bed that sends nothing for this time in ns, or for 2.5 chunks if that is longer, has a technical alarm."""


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

    Attributes
    ----------
    LEDGER : tuple of str
        Columns of the ledger. ``verdict`` is taken, gap or duplicate; ``lost_samples`` were lost before the chunk.
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
    ) -> None:
        self._models = models
        self._send = send
        self._instance = instance
        self._clock = clock
        self._write = write
        self._beds: dict[str, Bed] = {}
        self._waves = WaveBuffer(MAX_BEDS)
        self._restored: dict[str, AlarmManager] = {}
        self._highest_leases: dict[str, int] = {}
        self._publisher_status: dict[str, BedStatus] = {}
        self._next_warning_ns = 0

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
        return AlarmManager(self._models.alarms, self._send, self._lease(bed))

    def _lease(self, bed: str) -> int:
        return next_lease(self._highest_leases.get(bed, 0))

    def restore_alarms(self, active: ActiveAlarms) -> None:
        """Restore the retained alarms of an earlier worker; they continue when the bed sends samples."""
        if active.bed not in self._beds:
            alarms = self._restored[active.bed] = self._alarm_manager(active.bed)
            alarms.restore(active, self._clock.now_ns())

    def update_status(self, status: BedStatus) -> None:
        """Process a publisher's status; the end of the record clears all alarms whose condition holds."""
        self._publisher_status[status.bed] = status
        if status.state != "ended":
            return
        bed = self._beds.get(status.bed)
        if bed is None:
            if status.bed in self._restored:
                self._restored[status.bed].finish(self._context_without_samples(status.bed))
        elif status.session == bed.chunk.session and not bed.ended:
            bed.ended, bed.silent = True, False
            self._finish(bed)
            bed.alarms.finish(bed.context(self._clock.now_ns()))

    def execute(self, command: Command) -> None:
        """Execute a command; a rejected one is counted and logged."""
        if isinstance(command.action, ReplayAction):
            return  # the publisher executes it
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

    def advance_time(self) -> None:
        """Detect beds that send nothing, advance the time of alarms, and publish the status of beds that is due."""
        now_ns = self._clock.now_ns()
        for bed in self._beds.values():
            status = self._publisher_status.get(bed.chunk.bed)
            may_be_silent = bed.ended or (status is not None and status.state == "paused")
            chunk_ns = 1e9 * bed.chunk.n / (bed.chunk.fs * bed.chunk.speed)
            silent_ns = now_ns - bed.received_ns
            if not bed.silent and not may_be_silent and silent_ns > max(NO_DATA_NS, 2.5 * chunk_ns):
                bed.silent = True
                end = bed.chunk.end
                self._change(bed, [Began("no_data", end, end, "bed_silent", silent_ns / 1e9)])
            bed.alarms.advance_time(bed.context(now_ns))
            if not bed.ended and now_ns >= bed.next_status_ns:
                # Also of a bed that is paused or silent: its lease stays in use.
                self._publish_status(bed, "learning" if bed.learning else "forecasting")
        for name, alarms in self._restored.items():
            alarms.advance_time(self._context_without_samples(name))

    def add_wave(self, wave: Wave) -> None:
        """Keep a wave for the chunk of ECG of its interval."""
        self._waves.put(wave, self._beds)

    def shed(self, chunks: Sequence[Waveform]) -> None:
        """Leave out chunks that wait, because there is too much to do: a gap begins, named by a technical alarm.

        The chunk that follows ends it; that samples are missing before it shows as for any other gap.
        """
        now_ns = self._clock.now_ns()
        samples = Counter[str]()
        for chunk in chunks:
            bed = self._beds.get(chunk.bed)
            if bed is not None and (chunk.session != bed.chunk.session or chunk.seq > bed.place.seq):
                samples[chunk.bed] += chunk.n
        for name, count in samples.items():
            bed = self._beds[name]
            bed.counters["shed_samples"] += count
            bed.received_ns = now_ns
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
        remaining = list(chunks)
        while remaining:
            this_round: dict[str, Waveform] = {}
            rest = []
            for chunk in remaining:
                if chunk.bed in this_round:
                    rest.append(chunk)
                else:
                    this_round[chunk.bed] = chunk
            self._step([bed for chunk in this_round.values() if (bed := self._place(chunk)) is not None])
            remaining = rest

    def stop(self) -> None:
        """Publish that the beds are no longer served. Their alarms stay retained, for the next worker to restore."""
        for bed in self._beds.values():
            self._publish_status(bed, "stopped")

    # --- order of chunks ------------------------------------------------------------------------------------------

    def _place(self, chunk: Waveform) -> Bed | None:
        """Check the order of a chunk and update its bed; return None if there is nothing to analyse."""
        bed = self._beds.get(chunk.bed)
        if bed is None:
            return self._admit(chunk)
        checked = self._check(bed, chunk)
        if checked is None:
            return None
        sequence, place = checked
        lost = sequence.lost_samples
        self._record(chunk, "gap" if lost else "taken", lost)
        bed.received_ns = self._clock.now_ns()
        if bed.silent:
            self._end_silence(bed, chunk, lost)
        if sequence.discontinuous:
            self._restart_analysis(bed, chunk)
        if place.session != bed.place.session:
            bed.counters = new_counters()
            bed.former_session = bed.place.session
        if lost:
            bed.counters["gaps"] += 1
            bed.counters["lost_samples"] += lost
            self._warn(f"bed {chunk.bed}: gap of {lost} samples before sample {chunk.start}")
        bed.chunk, bed.place = chunk, place
        if lost and not bed.silent:
            self._report_gap(bed, lost)
        bed.silent = bed.shed = False
        return bed

    def _admit(self, chunk: Waveform) -> Bed | None:
        """Begin to serve the bed of its first chunk; return None if there are too many beds."""
        if len(self._beds) >= MAX_BEDS:
            self._warn(f"bed {chunk.bed} is not served: there are {MAX_BEDS} beds already")
            return None
        _, place = check_sequence(None, chunk)
        alarms = self._restored.pop(chunk.bed, None) or self._alarm_manager(chunk.bed)
        lease, now_ns = self._lease(chunk.bed), self._clock.now_ns()
        bed = self._beds[chunk.bed] = Bed(chunk, place, self._begin(chunk), alarms, lease, now_ns)
        alarms.resume(bed.context(self._clock.now_ns()))
        self._record(chunk, "taken", 0)
        return bed

    def _check(self, bed: Bed, chunk: Waveform) -> tuple[SequenceCheck, Continuity] | None:
        """Compare a chunk with the last one of its bed; count and return None if it is rejected or a duplicate."""
        if chunk.session == bed.former_session:
            bed.counters["rejected"] += 1
            self._warn(f"two publishers send bed {chunk.bed}: end one of them")
            return None
        try:
            sequence, place = check_sequence(bed.place, chunk)
        except MessageError as error:
            bed.counters["rejected"] += 1
            self._warn(str(error))
            return None
        if sequence.duplicate:
            bed.counters["duplicates"] += 1
            self._record(chunk, "duplicate", 0)
            return None
        return sequence, place

    def _restart_analysis(self, bed: Bed, chunk: Waveform) -> None:
        """End all conditions and restart the analysis with ``chunk``, which does not continue the last one."""
        if not bed.ended:
            self._finish(bed)
        bed.ended = False
        bed.state = self._begin(chunk)
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

    def _record(self, chunk: Waveform, verdict: str, lost_samples: int) -> None:
        """Write a line of the ledger."""
        self._write(chunk.bed, chunk.session, chunk.seq, chunk.start, chunk.n, verdict, lost_samples)

    def _warn(self, text: str) -> None:
        """Log a warning, at most one per second; the counters are complete."""
        now_ns = self._clock.now_ns()
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
            was_learning = bed.learning
            if found.forecasts:
                bed.learning = math.isnan(found.forecasts[-1].score)
            if bed.learning != was_learning or self._clock.now_ns() >= bed.next_status_ns:
                self._publish_status(bed, "learning" if bed.learning else "forecasting")

    def _publish(self, bed: Bed, found: Analysis) -> None:
        """Publish forecasts, beats and vital signs."""
        for forecast in found.forecasts:
            self._send(outputs.forecast_message(bed.chunk, forecast, self._clock.now_ns(), bed.lease))
        for beat in found.beats:
            self._send(outputs.beat_message(bed.chunk, beat, bed.lease))
        for vitals in found.vitals[-1:]:  # a chunk of several seconds completes several; only the latest is current
            self._send(outputs.vitals_message(bed.chunk, vitals, self._clock.now_ns(), bed.lease))

    def _change(self, bed: Bed, changes: Iterable[Change]) -> None:
        """Process begins and ends of conditions."""
        before = bed.alarms.raised
        bed.alarms.process(tuple(changes), bed.context(self._clock.now_ns()))
        bed.counters["alarms"] += bed.alarms.raised - before

    def _publish_status(self, bed: Bed, state: Literal["learning", "forecasting", "stopped"]) -> None:
        now_ns = self._clock.now_ns()
        bed.next_status_ns = now_ns + STATUS_EVERY_NS
        self._send(outputs.status_message(bed, self._instance, state, now_ns))
