"""What goes out of a bed: messages, conditions for its alarms, lines of the ledger; and warnings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Literal

from model.conditions.changes import Change
from model.pipeline.analysis import Analysis, StepAnalysis
from model.serving import output_messages
from model.serving.bed import Bed
from model.serving.forecast_output import ForecastOutput
from stream.clock import Clock, monotonic_ns
from stream.replay.ledger import Write, discard
from stream.wire.messages import Message, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.wave_message import Wave

log = logging.getLogger("bedside.worker")

LEDGER = ("bed", "session", "seq", "start", "n", "verdict", "lost_samples", "signal")
"""Columns of the ledger. ``verdict``: taken, gap, duplicate or refused; ``lost_samples`` were lost before the chunk;
``signal`` is ``ecg`` or another wave, whose chunks have rows of their own, or ``numerics``: a message of values,
without ``seq``; ``start`` is its sample, ``n`` the number of its values."""

STATUS_EVERY_NS = 2_000_000_000
"""Interval of the periodic status of a bed in ns."""

WARNING_EVERY_NS = 1_000_000_000
"""Shortest interval between two logged warnings in ns."""


class BedOutput:
    """The output of all beds.

    Parameters
    ----------
    send : callable
        Sends a message; never blocks.
    write : callable
        Writes a line of the ledger; its columns are `LEDGER`.
    instance : str
        Name of this process in the status of its beds.
    clock : Clock

    Attributes
    ----------
    forecasts : ForecastOutput
    """

    def __init__(self, send: Callable[[Message], None], write: Write, instance: str, clock: Clock) -> None:
        self.forecasts = ForecastOutput(send)
        self._send = send
        self._write = write
        self._instance = instance
        self._clock = clock
        self._next_warning_ns = 0

    def publish(self, beds: Sequence[Bed], found: StepAnalysis, now_ns: int) -> None:
        """Publish forecasts, beats and values of a step, and process the changes of conditions.

        Parameters
        ----------
        beds : sequence of Bed
            Those that stepped.
        found : StepAnalysis
        now_ns : int
            Unix time in ns.
        """
        if found.forecasts is not None:
            self.forecasts.put([beds[number] for number in found.beds], found.forecasts, now_ns)
        for number, beat in found.beats:
            self._send(output_messages.beat_message(beds[number], beat))
        # A chunk of several seconds completes several vital signs; only the latest are current.
        for number, vitals in dict(found.vitals).items():
            self._send(output_messages.vitals_message(beds[number], vitals, now_ns))
        for number, derived in dict(found.derived).items():
            # Of the many beds of a large ward without other waves, ST levels alone would be a message of each.
            if self.forecasts.in_full(beds[number].name) or any(value.lead is None for value in derived.values):
                self._send(output_messages.numerics_message(beds[number], derived, now_ns))
        for number, changes in groupby(found.changes, key=itemgetter(0)):
            self.change(beds[number], [change for _, change in changes])

    def publish_end(self, bed: Bed, found: Analysis) -> None:
        """Publish the beats that the end of an epoch completes, and process the ends of its conditions."""
        for beat in found.beats:
            self._send(output_messages.beat_message(bed, beat))
        self.change(bed, found.changes)

    def change(self, bed: Bed, changes: Iterable[Change]) -> None:
        """Process begins and ends of conditions: the alarms of the bed follow."""
        changes = tuple(changes)
        if not changes:
            return
        before = bed.alarms.raised
        bed.alarms.process(changes, bed.context(self._clock.now_ns()))
        bed.counters["alarms"] += bed.alarms.raised - before

    def publish_status(self, bed: Bed) -> None:
        """Publish that a bed is served."""
        self._publish_status(bed, "learning" if bed.learning else "forecasting")

    def publish_stopped(self, bed: Bed) -> None:
        """Publish that a bed is not served any more."""
        self._publish_status(bed, "stopped")

    def _publish_status(self, bed: Bed, state: Literal["learning", "forecasting", "stopped"]) -> None:
        bed.next_status_ns = monotonic_ns(self._clock) + STATUS_EVERY_NS
        self._send(output_messages.status_message(bed, self._instance, state, self._clock.now_ns()))

    def record_taken(self, beds: Iterable[Bed]) -> None:
        """Write the lines of the ledger of chunks that have been processed, the last ones of some beds."""
        if self._write is not discard:  # each line needs a chunk as a whole
            for bed in beds:
                self.record(bed.chunk, "gap" if bed.lost_samples else "taken", bed.lost_samples)

    def record(self, chunk: Waveform | Wave, verdict: str, lost_samples: int = 0, signal: str = "ecg") -> None:
        """Write a line of the ledger."""
        self._write(chunk.bed, chunk.session, chunk.seq, chunk.start, chunk.n, verdict, lost_samples, signal)

    def record_numerics(self, message: Numerics, verdict: str, lost_samples: int = 0) -> None:
        """Write the line of the ledger of a message of values."""
        n = len(message.values)
        self._write(message.bed, message.session, "", message.index, n, verdict, lost_samples, "numerics")

    def warn(self, text: str) -> None:
        """Log a warning, at most one per second; the counters are complete."""
        now_ns = monotonic_ns(self._clock)
        if now_ns >= self._next_warning_ns:
            self._next_warning_ns = now_ns + WARNING_EVERY_NS
            log.warning("%s", text)
