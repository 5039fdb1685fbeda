"""What is found in the signal of one bed: beats, conditions, and how the patient stands each second.

Joins QRS detection and typing, signal quality, fibrillation, rhythm and the forecast's skill. All of it moves on the
grid of strides that counts from the epoch's start, so cutting the stream into other chunks changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np

from model.beats import beat_detector as beats
from model.beats.beat_detector import Beat, BeatsState
from model.beats.classifier import BeatTyper
from model.conditions.changes import Began, Change, Ended
from model.conditions.settings import AlarmConfig
from model.forecast import skill
from model.forecast.skill import SkillState
from model.rhythm import rhythm_detector as rhythm
from model.rhythm.rhythm_detector import RhythmState
from model.rhythm.rules import SignalNow
from model.rhythm.vitals import VitalsNow
from model.signal import signal_quality as quality
from model.signal import ventricular_fibrillation as fibrillation
from model.signal.arrays import FloatArray
from model.signal.signal_quality import QualityOutput, QualityState
from model.signal.state_codec import DAMAGED_STATE
from model.signal.ventricular_fibrillation import Fibrillation, FibrillationState
from stream.errors import StorageError
from stream.timebase import STRIDE
from stream.wire.alarm_messages import Limits
from stream.wire.messages import Rhythm


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the forecaster said at the end of a stride.

    Attributes
    ----------
    at : int
        The last observed sample.
    observed : float
        That sample on the first lead, mV.
    expected : float
        What it said of the sample that ends the next stride, mV.
    score : float
        The highest residual score of the stride; NaN while learning.
    """

    at: int
    observed: float
    expected: float
    score: float


@dataclass(frozen=True, slots=True)
class VitalSigns:
    """How the patient stands; the fields are those of `stream.wire.messages.Vitals`."""

    index: int
    heart_rate: float | None
    rr_ms: float | None
    pvc_per_min: int | None
    rhythm: Rhythm
    quality: float | None
    score: float | None
    skill: float | None
    inops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FindingsState:
    """All that is carried from chunk to chunk.

    Attributes
    ----------
    skip : int
        Samples still to be left out before the grid of strides begins, when the bed was joined off the grid.
    end : int
        Index after the last sample taken.
    beats : BeatsState
    quality : QualityState
    fibrillation : FibrillationState
    rhythm : RhythmState
    skill : SkillState
    stride : int
        First sample of the stride that is being filled.
    signal : SignalNow
        What was known of the signal at the last look at it.
    index : float
        Signal quality then.
    highest : float
        Highest score of the second that is being filled; NaN where there was none.
    technical : tuple of Began
        The technical conditions that hold.
    """

    skip: int
    end: int
    beats: BeatsState
    quality: QualityState
    fibrillation: FibrillationState
    rhythm: RhythmState
    skill: SkillState
    stride: int
    signal: SignalNow
    index: float = 1.0
    highest: float = math.nan
    technical: tuple[Began, ...] = ()

    def to_bytes(self) -> bytes:
        """Return the state as MessagePack."""
        rest = _Rest(
            self.skip, self.end, self.skill, self.stride, self.signal, self.index, self.highest, self.technical
        )
        parts = (self.beats, self.quality, self.fibrillation, self.rhythm)
        return msgspec.msgpack.encode((rest, *(part.to_bytes() for part in parts)))

    @classmethod
    def from_bytes(cls, data: bytes) -> FindingsState:
        """Return the state that `to_bytes` wrote.

        Raises
        ------
        StorageError
            The bytes are no such state.
        """
        try:
            rest, *parts = msgspec.msgpack.decode(data, type=tuple[_Rest, bytes, bytes, bytes, bytes])
        except (msgspec.DecodeError, ValueError) as error:
            raise StorageError(DAMAGED_STATE) from error
        return cls(
            rest.skip,
            rest.end,
            BeatsState.from_bytes(parts[0]),
            QualityState.from_bytes(parts[1]),
            FibrillationState.from_bytes(parts[2]),
            RhythmState.from_bytes(parts[3]),
            rest.skill,
            rest.stride,
            rest.signal,
            rest.index,
            rest.highest,
            rest.technical,
        )


