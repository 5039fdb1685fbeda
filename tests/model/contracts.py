"""Streaming stages, each after an intake, for the contract suite in `tests.model.test_contracts`.

A stage processes chunks of a signal, shape (n, 2), mV, NaN where invalid, and returns outputs, each with the sample at
which it was reported.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from model.anomaly import anomaly_detector, frequent_episodes
from model.anomaly.frequent_episodes import FrequentState
from model.anomaly.state import DEFAULT_CONFIG, AnomalyState
from model.beats import beat_detector, qrs_detector, repetition
from model.beats.beat import Beat
from model.beats.beat_detector import BeatsState
from model.beats.classifier import load_classifier
from model.beats.qrs_state import QrsState
from model.beats.repetition import RepetitionState
from model.conditions import numeric_conditions, numeric_values
from model.conditions.changes import Began, Ended
from model.conditions.numeric_conditions import NumericState, Second
from model.conditions.numeric_values import NumericSamples
from model.conditions.settings import load as load_settings
from model.forecast import forecaster, personal_forecast
from model.forecast.forecaster import ForecasterState
from model.forecast.personal_forecast import PersonalColumns
from model.physiology import derived_values
from model.physiology.derived_values import WavesState
from model.pipeline import bed_state
from model.pipeline.analysis import Models, load_models
from model.pipeline.bed_state import BedState
from model.rhythm import rhythm_detector, ventricular_fibrillation
from model.rhythm.rhythm_detector import RhythmState
from model.rhythm.rules import SignalStatus
from model.rhythm.ventricular_fibrillation import FibrillationState
from model.signal import blocks, fibrillation_waveform, intake, mains, pulse_detector, pulses, signal_quality
from model.signal.arrays import FloatArray
from model.signal.batch import Strides
from model.signal.blocks import BlocksState
from model.signal.fibrillation_waveform import WaveformState
from model.signal.intake import IntakeState
from model.signal.mains import MainsState
from model.signal.signal_quality import QualityState
from model.signal.state_codec import pack, unpack
from model.signal.wave_samples import WaveSamples
from model.trends.forecaster import TrendForecaster, TrendState
from model.trends.vital_inputs import CENTRE, SCALE, VITALS
from stream.records.catalog import Catalog
from stream.records.wfdb_reader import load
from stream.timebase import FS, STRIDE
from stream.wire.alarm_messages import Limits
from stream.wire.messages import BeatType
from stream.wire.numerics_message import Numeric
from stream.wire.wave_message import Signal
from tests.model import bed_steps
from tests.model.pulse_trains import pulse_waves

LEADS = ("MLII", "V1")
PATCH, HORIZON = 4, 96

Outputs = list[tuple[int, Any]]


@dataclass(frozen=True)
class Stage:
    """A streaming stage under test.

    Attributes
    ----------
    name : str
    begin : callable
        Returns the state, given the index of the first sample and that of the epoch's first sample.
    step : callable
        Returns outputs, each with the sample at which it was reported, and state, given state and chunk.
    kind : type
        Type of the state.
    signal : callable
        Returns the test signal, shape (n, 2).
    atol : float
        Tolerance of floats when the signal is split in another way; 0 requires equal states, too.
    save : callable
        Encodes the state as bytes.
    load : callable or None
        Decodes the state; `unpack` by default.
    """

    name: str
    begin: Callable[[int, int], Any]
    step: Callable[[Any, FloatArray], tuple[Outputs, Any]]
    kind: Any
    signal: Callable[[], FloatArray]
    atol: float = 0.0
    save: Callable[[Any], bytes] = pack
    load: Callable[[bytes], Any] | None = None

    def restore(self, data: bytes) -> Any:
        """Return the state from bytes."""
        return unpack(data, self.kind) if self.load is None else self.load(data)

    def run(
        self,
        mv: FloatArray,
        cuts: Sequence[int] = (),
        start: int = 0,
        epoch_start: int = 0,
        through_bytes: bool = False,
    ) -> tuple[Outputs, Any]:
        """Run the stage on a signal split at the given samples.

        With ``through_bytes`` the state is encoded and decoded before each chunk.
        """
        state, outputs = self.begin(start, epoch_start), []
        for first, last in itertools.pairwise([0, *sorted(cuts), len(mv)]):
            if through_bytes:
                state = self.restore(self.save(state))
            new, state = self.step(state, mv[first:last])
            outputs += new
        return outputs, state


def flatten(value: Any) -> tuple[list[Any], list[npt.NDArray[Any]]]:
    """Return the values of an output that must be equal, and its floats."""
    if isinstance(value, float | np.floating):
        return [], [np.array([value])]
    if isinstance(value, np.ndarray):
        return [value.shape], [value.ravel()]
    if is_dataclass(value):
        value = (type(value).__name__, *(getattr(value, field.name) for field in fields(value)))
    if not isinstance(value, tuple | list):
        return [value], []
    exact: list[Any] = []
    floats: list[npt.NDArray[Any]] = []
    for part in value:
        own_exact, own_floats = flatten(part)
        exact += [len(own_floats), *own_exact]
        floats += own_floats
    return exact, floats


def assert_same(actual: Outputs, expected: Outputs, atol: float) -> None:
    """Fail unless the outputs are equal; the order of outputs reported at the same sample does not matter."""
    exact, floats = [], []
    for outputs in (actual, expected):
        parts = sorted(((at, *flatten(value)) for at, value in outputs), key=lambda part: (part[0], str(part[1])))
        exact.append([(at, values) for at, values, _ in parts])
        floats.append(np.concatenate([np.empty(0), *(array for _, _, arrays in parts for array in arrays)]))
    assert exact[0] == exact[1]
    np.testing.assert_allclose(floats[0], floats[1], rtol=0, atol=atol)


# --- signals --------------------------------------------------------------------------------------------------------


@cache
def ecg_with_events() -> FloatArray:
    """Return 30 s of two leads: ECG with ventricular beats, ventricular fibrillation, ECG; gaps, and a lead off."""
    ecg = load("excerpt", Catalog.from_environment()).mv()[54_000 : 54_000 + 30 * FS, 0]
    mv = np.stack([ecg, 0.4 * np.roll(ecg, 3) - 0.2], axis=1)
    rng = np.random.default_rng(0)
    wander = np.interp(np.arange(8 * FS), np.arange(0, 9 * FS, FS // 4), rng.normal(0, 0.1, 36))
    wave = 0.5 * (1 + 2 * wander) * np.sin(2 * np.pi * np.cumsum(5 * (1 + wander)) / FS)
    mv[13 * FS : 21 * FS] = wave[:, None] * [1, -0.7] + rng.normal(0, 0.008, (8 * FS, 2))
    mv[:7, 0] = np.nan
    mv[8 * FS : 8 * FS + 100] = np.nan
    mv[23 * FS : 26 * FS, 1] = np.nan
    mv.flags.writeable = False
    return mv


@cache
def ecg_with_mains() -> FloatArray:
    """Return 30 s of two leads with mains of 50.2 Hz in both, then of 60 Hz in the second; gaps."""
    mv = ecg_with_events().copy()
    second = np.arange(len(mv)) / FS
    mv += np.where((second > 2) & (second < 11), 0.6, 0.0)[:, None] * np.sin(2 * np.pi * 50.2 * second)[:, None]
    mv[:, 1] += np.where((second > 15) & (second < 27), 0.2, 0.0) * np.sin(2 * np.pi * 60 * second)
    mv.flags.writeable = False
    return mv


CODES: dict[float, BeatType] = {1: "N", 2: "V", 3: "S", 4: "Q"}


@cache
def beat_codes() -> FloatArray:
    """Return 60 s that encode beats (first column, at the sample of their report) and the signal status (second)."""
    mv = np.zeros((60 * FS, 2))
    rr = [(0.8, 1)] * 12 + [(0.4, 2)] * 7 + [(0.8, 1)] * 8 + [(0.37, 1)] * 25 + [(0.8, 1), (5.0, 1)] + [(1.6, 3)] * 8
    time = 0.0
    for seconds, code in rr:
        time += seconds
        mv[round(time * FS), 0] = code
    mv[50 * FS : 53 * FS, 1] = 1
    mv[55 * FS : 58 * FS, 1] = 2
    mv.flags.writeable = False
    return mv


@cache
def forecast_errors() -> FloatArray:
    """Return 40 s of a signal whose forecast is 0: small errors, larger ones every second, and two anomalies."""
    rng = np.random.default_rng(1)
    mv = rng.normal(0, 0.1, (40 * FS, 2))
    time = np.arange(len(mv)) / FS
    mv[time % 1 < 0.1] *= 2.5
    for first in (20.0, 30.3):
        mv[(time >= first) & (time < first + 0.4)] += 3
    mv.flags.writeable = False
    return mv


@cache
def saturation_and_pressure() -> FloatArray:
    """Return 60 s of SpO2 and mean arterial pressure: a desaturation, an open line, a low pressure; missing values."""
    time = np.arange(60 * FS) / FS
    spo2 = np.interp(time, [0, 5, 8, 25, 28, 60], [97, 97, 74, 74, 86, 86])
    pressure = np.interp(time, [0, 10, 10.5, 20, 20.5, 35, 36, 60], [85, 85, 3, 3, 85, 85, 48, 48])
    mv = np.stack([spo2, pressure], axis=1)
    mv[45 * FS : 57 * FS, 0] = np.nan
    mv.flags.writeable = False
    return mv


# --- stages ---------------------------------------------------------------------------------------------------------


@cache
def models() -> Models:
    """Return the shipped models, loaded once."""
    return load_models()


OFTEN = replace(load_settings(), unusual_per_min=2)
"""Settings with which the two anomalies of `forecast_errors` are frequent."""


@cache
def beat_classifier() -> Any:
    """Return the shipped beat classifier, loaded once."""
    return load_classifier()


def after_intake(
    begin: Callable[[int], Any], step: Callable[[Any, Strides], tuple[Outputs, Any]]
) -> tuple[Callable[[int, int], Any], Callable[[Any, FloatArray], tuple[Outputs, Any]]]:
    """Put the intake before a stage that processes strides; ``begin`` gets the index of the first stride."""

    def begin_both(start: int, epoch_start: int) -> Any:
        received = intake.begin(len(LEADS), start, epoch_start)
        return received, begin(int(received.next_stride[0]))

    def step_both(state: Any, mv: FloatArray) -> tuple[Outputs, Any]:
        strides, received = intake.step(state[0], mv)
        outputs, own_state = step(state[1], strides) if len(strides.mv) else ([], state[1])
        return outputs, (received, own_state)

    return begin_both, step_both


def _intake_outputs(strides: Strides) -> Outputs:
    ends, leads = strides.last_samples, strides.mv.shape[1]
    parts = (part.reshape(-1, STRIDE, leads) for part in (strides.mv, strides.invalid))
    return list(zip(ends, zip(*parts, strict=True), strict=True))


def _step_intake(state: IntakeState, mv: FloatArray) -> tuple[Outputs, IntakeState]:
    strides, state = intake.step(state, mv)
    return _intake_outputs(strides), state


def _step_mains(state: MainsState, strides: Strides) -> tuple[Outputs, MainsState]:
    cleaned, state = mains.step(state, strides)
    return _intake_outputs(cleaned), state


def _step_blocks(state: BlocksState, strides: Strides) -> tuple[Outputs, BlocksState]:
    complete_blocks, state = blocks.step(state, strides)
    ends = [complete_blocks.start + (i + 1) * blocks.BLOCK - 1 for i in range(len(complete_blocks.mv))]
    return list(zip(ends, zip(complete_blocks.mv, complete_blocks.invalid, strict=True), strict=True)), state


def _step_qrs(state: QrsState, strides: Strides) -> tuple[Outputs, QrsState]:
    beats, state = qrs_detector.step(state, strides)
    return [(beat.at, beat) for beat in beats], state


def _step_beats(state: BeatsState, strides: Strides) -> tuple[Outputs, BeatsState]:
    beats, state = beat_detector.step(beat_classifier(), state, strides)
    return [(beat.at, beat) for beat in beats], state


def _step_repetition(state: tuple[BeatsState, RepetitionState], strides: Strides) -> tuple[Outputs, Any]:
    beats, beats_state = beat_detector.step(beat_classifier(), state[0], strides)
    output, own_state = repetition.step(state[1], strides, beats)
    outputs: Outputs = list(zip((beat.at for beat in beats), output.trusted.tolist(), strict=True))
    means = (None if np.isnan(mean) else mean for mean in output.mean[0].tolist())
    each = zip(means, output.ecg_seen[0].tolist(), strict=True)
    return [*outputs, *zip(strides.last_samples, each, strict=True)], (beats_state, own_state)


def _step_quality(state: tuple[BlocksState, QualityState], strides: Strides) -> tuple[Outputs, Any]:
    """Derive the repetition of the beats from the samples, so that splits and changed samples affect the stage."""
    complete_blocks, blocks_state = blocks.step(state[0], strides)
    mean = np.where(complete_blocks.mv[:, -1, 0] > 0.1, 0.7, np.nan)
    rows, changes, quality_state = signal_quality.step(state[1], LEADS, complete_blocks, mean)
    ends = range(complete_blocks.start + STRIDE - 1, complete_blocks.end, STRIDE)
    outputs: Outputs = list(zip(ends, zip(rows.quality[0], rows.usable[0], strict=True), strict=True))
    return [*outputs, *((change.at, change) for change in changes)], (blocks_state, quality_state)


def _step_waveform(state: tuple[BlocksState, WaveformState], strides: Strides) -> tuple[Outputs, Any]:
    complete_blocks, blocks_state = blocks.step(state[0], strides)
    output, own_state = fibrillation_waveform.step(state[1], complete_blocks)
    return [(item.at, item) for item in output], (blocks_state, own_state)


def _step_fibrillation(
    state: tuple[BeatsState, BlocksState, WaveformState, FibrillationState], strides: Strides
) -> tuple[Outputs, Any]:
    beats, beats_state = beat_detector.step(beat_classifier(), state[0], strides)
    complete_blocks, blocks_state = blocks.step(state[1], strides)
    waveform, waveform_state = fibrillation_waveform.step(state[2], complete_blocks)
    output, own_state = ventricular_fibrillation.step(state[3], waveform, beats)
    return [(item.at, item) for item in output], (beats_state, blocks_state, waveform_state, own_state)


def _step_rhythm(state: tuple[int, RhythmState], strides: Strides) -> tuple[Outputs, Any]:
    """Decode beats and signal status from the samples, so that splits and changed samples affect the stage."""
    last, own_state = state
    beat_codes_at, signal_codes_at = np.rint(strides.mv).T.tolist()
    beats = []
    for at, code in enumerate(beat_codes_at, strides.start):
        if code in CODES:
            index = at - 50
            rr = None if last < 0 else index - last
            beats.append(Beat(index, at, CODES[code], rr, resemblance=(0.8, 0.8)))
            last = index
    signal = []
    for at in strides.last_samples:
        code = signal_codes_at[at - strides.start]
        since = at - 1440 if code == 2 else None
        signal.append(SignalStatus(at, usable=code != 1, fibrillation_since=since, fibrillation_suspected=code > 1))
    changes, vitals, own_state = rhythm_detector.step(models().alarms, Limits(), own_state, beats, signal)
    return [*((c.at, c) for c in changes), *((v.index, v) for v in vitals)], (last, own_state)


def _step_numerics(state: NumericState, strides: Strides) -> tuple[Outputs, NumericState]:
    """Take the columns as SpO2 and mean arterial pressure, sent and evaluated at the end of each stride."""
    outputs: Outputs = []
    for at in strides.last_samples:
        row, invalid = strides.mv[at - strides.start], strides.invalid[at - strides.start]
        spo2, mean = (None if missing else float(value) for value, missing in zip(row, invalid, strict=True))
        values = (
            Numeric(name="spo2", value=spo2, unit="%", source="recorded", age_s=0.0),
            Numeric(name="abp_mean", value=mean, unit="mmHg", source="recorded", age_s=0.0),
        )
        state = numeric_conditions.receive(state, [NumericSamples(at, values)])
        changes, state = numeric_conditions.step(models().alarms, Limits(), state, [Second(at)])
        known = numeric_values.known(numeric_values.current(state.values, at))
        outputs += [(at, tuple(sorted(known.items()))), *((change.at, change) for change in changes)]
    return outputs, state


def _step_pulses(state: bytes, strides: Strides) -> tuple[Outputs, bytes]:
    """Take the columns as plethysmogram and arterial pressure, at the rate of the ECG."""
    signals: tuple[Signal, Signal] = ("pleth", "abp")
    columns = np.where(strides.invalid, np.nan, strides.mv).T
    waves = [WaveSamples(name, FS, strides.start, values) for name, values in zip(signals, columns, strict=True)]
    found, detectors = pulses.step(pulse_detector.from_bytes(state)[None], waves, strides.last_samples)
    return list(zip(strides.last_samples, found, strict=True)), pulse_detector.to_bytes(detectors[0])


def _step_derived(state: WavesState | None, strides: Strides) -> tuple[Outputs, WavesState | None]:
    """Take the columns as plethysmogram and respiration, at the rate of the ECG."""
    signals: tuple[Signal, Signal] = ("pleth", "resp")
    columns = np.where(strides.invalid, np.nan, strides.mv).T
    waves = [WaveSamples(name, FS, strides.start, values) for name, values in zip(signals, columns, strict=True)]
    state = derived_values.receive(state, waves)
    if state is None:
        return [], None
    found, state = derived_values.advance(state, [], [end for end in strides.last_samples if end % FS < STRIDE])
    return [
        (own.index, tuple((one.name, one.value, one.quality, one.age_s) for one in own.values)) for own in found
    ], state


def _step_forecaster(state: ForecasterState, strides: Strides) -> tuple[Outputs, ForecasterState]:
    ((forecasts, state),) = forecaster.step(models().forecaster, [state], [strides])
    return list(zip(forecasts.origin.tolist(), zip(forecasts.mean, forecasts.scale, strict=True), strict=True)), state


def _step_personal(
    state: tuple[ForecasterState, PersonalColumns], strides: Strides
) -> tuple[Outputs, tuple[ForecasterState, PersonalColumns]]:
    ((made, forecaster_state),) = forecaster.step(models().forecaster, [state[0]], [strides])
    forecasts, columns = personal_forecast.step(models().forecaster, state[1], strides, made)
    each = zip(forecasts.mean, forecasts.scale, strict=True)
    return list(zip(strides.last_samples, each, strict=True)), (forecaster_state, columns)


@cache
def trends() -> TrendForecaster:
    """Return the shipped forecast of vitals."""
    return TrendForecaster.load()


def _step_trends(state: TrendState, strides: Strides) -> tuple[Outputs, TrendState]:
    """Take each stride as an hour: its first samples are the vitals, in scales, missing where a sample is invalid."""
    outputs: Outputs = []
    for end in strides.last_samples:
        own = slice(end - strides.start - STRIDE + 1, end - strides.start - STRIDE + 8)
        values = np.where(strides.invalid[own, 0], np.nan, CENTRE + 3 * SCALE * strides.mv[own].sum(axis=1))
        measured = {name: float(value) for name, value in zip(VITALS, values, strict=True)}
        state, outlook = trends().step(state, measured, float(end // STRIDE))
        outputs.append((end, outlook))
    return outputs, state


def _step_anomaly(state: AnomalyState, strides: Strides) -> tuple[Outputs, AnomalyState]:
    observed = strides.mv.reshape(-1, PATCH, len(LEADS))
    mean = np.zeros((len(observed), HORIZON, len(LEADS)), np.float32)
    output, state = anomaly_detector.step(DEFAULT_CONFIG, state, mean, np.full_like(mean, 0.1), observed)
    ends = range(strides.start + PATCH - 1, strides.end, PATCH)
    return [*zip(ends, output.score.tolist(), strict=True), *((c.at, c) for c in output.changes)], state


def _step_frequent(state: tuple[AnomalyState, FrequentState], strides: Strides) -> tuple[Outputs, Any]:
    outputs, anomaly = _step_anomaly(state[0], strides)
    episodes = [value for _, value in outputs if isinstance(value, Began | Ended)]
    changes, frequent = frequent_episodes.step(OFTEN, state[1], episodes, (), strides.last_samples)
    return [*outputs, *((change.at, change) for change in changes)], (anomaly, frequent)


def _step_analysis(state: BedState, mv: FloatArray) -> tuple[Outputs, BedState]:
    [(output, state)] = bed_steps.step(models(), [state], [mv])
    return [
        *((item.origin, item) for item in output.forecasts),
        *((item.at, item) for item in output.beats),
        *((item.index, item) for item in output.vitals),
        *((item.index, item) for item in output.derived),
        *((item.at, item) for item in output.changes),
    ], state


STAGES = (
    Stage(
        "intake",
        lambda start, epoch_start: intake.begin(len(LEADS), start, epoch_start),
        _step_intake,
        IntakeState,
        ecg_with_events,
    ),
    Stage(
        "mains",
        *after_intake(lambda _: mains.begin(len(LEADS)), _step_mains),
        tuple[IntakeState, MainsState],
        ecg_with_mains,
    ),
    Stage(
        "blocks",
        *after_intake(lambda _: blocks.begin(len(LEADS)), _step_blocks),
        tuple[IntakeState, BlocksState],
        ecg_with_events,
    ),
    Stage(
        "QRS detector",
        *after_intake(lambda start: qrs_detector.begin(start, len(LEADS)), _step_qrs),
        tuple[IntakeState, QrsState],
        ecg_with_events,
    ),
    Stage(
        "beat detector",
        *after_intake(lambda start: beat_detector.begin(start, len(LEADS)), _step_beats),
        tuple[IntakeState, BeatsState],
        ecg_with_events,
    ),
    Stage(
        "repetition",
        *after_intake(
            lambda start: (beat_detector.begin(start, len(LEADS)), repetition.begin(len(LEADS))), _step_repetition
        ),
        tuple[IntakeState, tuple[BeatsState, RepetitionState]],
        ecg_with_events,
        atol=1e-9,
    ),
    Stage(
        "signal quality",
        *after_intake(lambda start: (blocks.begin(len(LEADS)), signal_quality.begin(start, len(LEADS))), _step_quality),
        tuple[IntakeState, tuple[BlocksState, QualityState]],
        ecg_with_events,
    ),
    Stage(
        "fibrillation waveform",
        *after_intake(
            lambda _: (blocks.begin(len(LEADS)), fibrillation_waveform.begin(len(LEADS))),
            _step_waveform,
        ),
        tuple[IntakeState, tuple[BlocksState, WaveformState]],
        ecg_with_events,
    ),
    Stage(
        "ventricular fibrillation",
        *after_intake(
            lambda start: (
                beat_detector.begin(start, len(LEADS)),
                blocks.begin(len(LEADS)),
                fibrillation_waveform.begin(len(LEADS)),
                ventricular_fibrillation.begin(start, len(LEADS)),
            ),
            _step_fibrillation,
        ),
        tuple[IntakeState, tuple[BeatsState, BlocksState, WaveformState, FibrillationState]],
        ecg_with_events,
    ),
    Stage(
        "numeric conditions",
        *after_intake(lambda _: NumericState(), _step_numerics),
        tuple[IntakeState, NumericState],
        saturation_and_pressure,
    ),
    Stage(
        "pulses",
        *after_intake(lambda _: b"", _step_pulses),
        tuple[IntakeState, bytes],
        pulse_waves,
    ),
    Stage(
        "derived values",
        *after_intake(lambda _: None, _step_derived),
        tuple[IntakeState, WavesState | None],
        pulse_waves,
    ),
    Stage(
        "rhythm detector",
        *after_intake(lambda start: (-1, rhythm_detector.begin(start)), _step_rhythm),
        tuple[IntakeState, tuple[int, RhythmState]],
        beat_codes,
    ),
    Stage(
        "forecaster",
        *after_intake(lambda _: forecaster.begin(models().forecaster, len(LEADS)), _step_forecaster),
        tuple[IntakeState, ForecasterState],
        ecg_with_events,
        atol=1e-5,
    ),
    Stage(
        "personal forecast",
        *after_intake(
            lambda _: (
                forecaster.begin(models().forecaster, len(LEADS)),
                personal_forecast.begin(len(LEADS), models().forecaster.scaling),
            ),
            _step_personal,
        ),
        tuple[IntakeState, tuple[ForecasterState, PersonalColumns]],
        ecg_with_events,
        atol=1e-4,
    ),
    Stage(
        "vitals hours ahead",
        *after_intake(lambda _: trends().initial(), _step_trends),
        tuple[IntakeState, TrendState],
        ecg_with_events,
    ),
    Stage(
        "anomaly detector",
        *after_intake(lambda start: anomaly_detector.begin(start, LEADS), _step_anomaly),
        tuple[IntakeState, AnomalyState],
        forecast_errors,
    ),
    Stage(
        "frequent episodes",
        *after_intake(lambda start: (anomaly_detector.begin(start, LEADS), FrequentState()), _step_frequent),
        tuple[IntakeState, tuple[AnomalyState, FrequentState]],
        forecast_errors,
    ),
    Stage(
        "analysis",
        lambda start, epoch_start: bed_state.begin(models(), LEADS, start, epoch_start),
        _step_analysis,
        BedState,
        ecg_with_events,
        atol=1e-3,
        save=BedState.to_bytes,
        load=BedState.from_bytes,
    ),
)
