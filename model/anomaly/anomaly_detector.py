"""Where reality leaves the forecast: a surprise that is calibrated on the patient's own recent past.

Every patch of observed samples is compared with what was forecast for it at several horizons, relative to the
predicted scale (`model.anomaly.features`). What counts is not the size of the error but how it compares with *this
patient's* last two minutes, and how it runs over the last second: a small network of fixed weights
(`model.anomaly.classifier`) turns both into one number, the **departure**, which is high where a wide complex came that
was not foreseen. The score is ``-log10`` of the chance that a second of the usual rhythm departs as far, by an
extreme-value (Gumbel) law. A threshold is thereby a rate of false alarms: 3 is one in 1,000 s. For a patient who
departs much of the time, without end, the law is moved up; it is never moved down. For the first 20 s of an alarm no
complexes are remembered as the patient's own (`model.anomaly.template_memory`), so that a run does not hide itself.

Weights and constants were chosen on MIT-BIH DS1 without records 201 and 208, by scores of patients who were left out
of the fit; docs/experiments.md tells how.

All functions are pure. Everything advances on the grid of patches, counted from the start of the epoch, and looks
back only: cutting a signal into other chunks, or changing its future, changes no output.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from model.anomaly import classifier, template_memory
from model.anomaly import features as parts
from model.anomaly.episodes import Cleared, Deviation, Event, Stretch, Surprise, close, follow
from model.anomaly.features import CHANNELS, LEVELS, LEVELS_KEPT, MEASURED, QUANTILES, RAW_KEPT, VOTES
from model.anomaly.state import LOOK, ResidualConfig, ResidualState, Usual
from model.signal.arrays import Float32Array, FloatArray
from stream.timebase import FS

LOCATION, SPREAD = -6.6, 1.0
"""The Gumbel law of a second's highest departure, for all patients. With it, and with weights fitted to the other
groups of records, scores of 2, 2.5 and 3 came in 14.6, 4.6 and 1.5 of 1,000 seconds without a ventricular beat, mean
over the records of DS1; in the median record in 6.3, 1.4 and 0, in the worst in 106, 39 and 8."""

USUAL_SHARE, USUAL_DEPARTURE = 0.4, -3.5
"""Where this quantile of a patient's highest departures lies above this departure, the law is moved up by the rest."""

FROZEN_S = 20
"""Seconds from an alarm's onset in which no complexes are remembered. The shortest that hides nothing of made-up runs
of up to 20 s in DS1: with 0, 5 and 10 s, of all their beats 5.8, 2.3 and 0.6 % fewer are found. With more, usual beats
that change their shape for minutes alarm for longer, for no gain. Chosen before conduction and noise were made up."""

NEAR = 0.5
"""Patches are surprising whose vote reaches this share of the highest in sight, and what is usual at a peak."""

AnyArray = TypeVar("AnyArray", FloatArray, Float32Array)


def begin(config: ResidualConfig, start: int, leads: int, patch: int = 4) -> ResidualState:
    """Return the state at the start of an epoch, whose first sample has the index ``start``."""
    del config
    empty = np.full((LOOK + max(parts.LAGS), VOTES, patch, leads), np.nan, np.float32)
    return ResidualState(
        start=start,
        patches=0,
        mean=empty,
        scale=empty,
        observed=np.full((LOOK, patch, leads), np.nan),
        channels=np.full((RAW_KEPT, leads, CHANNELS), np.nan),
        levels=np.full((LEVELS_KEPT, LEVELS), np.nan),
        votes=np.full(LOOK, np.nan),
        block_peaks=np.full(LEVELS, np.nan),
        block_departure=math.nan,
        usual=Usual(np.empty((0, LEVELS)), np.full((len(QUANTILES), LEVELS), np.nan), np.empty(0)),
        shapes=template_memory.begin(leads),
    )


def rarity(departure: FloatArray) -> FloatArray:
    """Return ``-log10`` of the chance that a block of the usual rhythm departs as far."""
    y = np.maximum((departure - LOCATION) / SPREAD, -5.0)
    # Beyond 30 the chance is exp(-y) to the last digit, and would underflow later.
    return np.where(y > 30, y / math.log(10), -np.log10(-np.expm1(-np.exp(-np.minimum(y, 30)))))