@dataclass(frozen=True, slots=True)
class _Rest:
    """The small parts of the state, as they are stored."""

    skip: int
    end: int
    skill: SkillState
    stride: int
    signal: SignalNow
    index: float
    highest: float
    technical: tuple[Began, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What one chunk brought.

    Attributes
    ----------
    beats : tuple of Beat
    vitals : tuple of VitalSigns
        One for each whole second.
    changes : tuple of Began or Ended
        In the order in which they became known.
    """

    beats: tuple[Beat, ...]
    vitals: tuple[VitalSigns, ...]
    changes: tuple[Change, ...]


def begin(leads: Sequence[str], start: int, epoch_start: int) -> FindingsState:
    """Return the state of a bed whose first sample will be ``start``, in an epoch that began at ``epoch_start``."""
    skip = (epoch_start - start) % STRIDE
    first = start + skip
    return FindingsState(
        skip,
        start,
        beats.begin(first, len(leads)),
        quality.begin(first, leads),
        fibrillation.begin(first, len(leads)),
        rhythm.begin(first),
        SkillState(),
        first,
        SignalNow(first),
    )


def step(
    typer: BeatTyper,
    config: AlarmConfig,
    limits: Limits,
    state: FindingsState,
    mv: FloatArray,
    ahead: Sequence[Ahead],
    surprises: Sequence[Change],
) -> tuple[Findings, FindingsState]:
    """Take a chunk.

    Parameters
    ----------
    typer : BeatTyper
        The weights of beat typing.
    config : AlarmConfig
    limits : Limits
        Of the bed, as they are now.
    state : FindingsState
    mv : ndarray, shape (n, leads)
        NaN where invalid; the samples that follow those seen.
    ahead : sequence of Ahead
        What the forecaster said at the strides that this chunk completed.
    surprises : sequence of Began or Ended
        Residual conditions of this chunk.

    Returns
    -------
    Findings, FindingsState
    """
    skip = min(state.skip, len(mv))
    end = state.end + len(mv)
    mv = mv[skip:]
    found, beats_state = beats.step(typer, state.beats, mv)
    trust, quality_state = quality.step(state.quality, mv)
    unrest, fibrillation_state = fibrillation.step(state.fibrillation, mv)
    seen = _Seen(state, trust, unrest)
    # Signal and fibrillation are looked at each half second: each stride goes by the last look before its end.
    signal = [seen.signal(at) for at in range(state.stride + STRIDE - 1, end, STRIDE)]
    changes, said, rhythm_state = rhythm.step(config, limits, state.rhythm, found, signal)
    graded = tuple(replace(beat, quality=seen.index(beat.at)) for beat in found)
    state = replace(
        state,
        skip=state.skip - skip,
        end=end,
        beats=beats_state,
        quality=quality_state,
        fibrillation=fibrillation_state,
        rhythm=rhythm_state,
        stride=state.stride + len(signal) * STRIDE,
        signal=seen.signal(end),
        index=seen.index(end),
    )
    vitals, state = _by_second(state, said, ahead, trust.changes, seen)
    ordered = sorted([*surprises, *trust.changes, *changes], key=lambda change: change.at)
    return Findings(graded, vitals, tuple(ordered)), state


def finish(state: FindingsState) -> tuple[Ended, ...]:
    """Return the ends of all conditions that hold, because the epoch ends and nothing follows it."""
    at = state.end - 1
    technical = (
        Ended(began.kind, began.onset, max(at, began.onset) + 1, at, "signal_interrupted", leads=began.leads)
        for began in state.technical
    )
    return (*rhythm.close(state.rhythm, at), *technical)


class _Seen:
    """What was known of the signal at any sample of a chunk, from the looks that had been taken by then."""

    def __init__(self, state: FindingsState, trust: QualityOutput, unrest: Sequence[Fibrillation]) -> None:
        self._index = [(-1, state.index)]
        self._signal = [(-1, state.signal)]
        looks = {now.at: now for now in unrest}
        usable = np.any(trust.usable, axis=1).tolist()
        for i, (index, good) in enumerate(zip(trust.bed.tolist(), usable, strict=True)):
            now = looks.get(trust.first + i * STRIDE)
            if now is not None:
                self._index.append((now.at, index))
                self._signal.append((now.at, SignalNow(now.at, good, now.since, now.unrest > 0)))

    def index(self, at: int) -> float:
        """Return the signal quality."""
        return next(index for known, index in reversed(self._index) if known <= at)

    def signal(self, at: int) -> SignalNow:
        """Return what the rules need to know."""
        return replace(next(signal for known, signal in reversed(self._signal) if known <= at), at=at)


def _by_second(
    state: FindingsState,
    said: Sequence[VitalsNow],
    ahead: Sequence[Ahead],
    technical: Sequence[Change],
    seen: _Seen,
) -> tuple[tuple[VitalSigns, ...], FindingsState]:
    """Add to what the rhythm says of each second what forecast and signal say of it."""
    vitals = []
    forecasts, changes = list(ahead), list(technical)
    for now in said:
        state = _until(state, now.at, forecasts, changes)
        gain, skill_state = skill.end_second(state.skill)
        vitals.append(
            VitalSigns(
                index=now.at,
                heart_rate=now.heart_rate,
                rr_ms=now.rr_ms,
                pvc_per_min=now.pvc_per_min,
                rhythm=now.rhythm,
                quality=seen.index(now.at),
                score=None if math.isnan(state.highest) else state.highest,
                skill=gain,
                inops=tuple(began.kind for began in state.technical),
            )
        )
        state = replace(state, skill=skill_state, highest=math.nan)
    return tuple(vitals), _until(state, state.end, forecasts, changes)


def _until(state: FindingsState, at: int, ahead: list[Ahead], changes: list[Change]) -> FindingsState:
    """Take what was said up to a sample, and remove it from the lists."""
    compared, highest = state.skill, state.highest
    while ahead and ahead[0].at <= at:
        said = ahead.pop(0)
        compared = skill.compare(compared, said.observed, said.expected)
        if math.isnan(highest) or said.score > highest:
            highest = said.score
    holding = state.technical
    while changes and changes[0].at <= at:
        change = changes.pop(0)
        holding = tuple(began for began in holding if began.kind != change.kind)
        if isinstance(change, Began):
            holding = (*holding, change)
    return replace(state, skill=compared, highest=highest, technical=holding)
