"""Waveforms in, forecasts and alarms out: all beds of a broker, in one batched step per tick.

What a chunk means is decided by `stream.continuity`, what it says by `model.pipeline`; here the two are joined and
the result is published. Every sample moves the state of its bed once, or is named in a gap.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
import torch

from model import pipeline
from model.checkpoint import Checkpoint
from model.episodes import Event, to_alarm
from model.pipeline import BedOutput, BedState
from stream.address import BrokerAddress
from stream.client import Client, Received
from stream.clock import Clock, SteadyClock, rfc3339, unix_ns
from stream.continuity import Continuity, follow
from stream.errors import MessageError, UsageError
from stream.ledger import Write, ledger
from stream.messages import ActiveAlarms, Alarm, BedStatus, Forecast, Message, ProcessStatus, Waveform
from stream.topics import Kind, Role, pattern

log = logging.getLogger("bedside.worker")

STATUS_EVERY_NS = 2_000_000_000
ALIVE_NS = 10_000_000_000
"""A worker's status older than this is that of a process whose broker forgot to say that it died."""

BATCH = 7200
"""Samples taken per tick, about; the connection gets its turn between two ticks."""

MAX_BEDS = 64


def fresh_counters() -> Counter[str]:
    """Return the counters of a session that begins."""
    return Counter(samples_forecast=0, gaps=0, lost_samples=0, duplicates=0, rejected=0, alarms=0)


@dataclass
class Bed:
    """A bed as the worker knows it.

    Attributes
    ----------
    chunk : Waveform
        The last one processed.
    place : Continuity
    state : BedState
    active : dict of str to Alarm
        The alarms that last, by id; among them those found retained when the worker started.
    counters : Counter
        Of this session.
    learning : bool
        True until the first score after a break.
    former_session : str or None
        A chunk of it comes from a publisher that should have ended.
    next_status_ns : int
        When to say again how it stands.
    """

    chunk: Waveform
    place: Continuity
    state: BedState
    active: dict[str, Alarm] = field(default_factory=dict)
    counters: Counter[str] = field(default_factory=fresh_counters)
    learning: bool = True
    former_session: str | None = None
    next_status_ns: int = 0


