"""A forecast of the next second that knows its patient: columns of beds, strides and LSTM forecasts in, forecasts out.

At the end of each stride, three forecasts are combined, in deviations of the stream: that of the LSTM, what followed
the past moments most like the last 360 ms, and what followed those most like the last second. The latter are searched
every fourth stride; in between, they move on with the present. The first two forecasts are blended by their
recent skill; a regression on all three, and on the latest samples, corrects the result, and its own skill decides by
how much. Beyond the horizon of the LSTM, its part is taken by the baseline.

What is compared or learned comes from forecasts whose whole second has been observed, without an invalid sample. While
a sample of the last second is invalid, the forecast is that of the LSTM, and nothing is learned.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from model.forecast import normalization as scaling
from model.forecast import personal_head, personal_intervals, recent_skill, retrieval
from model.forecast.config import PATCH, ScalingConfig
from model.forecast.forecaster import Forecasts
from model.forecast.forecaster_weights import TrainedForecaster
from model.forecast.normalization import Fading, ScalingState
from model.forecast.personal_head import HeadState
from model.forecast.personal_intervals import IntervalState
from model.forecast.recent_skill import SkillShare
from model.forecast.retrieval import (
    LONG_EVERY,
    MOMENTS,
    POINTS,
    PRECEDING,
    RECENT,
    STRIDES,
    Followed,
    RetrievalState,
    Scratch,
)
from model.signal.arrays import BoolArray, Float32Array, FloatArray, IntArray
from model.signal.batch import Batch, Strides, single
from model.signal.columns import copied, each
from model.signal.compiled import compiled, compiled_part
from stream.timebase import FS, STRIDE

OFFSETS = (*range(PATCH, 97, PATCH), *range(108, 361, 12))
"""Samples after the origin that are forecast; multiples of a patch, up to one second."""

AHEAD = FS // STRIDE
"""Strides after which a forecast can be compared with what followed."""

SOLVED = 2 * AHEAD
"""Strides from one solution of the regression to the next: two seconds."""

SHORT, LONG = 2, 4
"""Points of 90 Hz for each one of the short and of the long window."""

SHORT_WINDOW, LONG_WINDOW = 16, 24
"""Points of the windows: 360 ms and 1.07 s."""

NEAR = tuple(OFFSETS.index(offset) for offset in (4, 8, 16, 24, 36, 48, 72, 96))
FAR = tuple(OFFSETS.index(offset) for offset in (4, 8, 16, 24, 36, 48, 72, 96, 144, 204, 276, 348))
"""Horizons of the LSTM, and of what followed, that are features."""

_HORIZONS = np.array(OFFSETS), np.array(NEAR), np.array(FAR)

FEATURES = len(NEAR) + 2 * len(FAR) + 3 * RECENT + 1

BOUND = 8.0
"""Largest absolute feature, in deviations of the stream."""

_SIMPLE, _FOLLOWED, _BASE, _CORRECTED, _MEAN, _SCALE = range(6)


class PersonalColumns(NamedTuple):
    """State of the stage for all beds; the first axes are slots and leads.

    Attributes
    ----------
    retrieval : RetrievalState
    scaling : ScalingState
    head : HeadState
    followed, corrected : SkillShare
        Of what followed over the LSTM, and of the corrected forecast over the blend of both.
    intervals : IntervalState
    features : ndarray of float32, shape (slots, leads, AHEAD, FEATURES)
        Of the last forecasts, as a ring.
    pending : ndarray of float32, shape (slots, leads, AHEAD, 6, horizons)
        These forecasts in deviations of the stream: LSTM, what followed, their blend, corrected, used, scale.
    units : ndarray of float64, shape (slots, leads, AHEAD, 2)
        Baseline and deviation of the stream then, mV.
    """

    retrieval: RetrievalState
    scaling: ScalingState
    head: HeadState
    followed: SkillShare
    corrected: SkillShare
    intervals: IntervalState
    features: Float32Array
    pending: Float32Array
    units: FloatArray


class PersonalForecasts(NamedTuple):
    """Forecasts of the beds of a batch at the ends of strides.

    Attributes
    ----------
    mean, scale : ndarray of float32, shape (beds, strides, len(OFFSETS), leads)
        mV, at `OFFSETS` samples after the end of each stride.
    """

    mean: Float32Array
    scale: Float32Array


class Workspace(NamedTuple):
    """Memory that the streams of a batch use one after the other; values of horizons in deviations of the stream."""

    halved: Float32Array
    quartered: Float32Array
    whole: BoolArray
    short: Scratch
    long: Scratch
    found: IntArray
    first: Followed
    second: Followed
    features: Float32Array
    values: FloatArray
    target: FloatArray
    residual: Float32Array
    prior: FloatArray
    equations: FloatArray
    solution: FloatArray


def begin(leads: int, config: ScalingConfig) -> PersonalColumns:
    """Return the state of one bed before the first stride of an epoch, as columns of one slot."""
    horizons = len(OFFSETS)
    streams = PersonalColumns(
        retrieval.begin(leads),
        scaling.begin(leads, config),
        personal_head.begin(leads, FEATURES, horizons),
        recent_skill.begin(leads, horizons),
        recent_skill.begin(leads, horizons),
        personal_intervals.begin(leads, horizons),
        np.zeros((leads, AHEAD, FEATURES), np.float32),
        np.zeros((leads, AHEAD, 6, horizons), np.float32),
        np.ones((leads, AHEAD, 2)),
    )
    return each(lambda column: column[None], streams)


def after_gap(columns: PersonalColumns) -> PersonalColumns:
    """Return the state of one bed after lost samples: what was learned is kept, and no window crosses the gap."""
    slots, leads = columns.retrieval.strides.shape
    streams = each(lambda column: column.reshape(slots * leads, *column.shape[2:]), columns.retrieval)
    kept = each(lambda column: column.reshape(slots, leads, *column.shape[1:]), retrieval.after_gap(streams))
    return columns._replace(retrieval=kept)


def step(
    forecaster: TrainedForecaster, columns: PersonalColumns, strides: Strides, made: Forecasts
) -> tuple[PersonalForecasts, PersonalColumns]:
    """Push strides of one bed with a state of its own, which is not changed, as `advance` does for columns.

    Parameters
    ----------
    forecaster : TrainedForecaster
    columns : PersonalColumns
        Of one slot.
    strides : Strides
    made : Forecasts
        Of the LSTM, for these strides.
    """
    columns = copied(columns)
    forecasts = advance(forecaster, columns, single(strides), made.mean[None], made.scale[None])
    return PersonalForecasts(forecasts.mean[0], forecasts.scale[0]), columns


def advance(
    forecaster: TrainedForecaster, columns: PersonalColumns, batch: Batch, mean: Float32Array, scale: Float32Array
) -> PersonalForecasts:
    """Push strides of the beds of a batch; ``columns`` change in place at their slots.

    Parameters
    ----------
    forecaster : TrainedForecaster
    columns : PersonalColumns
        Contiguous.
    batch : Batch
    mean, scale : ndarray of float32, shape (beds, patches, horizon, leads)
        Forecasts of the LSTM from the end of each patch, mV.

    Returns
    -------
    PersonalForecasts
    """
    beds, _, leads = batch.mv.shape
    shape = beds, batch.strides, len(OFFSETS), leads
    out = PersonalForecasts(np.empty(shape, np.float32), np.empty(shape, np.float32))
    if beds * batch.strides:
        streams = each(lambda column: column.reshape(-1, *column.shape[2:]), columns)
        keep = scaling.fading(forecaster.scaling, STRIDE)
        _advance(streams, batch, mean, scale, keep, *_HORIZONS, out)
    return out


@compiled
def _advance(
    streams: PersonalColumns,
    batch: Batch,
    mean: Float32Array,
    scale: Float32Array,
    keep: Fading,
    offsets: IntArray,
    near: IntArray,
    far: IntArray,
    out: PersonalForecasts,
) -> None:
    beds, strides, _, leads = out.mean.shape
    patches, ahead = mean.shape[1] // strides, offsets // PATCH
    work = _workspace(len(offsets))
    simple, followed, base, corrected, used, scales = (
        work.values[0],
        work.values[1],
        work.values[2],
        work.values[3],
        work.values[4],
        work.values[5],
    )
    for bed in range(beds):
        for lead in range(leads):
            i = batch.slots[bed] * leads + lead
            for t in range(strides):
                stride = batch.mv[bed, t * STRIDE : (t + 1) * STRIDE, lead]
                retrieval.push(streams.retrieval, i, stride, batch.invalid[bed, t * STRIDE : (t + 1) * STRIDE, lead])
                level, unit = scaling.push(streams.scaling, i, stride, keep)
                past, usable = retrieval.latest(streams.retrieval, i)
                ring = streams.retrieval.strides[i] % AHEAD
                if usable[-1] > PRECEDING + AHEAD:
                    _learn(streams, i, ring, ahead, past, work)
                if streams.retrieval.strides[i] % SOLVED == 0:
                    personal_head.solve(streams.head, i, work.equations, work.solution)
                made, made_scale = mean[bed, (t + 1) * patches - 1, :, lead], scale[bed, (t + 1) * patches - 1, :, lead]
                for h in range(len(offsets)):
                    known = offsets[h] <= len(made)
                    simple[h] = (made[offsets[h] - 1] - level) / unit if known else 0.0
                    work.prior[h] = made_scale[offsets[h] - 1] / unit if known else 1.0
                found = usable[-1] > PRECEDING and _retrieve(streams.retrieval, i, ahead, level, unit, work)
                if found:
                    for h in range(len(offsets)):
                        followed[h] = work.first.mean[h]
                    recent_skill.blend(streams.followed, i, simple, followed, base)
                    _features(past, level, unit, near, far, work)
                    corrected[:] = base
                    personal_head.correct(streams.head, i, work.features, corrected)
                    recent_skill.blend(streams.corrected, i, base, corrected, used)
                else:
                    work.features[:] = 0.0
                    followed[:], base[:], corrected[:], used[:] = simple, simple, simple, simple
                    work.first.spread[:] = work.prior
                personal_intervals.scale_of(streams.intervals, i, work.prior, work.first.spread, scales)
                streams.features[i, ring], streams.pending[i, ring] = work.features, work.values
                streams.units[i, ring, 0], streams.units[i, ring, 1] = level, unit
                for h in range(len(offsets)):
                    out.mean[bed, t, h, lead] = used[h] * unit + level
                    out.scale[bed, t, h, lead] = scales[h] * unit


@compiled_part
def _workspace(horizons: int) -> Workspace:
    points = STRIDES * POINTS
    return Workspace(
        np.empty(points // SHORT, np.float32),
        np.empty(points // LONG, np.float32),
        np.empty(STRIDES, np.bool_),
        retrieval.new_scratch(points // SHORT),
        retrieval.new_scratch(points // LONG),
        np.empty(MOMENTS, np.int64),
        Followed(np.empty(horizons), np.empty(horizons), np.empty(RECENT)),
        Followed(np.empty(horizons), np.empty(horizons), np.empty(RECENT)),
        np.empty(FEATURES, np.float32),
        np.empty((6, horizons)),
        np.empty(horizons),
        np.empty(horizons, np.float32),
        np.empty(horizons),
        np.empty((FEATURES, FEATURES)),
        np.empty((FEATURES, horizons)),
    )


@compiled_part
def _learn(streams: PersonalColumns, i: int, ring: int, ahead: IntArray, past: Float32Array, work: Workspace) -> None:
    """Compare the forecasts of stream `i` that were made a second ago with what followed."""
    origin = len(past) - 1 - AHEAD * POINTS
    level, unit = streams.units[i, ring, 0], streams.units[i, ring, 1]
    for h in range(len(ahead)):
        work.target[h] = (past[origin + ahead[h]] - level) / unit
    values = work.values
    values[:] = streams.pending[i, ring]
    work.features[:] = streams.features[i, ring]
    personal_intervals.learn(streams.intervals, i, values[_MEAN], values[_SCALE], work.target)
    recent_skill.learn(streams.followed, i, values[_SIMPLE], values[_FOLLOWED], work.target, 1.0)
    recent_skill.learn(streams.corrected, i, values[_BASE], values[_CORRECTED], work.target, 1.0)
    for h in range(len(ahead)):
        work.residual[h] = work.target[h] - values[_BASE, h]
    personal_head.learn(streams.head, i, work.features, work.residual)


@compiled_part
def _retrieve(state: RetrievalState, i: int, ahead: IntArray, level: float, unit: float, work: Workspace) -> bool:
    """Find the moments most like the present, and what followed; return whether there were enough."""
    past, usable = retrieval.latest(state, i)
    retrieval.observed(usable, work.whole)
    retrieval.halved(past, work.halved)
    if retrieval.find(work.halved, SHORT_WINDOW, work.whole, work.short, work.found) < MOMENTS:
        return False
    _follow(past, work.found, ahead, level, unit, work.first)
    moments = state.moments[i]
    if not retrieval.found_before(state, i, work.whole):
        retrieval.halved(work.halved, work.quartered)
        enough = retrieval.find(work.quartered, LONG_WINDOW, work.whole, work.long, moments) == MOMENTS
        state.searched[i] = state.strides[i] if enough else -LONG_EVERY
        if not enough:
            return False
    _follow(past, moments, ahead, level, unit, work.second)
    return True


@compiled_part
def _follow(past: Float32Array, moments: IntArray, ahead: IntArray, level: float, unit: float, out: Followed) -> None:
    """Write what followed moments, in deviations of the stream."""
    retrieval.follow(past, moments, retrieval.FLOOR * unit * unit, ahead, out)
    for h in range(len(ahead)):
        out.mean[h] = (out.mean[h] - level) / unit
        out.spread[h] /= unit
    for j in range(RECENT):
        out.recent[j] /= unit


@compiled_part
def _features(past: Float32Array, level: float, unit: float, near: IntArray, far: IntArray, work: Workspace) -> None:
    """Write the features of the regression."""
    features, n = work.features, 0
    for h in near:
        features[n] = work.values[_SIMPLE, h]
        n += 1
    for h in far:
        features[n], features[n + 1] = work.first.mean[h], work.second.mean[h]
        n += 2
    for j in range(RECENT):
        features[n], features[n + 1] = work.first.recent[j], work.second.recent[j]
        features[n + 2] = (past[len(past) - 1 - j] - level) / unit
        n += 3
    features[n] = 1.0
    for j in range(n):
        features[j] = min(max(features[j], -BOUND), BOUND)
