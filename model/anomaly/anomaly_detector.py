"""Where the signal leaves its forecast: an anomaly score that is calibrated on the patient's own recent past.

Every patch of observed samples is compared with what was forecast for it at several horizons, relative to the
predicted scale (`model.anomaly.features`). What counts is not the size of the error but how it compares with *this
patient's* last two minutes, and how it runs over the last second: a small network of fixed weights
(`model.anomaly.classifier`) turns both into **log-odds**, which are high where a wide complex came that was not
predicted. The score is ``-log10`` of the chance that a second of the usual rhythm has log-odds as high, by an
extreme-value (Gumbel) distribution. A threshold is thereby a rate of false alarms: 3 is one in 1,000 s. If scores stay
high, the null distribution is shifted upwards; it is never shifted downwards. For the first 20 s of an episode no
complexes are remembered as the patient's own (`model.anomaly.template_memory`), so that a run does not hide itself.

Weights and constants were chosen on MIT-BIH DS1 without records 201 and 208, by scores of patients who were left out
of the fit (docs/experiments.md).

All functions are pure. Everything advances on the grid of patches, counted from the start of the epoch, and looks
back only: changing the future of a signal changes no output.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from model.anomaly import classifier, null_distribution, template_memory
from model.anomaly import features as parts
from model.anomaly.episodes import Deviation, Episode, Interval, close, follow
from model.anomaly.features import CHANNELS, LEVELS, LEVELS_KEPT, MEASURED, QUANTILES, RAW_KEPT, VOTES
from model.anomaly.state import LOOK_BACK, AnomalyConfig, AnomalyState, Usual
from model.conditions.changes import Change, Ended
from model.signal.arrays import Float32Array, FloatArray
from stream.timebase import FS

FROZEN_S = 20
"""Seconds from an episode's onset in which no complexes are remembered. The shortest that hides nothing of simulated
runs of up to 20 s in DS1: with 0, 5 and 10 s, of all their beats 5.8, 2.3 and 0.6 % fewer are found. With more, usual
beats that change their shape for minutes alarm for longer, for no gain. Chosen before conduction and noise were
simulated."""

NEAR = 0.5
"""Patches are anomalous whose vote reaches this share of the highest in reach, and what is usual at a peak."""

AnyArray = TypeVar("AnyArray", FloatArray, Float32Array)


def begin(start: int, names: Sequence[str], patch: int = 4) -> AnomalyState:
    """Return the state at the start of an epoch, whose first sample has the index ``start``; leads have names."""
    leads = len(names)
    empty = np.full((LOOK_BACK + max(parts.LAGS), VOTES, patch, leads), np.nan, np.float32)
    return AnomalyState(
        leads=tuple(names),
        start=start,
        patches=0,
        mean=empty,
        scale=empty,
        observed=np.full((LOOK_BACK, patch, leads), np.nan),
        channels=np.full((RAW_KEPT, leads, CHANNELS), np.nan),
        levels=np.full((LEVELS_KEPT, LEVELS), np.nan),
        votes=np.full(LOOK_BACK, np.nan),
        block_peaks=np.full(LEVELS, np.nan),
        block_log_odds=math.nan,
        usual=Usual(np.empty((0, LEVELS)), np.full((len(QUANTILES), LEVELS), np.nan), np.empty(0)),
        templates=template_memory.begin(leads),
    )


@dataclass(frozen=True, slots=True)
class Anomalies:
    """Scores and changes of one step.

    Attributes
    ----------
    score : ndarray, shape (k,)
        ``-log10`` of a chance per block, for each new patch; NaN while learning, and where samples are NaN.
    changes : tuple of Began or Ended
    """

    score: FloatArray
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """New patches, compared with their forecasts, and relative to the patient's past.

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
    config: AnomalyConfig, state: AnomalyState, mean: Float32Array, scale: Float32Array, observed: FloatArray
) -> tuple[Anomalies, AnomalyState]:
    """Push new patches of one bed.

    Parameters
    ----------
    config : AnomalyConfig
    state : AnomalyState
    mean, scale : ndarray, shape (k, horizon, leads), mV
        The forecasts made at the ends of the ``k`` new patches.
    observed : ndarray, shape (k, patch, leads), mV
        The new patches; NaN where unknown.

    Returns
    -------
    Anomalies, AnomalyState
    """
    [result] = step_together(config, [state], [mean], [scale], [observed])
    return result


