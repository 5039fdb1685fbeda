"""Beds with equal numbers of leads and one precision: their columns, which all stages advance in place.

The number of slots doubles when they are full; the slots of beds that have left are used again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, TypeVar

import numpy as np

from model.anomaly import anomaly_detector, frequent_episodes
from model.anomaly.state import DEFAULT_CONFIG
from model.beats import beat_detector, repetition
from model.beats.beat import Beat, from_rows
from model.beats.beat_window import BEFORE, WindowRows
from model.conditions import numeric_conditions
from model.conditions.changes import Change, Ended
from model.conditions.numeric_conditions import Second
from model.conditions.numeric_values import NumericSamples
from model.forecast import forecaster, personal_forecast
from model.forecast.inference import Precision
from model.forecast.skill import NEXT_STRIDE_END
from model.physiology import derived_values, st_level
from model.physiology.derived_values import DerivedValues, WavesState
from model.pipeline import bed_state, vitals_output
from model.pipeline.analysis import Analysis, Models, StepAnalysis
from model.pipeline.bed_state import BedState, Notes
from model.pipeline.stride_forecasts import GroupForecasts
from model.pipeline.vitals_output import StrideRows
from model.rhythm import rhythm_detector, rules, signal_status, ventricular_fibrillation
from model.rhythm.rhythm_detector import BedLimits
from model.rhythm.signal_status import BlockStatus
from model.rhythm.vitals import VitalSigns, vital_signs
from model.signal import blocks, fibrillation_waveform, intake, mains, pulse_detector, pulses, signal_quality, slots
from model.signal.arrays import FloatArray, IntArray
from model.signal.batch import Batch
from model.signal.columns import put
from model.signal.pulses import PulseRows
from model.signal.wave_samples import WaveSamples
from stream.errors import StorageError
from stream.timebase import STRIDE
from stream.wire.alarm_messages import Limits
from stream.wire.numerics_message import Numeric

Rows = TypeVar("Rows", bound=tuple[Any, ...])


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
        self._bytes = slots.SlotBytes(self._columns)
        self._leads = [first.leads]
        self._anomaly = [first.notes.anomaly]
        self._frequent = [first.notes.frequent]
        self._technical = [first.notes.technical]
        self._numerics = [first.notes.numerics]
        self._st = [first.notes.st]
        self._pulses = pulse_detector.begin(1)
        self._waves: dict[int, WavesState] = {}
        self._limits: list[Limits | None] = [None]
        self._bed_limits = rhythm_detector.bed_limits(models.alarms, [models.alarms.limits])
        self._rules = rules.rule_settings(models.alarms)
        self._free = [0]

    # --- slots ----------------------------------------------------------------------------------------------------

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
        self._bytes[slot] = state.data
        notes = state.notes
        self._leads[slot], self._anomaly[slot], self._frequent[slot] = state.leads, notes.anomaly, notes.frequent
        self._technical[slot], self._numerics[slot], self._st[slot] = notes.technical, notes.numerics, notes.st
        self._pulses[slot] = pulse_detector.from_bytes(notes.pulses)
        self._waves.pop(slot, None)
        if notes.waves is not None:
            self._waves[slot] = notes.waves

    def state(self, slot: int) -> BedState:
        """Return a copy of the state of a bed."""
        pulse = pulse_detector.to_bytes(self._pulses[slot])
        numerics, waves = self._numerics[slot], self._waves.get(slot)
        notes = Notes(
            self._anomaly[slot], self._frequent[slot], self._technical[slot], pulse, numerics, self._st[slot], waves
        )
        return BedState(self._leads[slot], self._precision, self._layout, self._bytes[slot], notes)

    def release(self, slot: int) -> None:
        """Free the slot of a bed."""
        self._waves.pop(slot, None)
        self._free.append(slot)

    def _grow(self) -> None:
        size = len(self._leads)
        self._columns = slots.grown(self._columns, 2 * size)
        self._bed_limits = slots.grown(self._bed_limits, 2 * size)
        self._bytes = slots.SlotBytes(self._columns)
        self._pulses = np.concatenate([self._pulses, pulse_detector.begin(size)])
        self._leads += self._leads[:1] * size
        self._anomaly += self._anomaly[:1] * size
        self._frequent += self._frequent[:1] * size
        self._technical += self._technical[:1] * size
        self._numerics += self._numerics[:1] * size
        self._st += self._st[:1] * size
        self._limits += [None] * size
        self._free = list(range(2 * size - 1, size - 1, -1))

    # --- analysis -------------------------------------------------------------------------------------------------

    def step(
        self,
        own: IntArray,
        chunks: Sequence[FloatArray],
        limits: Sequence[Limits],
        waves: Sequence[Sequence[WaveSamples]],
        numerics: Sequence[Sequence[NumericSamples]],
    ) -> list[StepAnalysis]:
        """Push one chunk of each of some beds, given as their slots; see `model.pipeline.beds.Beds.advance`."""
        results = []
        batches = intake.advance(self._columns.intake, own, chunks)
        for slot, bed_limits, received in zip(own.tolist(), limits, numerics, strict=True):
            if bed_limits is not self._limits[slot]:
                self._set_limits(slot, bed_limits)
            if received:
                self._numerics[slot] = numeric_conditions.receive(self._numerics[slot], received)
        if any(waves):
            self._receive(own.tolist(), waves)
        for beds, batch in batches:
            numbers = beds.tolist()
            pulse = pulses.advance(self._pulses, batch.slots, batch.last_samples, [waves[bed] for bed in numbers])
            if batch.strides:
                results.append(self._advance(numbers, batch, pulse))
        return results

    def _receive(self, own: list[int], waves: Sequence[Sequence[WaveSamples]]) -> None:
        for slot, samples in zip(own, waves, strict=True):
            state = derived_values.receive(self._waves.get(slot), samples) if samples else None
            if state is not None:
                self._waves[slot] = state

    def _set_limits(self, slot: int, limits: Limits) -> None:
        self._limits[slot] = limits
        row = rhythm_detector.bed_limits(self.models.alarms, [limits])
        for column, value in zip(self._bed_limits, row, strict=True):
            column[slot] = value[0]

    def _advance(self, numbers: list[int], batch: Batch, pulse: PulseRows) -> StepAnalysis:
        """Push strides to all stages but that of the pulse, and collect the results of the beds ``numbers``."""
        columns, own, ends, alarms = self._columns, batch.slots, batch.last_samples, self.models.alarms
        ecg = mains.advance(columns.mains, batch)
        beats, weak, windows = beat_detector.advance(self.models.beat_classifier, columns.beats, ecg)
        repeated = repetition.advance(columns.repetition, ecg, beats, weak)
        whole = blocks.advance(columns.blocks, ecg)
        waveform = fibrillation_waveform.advance(columns.waveform, whole, own)
        fibrillation = ventricular_fibrillation.advance(columns.fibrillation, own, whole, waveform, beats)
        mean = signal_status.repetition_at_blocks(batch, whole, fibrillation, repeated.mean)
        leads = [self._leads[slot] for slot in own.tolist()]
        quality, technical = signal_quality.advance(columns.quality, own, leads, whole, mean)
        restarts = signal_quality.leads_back(whole, quality)
        forecasts, strides, anomalies = self._predict(batch, restarts)
        frequent = frequent_episodes.advance(alarms, self._frequent, own, ends, beats, anomalies, restarts)
        status = BlockStatus(quality, fibrillation, repeated.ecg_seen, repeated.missed)
        signal, graded = signal_status.advance(columns.signal, batch, whole, status, pulse, beats)
        trusted = repetition.trusted(beats, repeated)
        low, high, disabled = self._bed_limits
        limits = BedLimits(low[own], high[own], disabled[own])
        changes, rows = rhythm_detector.advance(self._rules, columns.rhythm, limits, own, trusted, signal)
        bed, index = rows[:2]
        completed = vitals_output.advance(columns.second, own, strides, bed, index)
        holding = vitals_output.technical_conditions(self._technical, own, technical, bed, index)
        vitals = vitals_output.complete(vital_signs(rows), completed, holding)
        of_beds = from_rows(beats, graded)
        from_waves = self._derive(own.tolist(), of_beds, bed, index) if self._waves else []
        measured = {(number, second.index): second.values for number, second in from_waves}
        derived = self._with_levels(own.tolist(), of_beds, windows, bed, index, measured)
        found = chain(anomalies, frequent, technical, changes, self._push_seconds(own, bed, vitals, measured))
        return StepAnalysis(
            numbers,
            forecasts,
            [(numbers[bed], beat) for bed, own in enumerate(of_beds) for beat in own],
            [(numbers[bed], second) for bed, second in zip(bed.tolist(), vitals, strict=True)],
            [(numbers[bed], second) for bed, second in derived],
            [(numbers[bed], change) for bed, change in sorted(found, key=_by_bed_and_time)],
        )

    def _push_seconds(
        self,
        own: IntArray,
        bed: IntArray,
        vitals: Sequence[VitalSigns],
        measured: Mapping[tuple[int, int], tuple[Numeric, ...]],
    ) -> Iterator[tuple[int, Change]]:
        """Push the seconds of beds with values to their conditions; yield the changes, bed by bed.

        ``measured`` has what was measured from the waves, by bed and last sample of the second.
        """
        slots_of = own.tolist()
        for number, second in zip(bed.tolist(), vitals, strict=True):
            slot, values = slots_of[number], measured.get((number, second.index), ())
            state = self._numerics[slot]
            if state.idle and not values:
                continue
            now = Second(second.index, second.heart_rate, second.rhythm, values)
            limits = self._limits[slot] or self.models.alarms.limits
            found, self._numerics[slot] = numeric_conditions.step(self.models.alarms, limits, state, [now])
            yield from ((number, change) for change in found)

    def _derive(
        self, own: list[int], beats: Sequence[Sequence[Beat]], bed: IntArray, index: IntArray
    ) -> list[tuple[int, DerivedValues]]:
        """Return the values derived from the waves at the ends of the seconds ``index`` of the beds ``bed``."""
        derived = []
        for number, slot in enumerate(own):
            if slot in self._waves:
                new = [(beat.index, beat.at) for beat in beats[number]]
                ends = index[bed == number].tolist()
                if new or ends:
                    values, self._waves[slot] = derived_values.advance(self._waves[slot], new, ends)
                    derived += [(number, second) for second in values]
        return derived

    def _with_levels(
        self,
        own: list[int],
        beats: Sequence[Sequence[Beat]],
        windows: WindowRows,
        bed: IntArray,
        index: IntArray,
        measured: Mapping[tuple[int, int], tuple[Numeric, ...]],
    ) -> list[tuple[int, DerivedValues]]:
        """Return the values from the waves with the ST levels of the seconds ``index`` of the beds ``bed``.

        A bed without waves has those of the seconds alone in which they were measured.
        """
        if len(windows.at):
            levels = st_level.levels_of(windows.samples, windows.invalid, BEFORE, windows.rr)
            for number, (first, stop) in enumerate(pairwise(windows.first.tolist())):
                if first < stop:
                    normal = [beat.type == "N" and beat.quality >= st_level.MIN_QUALITY for beat in beats[number]]
                    at, slot = windows.at[first:stop], own[number]
                    self._st[slot] = st_level.receive(self._st[slot], at, np.array(normal), levels[first:stop])
        seconds = []
        for number, end in zip(bed.tolist(), index.tolist(), strict=True):
            slot, values = own[number], measured.get((number, end), ())
            if values or st_level.is_due(end):
                (st,), self._st[slot] = st_level.advance(self._st[slot], self._leads[slot], [end])
                if values or st:
                    seconds.append((number, DerivedValues(end, (*values, *st))))
        return seconds

    def _predict(
        self, batch: Batch, restarts: Sequence[tuple[int, int]]
    ) -> tuple[GroupForecasts | None, StrideRows, list[tuple[int, Change]]]:
        """Push strides to the forecaster, the personal forecast and the anomaly detector.

        ``restarts`` has the beds of the batch with a lead that is back, each with the sample after which forecaster and
        anomaly detector begin anew.
        """
        if not self._forecast:
            unknown = np.full(batch.last_samples.shape, np.nan)
            return None, StrideRows(batch.last_samples, unknown, unknown, unknown), []
        if not restarts:
            return self._predict_part(batch)
        at = [(bed, end + 1 - int(batch.start[bed])) for bed, end in restarts]
        parts, changes = [], []
        for first, stop in pairwise(sorted({0, batch.mv.shape[1], *(cut for _, cut in at)})):
            mv = np.ascontiguousarray(batch.mv[:, first:stop])
            invalid = np.ascontiguousarray(batch.invalid[:, first:stop])
            forecasts, strides, found = self._predict_part(Batch(batch.slots, batch.start + first, mv, invalid))
            parts.append((forecasts, strides))
            changes += found
            for bed in [bed for bed, cut in at if cut == stop]:
                ended = self._restart(int(batch.slots[bed]), int(batch.start[bed]) + stop)
                changes += [] if ended is None else [(bed, ended)]
        made, rows = zip(*parts, strict=True)
        return _in_order(made), _in_order(rows), changes

    def _predict_part(self, batch: Batch) -> tuple[GroupForecasts, StrideRows, list[tuple[int, Change]]]:
        """Push strides in which no bed begins anew."""
        ends, columns = batch.last_samples, self._columns
        made = forecaster.advance(self.models.forecaster, columns.forecaster, batch, self._precision)
        personal = personal_forecast.advance(self.models.forecaster, columns.personal, batch, made.mean, made.scale)
        score, anomalies = anomaly_detector.advance(
            DEFAULT_CONFIG, columns.anomaly, self._anomaly, batch.slots, made.mean, made.scale, made.observed
        )
        per_stride = STRIDE // self.models.forecaster.config.patch
        last_patch, last_sample = slice(per_stride - 1, None, per_stride), slice(STRIDE - 1, None, STRIDE)
        mean, scale = made.mean[:, last_patch].copy(), made.scale[:, last_patch].copy()
        observed = np.where(batch.invalid[:, last_sample, 0], np.nan, batch.mv[:, last_sample, 0])
        highest = np.fmax.reduce(score.reshape(*ends.shape, per_stride), axis=2)
        expected = mean[:, :, NEXT_STRIDE_END, 0].astype(np.float64)
        return (
            GroupForecasts(ends, observed, mean, scale, highest, personal.mean, personal.scale),
            StrideRows(ends, observed, expected, highest),
            anomalies,
        )

    def _restart(self, slot: int, start: int) -> Ended | None:
        """Restart forecaster and anomaly detector of a bed before a sample; return the end of its open condition.

        A flat line has taught the forecaster that nothing changes: scale and calibration are those of a new epoch, too.
        """
        fresh = forecaster.begin(self.models.forecaster, len(self._leads[slot]), self._precision)
        put(self._columns.forecaster, slot, fresh.columns)
        return anomaly_detector.restart(DEFAULT_CONFIG, self._columns.anomaly, self._anomaly, slot, start)


def _in_order(parts: Sequence[Rows]) -> Rows:
    """Return the strides of successive parts together; all columns have the axes beds and strides first."""
    kind: Any = type(parts[0])
    return kind(*[np.concatenate(group, axis=1) for group in zip(*parts, strict=True)])  # type: ignore[no-any-return]


def _by_bed_and_time(found: tuple[int, Change]) -> tuple[int, int]:
    bed, change = found
    return bed, change.at
