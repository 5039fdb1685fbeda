"""Anomaly score: how improbable the deviation of the signal from its forecast is for this patient.

1. Each patch of observed samples is compared with its forecasts at several horizons, relative to the predicted scale
   (`model.anomaly.features`), and with the patient's own QRS complexes (`model.anomaly.template_memory`).
2. The results become features relative to the patient's last two minutes (`model.anomaly.comparison`).
3. A small network (`model.anomaly.classifier`) turns the features of the last second into **log-odds**, which are high
   for a wide complex that was not predicted.
4. The **score** is ``-log10`` of the probability that a second of normal rhythm has log-odds as high
   (`model.anomaly.null_distribution`). So a threshold is a rate of false alarms: 3 is one in 1,000 s.
5. Scores above the threshold begin an episode (`model.anomaly.episodes`, `model.anomaly.localization`).

Weights and constants were chosen on MIT-BIH DS1 without records 201 and 208, by scores of patients who were left out
of the fit (docs/experiments.md).

All functions are pure. Patches are counted from the start of the epoch. No output depends on later samples.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.anomaly import classifier, episodes, patient_history, template_memory
from model.anomaly.blocks import split_at_blocks
from model.anomaly.comparison import Comparison, compare_together
from model.anomaly.features import (
    CHANNEL_HISTORY,
    CHANNELS,
    LAGS,
    LEVEL_HISTORY,
    LEVELS,
    VOTES,
    largest_deviations,
)
from model.anomaly.localization import locate
from model.anomaly.null_distribution import score_log_odds
from model.anomaly.state import LOOK_BACK, AnomalyConfig, AnomalyState
from model.conditions.changes import Change, Ended
from model.signal.arrays import Float32Array, FloatArray


def begin(start: int, names: Sequence[str], patch: int = 4) -> AnomalyState:
    """Return the state at the start of an epoch.

    Parameters
    ----------
    start : int
        Index of the first sample of the epoch.
    names : sequence of str
        Names of the leads.
    patch : int
        Samples per patch.
    """
    leads = len(names)
    empty = np.full((LOOK_BACK + max(LAGS), VOTES, patch, leads), np.nan, np.float32)
    return AnomalyState(
        leads=tuple(names),
        start=start,
        patches=0,
        mean=empty,
        scale=empty,
        observed=np.full((LOOK_BACK, patch, leads), np.nan),
        channels=np.full((CHANNEL_HISTORY, leads, CHANNELS), np.nan),
        levels=np.full((LEVEL_HISTORY, LEVELS), np.nan),
        votes=np.full(LOOK_BACK, np.nan),
        block_peaks=np.full(LEVELS, np.nan),
        block_log_odds=math.nan,
        history=patient_history.begin(),
        templates=template_memory.begin(leads),
    )


def after_gap(state: AnomalyState, start: int) -> AnomalyState:
    """Return the state after lost samples, before sample ``start``: the patient's history and templates are kept."""
    return replace(
        begin(start, state.leads, state.mean.shape[2]),
        history=state.history,
        templates=template_memory.after_gap(state.templates),
    )


@dataclass(frozen=True, slots=True)
class Anomalies:
    """Scores and changes of one step.

    Attributes
    ----------
    score : ndarray, shape (k,)
        Score of each new patch, ``-log10`` of a probability per block; NaN while learning, and where samples are NaN.
    changes : tuple of Began or Ended
    """

    score: FloatArray
    changes: tuple[Change, ...]


def step(
    config: AnomalyConfig, state: AnomalyState, mean: Float32Array, scale: Float32Array, observed: FloatArray
) -> tuple[Anomalies, AnomalyState]:
    """Push new patches of one bed.

    Parameters
    ----------
    config : AnomalyConfig
    state : AnomalyState
    mean, scale : ndarray, shape (k, horizon, leads), mV
        The forecasts made at the ends of the k new patches.
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
    """Push new patches of several beds, as `step` does; beds with equal array shapes share one computation."""
    states = list(states)
    scores: list[list[FloatArray]] = [[] for _ in states]
    changes: list[list[Change]] = [[] for _ in states]
    # Block by block: at the start of a block, the open episode decides whether a template is stored.
    for batch in _batches(config, states, observed):
        compared = compare_together(
            config,
            [states[bed] for bed, _ in batch],
            [mean[bed][rows] for bed, rows in batch],
            [scale[bed][rows] for bed, rows in batch],
            [observed[bed][rows] for bed, rows in batch],
        )
        features = np.concatenate([comparison.features for comparison, _ in compared])
        log_odds = classifier.log_odds(classifier.load(), features).reshape(len(batch), -1)
        for (bed, _), (comparison, state), bed_log_odds in zip(batch, compared, log_odds, strict=True):
            first = states[bed].patches
            score, state = score_log_odds(config, state, first, bed_log_odds)
            new, states[bed] = _follow_episode(config, state, first, score, comparison)
            scores[bed].append(score)
            changes[bed] += new
    return [
        (Anomalies(np.concatenate(parts) if parts else np.empty(0), tuple(new)), state)
        for parts, new, state in zip(scores, changes, states, strict=True)
    ]


def finish(config: AnomalyConfig, state: AnomalyState, at: int) -> Ended | None:
    """Return the end of the open condition, because the epoch ends with sample ``at``; None if none is open."""
    return episodes.close(state.episode, at, config.threshold, state.leads, "signal_interrupted")


def _batches(
    config: AnomalyConfig, states: Sequence[AnomalyState], observed: Sequence[FloatArray]
) -> Iterator[list[tuple[int, slice]]]:
    """Split the new patches of each bed at the ends of blocks; yield batches of parts of equal shape.

    A part is the index of its bed and a slice of that bed's new patches.
    """
    parts = [
        list(split_at_blocks(config.block, state.patches, len(new)))
        for state, new in zip(states, observed, strict=True)
    ]
    for turn in range(max(map(len, parts), default=0)):
        groups: dict[tuple[int, int], list[tuple[int, slice]]] = defaultdict(list)
        for bed, bed_parts in enumerate(parts):
            if turn < len(bed_parts):
                begins, ends, _ = bed_parts[turn]
                groups[ends - begins, observed[bed].shape[2]].append((bed, slice(begins, ends)))
        yield from groups.values()


def _follow_episode(
    config: AnomalyConfig, state: AnomalyState, first: int, score: FloatArray, compared: Comparison
) -> tuple[list[Change], AnomalyState]:
    """Push scores, the first of which is that of patch ``first``, to the open or a new episode."""
    high = score >= config.release
    if state.episode is None and not high.any():
        return [], state
    patch = state.mean.shape[2]
    episode = state.episode
    deviations = np.empty((0, 6))
    if high.any():
        deviations = largest_deviations(compared.mean, compared.scale, compared.observed)
    changes = []
    for row, value in enumerate(score.tolist()):
        if episode is None and not high[row]:
            continue
        end = state.start + (first + row + 1) * patch
        interval = locate(compared, deviations, row, end, patch, episode) if high[row] else None
        episode, change = episodes.follow(
            episode,
            value,
            end - 1,
            interval,
            threshold=config.threshold,
            hold=config.hold,
            leads=state.leads,
        )
        if change is not None:
            changes.append(change)
    return changes, replace(state, episode=episode)
