"""The chunks of ECG of all beds: which of them are taken, what they change, their analysis, and its results.

`WardBeds` recognizes the chunks that continue the last ones, and `stream.wire.ordering` decides which of the others are
taken, and in which order. One chunk of each bed is analysed in one batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt

from model.conditions.numeric_values import NumericSamples
from model.pipeline.analysis import StepAnalysis
from model.pipeline.beds import Beds
from model.serving import next_chunk
from model.serving.bed import Bed
from model.serving.bed_output import BedOutput
from model.serving.charted_beds import ChartedBeds
from model.serving.checkpoint_writer import CheckpointWriter
from model.serving.hours_ahead import HoursAhead
from model.serving.numerics_buffer import NumericsBuffer
from model.serving.served_beds import ServedBeds
from model.serving.ward_beds import WardBeds
from model.serving.wave_buffer import WaveBuffer
from model.signal.wave_samples import WaveSamples
from stream.clock import Clock, monotonic_ns
from stream.timebase import FS
from stream.wire import ordering
from stream.wire.bed_stream import Arrival, Taken
from stream.wire.both_ways import WardChunks
from stream.wire.messages import Waveform
from stream.wire.millivolts import millivolts

Samples = npt.NDArray[np.float64]


class Ticks:
    """Processes the chunks of all beds.

    Parameters
    ----------
    analysis : Beds
    beds : ServedBeds
    waves : WaveBuffer
    numerics : NumericsBuffer
    charted : ChartedBeds
    output : BedOutput
    hours : HoursAhead
    checkpoints : CheckpointWriter
    clock : Clock
    refuse_bed : callable
        Called with a bed that has sent a chunk and that is not served, because there are too many.
    shards : int
        Processes among which the beds of the ward are shared.
    """

    def __init__(
        self,
        analysis: Beds,
        beds: ServedBeds,
        waves: WaveBuffer,
        numerics: NumericsBuffer,
        charted: ChartedBeds,
        output: BedOutput,
        hours: HoursAhead,
        checkpoints: CheckpointWriter,
        clock: Clock,
        *,
        refuse_bed: Callable[[str], None],
        shards: int,
    ) -> None:
        self._analysis = analysis
        self._beds = beds
        self._waves = waves
        self._numerics = numerics
        self._charted = charted
        self._output = output
        self._hours = hours
        self._checkpoints = checkpoints
        self._clock = clock
        self._refuse_bed = refuse_bed
        self._shards = shards
        self._wards = WardBeds()

    def tick(self, chunks: Iterable[Waveform], wards: Iterable[WardChunks] = ()) -> None:
        """Process chunks in order; in each round, one chunk of each bed is analysed in one batch.

        Parameters
        ----------
        chunks : iterable of Waveform
        wards : iterable of WardChunks
            Chunks of further beds, in messages of different shards.
        """
        received: dict[str, deque[Waveform | Taken]] = {}
        for chunk in chunks:
            received.setdefault(chunk.bed, deque()).append(chunk)
        now_ns = monotonic_ns(self._clock)
        beds: list[Bed] = []
        samples: list[Samples] = []
        others = []
        for ward in wards:
            taken, own, rest = self._wards.take(ward, now_ns)
            beds += taken
            samples += own
            if rest:
                decided = list(ward.message.chunks_at(rest))
                received.update((chunk.bed, deque([chunk])) for chunk in decided)
                others.append((ward.message, list(zip(rest, decided, strict=True))))
        self._continue(beds, samples, now_ns)
        self.run(received, beds, samples)
        for message, rows in others:
            self._wards.join(message, rows, [self._beds.get(chunk.bed) for _, chunk in rows], now_ns)

    def _continue(self, beds: Sequence[Bed], samples: Sequence[Samples], now_ns: int) -> None:
        """Note the next chunks of beds in the runs of their shards; monotonic time."""
        for seconds, own in groupby(zip(beds, samples, strict=True), key=lambda item: len(item[1]) / FS):
            self._beds.renew([bed for bed, _ in own], now_ns, seconds)
        for bed in beds:
            bed.received_ns, bed.lost_samples = now_ns, 0

    def run(
        self,
        received: Mapping[str, deque[Waveform | Taken]],
        beds: Iterable[Bed] = (),
        samples: Iterable[Samples] = (),
    ) -> None:
        """Process what has been received; the first round has further beds, whose chunks are taken already."""
        further, own = list(beds), list(samples)
        while further or any(received.values()):
            next_beds = [bed for waiting in received.values() if (bed := self._next(waiting)) is not None]
            own += millivolts([bed.chunk for bed in next_beds])
            self._step(further + next_beds, own)
            further, own = [], []

    def _next(self, waiting: deque[Waveform | Taken]) -> Bed | None:
        """Accept the next chunk of a bed that is taken; return None if there is none."""
        while waiting:
            item = waiting.popleft()
            if isinstance(item, Waveform):
                waiting.extendleft(reversed(self._receive(item)))
            else:
                bed = self._beds[item.chunk.bed]
                self._beds.admit(item.chunk.bed, signal_s=item.chunk.n / FS)
                next_chunk.accept(self._analysis, bed, item, self._output, self._clock)
                return bed
        return None

    def _receive(self, chunk: Waveform) -> tuple[Taken, ...]:
        """Return the chunks that are taken now that this one has been received; count the others."""
        bed = self._beds.get(chunk.bed)
        if bed is None:
            return self._receive_first(chunk)
        arrival, bed.stream = ordering.receive(bed.stream, chunk, monotonic_ns(self._clock))
        if arrival.duplicate:
            bed.counters["duplicates"] += 1
            self._output.record(chunk, "duplicate")
        self.refuse(bed, arrival)
        return arrival.taken

    def _receive_first(self, chunk: Waveform) -> tuple[Taken, ...]:
        """Begin to serve the bed of its first chunk, unless there are too many beds."""
        if not self._beds.admit(chunk.bed):
            self._refuse_bed(chunk.bed)
            self._output.warn(f"bed {chunk.bed} is not served: there are {self._beds.limit} beds already")
            return ()
        if chunk.bed in self._charted:
            alarms = self._charted.give_up(chunk.bed)
            if alarms is None:
                self._output.warn(f"bed {chunk.bed} has values without ECG: ECG of another publisher is refused")
                return ()
            self._beds.take_alarms(chunk.bed, alarms.saved)
        if self._beds.serve_waiting(chunk.bed):
            return self._receive(chunk)
        arrival, stream = ordering.receive(None, chunk, monotonic_ns(self._clock))
        bed = self._beds.serve_new(chunk, stream, next_chunk.begin(self._analysis, chunk))
        bed.alarms.resume(bed.context(self._clock.now_ns()))
        return arrival.taken

    def refuse(self, bed: Bed, arrival: Arrival) -> None:
        """Count and record the chunks that are not processed."""
        for chunk in arrival.refused:
            bed.counters["rejected"] += 1
            self._output.record(chunk, "refused")
            why = "does not continue the last one" if chunk.session == bed.session else "has another publisher"
            self._output.warn(f"bed {chunk.bed}: chunk {chunk.seq} of session {chunk.session[:8]} {why}: refused")

    def _step(self, beds: Sequence[Bed], samples: Sequence[Samples]) -> None:
        """Analyse the last chunks of some beds, given in mV, and publish the results."""
        if not beds:
            return
        output, now_ns = self._output, self._clock.now_ns()
        numerics = [self._take_numerics(bed) for bed in beds] if self._numerics else None
        output.forecasts.beds = len(self._beds) * self._shards
        results = self._analysis.advance(
            [bed.slot for bed in beds],
            samples,
            [bed.alarms.limits for bed in beds],
            [self._take_waves(bed) for bed in beds] if self._waves else None,
            numerics,
        )
        for bed, own in zip(beds, samples, strict=True):
            bed.counters["samples_forecast"] += len(own)
        for found in results:
            output.publish(beds, found, now_ns)
        output.record_taken(beds)
        self._checkpoints.save_progress(beds, now_ns)
        for bed, values in zip(beds, numerics or (), strict=False):
            self._hours.push(bed, values, now_ns)
        self._publish_statuses(beds, results, monotonic_ns(self._clock))
        output.forecasts.flush(monotonic_ns(self._clock) / 1e9)

    def _take_waves(self, bed: Bed) -> tuple[WaveSamples, ...]:
        """Return the other waves of the last chunk of a bed; count and record what is lost and refused."""
        if bed.name not in self._waves:
            return ()
        taken, verdicts = self._waves.take(bed.chunk)
        for wave, verdict, lost_samples in verdicts:
            bed.counters["wave_samples_lost"] += lost_samples
            bed.counters["waves_refused"] += verdict in ("duplicate", "refused")
            self._output.record(wave, verdict, lost_samples, wave.signal)
        return taken

    def _take_numerics(self, bed: Bed) -> tuple[NumericSamples, ...]:
        """Return the values for the last chunk of a bed; record them, and count those that are dropped."""
        if bed.name not in self._numerics:
            return ()
        taken, dropped = self._numerics.take(bed.chunk)
        bed.counters["numerics_dropped"] += len(dropped)
        for verdict, messages in (("taken", taken), ("refused", dropped)):
            for message in messages:
                self._output.record_numerics(message, verdict)
        return tuple(NumericSamples(message.index, message.values) for message in taken)

    def _publish_statuses(self, beds: Sequence[Bed], results: Iterable[StepAnalysis], now_ns: int) -> None:
        """Publish the status of beds that are learned now, or not any more, and those that are due."""
        changed = set()
        for found in results:
            if found.forecasts is None:
                continue
            learning = np.isnan(found.forecasts.score[:, -1]).tolist()
            for number, is_learning in zip(found.beds, learning, strict=True):
                if beds[number].learning != is_learning:
                    beds[number].learning = is_learning
                    changed.add(number)
        for number, bed in enumerate(beds):
            if now_ns >= bed.next_status_ns or number in changed:
                self._output.publish_status(bed)
