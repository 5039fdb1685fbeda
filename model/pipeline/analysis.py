"""Analyses beds: forecast, anomaly score, beats, rhythm, vital signs and conditions; the same live and offline.

`begin` returns the state of a bed at the start of an epoch, `step` processes one chunk of each bed, `finish` ends the
conditions that hold at the end of an epoch, and `after_gap` goes on after lost samples. To analyse one signal chunk by
chunk:

    models = load_models()
    state = begin(models, ("MLII",), start=0, epoch_start=0)
    for mv in chunks:
        [(analysis, state)] = step(models, [state], [mv], [models.alarms.limits])
    last = finish(models, state)

Each bed has one `model.signal.intake`, which passes whole strides to all stages. So the results do not depend on how a
signal is cut into chunks, and no output depends on later samples. The pulse (`model.signal.pulses`)
comes with a chunk of ECG, as samples of other waves up to its end; it only confirms beats.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from model.anomaly import anomaly_detector, frequent_episodes
from model.anomaly.anomaly_detector import Anomalies
from model.anomaly.frequent_episodes import FrequentState
from model.anomaly.state import DEFAULT_CONFIG, AnomalyState
from model.beats import beat_detector, repetition
from model.beats.beat import Beat, from_rows, to_rows
from model.beats.beat_detector import BeatsState
from model.beats.classifier import BeatClassifier, load_classifier
from model.beats.repetition import RepetitionState
from model.conditions import settings
from model.conditions.changes import Began, Change, Ended
from model.conditions.settings import AlarmConfig
from model.forecast import forecaster
from model.forecast.checkpoint import Checkpoint
from model.forecast.forecaster import ForecasterState, Forecasts, load_forecaster
from model.forecast.inference import Precision
from model.forecast.skill import NEXT_STRIDE_END
from model.pipeline import vitals_output
from model.pipeline.vitals_output import SecondState, StrideForecast, StrideRows
from model.rhythm import rhythm_detector, signal_status, ventricular_fibrillation
from model.rhythm.rhythm_detector import RhythmState
from model.rhythm.rules import SignalStatus
from model.rhythm.signal_status import BlockStatus, SignalRows, StatusState
from model.rhythm.ventricular_fibrillation import FibrillationState
from model.rhythm.vitals import VitalSigns
from model.signal import blocks, fibrillation_waveform, intake, pulses, signal_quality
from model.signal.arrays import FloatArray
from model.signal.batch import single
from model.signal.blocks import BlocksState
from model.signal.columns import copied
from model.signal.compiled import is_cached
from model.signal.fibrillation_waveform import WaveformState
from model.signal.intake import IntakeState, Strides
from model.signal.pulse_detector import WaveSamples
from model.signal.pulses import PulsesState, PulseStatus
from model.signal.signal_quality import QualityState
from model.signal.state_codec import pack, unpack
from stream.timebase import STRIDE
from stream.wire.alarm_messages import Limits

log = logging.getLogger("bedside")


@dataclass(frozen=True, slots=True)
class Models:
    """Trained models and alarm settings, shared by all beds.

    Attributes
    ----------
    forecaster : Checkpoint
    beat_classifier : BeatClassifier
    alarms : AlarmConfig
    precision : Precision
        Of the forecaster for beds that begin.
    """

    forecaster: Checkpoint
    beat_classifier: BeatClassifier
    alarms: AlarmConfig
    precision: Precision = "float32"


def load_models(weights: Path | None = None, alarms: Path | None = None, precision: Precision = "float32") -> Models:
    """Load the models and alarm settings; by default the shipped ones.

    Parameters
    ----------
    weights : Path, optional
        Weights of another forecaster.
    alarms : Path, optional
        Another alarms.toml.
    precision : Precision
        Of the forecaster.

    Raises
    ------
    CheckpointError
        The weights are missing, damaged, or not a forecaster of this format.
    UsageError
        The alarm settings are not valid.
    """
    if not is_cached():
        log.info("compiling the analysis: about a minute, once")
    return Models(load_forecaster(weights), load_classifier(), settings.load(alarms), precision)


@dataclass(frozen=True, slots=True)
class BedState:
    """State of the analysis of one bed.

    Attributes
    ----------
    leads : tuple of str
    intake : IntakeState
    forecaster : ForecasterState
    anomaly : AnomalyState
    frequent : FrequentState
    beats : BeatsState
    repetition : RepetitionState
    blocks : BlocksState
    quality : QualityState
    waveform : WaveformState
    fibrillation : FibrillationState
    rhythm : RhythmState
    second : SecondState
    technical : tuple of Began
        The technical conditions that hold, oldest first.
    signal : StatusState
    pulses : PulsesState
    """

    leads: tuple[str, ...]
    intake: IntakeState
    forecaster: ForecasterState
    anomaly: AnomalyState
    frequent: FrequentState
    beats: BeatsState
    repetition: RepetitionState
    blocks: BlocksState
    quality: QualityState
    waveform: WaveformState
    fibrillation: FibrillationState
    rhythm: RhythmState
    second: SecondState
    technical: tuple[Began, ...]
    signal: StatusState
    pulses: PulsesState

    def to_bytes(self) -> bytes:
        """Return the state as MessagePack."""
        return pack(replace(self, forecaster=self.forecaster.detached()))

    @classmethod
    def from_bytes(cls, data: bytes) -> BedState:
        """Return the state from the bytes of `to_bytes`.

        Raises
        ------
        StorageError
            The bytes are not a valid state.
        """
        return unpack(data, cls)


@dataclass(frozen=True, slots=True)
class Analysis:
    """Results of one step of one bed.

    Attributes
    ----------
    forecasts : tuple of StrideForecast
        One for each whole stride.
    beats : tuple of Beat
    vitals : tuple of VitalSigns
        One for each whole second.
    changes : tuple of Began or Ended
        In the order of detection.
    """

    forecasts: tuple[StrideForecast, ...] = ()
    beats: tuple[Beat, ...] = ()
    vitals: tuple[VitalSigns, ...] = ()
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class _Predicted:
    """Forecasts and anomalies of one bed in one step, and the states after it."""

    forecasts: tuple[StrideForecast, ...]
    changes: tuple[Change, ...]
    forecaster: ForecasterState
    anomaly: AnomalyState


def begin(models: Models, leads: Sequence[str], start: int, epoch_start: int) -> BedState:
    """Return the state of a bed whose first sample is ``start``, in an epoch that began with sample ``epoch_start``."""
    n = len(leads)
    state = intake.begin(n, start, epoch_start)
    first = int(state.next_stride[0])
    return BedState(
        leads=tuple(leads),
        intake=state,
        forecaster=forecaster.begin(models.forecaster, n, models.precision),
        anomaly=anomaly_detector.begin(first, leads, models.forecaster.config.patch),
        frequent=FrequentState(),
        beats=beat_detector.begin(first, n),
        repetition=repetition.begin(n),
        blocks=blocks.begin(n),
        quality=signal_quality.begin(first, n),
        waveform=fibrillation_waveform.begin(n),
        fibrillation=ventricular_fibrillation.begin(first, n),
        rhythm=rhythm_detector.begin(first),
        second=vitals_output.begin(),
        technical=(),
        signal=signal_status.begin(),
        pulses=PulsesState(),
    )


def after_gap(models: Models, state: BedState, start: int, epoch_start: int) -> BedState:
    """Return the state of a bed that goes on with sample ``start`` after lost samples of the same epoch.

    Filters, beats in progress, runs and conditions begin anew; what was learned of the patient is kept: baseline, scale
    and calibration of the forecast, history and templates of the anomaly score, templates and levels of the beats. The
    caller reports the ends of the conditions that held, with `finish`.
    """
    fresh = begin(models, state.leads, start, epoch_start)
    first = int(fresh.intake.next_stride[0])
    return replace(
        fresh,
        forecaster=forecaster.after_gap(models.forecaster, state.forecaster),
        anomaly=anomaly_detector.after_gap(state.anomaly, first),
        frequent=frequent_episodes.after_gap(state.frequent, first),
        beats=beat_detector.after_gap(state.beats, first),
        repetition=repetition.after_gap(state.repetition),
        quality=signal_quality.after_gap(state.quality, first),
        rhythm=rhythm_detector.after_gap(state.rhythm, first),
        second=vitals_output.after_gap(state.second),
        signal=signal_status.after_gap(state.signal),
    )


def step(
    models: Models,
    states: Sequence[BedState],
    chunks: Sequence[FloatArray],
    limits: Sequence[Limits],
    waves: Sequence[Sequence[WaveSamples]] | None = None,
) -> list[tuple[Analysis, BedState]]:
    """Push one chunk of each bed; beds that complete equal numbers of strides share one call of the network.

    Parameters
    ----------
    models : Models
    states : sequence of BedState
    chunks : sequence of ndarray of float64, shape (n, leads), mV
        The next samples of each bed, NaN where invalid; any n.
    limits : sequence of Limits
        Current limits of each bed.
    waves : sequence of sequence of WaveSamples, optional
        Samples of other waves of each bed, received since the last step and up to the end of its chunk.

    Returns
    -------
    list of (Analysis, BedState)
        In the order of ``states``.

    Raises
    ------
    ValueError
        The number of leads of a chunk differs from that of its bed.
    """
    received = [intake.step(state.intake, chunk) for state, chunk in zip(states, chunks, strict=True)]
    states = [
        replace(state, intake=after, pulses=pulses.push(state.pulses, bed_waves))
        for state, (_, after), bed_waves in zip(states, received, waves or [()] * len(states), strict=True)
    ]
    results = [(Analysis(), state) for state in states]
    ready = [bed for bed, (strides, _) in enumerate(received) if len(strides.mv)]
    strides = [received[bed][0] for bed in ready]
    predictions = _predict(models, [states[bed] for bed in ready], strides)
    for bed, bed_strides, predicted in zip(ready, strides, predictions, strict=True):
        state = replace(states[bed], forecaster=predicted.forecaster, anomaly=predicted.anomaly)
        results[bed] = _analyze(models, limits[bed], state, bed_strides, predicted.forecasts, predicted.changes)
    return results


def step_without_forecast(
    models: Models, limits: Limits, state: BedState, chunk: FloatArray, waves: Sequence[WaveSamples] = ()
) -> tuple[Analysis, BedState]:
    """Push a chunk of one bed without forecast and anomaly score, to evaluate beats and rhythm, which need neither."""
    strides, after = intake.step(state.intake, chunk)
    state = replace(state, intake=after, pulses=pulses.push(state.pulses, waves))
    return _analyze(models, limits, state, strides, (), ()) if len(strides.mv) else (Analysis(), state)


def finish(models: Models, state: BedState) -> Analysis:
    """End the epoch: return the beats of its last, incomplete stride, and the ends of all conditions that hold."""
    end = int(state.intake.end[0])
    strides = intake.complete(state.intake)
    beats = beat_detector.step(models.beat_classifier, state.beats, strides)[0] if len(strides.mv) else ()
    graded = (replace(beat, quality=float(state.signal.quality[0])) for beat in beats if beat.at < end)
    return Analysis(beats=tuple(graded), changes=_ends(state, end - 1))


def _ends(state: BedState, at: int) -> tuple[Ended, ...]:
    anomaly = anomaly_detector.finish(DEFAULT_CONFIG, state.anomaly, at)
    technical = (
        Ended(began.kind, began.onset, max(at, began.onset) + 1, at, "signal_interrupted", leads=began.leads)
        for began in state.technical
    )
    frequent = frequent_episodes.close(state.frequent, at)
    unusual = tuple(ended for ended in (anomaly, frequent) if ended is not None)
    return (*unusual, *rhythm_detector.close(state.rhythm, at), *technical)


def _predict(models: Models, states: Sequence[BedState], strides: Sequence[Strides]) -> list[_Predicted]:
    """Push the strides of beds to the forecaster and the anomaly detector."""
    forecasts = forecaster.step(models.forecaster, [state.forecaster for state in states], strides)
    predicted = []
    for state, bed_strides, (bed_forecasts, forecaster_state) in zip(states, strides, forecasts, strict=True):
        found, anomaly_state = anomaly_detector.step(
            DEFAULT_CONFIG, state.anomaly, bed_forecasts.mean, bed_forecasts.scale, bed_forecasts.observed
        )
        stride_forecasts = _stride_forecasts(bed_strides, bed_forecasts, found)
        predicted.append(_Predicted(stride_forecasts, found.changes, forecaster_state, anomaly_state))
    return predicted


def _stride_forecasts(strides: Strides, forecasts: Forecasts, anomalies: Anomalies) -> tuple[StrideForecast, ...]:
    """Select the forecasts at the ends of strides, with the highest score of each stride."""
    ends = strides.last_samples
    per_stride = len(forecasts.origin) // len(ends)
    scores = np.fmax.reduce(anomalies.score.reshape(len(ends), per_stride), axis=1)
    rows = slice(per_stride - 1, None, per_stride)
    last = slice(STRIDE - 1, None, STRIDE)
    observed = np.where(strides.invalid[last, 0], np.nan, strides.mv[last, 0])
    columns = (ends, observed.tolist(), forecasts.mean[rows], forecasts.scale[rows], scores.tolist())
    return tuple(StrideForecast(*row) for row in zip(*columns, strict=True))


def _analyze(
    models: Models,
    limits: Limits,
    state: BedState,
    strides: Strides,
    forecasts: Sequence[StrideForecast],
    anomalies: Sequence[Change],
) -> tuple[Analysis, BedState]:
    """Push the strides of one bed to the stages of signal, beats and rhythm, and collect all results."""
    beats, beats_state = beat_detector.step(models.beat_classifier, state.beats, strides)
    frequent, frequent_state = frequent_episodes.step(
        models.alarms, state.frequent, anomalies, beats, strides.last_samples
    )
    batch, reported, alone = single(strides), to_rows([beats]), np.zeros(1, np.int64)
    repeated, repetition_state = repetition.step(state.repetition, strides, beats)
    blocks_state, waveform_state = copied(state.blocks), copied(state.waveform)
    whole = blocks.advance(blocks_state, batch)
    waveform = fibrillation_waveform.advance(waveform_state, whole, alone)
    fibrillation_state, quality_state = copied(state.fibrillation), copied(state.quality)
    signal_state, second = copied(state.signal), copied(state.second)
    fibrillation = ventricular_fibrillation.advance(fibrillation_state, alone, whole, waveform, reported)
    mean = signal_status.repetition_at_blocks(batch, whole, fibrillation, repeated.mean)
    quality, technical_changes = signal_quality.advance(quality_state, alone, [state.leads], whole, mean)
    ends = strides.last_samples
    pulse, pulses_state = pulses.step(state.pulses, ends)
    rows, graded = signal_status.advance(
        signal_state,
        batch,
        whole,
        BlockStatus(quality, fibrillation, repeated.ecg_seen),
        pulses.advance([state.pulses], alone, batch.last_samples),
        reported,
    )
    (trusted,) = from_rows(repetition.trusted(reported, repeated))
    changes, vitals, rhythm_state = rhythm_detector.step(
        models.alarms, limits, state.rhythm, trusted, _signal_statuses(rows, pulse)
    )
    technical = [state.technical]
    bed, index = np.zeros(len(vitals), np.int64), np.array([one.index for one in vitals], np.int64)
    completed = vitals_output.advance(second, alone, _stride_rows(ends, forecasts), bed, index)
    holding = vitals_output.technical_conditions(technical, alone, technical_changes, bed, index)
    quality_changes = [change for _, change in technical_changes]
    state = replace(
        state,
        frequent=frequent_state,
        beats=beats_state,
        repetition=repetition_state,
        blocks=blocks_state,
        quality=quality_state,
        waveform=waveform_state,
        fibrillation=fibrillation_state,
        rhythm=rhythm_state,
        second=second,
        technical=technical[0],
        signal=signal_state,
        pulses=pulses_state,
    )
    ordered = sorted([*anomalies, *frequent, *quality_changes, *changes], key=lambda change: change.at)
    return Analysis(
        tuple(forecasts),
        tuple(replace(beat, quality=own) for beat, own in zip(beats, graded.tolist(), strict=True)),
        vitals_output.complete(vitals, completed, holding),
        tuple(ordered),
    ), state


def _stride_rows(ends: Sequence[int], forecasts: Sequence[StrideForecast]) -> StrideRows:
    """Return the forecasts of one bed as rows, NaN without them."""
    values = [(item.observed, float(item.mean[NEXT_STRIDE_END, 0]), item.score) for item in forecasts]
    columns = np.array(values).T if values else np.full((3, len(ends)), np.nan)
    observed, expected, score = np.ascontiguousarray(columns)[:, None]
    return StrideRows(np.array([ends]), observed, expected, score)


def _signal_statuses(rows: SignalRows, pulse: Sequence[PulseStatus | None]) -> list[SignalStatus]:
    """Return the status of the signal of one bed at the end of each stride."""
    columns = (
        rows.at,
        rows.quality,
        rows.usable,
        rows.fibrillation_since,
        rows.fibrillation_suspected,
        rows.measurable,
        rows.ecg_seen,
    )
    each = zip(*(column[0].tolist() for column in columns), pulse, strict=True)
    return [
        SignalStatus(at, best, usable, None if since < 0 else since, *others)
        for at, best, usable, since, *others in each
    ]
