"""Beds with equal numbers of leads and one precision: their columns, which all stages advance in place.

The number of slots doubles when they are full; the slots of beds that have left are used again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

import numpy as np

from model.anomaly import anomaly_detector, frequent_episodes
from model.anomaly.state import DEFAULT_CONFIG
from model.beats import beat_detector, repetition
from model.beats.beat import Beat, from_rows
from model.conditions.changes import Change
from model.forecast import forecaster
from model.forecast.inference import Precision
from model.pipeline import bed_state, stride_forecasts, vitals_output
from model.pipeline.analysis import Analysis, Models
from model.pipeline.bed_state import BedState, Notes
from model.pipeline.stride_forecasts import StrideForecasts
from model.rhythm import rhythm_detector, ventricular_fibrillation
from model.rhythm.rules import SignalStatus
from model.rhythm.ventricular_fibrillation import Fibrillation
from model.signal import blocks, fibrillation_waveform, intake, pulses, signal_quality, slots
from model.signal.arrays import FloatArray, IntArray
from model.signal.batch import Batch, Strides
from model.signal.blocks import BLOCK, STRIDES_PER_BLOCK, Blocks
from model.signal.pulse_detector import WaveSamples
from model.signal.signal_quality import QualityOutput
from stream.errors import StorageError
from stream.timebase import STRIDE
from stream.wire.alarm_messages import Limits


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """Where the state of a bed is kept.

    Attributes
    ----------
    group : BedGroup
    index : int
    """

    group: BedGroup
    index: int

    @property
    def leads(self) -> tuple[str, ...]:
        """The leads of the bed."""
        return self.group.leads(self.index)

    def state(self) -> BedState:
        """Return a copy of the state of the bed, with which another process can go on."""
        return self.group.state(self.index)

    def after_gap(self, start: int, epoch_start: int) -> None:
        """Go on with sample ``start`` after lost samples of the epoch; see `model.pipeline.bed_state.after_gap`."""
        self.group.set_state(self.index, bed_state.after_gap(self.group.models, self.state(), start, epoch_start))

    def finish(self) -> Analysis:
        """End the epoch: return the beats of its last, incomplete stride, and the ends of all conditions that hold.

        The state stays as it is.
        """
        return bed_state.finish(self.group.models, self.state())

    def release(self) -> None:
        """Give up the slot, which is not used any more."""
        self.group.release(self.index)


class BedGroup:
    """Beds with equal numbers of leads and one precision.

    Parameters
    ----------
    models : Models
    first : BedState
        A bed of the group, as an example.
    forecast : bool
        Without, there are no forecasts and no anomaly scores.

    Attributes
    ----------
    models : Models
    """

    def __init__(self, models: Models, first: BedState, *, forecast: bool) -> None:
        self.models = models
        self._forecast = forecast
        self._precision: Precision = first.precision
        self._layout = first.layout
        self._columns = first.columns
        self._arrays = slots.arrays(self._columns)
        self._leads: list[tuple[str, ...]] = [first.leads]
        self._notes: list[Notes] = [first.notes]
        self._free = [0]

    def leads(self, slot: int) -> tuple[str, ...]:
        """Return the leads of a bed."""
        return self._leads[slot]

    def put(self, state: BedState) -> Slot:
        """Put the state of a bed into a free slot.

        Raises
        ------
        StorageError
            The state is that of other models.
        """
        if state.layout != self._layout:
            raise StorageError("the saved state of a bed does not fit these models: delete it, and start the bed again")
        if not self._free:
            self._grow()
        slot = self._free.pop()
        self.set_state(slot, state)
        return Slot(self, slot)

    def set_state(self, slot: int, state: BedState) -> None:
        """Put the state of a bed, of the same layout, into its slot."""
        slots.put(self._arrays, slot, slots.read(state.layout, state.data))
        self._leads[slot], self._notes[slot] = state.leads, state.notes

    def state(self, slot: int) -> BedState:
        """Return a copy of the state of a bed."""
        data = slots.to_bytes(self._arrays, slot)
        return BedState(self._leads[slot], self._precision, self._layout, data, self._notes[slot])

    def release(self, slot: int) -> None:
        """Free the slot of a bed."""
        self._free.append(slot)

    def _grow(self) -> None:
        size = len(self._leads)
        self._columns = slots.grown(self._columns, 2 * size)
        self._arrays = slots.arrays(self._columns)
        self._leads += [()] * size
        self._notes += self._notes[:1] * size
        self._free = list(range(2 * size - 1, size - 1, -1))

    def step(
        self,
        own: IntArray,
        chunks: Sequence[FloatArray],
        limits: Sequence[Limits],
        waves: Sequence[Sequence[WaveSamples]],
    ) -> list[Analysis]:
        """Push one chunk of each of some beds, given as their slots; see `model.pipeline.beds.Beds.step`."""
        results = [Analysis()] * len(chunks)
        batches = intake.advance(self._columns.intake, own, chunks)
        for slot, bed_waves in zip(own.tolist(), waves, strict=True):
            if bed_waves:
                notes = self._notes[slot]
                self._notes[slot] = replace(notes, pulses=pulses.push(notes.pulses, bed_waves))
        for beds, batch in batches:
            if batch.strides:
                found = self._advance(batch, [limits[bed] for bed in beds.tolist()])
                for bed, analysis in zip(beds.tolist(), found, strict=True):
                    results[bed] = analysis
        return results

    def _advance(self, batch: Batch, limits: Sequence[Limits]) -> list[Analysis]:
        """Push strides to all stages, and collect the results of each bed."""
        columns, own = self._columns, batch.slots
        forecasts, anomalies = self._predict(batch)
        rows = beat_detector.advance(self.models.beat_classifier, columns.beats, batch)
        repeated = repetition.advance(columns.repetition, batch, rows)
        beats, trusted = from_rows(rows), from_rows(repetition.trusted(rows, repeated))
        whole = blocks.advance(columns.blocks, batch)
        waveform = fibrillation_waveform.advance(columns.waveform, whole, own)
        fibrillation = ventricular_fibrillation.advance(columns.fibrillation, own, whole, waveform, rows)
        results = []
        for bed, slot in enumerate(own.tolist()):
            count, start = int(whole.count[bed]), int(whole.start[bed])
            own_blocks = Blocks(start, whole.mv[bed, :count], whole.invalid[bed, :count], whole.offset[bed])
            mean, ecg_seen = repeated.mean[bed], repeated.ecg_seen[bed]
            decided = [
                Fibrillation(start + (block + 1) * BLOCK - 1, None if since < 0 else since, suspected)
                for block, (since, suspected) in enumerate(
                    zip(fibrillation.since[bed, :count].tolist(), fibrillation.suspected[bed, :count].tolist())
                )
            ]
            results.append(
                self._analyze(
                    slot,
                    limits[bed],
                    _strides(batch, bed),
                    forecasts[bed],
                    anomalies[bed],
                    beats[bed],
                    own_blocks,
                    decided,
                    mean,
                    ecg_seen,
                    trusted[bed],
                )
            )
        return results

    def _predict(self, batch: Batch) -> tuple[list[StrideForecasts], list[tuple[Change, ...]]]:
        """Push strides to the forecaster and the anomaly detector."""
        beds = range(len(batch.slots))
        if not self._forecast:
            return [stride_forecasts.NONE for _ in beds], [() for _ in beds]
        made = forecaster.advance(self.models.forecaster, self._columns.forecaster, batch, self._precision)
        forecasts, anomalies = [], []
        per_stride = STRIDE // self.models.forecaster.config.patch
        rows, last = slice(per_stride - 1, None, per_stride), slice(STRIDE - 1, None, STRIDE)
        observed = np.where(batch.invalid[:, last, 0], np.nan, batch.mv[:, last, 0])
        origin, mean, scale = batch.last_samples, made.mean[:, rows].copy(), made.scale[:, rows].copy()
        notes = [one.anomaly for one in self._notes]
        score, changes = anomaly_detector.advance(
            DEFAULT_CONFIG, self._columns.anomaly, notes, batch.slots, made.mean, made.scale, made.observed
        )
        highest = np.fmax.reduce(score.reshape(*origin.shape, per_stride), axis=2)
        for bed in beds:
            slot = int(batch.slots[bed])
            forecasts.append(StrideForecasts(origin[bed], observed[bed], mean[bed], scale[bed], highest[bed]))
            anomalies.append(tuple(change for number, change in changes if number == bed))
            self._notes[slot] = replace(self._notes[slot], anomaly=notes[slot])
        return forecasts, anomalies

    def _analyze(
        self,
        slot: int,
        limits: Limits,
        strides: Strides,
        forecasts: StrideForecasts,
        anomalies: Sequence[Change],
        beats: Sequence[Beat],
        whole: Blocks,
        fibrillation: Sequence[Fibrillation],
        mean: FloatArray,
        ecg_seen: FloatArray,
        trusted: Sequence[Beat],
    ) -> Analysis:
        """Push the strides of one bed to the stages of signal, beats and rhythm, and collect all results."""
        models, state = self.models, self._notes[slot]
        frequent, frequent_state = frequent_episodes.step(
            models.alarms, state.frequent, anomalies, beats, strides.last_samples
        )
        at_blocks = [(window.at - strides.start) // STRIDE for window in fibrillation]
        # Fibrillation does not repeat either, and is no noise.
        organised = [window.since is None and not window.suspected for window in fibrillation]
        beats_repeat = np.where(organised, mean[at_blocks], np.nan)
        quality, quality_state = signal_quality.step(state.quality, whole, beats_repeat)

        known = [state.signal, *_signal_statuses(quality, fibrillation, ecg_seen[at_blocks].tolist())]
        ends = strides.last_samples
        pulse, pulses_state = pulses.step(state.pulses, ends)
        signal = [replace(_latest(known, at), at=at, pulse=now) for at, now in zip(ends, pulse, strict=True)]
        changes, vitals, rhythm_state = rhythm_detector.step(models.alarms, limits, state.rhythm, trusted, signal)
        vitals, second = vitals_output.step(state.second, vitals, forecasts, quality.changes)
        self._notes[slot] = replace(
            state,
            frequent=frequent_state,
            quality=quality_state,
            rhythm=rhythm_state,
            second=second,
            signal=known[-1],
            pulses=pulses_state,
        )
        graded = tuple(replace(beat, quality=_latest(known, beat.at).quality) for beat in beats)
        ordered = sorted([*anomalies, *frequent, *quality.changes, *changes], key=lambda change: change.at)
        return Analysis(forecasts, graded, vitals, tuple(ordered))


def _strides(batch: Batch, bed: int) -> Strides:
    return Strides(int(batch.start[bed]), batch.mv[bed], batch.invalid[bed])


def _signal_statuses(
    quality: QualityOutput, fibrillation: Sequence[Fibrillation], ecg_seen: Sequence[bool]
) -> list[SignalStatus]:
    """Return the status of the signal at the end of each block."""
    ends = slice(STRIDES_PER_BLOCK - 1, None, STRIDES_PER_BLOCK)
    index = quality.bed[ends].tolist()
    usable = np.any(quality.usable[ends], axis=1).tolist()
    measurable = np.any(quality.measurable[ends], axis=1).tolist()
    return [
        SignalStatus(now.at, best, good, now.since, now.suspected, wave, seen)
        for now, best, good, wave, seen in zip(fibrillation, index, usable, measurable, ecg_seen, strict=True)
    ]


def _latest(known: Sequence[SignalStatus], at: int) -> SignalStatus:
    """Return the last status of the signal that was known at sample ``at``."""
    return known[max(bisect_right(known, at, key=attrgetter("at")) - 1, 0)]