def step_together(
    config: AnomalyConfig,
    states: Sequence[AnomalyState],
    mean: Sequence[Float32Array],
    scale: Sequence[Float32Array],
    observed: Sequence[FloatArray],
) -> list[tuple[Anomalies, AnomalyState]]:
    """Push new patches of several beds, as `step` does; in the same sums, as far as they are alike."""
    states = list(states)
    scores: list[list[FloatArray]] = [[] for _ in states]
    changes: list[list[Change]] = [[] for _ in states]
    # Block by block: at the start of one, what is remembered depends on the alarm that has been going on.
    for pieces in _alike(config, states, observed):
        compared = compare_together(
            config,
            [states[bed] for bed, _ in pieces],
            [mean[bed][rows] for bed, rows in pieces],
            [scale[bed][rows] for bed, rows in pieces],
            [observed[bed][rows] for bed, rows in pieces],
        )
        features = np.concatenate([found.features for found, _ in compared])
        log_odds = classifier.log_odds(classifier.load(), features).reshape(len(pieces), -1)
        for (bed, _), (found, state), own in zip(pieces, compared, log_odds, strict=True):
            first = states[bed].patches
            score, state = score_log_odds(config, state, first, own)
            new, states[bed] = _episodes(config, state, first, score, found)
            scores[bed].append(score)
            changes[bed] += new
    return [
        (Anomalies(np.concatenate(own) if own else np.empty(0), tuple(new)), state)
        for own, new, state in zip(scores, changes, states, strict=True)
    ]


def _alike(
    config: AnomalyConfig, states: Sequence[AnomalyState], observed: Sequence[FloatArray]
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


def score_log_odds(
    config: AnomalyConfig, state: AnomalyState, first: int, log_odds: FloatArray
) -> tuple[FloatArray, AnomalyState]:
    """Return the score of patches, the first of which is patch ``first``, by the patient's null distribution."""
    usual, highest = state.usual, state.block_log_odds
    shift = np.empty(len(log_odds))
    for begins, ends, whole in _blocks(config, first, len(log_odds)):
        shift[begins:ends] = usual.shift
        highest = float(np.fmax(highest, np.fmax.reduce(log_odds[begins:ends])))
        if whole:
            usual, highest = null_distribution.learn_log_odds(config, usual, highest), math.nan
    return null_distribution.rarity(log_odds - shift), replace(state, usual=usual, block_log_odds=highest)


def finish(config: AnomalyConfig, state: AnomalyState, at: int) -> Ended | None:
    """Return the end of the episode that lasts, because the epoch ends with sample ``at``; None where there is none."""
    return close(state.episode, at, config.threshold, state.leads, "signal_interrupted")


def compare(
    config: AnomalyConfig, state: AnomalyState, mean: Float32Array, scale: Float32Array, observed: FloatArray
) -> tuple[Compared, AnomalyState]:
    """Compare new patches with their forecasts, and with the patient's past; the arguments are those of `step`.

    The episode of ``state`` decides whether complexes are remembered: to follow episodes, push no more than a block.
    """
    [result] = compare_together(config, [state], [mean], [scale], [observed])
    return result


def compare_together(
    config: AnomalyConfig,
    states: Sequence[AnomalyState],
    mean: Sequence[Float32Array],
    scale: Sequence[Float32Array],
    observed: Sequence[FloatArray],
) -> list[tuple[Compared, AnomalyState]]:
    """Do what `compare` does, for beds with as many leads and as many new patches: their leads lie side by side."""
    beds, (k, patch, leads) = len(states), observed[0].shape
    where = parts.ahead(patch)
    means = np.concatenate([_beside([state.mean for state in states]), _beside(mean)[:, where]])
    scales = np.concatenate([_beside([state.scale for state in states]), _beside(scale)[:, where]])
    together = np.concatenate([_beside([state.observed for state in states]), _beside(observed)])
    new_channels = parts.compare(means[LOOK_BACK:], scales[LOOK_BACK:], together[LOOK_BACK - 1 :])
    channels = np.concatenate([np.concatenate([state.channels for state in states], axis=1), new_channels])
    levels = np.empty((beds, LEVELS_KEPT + k, LEVELS))
    for own, state in zip(levels, states, strict=True):
        own[:LEVELS_KEPT] = state.levels
    by_bed = (k, beds, leads)
    measured = np.add.reduce(parts.levels(channels).reshape(*by_bed, MEASURED), axis=2) / leads
    levels[:, LEVELS_KEPT:, :MEASURED] = measured.transpose(1, 0, 2)
    votes = np.add.reduce(new_channels[:, :, :VOTES].reshape(*by_bed, VOTES), axis=(2, 3)) / (leads * VOTES)

    windows = template_memory.windows_of(
        [state.templates for state in states], together[LOOK_BACK - 1], together[LOOK_BACK:]
    )
    known = np.empty((beds, k, len(QUANTILES), LEVELS))
    learnt = [
        _learn(config, state, own, new[LEVELS_KEPT:], quantiles)
        for state, own, new, quantiles in zip(states, windows, levels, known, strict=True)
    ]
    features = parts.features(levels, known)
    peak_votes = np.exp(known[:, :, -1, :VOTES].sum(axis=2) / VOTES)
    by_part = (*(_apart(part, beds) for part in (means, scales, together)), _apart(channels.swapaxes(1, 2), beds))
    results = []
    for i, (state, (usual, peaks, templates)) in enumerate(zip(states, learnt, strict=True)):
        own_mean, own_scale, own_observed, own_channels = (part[i] for part in by_part)
        own_votes = np.concatenate([state.votes, votes[:, i]])
        found = Compared(features[i], own_votes, own_mean, own_scale, own_observed, peak_votes[i])
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
            templates=templates,
        )
        results.append((found, after))
    return results