@dataclass(frozen=True, slots=True)
class Surprises:
    """What a chunk brought.

    Attributes
    ----------
    score : ndarray, shape (k,)
        ``-log10`` of a chance per block, for each new patch; NaN while learning, and where samples are invalid.
    events : tuple of Raised or Cleared
    """

    score: FloatArray
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """New patches, compared, and put in relation to the patient's past.

    Attributes
    ----------
    features : ndarray, shape (k, FEATURES)
        NaN while learning.
    votes, mean, scale, observed : ndarray
        As in the state, with the new patches after the ones before: k more rows.
    peak_vote : ndarray, shape (k,)
        Mean vote that is usual at a peak.
    """

    features: FloatArray
    votes: FloatArray
    mean: Float32Array
    scale: Float32Array
    observed: FloatArray
    peak_vote: FloatArray


def step(
    config: ResidualConfig, state: ResidualState, mean: Float32Array, scale: Float32Array, observed: FloatArray
) -> tuple[Surprises, ResidualState]:
    """Take new patches of one bed.

    Parameters
    ----------
    config : ResidualConfig
    state : ResidualState
    mean, scale : ndarray, shape (k, horizon, leads), mV
        The forecasts made at the ends of the ``k`` new patches.
    observed : ndarray, shape (k, patch, leads), mV
        The new patches; NaN where invalid.

    Returns
    -------
    Surprises, ResidualState
    """
    [result] = step_together(config, [state], [mean], [scale], [observed])
    return result


def step_together(
    config: ResidualConfig,
    states: Sequence[ResidualState],
    mean: Sequence[Float32Array],
    scale: Sequence[Float32Array],
    observed: Sequence[FloatArray],
) -> list[tuple[Surprises, ResidualState]]:
    """Take new patches of several beds, each with what `step` takes; as far as they are alike, in the same sums."""
    states = list(states)
    scores: list[list[FloatArray]] = [[] for _ in states]
    events: list[list[Event]] = [[] for _ in states]
    # Block by block: at the start of one, what is remembered depends on the alarm that has been going on.
    for pieces in _alike(config, states, observed):
        seen = observe_together(
            config,
            [states[bed] for bed, _ in pieces],
            [mean[bed][rows] for bed, rows in pieces],
            [scale[bed][rows] for bed, rows in pieces],
            [observed[bed][rows] for bed, rows in pieces],
        )
        features = np.concatenate([found.features for found, _ in seen])
        departures = classifier.weigh(classifier.load(), features).reshape(len(pieces), -1)
        for (bed, _), (found, state), departure in zip(pieces, seen, departures, strict=True):
            first = states[bed].patches
            score, state = judge(config, state, first, departure)
            told, states[bed] = _alarms(config, state, first, score, found)
            scores[bed].append(score)
            events[bed] += told
    return [
        (Surprises(np.concatenate(own) if own else np.empty(0), tuple(told)), state)
        for own, told, state in zip(scores, events, states, strict=True)
    ]


def _alike(
    config: ResidualConfig, states: Sequence[ResidualState], observed: Sequence[FloatArray]
) -> Iterator[list[tuple[int, slice]]]:
    """Cut the new patches of beds where blocks end; yield pieces of as many patches and leads, each with its bed."""
    cuts = [list(_blocks(config, state.patches, len(new))) for state, new in zip(states, observed, strict=True)]
    for turn in range(max(map(len, cuts), default=0)):
        groups: dict[tuple[int, int], list[tuple[int, slice]]] = defaultdict(list)
        for bed, own in enumerate(cuts):
            if turn < len(own):
                begins, ends, _ = own[turn]
                groups[ends - begins, observed[bed].shape[2]].append((bed, slice(begins, ends)))
        yield from groups.values()


def judge(
    config: ResidualConfig, state: ResidualState, first: int, departure: FloatArray
) -> tuple[FloatArray, ResidualState]:
    """Return the score of patches, the first of which is patch ``first``, by a law that moves up with the patient."""
    usual, highest = state.usual, state.block_departure
    shift = np.empty(len(departure))
    for begins, ends, whole in _blocks(config, first, len(departure)):
        shift[begins:ends] = usual.shift
        highest = float(np.fmax(highest, np.fmax.reduce(departure[begins:ends])))
        if whole:
            usual, highest = learn_departure(config, usual, highest), math.nan
    return rarity(departure - shift), replace(state, usual=usual, block_departure=highest)


def finish(config: ResidualConfig, state: ResidualState) -> tuple[Cleared | None, ResidualState]:
    """End what is open, because the epoch ends: nothing comes after the samples that were seen."""
    patch = state.mean.shape[2]
    at = state.start + state.patches * patch - 1
    return close(state.stretch, at, config.threshold), replace(state, stretch=None)


