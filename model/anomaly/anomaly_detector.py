"""Anomaly score: how improbable the deviation of the signal from its forecast is for this patient.

1. Each patch of observed samples is compared with its forecasts at several horizons, relative to the predicted scale
   (`model.anomaly.features`), and with the patient's own QRS complexes (`model.anomaly.template_matching`).
2. The results become features relative to the patient's last two minutes (`model.anomaly.comparison`).
3. A small network (`model.anomaly.classifier`) turns the features of the last second into **log-odds**, which are high
   for a wide complex that was not predicted.
4. The **score** is ``-log10`` of the probability that a second of normal rhythm has log-odds as high
   (`model.anomaly.null_distribution`). So a threshold is a rate of false alarms: 3 is one in 1,000 s.
5. Scores above the threshold begin an episode (`model.anomaly.episodes`, `model.anomaly.localization`).

Weights and constants were chosen on MIT-BIH DS1 without records 201 and 208, by scores of patients who were left out
of the fit (docs/experiments.md).

The state of a bed is columns over beds, of one bed, and few objects; compiled loops advance the columns. Patches are
counted from the start of the epoch. No output depends on later samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.anomaly import classifier, comparison, episodes, patient_history, template_matching, template_memory
from model.anomaly.blocks import split_at_blocks
from model.anomaly.classifier import Weights, fill_log_odds
from model.anomaly.comparison import compare_bed
from model.anomaly.features import DEVIATION, FEATURES, QUANTILES, VOTES
from model.anomaly.localization import locate
from model.anomaly.null_distribution import score_patches
from model.anomaly.patient_history import PatientHistory
from model.anomaly.state import LOOK_BACK, AnomalyConfig, AnomalyState, RecentPatches
from model.anomaly.template_matching import TemplateMatching
from model.anomaly.template_memory import TemplateMemory
from model.conditions.changes import Change, Ended
from model.signal.arrays import BoolArray, Float32Array, FloatArray
from model.signal.compiled import compiled
from stream.timebase import FS

MEMORY_FREEZE_S = 20
"""Seconds from the onset of an episode in which no templates are stored, so that a run does not hide itself. The
shortest time that hides nothing of simulated runs of up to 20 s in DS1: with 0, 5 and 10 s, 5.8, 2.3 and 0.6 % fewer of
their beats are found. With more, normal beats that change their shape for minutes alarm for longer, without benefit.
Chosen before conduction and noise were simulated."""


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
    return AnomalyState(
        leads=tuple(names),
        start=start,
        recent=comparison.begin_recent(leads, patch),
        matching=template_matching.begin(leads),
        history=patient_history.begin(),
        templates=template_memory.begin(leads),
    )


def after_gap(state: AnomalyState, start: int) -> AnomalyState:
    """Return the state after lost samples, before sample ``start``: the patient's history and templates are kept."""
    fresh = begin(start, state.leads, _patch(state))
    return replace(fresh, history=state.history, templates=state.templates)


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
    k = len(observed)
    score, changes = np.empty(k), list[Change]()
    mean, scale = np.ascontiguousarray(mean), np.ascontiguousarray(scale)
    observed = np.ascontiguousarray(observed)
    state = comparison.own_columns(state, k)
    columns = state.recent, state.matching, state.history, state.templates
    # Block by block: at the start of a block, the open episode decides whether a template is stored.
    for begins, ends in split_at_blocks(int(state.recent.patches[0]), k):
        rows = slice(begins, ends)
        new = mean[None, rows], scale[None, rows], observed[None, rows]
        frozen = np.array([_memory_frozen(state)])
        located = LOOK_BACK + ends - begins
        votes, deviations = np.empty((1, located)), np.empty((1, located, DEVIATION))
        highest = score_beds(classifier.load(), *columns, *new, frozen, score[None, rows], votes, deviations)
        if state.episode is not None or highest >= config.release:
            found, state = _follow_episode(config, state, score[rows], votes[0], deviations[0])
            changes += found
    return Anomalies(score, tuple(changes)), state


def finish(config: AnomalyConfig, state: AnomalyState, at: int) -> Ended | None:
    """Return the end of the open condition, because the epoch ends with sample ``at``; None if none is open."""
    return episodes.close(state.episode, at, config.threshold, state.leads, "signal_interrupted")


@compiled
def score_beds(
    weights: Weights,
    recent: RecentPatches,
    matching: TemplateMatching,
    history: PatientHistory,
    templates: TemplateMemory,
    mean: Float32Array,
    scale: Float32Array,
    observed: FloatArray,
    frozen: BoolArray,
    score: FloatArray,
    votes: FloatArray,
    deviations: FloatArray,
) -> float:
    """Score new patches of each bed, of one block.

    Parameters
    ----------
    weights : Weights
    recent, matching, history, templates
        Columns over beds, changed in place.
    mean, scale : ndarray of float32, shape (beds, k, horizon, leads), mV
    observed : ndarray, shape (beds, k, patch, leads), mV
    frozen : ndarray of bool, shape (beds,)
        For which beds no template is stored if the block begins with these patches.
    score : ndarray, shape (beds, k)
        Receives the scores.
    votes : ndarray, shape (beds, LOOK_BACK + k)
        Receives the mean votes of the last and of the new patches.
    deviations : ndarray, shape (beds, LOOK_BACK + k, DEVIATION)
        Receives their largest deviations.

    Returns
    -------
    float
        The highest score; NaN if none is known.
    """
    highest = np.nan
    beds, k = score.shape
    features, log_odds = np.empty((k, FEATURES)), np.empty(k)
    for bed in range(beds):
        compare_bed(
            recent,
            matching,
            history,
            templates,
            bed,
            mean[bed],
            scale[bed],
            observed[bed],
            frozen[bed],
            features,
            votes[bed],
            deviations[bed],
        )
        fill_log_odds(weights, features, log_odds)
        score_patches(history, recent.block_log_odds, bed, recent.patches[bed], log_odds, score[bed])
        for row in range(k):
            highest = np.fmax(highest, score[bed, row])
    return highest


def _patch(state: AnomalyState) -> int:
    """Return the samples per patch."""
    return int(state.recent.observed.shape[2])


def _memory_frozen(state: AnomalyState) -> bool:
    """Return whether no templates are stored, because an episode began less than `MEMORY_FREEZE_S` ago."""
    if state.episode is None or not state.episode.raised:
        return False
    end = state.start + int(state.recent.patches[0]) * _patch(state)
    return end - state.episode.onset < MEMORY_FREEZE_S * FS


def _follow_episode(
    config: AnomalyConfig, state: AnomalyState, score: FloatArray, votes: FloatArray, deviations: FloatArray
) -> tuple[list[Change], AnomalyState]:
    """Push the scores of the last patches to the open or a new episode."""
    patch = _patch(state)
    peak_vote = float(np.exp(state.history.quantiles[0, len(QUANTILES) - 1, :VOTES].mean()))
    episode = state.episode
    first = state.start + (int(state.recent.patches[0]) - len(score)) * patch
    changes = []
    for row, value in enumerate(score.tolist()):
        high = value >= config.release
        if episode is None and not high:
            continue
        end = first + (row + 1) * patch
        recent = slice(row + 1, row + 1 + LOOK_BACK)
        interval = locate(votes[recent], deviations[recent], peak_vote, end, patch, episode) if high else None
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