def _learn(
    config: AnomalyConfig,
    state: AnomalyState,
    windows: template_memory.Windows,
    levels: FloatArray,
    known: FloatArray,
) -> tuple[Usual, FloatArray, template_memory.TemplateMemory]:
    """Go through the new patches of one bed, and remember the peaks and the complex of each block that ends.

    Template matches are written into ``levels``, quantiles as known at each patch into ``known``.
    """
    usual, peaks, templates = state.usual, state.block_peaks, state.templates
    for begins, ends, _ in _blocks(config, state.patches, len(levels)):
        if (state.patches + begins) % config.block == 0:
            templates = template_memory.discard(templates) if _frozen(state) else template_memory.remember(templates)
            usual, peaks = null_distribution.learn(config, usual, peaks), np.full_like(peaks, np.nan)
        known[begins:ends] = usual.quantiles
        levels[begins:ends, MEASURED:], templates = template_memory.compare(templates, windows, begins, ends)
        peaks = np.fmax(peaks, np.fmax.reduce(levels[begins:ends]))
    return usual, peaks, templates


def _beside(beds: Sequence[AnyArray]) -> AnyArray:
    """Put the leads of beds side by side along the last axis."""
    return beds[0] if len(beds) == 1 else np.concatenate(beds, axis=-1)


def _apart(whole: AnyArray, beds: int) -> AnyArray:
    """Return the parts of beds, first axis, whose leads lie side by side along the last axis; each is contiguous."""
    if beds == 1:
        return whole[None]
    return np.ascontiguousarray(np.moveaxis(whole.reshape(*whole.shape[:-1], beds, -1), -2, 0))


def _frozen(state: AnomalyState) -> bool:
    """Return whether no complexes are remembered, because an episode is young; one that lasts becomes usual."""
    if state.episode is None or not state.episode.raised:
        return False
    patch: int = state.mean.shape[2]
    return state.start + state.patches * patch - state.episode.onset < FROZEN_S * FS


def _blocks(config: AnomalyConfig, first: int, k: int) -> Iterator[tuple[int, int, bool]]:
    """Cut k rows, the first of which is patch ``first``, where blocks end; say which pieces end a block."""
    begins = 0
    while begins < k:
        ends = min(k, begins + config.block - (first + begins) % config.block)
        yield begins, ends, (first + ends) % config.block == 0
        begins = ends


def _episodes(
    config: AnomalyConfig, state: AnomalyState, first: int, score: FloatArray, compared: Compared
) -> tuple[list[Change], AnomalyState]:
    """Follow the score from patch to patch, where there is something to follow."""
    high = score >= config.release
    if state.episode is None and not high.any():
        return [], state
    patch = state.mean.shape[2]
    episode = state.episode
    furthest = parts.furthest(compared.mean, compared.scale, compared.observed) if high.any() else np.empty((0, 6))
    changes = []
    for row, value in enumerate(score.tolist()):
        if episode is None and not high[row]:
            continue
        end = state.start + (first + row + 1) * patch
        interval = _interval(compared, furthest, row, end, patch, episode) if high[row] else None
        episode, change = follow(
            episode, value, end - 1, interval, threshold=config.threshold, hold=config.hold, leads=state.leads
        )
        if change is not None:
            changes.append(change)
    return changes, replace(state, episode=episode)


def _interval(
    compared: Compared, furthest: FloatArray, row: int, end: int, patch: int, episode: Episode | None
) -> Interval:
    """Return the anomalous ones among the `LOOK_BACK` patches up to ``row``, the last of which ends at ``end``."""
    votes, furthest = compared.votes[row + 1 : row + 1 + LOOK_BACK], furthest[row + 1 : row + 1 + LOOK_BACK]
    highest = float(np.nanmax(votes))
    which = np.flatnonzero(votes >= max(NEAR * highest, float(compared.peak_vote[row])))
    if not len(which):
        if episode is not None:  # The anomalous patches lie further back, within the episode.
            return Interval(episode.onset, episode.end, episode.furthest)
        which = np.flatnonzero(votes == highest)
    place = end - LOOK_BACK * patch
    best = int(which[np.nanargmax(furthest[which, 0])])
    scales, within, lead, horizon_ms, observed, predicted = furthest[best].tolist()
    deviation = Deviation(scales, place + best * patch + int(within), int(lead), horizon_ms, observed, predicted)
    return Interval(place + int(which[0]) * patch, place + (int(which[-1]) + 1) * patch, deviation)