class Worker:
    """Forecasts and alarms of all beds; knows no socket.

    Parameters
    ----------
    forecaster : Checkpoint
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
        self, forecaster: Checkpoint, *, send: Callable[[Message], None], instance: str, clock: Clock, write: Write
    ) -> None:
        self._forecaster = forecaster
        self._send = send
        self._instance = instance
        self._clock = clock
        self._write = write
        self._beds: dict[str, Bed] = {}
        self._left_over: dict[str, dict[str, Alarm]] = {}
        self._next_complaint_ns = 0

    @property
    def beds(self) -> tuple[str, ...]:
        """The beds that have sent something."""
        return tuple(sorted(self._beds))

    def take_over(self, active: ActiveAlarms) -> None:
        """Take up the alarms that an earlier worker left retained; they end when the bed sends again, or at `stop`."""
        if active.bed not in self._beds:
            self._left_over[active.bed] = {alarm.alarm_id: alarm for alarm in active.alarms}

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
        """End every alarm that lasts, and say that no bed is served any more."""
        for name in list(self._left_over):
            self._end_left_over(name)
        for bed in self._beds.values():
            self._publish_events(bed, pipeline.finish(bed.state))
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
            self._end_left_over(chunk.bed)
            bed = self._beds[chunk.bed] = Bed(chunk, place, self._begin(chunk))
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
        if arrival.fresh:
            self._publish_events(bed, pipeline.finish(bed.state))
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
        return bed

    def _complain(self, text: str) -> None:
        """Log once per second at most; everything is counted."""
        now_ns = self._clock.now_ns()
        if now_ns >= self._next_complaint_ns:
            self._next_complaint_ns = now_ns + 1_000_000_000
            log.warning("%s", text)

    def _begin(self, chunk: Waveform) -> BedState:
        return pipeline.begin(self._forecaster, len(chunk.leads), chunk.start, chunk.epoch_start)

    def _note(self, chunk: Waveform, verdict: str, lost_samples: int) -> None:
        self._write(chunk.bed, chunk.session, chunk.seq, chunk.start, chunk.n, verdict, lost_samples)

    def _step(self, beds: Sequence[Bed]) -> None:
        if not beds:
            return
        results = pipeline.step(self._forecaster, [bed.state for bed in beds], [bed.chunk.mv() for bed in beds])
        for bed, (output, state) in zip(beds, results, strict=True):
            bed.state = state
            bed.counters["samples_forecast"] += bed.chunk.n
            self._publish_forecasts(bed, output)
            self._publish_events(bed, output.events)
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
                    threshold=pipeline.RESIDUAL.threshold,
                    published_ns=self._clock.now_ns(),
                )
            )

    def _publish_events(self, bed: Bed, events: Sequence[Event]) -> None:
        for event in events:
            chunk = bed.chunk
            alarm = to_alarm(
                event,
                bed=chunk.bed,
                session=chunk.session,
                record=chunk.record,
                leads=chunk.leads,
                when_ns=self._clock.now_ns(),
            )
            if alarm.phase == "raised":
                bed.counters["alarms"] += 1
                bed.active[alarm.alarm_id] = alarm
            else:
                bed.active.pop(alarm.alarm_id, None)
            # The event first: whoever sees the list can have the events that made it.
            self._send(alarm)
            self._send(ActiveAlarms(bed=chunk.bed, alarms=tuple(bed.active.values())))

    def _end_left_over(self, name: str) -> None:
        """End the alarms that an earlier worker could not end: what they saw is not known any more."""
        left_over = self._left_over.pop(name, {})
        for alarm in left_over.values():
            self._send(
                msgspec.structs.replace(
                    alarm,
                    event_id=f"{alarm.alarm_id}-cleared",
                    phase="cleared",
                    when=rfc3339(self._clock.now_ns()),
                    text="Ended: the worker started anew",
                )
            )
        if left_over:
            self._send(ActiveAlarms(bed=name))

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


async def serve(address: BrokerAddress, forecaster: Checkpoint, *, ledger_path: Path | None) -> None:
    """Serve all beds of a broker until the task is cancelled.

    Raises
    ------
    UsageError
        Another worker serves this broker.
    BrokerError
        The broker cannot be reached.
    StorageError
        The ledger cannot be written.
    """
    # A step of a few beds is too small to share: more threads would cost, the more the busier the machine.
    torch.set_num_threads(1)
    wanted = [pattern(Kind.ECG), pattern(Kind.ALARMS_ACTIVE), pattern(Kind.PROCESS, role=Role.WORKER)]
    with ledger(ledger_path, *Worker.LEDGER) as write:
        async with Client(address, role=Role.WORKER, subscriptions=wanted) as client:
            clock = SteadyClock()
            worker = Worker(forecaster, send=client.send, instance=client.instance, clock=clock, write=write)
            early = await _first_look(client, worker, clock)
            log.info("worker is ready on %s", address)
            try:
                worker.tick(early)
                while True:
                    worker.tick(await _next_chunks(client))
                    client.beds = worker.beds
                    # A tick may find the next messages waiting: the connection must have its turn all the same.
                    await asyncio.sleep(0)
            finally:
                worker.stop()


async def _first_look(client: Client, worker: Worker, clock: Clock) -> list[Waveform]:
    """Read what is retained: the alarms left over, and whether another worker lives. Returns the chunks among it."""
    chunks = []
    async for received in client:
        message = received.message
        if isinstance(message, Waveform):
            chunks.append(message)
        elif isinstance(message, ActiveAlarms) and received.retained:
            worker.take_over(message)
        elif isinstance(message, ProcessStatus):
            if message.instance == client.instance:
                # Our own announcement comes back after all that was retained before it.
                break
            # The broker's order settles which of two came first: the later one sees the other's word before its own.
            if message.state == "online" and clock.now_ns() - unix_ns(message.when) < ALIVE_NS:
                raise UsageError(
                    f"a worker ({message.instance}) serves {client.address} already: end it, or use another broker"
                )
    return chunks


async def _next_chunks(client: Client) -> list[Waveform]:
    received: Received | None = await client.receive()
    chunks: list[Waveform] = []
    while received is not None:
        if isinstance(received.message, Waveform):
            chunks.append(received.message)
        received = client.receive_nowait() if sum(chunk.n for chunk in chunks) < BATCH else None
    return chunks
