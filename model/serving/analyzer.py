"""Analysis of one signal without a broker: chunks in; forecasts, beats, vital signs and alarms out.

`Analyzer` processes one bed as the live worker does; `analyze` a whole record, `analyze_all` several together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from model.alarms.alarm_manager import AlarmManager
from model.alarms.state import AlarmContext
from model.anomaly.state import DEFAULT_CONFIG
from model.beats.beat import Beat
from model.conditions.changes import Change
from model.conditions.numeric_values import NumericSamples
from model.datasets.pieces import pieces
from model.datasets.record_numerics import numeric_samples
from model.forecast.personal_forecast import OFFSETS
from model.physiology.derived_values import DerivedValues
from model.pipeline.analysis import Models, load_models
from model.pipeline.beds import Beds
from model.pipeline.signals import Signal, analyze_signals
from model.pipeline.stride_forecasts import NONE, StrideForecasts
from model.rhythm.vitals import VitalSigns
from model.signal.arrays import Float32Array, FloatArray, IntArray
from model.signal.wave_samples import WaveSamples
from stream.records.record import Record
from stream.timebase import FS, STRIDE
from stream.wire.alarm_messages import Alarm
from stream.wire.messages import ANALYSED_LEADS, Message

BED: Final = "offline"
"""Bed in the alarms."""

SESSION: Final = "0" * 32
"""Default session; with it, alarms of the same record have the same ids in every run."""

MAX_STRIDES, TOGETHER = 100, 1000
"""Strides of a record in one step, and of all records together: what they need stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Output:
    """Results of one chunk.

    Attributes
    ----------
    forecasts : StrideForecasts
        One per whole stride of 36 samples (100 ms).
    beats : tuple of Beat
    vitals : tuple of VitalSigns
        One per whole second.
    alarms : tuple of Alarm
        Alarm events: raised and cleared.
    derived : tuple of DerivedValues
        Values from the waves, one per whole second; none without waves.
    """

    forecasts: StrideForecasts = NONE
    beats: tuple[Beat, ...] = ()
    vitals: tuple[VitalSigns, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    derived: tuple[DerivedValues, ...] = ()


class Analyzer:
    """Analyses one signal chunk by chunk. The results do not depend on how it is cut into chunks.

    Parameters
    ----------
    leads : sequence of str
        Lead names, such as ``("MLII", "V1")``; the first two are analysed.
    models : Models, optional
        By default the shipped ones.
    record : str
        Name of the record in the alarms.
    session : str
        128 bits in hex, part of the alarms' ids.
    """

    def __init__(
        self, leads: Sequence[str], models: Models | None = None, *, record: str = "", session: str = SESSION
    ) -> None:
        models = models or load_models()
        self._limits = models.alarms.limits
        self._alarms = _Alarms(models, record, session)
        self._beds = Beds(models)
        self._leads = tuple(leads)
        self._slot = self._beds.begin(self._leads[:ANALYSED_LEADS], 0, 0)

    def push(
        self, mv: FloatArray, waves: Sequence[WaveSamples] = (), numerics: Sequence[NumericSamples] = ()
    ) -> Output:
        """Analyse the samples that follow those pushed before.

        Parameters
        ----------
        mv : ndarray of float, shape (n, leads), or (n,) with one lead
            mV at 360 Hz, NaN where invalid; any n.
        waves : sequence of WaveSamples
            The next samples of waves other than ECG, up to the end of ``mv``. A pulse that goes on, in a
            plethysmogram or an arterial pressure, contradicts alarms of asystole, bradycardia and fibrillation.
        numerics : sequence of NumericSamples
            The next values of the publisher, up to the end of ``mv``: they have alarms of their own.

        Returns
        -------
        Output
            Samples after the last whole stride of 36 are kept for the next chunk.

        Raises
        ------
        ValueError
            The shape does not match the leads.
        """
        samples = np.asarray(mv, np.float64)
        samples = samples[:, None] if samples.ndim == 1 else samples
        if samples.shape[1] != len(self._leads):
            raise ValueError(f"samples of shape {samples.shape} do not have {len(self._leads)} leads")
        samples = samples[:, :ANALYSED_LEADS]
        [found] = self._beds.step([self._slot], [samples], [self._limits], [waves], [numerics])
        return Output(found.forecasts, found.beats, found.vitals, self._alarms.process(found.changes), found.derived)

    def finish(self) -> Output:
        """End the signal: return the beats of its last, incomplete stride, and clear all active alarms."""
        found = self._slot.finish()
        return Output(beats=found.beats, alarms=self._alarms.process(found.changes))


class _Alarms:
    """Turns the changes of the conditions of one signal into alarm events."""

    def __init__(self, models: Models, record: str, session: str) -> None:
        self._record = record
        self._session = session
        self._alarms: list[Alarm] = []
        self._manager = AlarmManager(models.alarms, self._collect)

    def process(self, changes: Sequence[Change]) -> tuple[Alarm, ...]:
        """Return the events that follow from changes."""
        for change in changes:
            # The wall time of an offline alarm is its time in the signal, counted from 1970.
            now_ns = change.at * 1_000_000_000 // FS
            self._manager.process([change], AlarmContext(BED, self._session, self._record, change.at + 1, now_ns))
        alarms = tuple(self._alarms)
        self._alarms.clear()
        return alarms

    def _collect(self, message: Message) -> None:
        if isinstance(message, Alarm):
            self._alarms.append(message)


@dataclass(frozen=True, slots=True)
class RecordAnalysis:
    """The analysis of a whole record; k strides.

    Attributes
    ----------
    record : str
    leads : tuple of str
    origin : ndarray of int64, shape (k,)
        Last observed sample of each forecast; ``mean[j, i]`` is for sample ``origin[j] + 1 + i``.
    mean, scale : ndarray of float32, shape (k, horizon, leads)
        That of the network alone, mV; ``scale`` is the predicted standard deviation.
    offsets : ndarray of int64, shape (offsets,)
        Samples after its origin for which the personal forecast is made.
    personal_mean, personal_scale : ndarray of float32, shape (k, offsets, leads)
        The forecast that knows the patient, mV; what the live worker publishes.
    score : ndarray of float64, shape (k,)
        Anomaly score of each stride, ``-log10`` of a probability per second; NaN while learning.
    threshold : float
        Score from which a complex is unusual.
    beats : list of Beat
    vitals : list of VitalSigns
        One per second.
    alarms : list of Alarm
        Alarm events, in order.
    derived : list of DerivedValues
        Values from the waves, one per second; empty without waves.
    """

    record: str
    leads: tuple[str, ...]
    origin: IntArray
    mean: Float32Array
    scale: Float32Array
    offsets: IntArray
    personal_mean: Float32Array
    personal_scale: Float32Array
    score: FloatArray
    threshold: float
    beats: list[Beat]
    vitals: list[VitalSigns]
    alarms: list[Alarm]
    derived: list[DerivedValues]


def analyze(record: Record, models: Models | None = None) -> RecordAnalysis:
    """Analyse a whole record as the live worker does, as fast as possible.

    Parameters
    ----------
    record : Record
    models : Models, optional
        By default the shipped ones.
    """
    [analysis] = analyze_all([record], models)
    return analysis


def analyze_all(records: Sequence[Record], models: Models | None = None) -> list[RecordAnalysis]:
    """Analyse several whole records together, which is faster than one after the other; see `analyze`."""
    models, records = models or load_models(), [record.analysed() for record in records]
    outputs: list[list[Output]] = [[] for _ in records]
    for number, output in outputs_of(records, models):
        outputs[number].append(output)
    return [_joined(record, models, own) for record, own in zip(records, outputs, strict=True)]


def outputs_of(records: Sequence[Record], models: Models, session: str = SESSION) -> Iterator[tuple[int, Output]]:
    """Yield the results of each record piece by piece, with the number of the record, and those of its end."""
    size = STRIDE * max(min(TOGETHER // max(len(records), 1), MAX_STRIDES), 10)
    alarms = [_Alarms(models, record.name, session) for record in records]
    analysed = [record.analysed() for record in records]
    signals = [Signal(record.leads, pieces(record, size), numeric_samples(record)) for record in analysed]
    for number, found in analyze_signals(models, signals):
        events = alarms[number].process(found.changes)
        yield number, Output(found.forecasts, found.beats, found.vitals, events, found.derived)


def _joined(record: Record, models: Models, outputs: Sequence[Output]) -> RecordAnalysis:
    empty, empty_personal = (
        np.empty((0, n, len(record.leads)), np.float32) for n in (models.forecaster.config.horizon, len(OFFSETS))
    )
    forecasts = [output.forecasts for output in outputs if len(output.forecasts)]
    return RecordAnalysis(
        record=record.name,
        leads=record.leads,
        origin=np.concatenate([np.empty(0, np.int64), *(own.origin for own in forecasts)]),
        mean=np.concatenate([empty, *(own.mean for own in forecasts)]),
        scale=np.concatenate([empty, *(own.scale for own in forecasts)]),
        offsets=np.array(OFFSETS),
        personal_mean=np.concatenate([empty_personal, *(own.personal_mean for own in forecasts)]),
        personal_scale=np.concatenate([empty_personal, *(own.personal_scale for own in forecasts)]),
        score=np.concatenate([np.empty(0), *(own.score for own in forecasts)]),
        threshold=DEFAULT_CONFIG.threshold,
        beats=[beat for output in outputs for beat in output.beats],
        vitals=[vitals for output in outputs for vitals in output.vitals],
        alarms=[alarm for output in outputs for alarm in output.alarms],
        derived=[values for output in outputs for values in output.derived],
    )