def observe(
    config: ResidualConfig, state: ResidualState, mean: Float32Array, scale: Float32Array, observed: FloatArray
) -> tuple[Observed, ResidualState]:
    """Compare new patches with their forecasts, and with the patient's past; the arguments are those of `step`.

    The alarm of ``state`` decides whether complexes are remembered: to follow alarms, take no more than a block.
    """
    [result] = observe_together(config, [state], [mean], [scale], [observed])
    return result


def observe_together(
    config: ResidualConfig,
    states: Sequence[ResidualState],
    mean: Sequence[Float32Array],
    scale: Sequence[Float32Array],
    observed: Sequence[FloatArray],
) -> list[tuple[Observed, ResidualState]]:
    """Do what `observe` does, for beds with as many leads and as many new patches: their leads lie side by side."""
    beds, (k, patch, leads) = len(states), observed[0].shape
    where = parts.ahead(patch)
    means = np.concatenate([_beside([state.mean for state in states]), _beside(mean)[:, where]])
    scales = np.concatenate([_beside([state.scale for state in states]), _beside(scale)[:, where]])
    together = np.concatenate([_beside([state.observed for state in states]), _beside(observed)])
    new_channels = parts.compare(means[LOOK:], scales[LOOK:], together[LOOK - 1 :])
    channels = np.concatenate([np.concatenate([state.channels for state in states], axis=1), new_channels])
    levels = np.empty((beds, LEVELS_KEPT + k, LEVELS))
    for own, state in zip(levels, states, strict=True):
        own[:LEVELS_KEPT] = state.levels
    by_bed = (k, beds, leads)
    measured = np.add.reduce(parts.levels(channels).reshape(*by_bed, MEASURED), axis=2) / leads
    levels[:, LEVELS_KEPT:, :MEASURED] = measured.transpose(1, 0, 2)
    votes = np.add.reduce(new_channels[:, :, :VOTES].reshape(*by_bed, VOTES), axis=(2, 3)) / (leads * VOTES)

    windows = template_memory.look([state.shapes for state in states], together[LOOK - 1], together[LOOK:])
    known = np.empty((beds, k, len(QUANTILES), LEVELS))
    learnt = [
        _learn(config, state, own, new[LEVELS_KEPT:], quantiles)
        for state, own, new, quantiles in zip(states, windows, levels, known, strict=True)
    ]
    features = parts.features(levels, known)
    peak_votes = np.exp(known[:, :, -1, :VOTES].sum(axis=2) / VOTES)
    by_part = (*(_apart(part, beds) for part in (means, scales, together)), _apart(channels.swapaxes(1, 2), beds))
    results = []
    for i, (state, (usual, peaks, shapes)) in enumerate(zip(states, learnt, strict=True)):
        own_mean, own_scale, own_observed, own_channels = (part[i] for part in by_part)
        own_votes = np.concatenate([state.votes, votes[:, i]])
        found = Observed(features[i], own_votes, own_mean, own_scale, own_observed, peak_votes[i])
        after = replace(
            state,
            patches=state.patches + k,
            mean=own_mean[k:],
            scale=own_scale[k:],
            observed=own_observed[k:],
            channels=own_channels[k:].swapaxes(1, 2),
            levels=levels[i, k:],
            votes=own_votes[k:],
            block_peaks=peaks,
            usual=usual,
            shapes=shapes,
        )
        results.append((found, after))
    return results


def _learn(
    config: ResidualConfig,
    state: ResidualState,
    windows: template_memory.Windows,
    levels: FloatArray,
    known: FloatArray,
) -> tuple[Usual, FloatArray, template_memory.Familiar]:
    """Go through the new patches of one bed, and remember what each block that ends had.

    What the patient's own complexes say is written into ``levels``, what was usual at each patch into ``known``.
    """
    usual, peaks, shapes = state.usual, state.block_peaks, state.shapes
    for begins, ends, _ in _blocks(config, state.patches, len(levels)):
        if (state.patches + begins) % config.block == 0:
            shapes = template_memory.forget(shapes) if _frozen(state) else template_memory.remember(shapes)
            usual, peaks = learn(config, usual, peaks), np.full_like(peaks, np.nan)
        known[begins:ends] = usual.quantiles
        levels[begins:ends, MEASURED:], shapes = template_memory.compare(shapes, windows, begins, ends)
        peaks = np.fmax(peaks, np.fmax.reduce(levels[begins:ends]))
    return usual, peaks, shapes


def _beside(beds: Sequence[AnyArray]) -> AnyArray:
    """Put the leads of beds side by side along the last axis."""
    return beds[0] if len(beds) == 1 else np.concatenate(beds, axis=-1)


