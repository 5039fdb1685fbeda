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

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path

import numpy as np

from model.anomaly import anomaly_detector, frequent_episodes
from model.anomaly.anomaly_detector import Anomalies
from model.anomaly.frequent_episodes import FrequentState
from model.anomaly.state import DEFAULT_CONFIG, AnomalyState
from model.beats import beat_detector, repetition
from model.beats.beat import Beat
from model.beats.beat_detector import BeatsState
from model.beats.classifier import BeatClassifier, load_classifier
from model.beats.repetition import RepetitionState
from model.conditions import settings
from model.conditions.changes import Change, Ended
from model.conditions.settings import AlarmConfig
from model.forecast import forecaster
from model.forecast.checkpoint import Checkpoint
from model.forecast.forecaster import ForecasterState, Forecasts, load_forecaster
from model.forecast.inference import Precision
from model.pipeline import vitals_output
from model.pipeline.vitals_output import SecondState, StrideForecast
from model.rhythm import rhythm_detector, ventricular_fibrillation
from model.rhythm.rhythm_detector import RhythmState
from model.rhythm.rules import SignalStatus
from model.rhythm.ventricular_fibrillation import Fibrillation, FibrillationState
from model.rhythm.vitals import VitalSigns
from model.signal import blocks, fibrillation_waveform, intake, pulses, signal_quality
from model.signal.arrays import FloatArray
from model.signal.blocks import STRIDES_PER_BLOCK, BlocksState
from model.signal.fibrillation_waveform import WaveformState
from model.signal.intake import IntakeState, Strides
from model.signal.pulse_detector import WaveSamples
from model.signal.pulses import PulsesState
from model.signal.signal_quality import QualityOutput, QualityState
from model.signal.state_codec import pack, unpack
from stream.timebase import STRIDE
from stream.wire.alarm_messages import Limits


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
    signal : SignalStatus
        Status of the signal at the end of the last whole block of 0.5 s.
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
    signal: SignalStatus
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
        quality=signal_quality.begin(first, leads),
        waveform=fibrillation_waveform.begin(n),
        fibrillation=ventricular_fibrillation.begin(first, n),
        rhythm=rhythm_detector.begin(first),
        second=SecondState(),
        signal=SignalStatus(first, ecg_seen=False),
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
        signal=replace(fresh.signal, ecg_seen=state.signal.ecg_seen),
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
    graded = (replace(beat, quality=state.signal.quality) for beat in beats if beat.at < end)
    return Analysis(beats=tuple(graded), changes=_ends(state, end - 1))


def _ends(state: BedState, at: int) -> tuple[Ended, ...]:
    anomaly = anomaly_detector.finish(DEFAULT_CONFIG, state.anomaly, at)
    technical = (
        Ended(began.kind, began.onset, max(at, began.onset) + 1, at, "signal_interrupted", leads=began.leads)
        for began in state.second.technical
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
    whole, blocks_state = blocks.step(state.blocks, strides)
    repeated, repetition_state = repetition.step(state.repetition, strides, beats)
    waveform, waveform_state = fibrillation_waveform.step(state.waveform, whole)
    fibrillation, fibrillation_state = ventricular_fibrillation.step(state.fibrillation, waveform, beats)
    at_blocks = [(window.at - strides.start) // STRIDE for window in fibrillation]
    # Fibrillation does not repeat either, and is no noise.
    organised = [window.since is None and not window.suspected for window in fibrillation]
    beats_repeat = np.where(organised, repeated.mean[at_blocks], np.nan)
    quality, quality_state = signal_quality.step(state.quality, whole, beats_repeat)

    known = [state.signal, *_signal_statuses(quality, fibrillation, repeated.ecg_seen[at_blocks].tolist())]
    ends = strides.last_samples
    pulse, pulses_state = pulses.step(state.pulses, ends)
    signal = [replace(_latest(known, at), at=at, pulse=now) for at, now in zip(ends, pulse, strict=True)]
    trusted = repetition.trusted(beats, repeated)
    changes, vitals, rhythm_state = rhythm_detector.step(models.alarms, limits, state.rhythm, trusted, signal)
    vitals, second = vitals_output.step(state.second, vitals, forecasts, quality.changes)
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
        signal=known[-1],
        pulses=pulses_state,
    )
    graded = tuple(replace(beat, quality=_latest(known, beat.at).quality) for beat in beats)
    ordered = sorted([*anomalies, *frequent, *quality.changes, *changes], key=lambda change: change.at)
    return Analysis(tuple(forecasts), graded, vitals, tuple(ordered)), state


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
