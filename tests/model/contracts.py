"""Streaming stages, each behind the intake, for the contract suite in `tests.model.test_contracts`.

A stage takes chunks of a signal, shape (n, 2), mV, NaN where invalid, and gives outputs, each with the sample at which
it became known.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from model.anomaly import anomaly_detector
from model.anomaly.state import DEFAULT_CONFIG, AnomalyState
from model.beats import beat_detector, qrs_detector
from model.beats.beat_detector import Beat, BeatsState
from model.beats.classifier import load_classifier
from model.beats.qrs_detector import QrsState
from model.forecast import forecaster
from model.forecast.forecaster import ForecasterState
from model.pipeline import analysis
from model.pipeline.analysis import BedState, Models, load_models
from model.rhythm import rhythm_detector
from model.rhythm.rhythm_detector import RhythmState
from model.rhythm.rules import SignalStatus
from model.signal import blocks, intake, signal_quality, ventricular_fibrillation
from model.signal.arrays import FloatArray
from model.signal.blocks import BlocksState
from model.signal.intake import IntakeState, Strides
from model.signal.signal_quality import QualityState
from model.signal.state_codec import pack, unpack
from model.signal.ventricular_fibrillation import FibrillationState
from stream.records.catalog import Catalog
from stream.records.wfdb_reader import load
from stream.timebase import FS, STRIDE
from stream.wire.alarm_messages import Limits
from stream.wire.messages import BeatType

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
        From the first sample and the epoch's first sample to the state.
    step : callable
        From state and chunk to outputs, each with the sample at which it became known, and state.
    kind : type
        Of the state.
    signal : callable
        Returns what the stage is run on, shape (n, 2).
    atol : float
        How far floats may differ when the signal is cut otherwise; 0 asks for equal states, too.
    save : callable
        From state to bytes.
    load : callable or None
        From bytes to state; by default as any state.
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
        self, mv: FloatArray, cuts: Sequence[int] = (), start: int = 0, epoch_start: int = 0, moved: bool = False
    ) -> tuple[Outputs, Any]:
        """Run the stage on a signal that is cut at some places, the state moved through bytes at each cut if asked."""
        state, outputs = self.begin(start, epoch_start), []
        for first, last in itertools.pairwise([0, *sorted(cuts), len(mv)]):
            if moved:
                state = self.restore(self.save(state))
            new, state = self.step(state, mv[first:last])
            outputs += new
        return outputs, state


def flat(value: Any) -> tuple[list[Any], list[npt.NDArray[Any]]]:
    """Return all that must be equal in an output, and all its floats."""
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
        own_exact, own_floats = flat(part)
        exact += [len(own_floats), *own_exact]
        floats += own_floats
    return exact, floats


def assert_same(one: Outputs, other: Outputs, atol: float) -> None:
    """Fail unless outputs are the same; of what became known at one sample, the order is free."""
    exact, floats = [], []
    for outputs in (one, other):
        parts = sorted(((at, *flat(value)) for at, value in outputs), key=lambda part: (part[0], str(part[1])))
        exact.append([(at, values) for at, values, _ in parts])
        floats.append(np.concatenate([np.empty(0), *(array for _, _, arrays in parts for array in arrays)]))
    assert exact[0] == exact[1]
    np.testing.assert_allclose(floats[0], floats[1], rtol=0, atol=atol)


# --- signals --------------------------------------------------------------------------------------------------------


@cache
def eventful() -> FloatArray:
    """30 s of two leads: ECG with ventricular beats, a fibrillation wave, ECG again; gaps, and a lead that is off."""
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


CODES: dict[float, BeatType] = {1: "N", 2: "V", 3: "S", 4: "Q"}


@cache
def beat_codes() -> FloatArray:
    """60 s that carry beats (first column, at the sample at which each is known) and the state of the signal."""
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
def errors() -> FloatArray:
    """40 s of a signal that is forecast as 0: ordinary errors, larger ones each second, and two strange stretches."""
    rng = np.random.default_rng(1)
    mv = rng.normal(0, 0.1, (40 * FS, 2))
    time = np.arange(len(mv)) / FS
    mv[time % 1 < 0.1] *= 2.5
    for first in (20.0, 30.3):
        mv[(time >= first) & (time < first + 0.4)] += 3
    mv.flags.writeable = False
    return mv


# --- stages ---------------------------------------------------------------------------------------------------------


@cache
def models() -> Models:
    """The shipped models, loaded once."""
    return load_models()


@cache
def beat_typer() -> Any:
    """The shipped beat classifier, loaded once."""
    return load_classifier()


def after_intake(
    begin: Callable[[int], Any], step: Callable[[Any, Strides], tuple[Outputs, Any]]
) -> tuple[Callable[[int, int], Any], Callable[[Any, FloatArray], tuple[Outputs, Any]]]:
    """Put the intake before a stage that takes strides; ``begin`` is given the first sample of the grid."""

    def begin_both(start: int, epoch_start: int) -> Any:
        received = intake.begin(len(LEADS), start, epoch_start)
        return received, begin(received.next_stride)

    def step_both(state: Any, mv: FloatArray) -> tuple[Outputs, Any]:
        strides, received = intake.step(state[0], mv)
        outputs, own = step(state[1], strides) if len(strides.mv) else ([], state[1])
        return outputs, (received, own)

    return begin_both, step_both


def _intake_outputs(strides: Strides) -> Outputs:
    ends, leads = strides.last_samples, strides.mv.shape[1]
    parts = (part.reshape(-1, STRIDE, leads) for part in (strides.mv, strides.invalid))
    return list(zip(ends, zip(*parts, strict=True), strict=True))


def _step_intake(state: IntakeState, mv: FloatArray) -> tuple[Outputs, IntakeState]:
    strides, state = intake.step(state, mv)
    return _intake_outputs(strides), state


def _step_blocks(state: BlocksState, strides: Strides) -> tuple[Outputs, BlocksState]:
    whole, state = blocks.step(state, strides)
    ends = [whole.start + (i + 1) * blocks.BLOCK - 1 for i in range(len(whole.mv))]
    return list(zip(ends, zip(whole.mv, whole.invalid, strict=True), strict=True)), state


def _step_qrs(state: QrsState, strides: Strides) -> tuple[Outputs, QrsState]:
    found, state = qrs_detector.step(state, strides)
    return [(beat.at, beat) for beat in found], state


def _step_beats(state: BeatsState, strides: Strides) -> tuple[Outputs, BeatsState]:
    found, state = beat_detector.step(beat_typer(), state, strides)
    return [(beat.at, beat) for beat in found], state


def _step_quality(state: tuple[BlocksState, QualityState], strides: Strides) -> tuple[Outputs, Any]:
    whole, blocks_state = blocks.step(state[0], strides)
    found, quality_state = signal_quality.step(state[1], whole)
    each = zip(found.index, found.usable, strict=True)
    outputs: Outputs = [(found.first + i * STRIDE, own) for i, own in enumerate(each)]
    return [*outputs, *((change.at, change) for change in found.changes)], (blocks_state, quality_state)


def _step_fibrillation(state: tuple[BlocksState, FibrillationState], strides: Strides) -> tuple[Outputs, Any]:
    whole, blocks_state = blocks.step(state[0], strides)
    found, own = ventricular_fibrillation.step(state[1], whole)
    return [(one.at, one) for one in found], (blocks_state, own)


def _step_rhythm(state: tuple[int, RhythmState], strides: Strides) -> tuple[Outputs, Any]:
    """Decode beats and the state of the signal from the samples, so that cuts and futures reach the stage."""
    last, own = state
    of_beats, of_signal = np.rint(strides.mv).T.tolist()
    beats = []
    for at, code in enumerate(of_beats, strides.start):
        if code in CODES:
            index = at - 50
            beats.append(Beat(index, at, CODES[code], None if last < 0 else index - last))
            last = index
    signal = []
    for at in strides.last_samples:
        code = of_signal[at - strides.start]
        since = at - 1440 if code == 2 else None
        signal.append(SignalStatus(at, usable=code != 1, fibrillation_since=since, fibrillation_suspected=code > 1))
    changes, vitals, own = rhythm_detector.step(models().alarms, Limits(), own, beats, signal)
    return [*((c.at, c) for c in changes), *((v.index, v) for v in vitals)], (last, own)


def _step_forecaster(state: ForecasterState, strides: Strides) -> tuple[Outputs, ForecasterState]:
    ((made, state),) = forecaster.step(models().forecaster, [state], [strides])
    return list(zip(made.origin.tolist(), zip(made.mean, made.scale, strict=True), strict=True)), state


def _step_anomaly(state: AnomalyState, strides: Strides) -> tuple[Outputs, AnomalyState]:
    observed = strides.mv.reshape(-1, PATCH, len(LEADS))
    mean = np.zeros((len(observed), HORIZON, len(LEADS)), np.float32)
    found, state = anomaly_detector.step(DEFAULT_CONFIG, state, mean, np.full_like(mean, 0.1), observed)
    ends = range(strides.start + PATCH - 1, strides.end, PATCH)
    return [*zip(ends, found.score.tolist(), strict=True), *((c.at, c) for c in found.changes)], state


def _step_analysis(state: BedState, mv: FloatArray) -> tuple[Outputs, BedState]:
    ((found, state),) = analysis.step(models(), [state], [mv], [models().alarms.limits])
    return [
        *((one.origin, one) for one in found.forecasts),
        *((one.at, one) for one in found.beats),
        *((one.index, one) for one in found.vitals),
        *((one.at, one) for one in found.changes),
    ], state


def _save_forecaster(state: tuple[IntakeState, ForecasterState]) -> bytes:
    return pack((state[0], state[1].detached()))


STAGES = (
    Stage(
        "intake",
        lambda start, epoch_start: intake.begin(len(LEADS), start, epoch_start),
        _step_intake,
        IntakeState,
        eventful,
    ),
    Stage(
        "blocks",
        *after_intake(lambda _: blocks.begin(len(LEADS)), _step_blocks),
        tuple[IntakeState, BlocksState],
        eventful,
    ),
    Stage(
        "QRS detector",
        *after_intake(lambda start: qrs_detector.begin(start, len(LEADS)), _step_qrs),
        tuple[IntakeState, QrsState],
        eventful,
    ),
    Stage(
        "beat detector",
        *after_intake(lambda start: beat_detector.begin(start, len(LEADS)), _step_beats),
        tuple[IntakeState, BeatsState],
        eventful,
    ),
    Stage(
        "signal quality",
        *after_intake(lambda start: (blocks.begin(len(LEADS)), signal_quality.begin(start, LEADS)), _step_quality),
        tuple[IntakeState, tuple[BlocksState, QualityState]],
        eventful,
    ),
    Stage(
        "ventricular fibrillation",
        *after_intake(
            lambda start: (blocks.begin(len(LEADS)), ventricular_fibrillation.begin(start, len(LEADS))),
            _step_fibrillation,
        ),
        tuple[IntakeState, tuple[BlocksState, FibrillationState]],
        eventful,
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
        eventful,
        atol=1e-5,
        save=_save_forecaster,
    ),
    Stage(
        "anomaly detector",
        *after_intake(lambda start: anomaly_detector.begin(start, LEADS), _step_anomaly),
        tuple[IntakeState, AnomalyState],
        errors,
    ),
    Stage(
        "analysis",
        lambda start, epoch_start: analysis.begin(models(), LEADS, start, epoch_start),
        _step_analysis,
        BedState,
        eventful,
        atol=1e-3,
        save=BedState.to_bytes,
        load=BedState.from_bytes,
    ),
)