def _apart(whole: AnyArray, beds: int) -> AnyArray:
    """Return the parts of beds, first axis, whose leads lie side by side along the last axis; each is contiguous."""
    if beds == 1:
        return whole[None]
    return np.ascontiguousarray(np.moveaxis(whole.reshape(*whole.shape[:-1], beds, -1), -2, 0))


def _frozen(state: ResidualState) -> bool:
    """Tell whether complexes are not to be remembered, because an alarm is young; one that lasts is to become usual."""
    if state.stretch is None or not state.stretch.raised:
        return False
    patch: int = state.mean.shape[2]
    return state.start + state.patches * patch - state.stretch.onset < FROZEN_S * FS


def learn(config: ResidualConfig, usual: Usual, peaks: FloatArray) -> Usual:
    """Remember the highest levels of a block, unless one was never known."""
    if not np.isfinite(peaks).all():
        return usual
    kept = np.concatenate([usual.peaks, peaks[None]])[-config.memory :]
    if len(kept) < config.warm:
        return replace(usual, peaks=kept)
    return replace(usual, peaks=kept, quantiles=_quantiles(kept, QUANTILES))


def learn_departure(config: ResidualConfig, usual: Usual, highest: float) -> Usual:
    """Remember the highest departure of a block, and move the law up where most of the patient's are high."""
    if not math.isfinite(highest):
        return usual
    kept = np.append(usual.departures, highest)[-config.long_memory :]
    if len(kept) < config.warm:
        return replace(usual, departures=kept)
    shift = float(_quantiles(kept, (USUAL_SHARE,))[0]) - USUAL_DEPARTURE
    return replace(usual, departures=kept, shift=max(shift, 0.0))


def _quantiles(values: FloatArray, shares: Sequence[float]) -> FloatArray:
    """Return quantiles along the first axis, interpolated: numpy's own take five times as long for so few values."""
    place = np.array(shares) * (len(values) - 1)
    below = place.astype(np.int64)
    ordered = np.sort(values, axis=0)
    part = (place - below).reshape(-1, *(1,) * (values.ndim - 1))
    low: FloatArray = ordered[below]
    return low + (ordered[np.minimum(below + 1, len(values) - 1)] - low) * part


def _blocks(config: ResidualConfig, first: int, k: int) -> Iterator[tuple[int, int, bool]]:
    """Cut k rows, the first of which is patch ``first``, where blocks end; say which pieces end a block."""
    begins = 0
    while begins < k:
        ends = min(k, begins + config.block - (first + begins) % config.block)
        yield begins, ends, (first + ends) % config.block == 0
        begins = ends


def _alarms(
    config: ResidualConfig, state: ResidualState, first: int, score: FloatArray, seen: Observed
) -> tuple[tuple[Event, ...], ResidualState]:
    """Follow the score from patch to patch, where there is something to follow."""
    high = score >= config.release
    if state.stretch is None and not high.any():
        return (), state
    patch = state.mean.shape[2]
    stretch = state.stretch
    furthest = parts.furthest(seen.mean, seen.scale, seen.observed) if high.any() else np.empty((0, 6))
    events = []
    for row, value in enumerate(score.tolist()):
        if stretch is None and not high[row]:
            continue
        end = state.start + (first + row + 1) * patch
        surprise = _surprise(seen, furthest, row, end, patch, stretch) if high[row] else None
        stretch, event = follow(stretch, value, end - 1, surprise, threshold=config.threshold, hold=config.hold)
        if event is not None:
            events.append(event)
    return tuple(events), replace(state, stretch=stretch)


def _surprise(
    seen: Observed, furthest: FloatArray, row: int, end: int, patch: int, stretch: Stretch | None
) -> Surprise:
    """Return what is surprising among the `LOOK` patches up to ``row``, the last of which ends at ``end``."""
    votes, furthest = seen.votes[row + 1 : row + 1 + LOOK], furthest[row + 1 : row + 1 + LOOK]
    highest = float(np.nanmax(votes))
    which = np.flatnonzero(votes >= max(NEAR * highest, float(seen.peak_vote[row])))
    if not len(which):
        if stretch is not None:  # What surprised lies further back, and is in the stretch.
            return Surprise(stretch.onset, stretch.end, stretch.furthest)
        which = np.flatnonzero(votes == highest)
    place = end - LOOK * patch
    best = int(which[np.nanargmax(furthest[which, 0])])
    scales, within, lead, horizon_ms, observed, predicted = furthest[best].tolist()
    deviation = Deviation(scales, place + best * patch + int(within), int(lead), horizon_ms, observed, predicted)
    return Surprise(place + int(which[0]) * patch, place + (int(which[-1]) + 1) * patch, deviation)
