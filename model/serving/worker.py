"""Waveforms in; forecasts, beats, vitals and alarms out: all beds of a broker, in one batched step per tick.

`stream.wire.continuity` places each chunk, `model.pipeline.analysis` analyses it, `model.alarms.state_machine` makes
alarms of the conditions; here they are joined and the result is published. Every sample is pushed once, or reported as
lost.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from model.alarms.alarm_manager import AlarmManager
from model.alarms.state import AlarmContext
from model.anomaly.state import DEFAULT_CONFIG
from model.conditions.changes import Began, Change, Ended
from model.pipeline import analysis
from model.pipeline.analysis import Analysis, BedState, Models
from stream.clock import Clock, rfc3339
from stream.errors import MessageError
from stream.replay.ledger import Write
from stream.timebase import FS
from stream.wire.alarm_messages import ActiveAlarms, Command
from stream.wire.continuity import Continuity, follow
from stream.wire.messages import Beat, BedStatus, Forecast, Message, Vitals, Waveform
from stream.wire.replay_actions import ReplayAction

log = logging.getLogger("bedside.worker")

STATUS_EVERY_NS = 2_000_000_000
MAX_BEDS = 64

NO_DATA_NS = 5_000_000_000
"""A bed that plays and sends nothing for so long, or for two and a half chunks, has a technical alarm."""


def fresh_counters() -> Counter[str]:
    """Return the counters of a session that begins."""
    return Counter(samples_forecast=0, gaps=0, lost_samples=0, duplicates=0, rejected=0, alarms=0, commands=0)


@dataclass
class Bed:
    """The worker's state of one bed.

    Attributes
    ----------
    chunk : Waveform
        The last one processed.
    place : Continuity
    state : BedState
    alarms : AlarmManager
    received_ns : int
        When the last chunk was received.
    counters : Counter
        Of this session.
    learning : bool
        True until the first score after a break.
    silent, over : bool
        Nothing has been received for too long; the publisher has reported that the record ended.
    former_session : str or None
        A chunk of it comes from a publisher that should have ended.
    next_status_ns : int
        When the status is due again.
    """

    chunk: Waveform
    place: Continuity
    state: BedState
    alarms: AlarmManager
    received_ns: int
    counters: Counter[str] = field(default_factory=fresh_counters)
    learning: bool = True
    silent: bool = False
    over: bool = False
    former_session: str | None = None
    next_status_ns: int = 0

    def context(self, now_ns: int) -> AlarmContext:
        """Return the context of alarms now."""
        chunk = self.chunk
        return AlarmContext(chunk.bed, chunk.session, chunk.record, chunk.end, now_ns)


class Worker:
    """Forecasts, beats, vitals and alarms of all beds; knows no socket.

    Parameters
    ----------
    models : Models
    send : callable
        Sends a message; never blocks.
    instance : str
        Names this process in the status of its beds.
    clock : Clock
    write : callable
        Line of the ledger: bed, session, seq, start, n, verdict, samples lost before it.
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
        self._restored: dict[str, AlarmManager] = {}
        self._publisher_status: dict[str, BedStatus] = {}
        self._next_warning_ns = 0

    @property
    def beds(self) -> tuple[str, ...]:
        """The beds of which something was received."""
        return tuple(sorted(self._beds))

    def restore_alarms(self, active: ActiveAlarms) -> None:
        """Restore the alarms that an earlier worker left retained; they go on when the bed sends again."""
        if active.bed not in self._beds:
            alarms = self._restored[active.bed] = AlarmManager(self._models.alarms, self._send)
            alarms.restore(active, self._clock.now_ns())

    def update_status(self, status: BedStatus) -> None:
        """Process the status that a publisher sends; when the record has ended, so have all alarms that last."""
        self._publisher_status[status.bed] = status
        if status.state != "ended":
            return
        bed = self._beds.get(status.bed)
        if bed is None:
            if status.bed in self._restored:
                self._restored[status.bed].finish(self._unseen_context(status.bed))
        elif status.session == bed.chunk.session and not bed.over:
            bed.over, bed.silent = True, False
            self._change(bed, analysis.finish(bed.state))
            bed.alarms.finish(bed.context(self._clock.now_ns()))

    def execute(self, command: Command) -> None:
        """Execute a command; one that cannot be executed is counted and logged."""
        if isinstance(command.action, ReplayAction):
            return  # for the publisher
        bed = self._beds.get(command.bed)
        try:
            if bed is not None:
                bed.alarms.execute(command, bed.context(self._clock.now_ns()))
                bed.counters["commands"] += 1
            elif command.bed in self._restored:
                self._restored[command.bed].execute(command, self._unseen_context(command.bed))
            else:
                self._warn(f"command for bed {command.bed}, which is unknown: ignored")
        except MessageError as error:
            if bed is not None:
                bed.counters["rejected"] += 1
            self._warn(str(error))

    def advance_time(self) -> None:
        """Advance time: find beds that send nothing, end pauses."""
        now_ns = self._clock.now_ns()
        for bed in self._beds.values():
            status = self._publisher_status.get(bed.chunk.bed)
            may_be_silent = bed.over or (status is not None and status.state == "paused")
            chunk_ns = 1e9 * bed.chunk.n / (bed.chunk.fs * bed.chunk.speed)
            silent_ns = now_ns - bed.received_ns
            if not bed.silent and not may_be_silent and silent_ns > max(NO_DATA_NS, 2.5 * chunk_ns):
                bed.silent = True
                end = bed.chunk.end
                self._change(bed, [Began("no_data", end, end, "bed_silent", silent_ns / 1e9)])
            bed.alarms.advance_time(bed.context(now_ns))
        for name, alarms in self._restored.items():
            alarms.advance_time(self._unseen_context(name))

    def tick(self, chunks: Sequence[Waveform]) -> None:
        """Process chunks in the order of their arrival; those of different beds step together."""
        waiting = list(chunks)
        while waiting:
            this_round: dict[str, Waveform] = {}
            rest = []
            for chunk in waiting:
                if chunk.bed in this_round:
                    rest.append(chunk)
                else:
                    this_round[chunk.bed] = chunk
            self._step([bed for chunk in this_round.values() if (bed := self._place(chunk)) is not None])
            waiting = rest

    def stop(self) -> None:
        """Report that no bed is served any more. The alarms stay in the lists: the next worker goes on with them."""
        for bed in self._beds.values():
            self._announce(bed, "stopped")

    # --- one chunk ----------------------------------------------------------------------------------------------

    def _place(self, chunk: Waveform) -> Bed | None:
        """Place a chunk after its bed's last one; None when there is nothing to process."""
        bed = self._beds.get(chunk.bed)
        if bed is None:
            if len(self._beds) >= MAX_BEDS:
                self._warn(f"bed {chunk.bed} is not served: there are {MAX_BEDS} beds already")
                return None
            _, place = follow(None, chunk)
            alarms = self._restored.pop(chunk.bed, None) or AlarmManager(self._models.alarms, self._send)
            bed = self._beds[chunk.bed] = Bed(chunk, place, self._begin(chunk), alarms, self._clock.now_ns())
            alarms.resume(bed.context(self._clock.now_ns()))
            self._note(chunk, "taken", 0)
            return bed
        if chunk.session == bed.former_session:
            bed.counters["rejected"] += 1
            self._warn(f"two publishers send bed {chunk.bed}: end one of them")
            return None
        try:
            arrival, place = follow(bed.place, chunk)
        except MessageError as error:
            bed.counters["rejected"] += 1
            self._warn(str(error))
            return None
        if arrival.duplicate:
            bed.counters["duplicates"] += 1
            self._note(chunk, "duplicate", 0)
            return None
        self._note(chunk, "gap" if arrival.lost_samples else "taken", arrival.lost_samples)
        bed.received_ns = self._clock.now_ns()
        if bed.silent:
            self._change(bed, [Ended("no_data", bed.chunk.end, chunk.start, chunk.start, "data_resumed")])
        if arrival.fresh:
            if not bed.over:
                self._change(bed, analysis.finish(bed.state))
            bed.over = False
            bed.state = self._begin(chunk)
            bed.learning = True
            bed.next_status_ns = 0
        if place.session != bed.place.session:
            bed.counters = fresh_counters()
            bed.former_session = bed.place.session
        if arrival.lost_samples:
            bed.counters["gaps"] += 1
            bed.counters["lost_samples"] += arrival.lost_samples
            self._warn(f"bed {chunk.bed}: gap of {arrival.lost_samples} samples before sample {chunk.start}")
        bed.chunk, bed.place = chunk, place
        if arrival.lost_samples and not bed.silent:
            self._report_gap(bed, arrival.lost_samples)
        bed.silent = False
        return bed

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

    def _warn(self, text: str) -> None:
        """Log once per second at most; everything is counted."""
        now_ns = self._clock.now_ns()
        if now_ns >= self._next_warning_ns:
            self._next_warning_ns = now_ns + 1_000_000_000
            log.warning("%s", text)

    def _unseen_context(self, bed: str) -> AlarmContext:
        """Return the context of a bed of which only alarms are known."""
        return AlarmContext(bed, "", "", 0, self._clock.now_ns())

    def _begin(self, chunk: Waveform) -> BedState:
        return analysis.begin(self._models, chunk.leads, chunk.start, chunk.epoch_start)

    def _note(self, chunk: Waveform, verdict: str, lost_samples: int) -> None:
        self._write(chunk.bed, chunk.session, chunk.seq, chunk.start, chunk.n, verdict, lost_samples)

    def _step(self, beds: Sequence[Bed]) -> None:
        if not beds:
            return
        results = analysis.step(
            self._models,
            [bed.state for bed in beds],
            [bed.chunk.mv() for bed in beds],
            [bed.alarms.limits for bed in beds],
        )
        for bed, (outputs, state) in zip(beds, results, strict=True):
            bed.state = state
            bed.counters["samples_forecast"] += bed.chunk.n
            self._publish(bed, outputs)
            self._change(bed, outputs.changes)
            was_learning = bed.learning
            if outputs.forecasts:
                bed.learning = math.isnan(outputs.forecasts[-1].score)
            if bed.learning != was_learning or self._clock.now_ns() >= bed.next_status_ns:
                self._announce(bed, "learning" if bed.learning else "forecasting")

    # --- output --------------------------------------------------------------------------------------------------

    def _publish(self, bed: Bed, outputs: Analysis) -> None:
        chunk = bed.chunk
        for made in outputs.forecasts:
            self._send(
                Forecast(
                    bed=chunk.bed,
                    session=chunk.session,
                    epoch=chunk.epoch,
                    seq=chunk.seq,
                    origin=made.origin,
                    leads=chunk.leads,
                    mean=made.mean.astype("<f4", copy=False).tobytes(),
                    scale=made.scale.astype("<f4", copy=False).tobytes(),
                    score=None if math.isnan(made.score) else made.score,
                    threshold=DEFAULT_CONFIG.threshold,
                    published_ns=self._clock.now_ns(),
                )
            )
        for beat in outputs.beats:
            self._send(
                Beat(
                    bed=chunk.bed,
                    session=chunk.session,
                    index=beat.index,
                    type=beat.type,
                    rr_ms=None if beat.rr is None else 1000 * beat.rr / FS,
                    quality=beat.quality,
                )
            )
        for vitals in outputs.vitals[-1:]:  # a chunk of some seconds completes several: only the latest is current
            when = rfc3339(self._clock.now_ns())
            self._send(Vitals(bed=chunk.bed, session=chunk.session, when=when, **asdict(vitals)))

    def _change(self, bed: Bed, changes: Iterable[Change]) -> None:
        """Process conditions that began or ended."""
        before = bed.alarms.raised
        bed.alarms.process(tuple(changes), bed.context(self._clock.now_ns()))
        bed.counters["alarms"] += bed.alarms.raised - before

    def _announce(self, bed: Bed, state: Literal["learning", "forecasting", "stopped"]) -> None:
        now_ns = self._clock.now_ns()
        bed.next_status_ns = now_ns + STATUS_EVERY_NS
        chunk = bed.chunk
        self._send(
            BedStatus(
                bed=chunk.bed,
                role="worker",
                instance=self._instance,
                state=state,
                when=rfc3339(now_ns),
                record=chunk.record,
                session=chunk.session,
                position=chunk.position + chunk.n,
                speed=chunk.speed,
                last_seq=bed.place.seq,
                synthetic=chunk.synthetic,
                counters=dict(bed.counters),
            )
        )
