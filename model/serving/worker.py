"""Waveforms in; forecasts, beats, vitals and alarms out: all beds of a broker, in one batched step per tick.

What a chunk means is decided by `stream.wire.continuity`, what it says by `model.pipeline.bed_pipeline`, what becomes
of an alarm by `model.alarms.state_machine`; here they are joined and the result is published. Every sample moves the
state of its bed once, or is named in a gap.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from model.alarms.alarm_manager import AlarmDesk
from model.alarms.state_machine import Scene
from model.conditions.changes import Began, Change, Ended
from model.pipeline import bed_pipeline, forecast_pipeline
from model.pipeline.arrhythmia_pipeline import Findings
from model.pipeline.bed_pipeline import Models, WatchState
from model.pipeline.forecast_pipeline import BedOutput
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
    """A bed as the worker knows it.

    Attributes
    ----------
    chunk : Waveform
        The last one processed.
    place : Continuity
    state : WatchState
    desk : AlarmDesk
    heard_ns : int
        When the last chunk came.
    counters : Counter
        Of this session.
    learning : bool
        True until the first score after a break.
    silent, over : bool
        Nothing has come for too long; the publisher has said that the record ended.
    former_session : str or None
        A chunk of it comes from a publisher that should have ended.
    next_status_ns : int
        When to say again how it stands.
    """

    chunk: Waveform
    place: Continuity
    state: WatchState
    desk: AlarmDesk
    heard_ns: int
    counters: Counter[str] = field(default_factory=fresh_counters)
    learning: bool = True
    silent: bool = False
    over: bool = False
    former_session: str | None = None
    next_status_ns: int = 0

    def scene(self, now_ns: int) -> Scene:
        """Return where the bed stands now."""
        chunk = self.chunk
        return Scene(chunk.bed, chunk.session, chunk.record, chunk.end, now_ns)


class Worker:
    """Forecasts, beats, vitals and alarms of all beds; knows no socket.

    Parameters
    ----------
    models : Models
    send : callable
        Takes a message and never blocks.
    instance : str
        Names this process in the status of its beds.
    clock : Clock
    write : callable
        Line of the ledger: bed, session, seq, start, n, what it was, samples lost before it.
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
        self._left_over: dict[str, AlarmDesk] = {}
        self._playing: dict[str, BedStatus] = {}
        self._next_complaint_ns = 0

    @property
    def beds(self) -> tuple[str, ...]:
        """The beds that have sent something."""
        return tuple(sorted(self._beds))

    def take_over(self, active: ActiveAlarms) -> None:
        """Take up what an earlier worker left retained; it goes on when the bed sends again, and obeys until then."""
        if active.bed not in self._beds:
            desk = self._left_over[active.bed] = AlarmDesk(self._models.alarms, self._send)
            desk.recall(active, self._clock.now_ns())

    def take_status(self, status: BedStatus) -> None:
        """Take what a publisher says of a bed; when its record has ended, so has everything that lasts."""
        self._playing[status.bed] = status
        if status.state != "ended":
            return
        bed = self._beds.get(status.bed)
        if bed is None:
            if status.bed in self._left_over:
                self._left_over[status.bed].finish(self._afar(status.bed))
        elif status.session == bed.chunk.session and not bed.over:
            bed.over, bed.silent = True, False
            self._change(bed, bed_pipeline.finish(bed.state))
            bed.desk.finish(bed.scene(self._clock.now_ns()))

    def obey(self, command: Command) -> None:
        """Carry out a command; one that cannot be is counted and logged."""
        if isinstance(command.action, ReplayAction):
            return  # for the publisher
        bed = self._beds.get(command.bed)
        try:
            if bed is not None:
                bed.desk.obey(command, bed.scene(self._clock.now_ns()))
                bed.counters["commands"] += 1
            elif command.bed in self._left_over:
                self._left_over[command.bed].obey(command, self._afar(command.bed))
            else:
                self._complain(f"command for bed {command.bed}, of which nothing is known: ignored")
        except MessageError as error:
            if bed is not None:
                bed.counters["rejected"] += 1
            self._complain(str(error))

    def look(self) -> None:
        """Let time pass: find beds that send nothing, end pauses."""
        now_ns = self._clock.now_ns()
        for bed in self._beds.values():
            status = self._playing.get(bed.chunk.bed)
            excused = bed.over or (status is not None and status.state == "paused")
            chunk_ns = 1e9 * bed.chunk.n / (bed.chunk.fs * bed.chunk.speed)
            silent_ns = now_ns - bed.heard_ns
            if not bed.silent and not excused and silent_ns > max(NO_DATA_NS, 2.5 * chunk_ns):
                bed.silent = True
                end = bed.chunk.end
                self._change(bed, [Began("no_data", end, end, "bed_silent", silent_ns / 1e9)])
            bed.desk.wait(bed.scene(now_ns))
        for name, desk in self._left_over.items():
            desk.wait(self._afar(name))

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
        """Say that no bed is served any more. Its alarms stay in the list: the next worker goes on with them."""
        for bed in self._beds.values():
            self._announce(bed, "stopped")

    # --- one chunk ----------------------------------------------------------------------------------------------

    def _place(self, chunk: Waveform) -> Bed | None:
        """Place a chunk after its bed's last one; None when there is nothing to process."""
        bed = self._beds.get(chunk.bed)
        if bed is None:
            if len(self._beds) >= MAX_BEDS:
                self._complain(f"bed {chunk.bed} is not served: there are {MAX_BEDS} beds already")
                return None
            _, place = follow(None, chunk)
            desk = self._left_over.pop(chunk.bed, None) or AlarmDesk(self._models.alarms, self._send)
            bed = self._beds[chunk.bed] = Bed(chunk, place, self._begin(chunk), desk, self._clock.now_ns())
            desk.resume(bed.scene(self._clock.now_ns()))
            self._note(chunk, "taken", 0)
            return bed
        if chunk.session == bed.former_session:
            bed.counters["rejected"] += 1
            self._complain(f"two publishers send bed {chunk.bed}: end one of them")
            return None
        try:
            arrival, place = follow(bed.place, chunk)
        except MessageError as error:
            bed.counters["rejected"] += 1
            self._complain(str(error))
            return None
        if arrival.duplicate:
            bed.counters["duplicates"] += 1
            self._note(chunk, "duplicate", 0)
            return None
        self._note(chunk, "gap" if arrival.lost_samples else "taken", arrival.lost_samples)
        bed.heard_ns = self._clock.now_ns()
        if bed.silent:
            self._change(bed, [Ended("no_data", bed.chunk.end, chunk.start, chunk.start, "data_resumed")])
        if arrival.fresh:
            if not bed.over:
                self._change(bed, bed_pipeline.finish(bed.state))
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
            self._complain(f"bed {chunk.bed}: gap of {arrival.lost_samples} samples before sample {chunk.start}")
        bed.chunk, bed.place = chunk, place
        if arrival.lost_samples and not bed.silent:
            self._name_gap(bed, arrival.lost_samples)
        bed.silent = False
        return bed

    def _name_gap(self, bed: Bed, lost_samples: int) -> None:
        """Raise and clear the technical alarm of samples that will not come any more."""
        start = bed.chunk.start
        onset, seconds = start - lost_samples, lost_samples / FS
        self._change(
            bed,
            [
                Began("no_data", onset, start - 1, "samples_lost", seconds),
                Ended("no_data", onset, start, start - 1, "samples_lost", seconds),
            ],
        )

    def _complain(self, text: str) -> None:
        """Log once per second at most; everything is counted."""
        now_ns = self._clock.now_ns()
        if now_ns >= self._next_complaint_ns:
            self._next_complaint_ns = now_ns + 1_000_000_000
            log.warning("%s", text)

    def _afar(self, bed: str) -> Scene:
        """Return the scene of a bed of which only its alarms are known."""
        return Scene(bed, "", "", 0, self._clock.now_ns())

    def _begin(self, chunk: Waveform) -> WatchState:
        return bed_pipeline.begin(self._models, chunk.leads, chunk.start, chunk.epoch_start)

    def _note(self, chunk: Waveform, verdict: str, lost_samples: int) -> None:
        self._write(chunk.bed, chunk.session, chunk.seq, chunk.start, chunk.n, verdict, lost_samples)

    def _step(self, beds: Sequence[Bed]) -> None:
        if not beds:
            return
        results = bed_pipeline.step(
            self._models,
            [bed.state for bed in beds],
            [bed.chunk.mv() for bed in beds],
            [bed.desk.limits for bed in beds],
        )
        for bed, (output, found, state) in zip(beds, results, strict=True):
            bed.state = state
            bed.counters["samples_forecast"] += bed.chunk.n
            self._publish_forecasts(bed, output)
            self._publish_findings(bed, found)
            self._change(bed, found.changes)
            known = output.published
            was_learning = bed.learning
            if known:
                bed.learning = math.isnan(known[-1].score)
            if bed.learning != was_learning or self._clock.now_ns() >= bed.next_status_ns:
                self._announce(bed, "learning" if bed.learning else "forecasting")

    # --- what goes out ------------------------------------------------------------------------------------------

    def _publish_forecasts(self, bed: Bed, output: BedOutput) -> None:
        for made in output.published:
            self._send(
                Forecast(
                    bed=bed.chunk.bed,
                    session=bed.chunk.session,
                    epoch=bed.chunk.epoch,
                    seq=bed.chunk.seq,
                    origin=made.origin,
                    leads=bed.chunk.leads,
                    mean=made.mean.astype("<f4", copy=False).tobytes(),
                    scale=made.scale.astype("<f4", copy=False).tobytes(),
                    score=None if math.isnan(made.score) else made.score,
                    threshold=forecast_pipeline.RESIDUAL.threshold,
                    published_ns=self._clock.now_ns(),
                )
            )

    def _publish_findings(self, bed: Bed, found: Findings) -> None:
        chunk = bed.chunk
        for beat in found.beats:
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
        for vitals in found.vitals[-1:]:  # a chunk of some seconds brings several: only the latest is of now
            self._send(
                Vitals(
                    bed=chunk.bed,
                    session=chunk.session,
                    index=vitals.index,
                    when=rfc3339(self._clock.now_ns()),
                    heart_rate=vitals.heart_rate,
                    rr_ms=vitals.rr_ms,
                    pvc_per_min=vitals.pvc_per_min,
                    rhythm=vitals.rhythm,
                    quality=vitals.quality,
                    score=vitals.score,
                    skill=vitals.skill,
                    inops=vitals.inops,
                )
            )

    def _change(self, bed: Bed, changes: Iterable[Change]) -> None:
        """Take conditions that began or ended."""
        before = bed.desk.raised
        bed.desk.take(tuple(changes), bed.scene(self._clock.now_ns()))
        bed.counters["alarms"] += bed.desk.raised - before

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
