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

A compiled loop advances the columns of all beds; Python follows the episode of a bed only while its score is high or
an episode is open. Patches are counted from the start of the epoch. No output depends on later samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np

from model.anomaly import classifier, comparison, episodes, patient_history, template_matching, template_memory
from model.anomaly.blocks import BLOCK
from model.anomaly.classifier import Packed, fill_log_odds
from model.anomaly.comparison import compare_patches
from model.anomaly.features import DEVIATION, FEATURES, QUANTILES, VOTES
from model.anomaly.localization import locate
from model.anomaly.null_distribution import score_patches
from model.anomaly.state import LOOK_BACK, AnomalyColumns, AnomalyConfig, AnomalyNotes, AnomalyState
from model.conditions.changes import Change, Ended
from model.signal.arrays import BoolArray, Float32Array, FloatArray, IntArray
from model.signal.columns import copied, put
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
    columns = AnomalyColumns(
        comparison.begin_recent(len(names), patch),
        template_matching.begin(len(names)),
        patient_history.begin(),
        template_memory.begin(len(names)),
    )
    return AnomalyState(columns, AnomalyNotes(tuple(names), start))


def after_gap(state: AnomalyState, start: int) -> AnomalyState:
    """Return the state after lost samples, before sample ``start``: the patient's history and templates are kept."""
    learned, notes = state
    fresh, fresh_notes = begin(start, notes.leads, _patch(learned))
    return AnomalyState(fresh._replace(history=learned.history, templates=learned.templates), fresh_notes)


def restart(
    config: AnomalyConfig, columns: AnomalyColumns, notes: list[AnomalyNotes], slot: int, start: int
) -> Ended | None:
    """Restart one bed, in place, before sample ``start``, because a lead is back; return the end of its open condition.

    While a lead was lost its flat line became the patient's usual signal, to which all beats would be anomalies for
    minutes, and its pieces were stored as templates. So all is learned anew.
    """
    before = notes[slot]
    fresh, notes[slot] = begin(start, before.leads, _patch(columns))
    put(columns, slot, fresh)
    return episodes.close(before.episode, start - 1, config.threshold, before.leads, "signal_unusable")


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
    columns, notes = copied(state.columns), [state.notes]
    mean, scale = np.ascontiguousarray(mean)[None], np.ascontiguousarray(scale)[None]
    observed = np.ascontiguousarray(observed)[None]
    score, changes = advance(config, columns, notes, np.zeros(1, np.int64), mean, scale, observed)
    return Anomalies(score[0], tuple(change for _, change in changes)), AnomalyState(columns, notes[0])


def advance(
    config: AnomalyConfig,
    columns: AnomalyColumns,
    notes: list[AnomalyNotes],
    slots: IntArray,
    mean: Float32Array,
    scale: Float32Array,
    observed: FloatArray,
) -> tuple[FloatArray, list[tuple[int, Change]]]:
    """Push new patches of several beds; ``columns`` and ``notes`` change in place at their slots.

    Parameters
    ----------
    config : AnomalyConfig
    columns : AnomalyColumns
    notes : list of AnomalyNotes
        One for each slot.
    slots : ndarray of int64, shape (beds,)
        Slot of each bed.
    mean, scale, observed : ndarray
        As in `step`, with a first axis for the beds; contiguous.

    Returns
    -------
    score : ndarray, shape (beds, k)
    changes : list of (int, Began or Ended)
        Changes with the index of their bed, by bed, then in the order of detection.
    """
    beds, k = observed.shape[:2]
    score, votes = np.empty((beds, k)), np.empty((beds, LOOK_BACK + k))
    deviations = np.empty((beds, LOOK_BACK + k, DEVIATION))
    done, follow = np.zeros(beds, np.int64), np.zeros(beds, bool)
    changes: list[tuple[int, Change]] = []
    complete = False
    while not complete:
        before = done.copy()
        found = score, votes, deviations
        some, complete = _advance(
            classifier.load_packed(), columns, slots, mean, scale, observed, config.release, done, follow, *found
        )
        for bed in np.flatnonzero(follow).tolist() if some else ():
            rows, located = slice(before[bed], done[bed]), slice(before[bed], LOOK_BACK + done[bed])
            of_bed = score[bed, rows], votes[bed, located], deviations[bed, located]
            changes += [(bed, change) for change in _follow_episode(config, columns, notes, int(slots[bed]), *of_bed)]
    return score, sorted(changes, key=itemgetter(0))


def finish(config: AnomalyConfig, notes: AnomalyNotes, at: int) -> Ended | None:
    """Return the end of the open condition, because the epoch ends with sample ``at``; None if none is open."""
    return episodes.close(notes.episode, at, config.threshold, notes.leads, "signal_interrupted")


@compiled
def _advance(
    weights: Packed,
    columns: AnomalyColumns,
    slots: IntArray,
    mean: Float32Array,
    scale: Float32Array,
    observed: FloatArray,
    release: float,
    done: IntArray,
    follow: BoolArray,
    score: FloatArray,
    votes: FloatArray,
    deviations: FloatArray,
) -> tuple[bool, bool]:
    """Score the new patches of each bed, block by block, up to a block in which its episode must be followed.

    An episode decides whether a template is stored at the start of the next block.

    Parameters
    ----------
    weights : Packed
    columns, slots, mean, scale, observed
        As in `advance`.
    release : float
        An episode is followed where a score reaches this, and where one is open.
    done : ndarray of int64, shape (beds,)
        Patches scored by earlier calls; receives those scored now.
    follow : ndarray of bool, shape (beds,)
        Receives whether the episode of a bed must be followed through the patches scored in this call.
    score : ndarray, shape (beds, k)
    votes : ndarray, shape (beds, LOOK_BACK + k)
        Receives the mean votes of the last patches before these, and of these.
    deviations : ndarray, shape (beds, LOOK_BACK + k, DEVIATION)
        Receives their largest deviations.

    Returns
    -------
    some : bool
        Whether any episode must be followed.
    complete : bool
        Whether all patches have been scored.
    """
    recent, some, complete = columns.recent, False, True
    k = score.shape[1]
    features, log_odds = np.empty((min(k, BLOCK), FEATURES)), np.empty(min(k, BLOCK))
    for bed in range(len(slots)):
        slot = slots[bed]
        follow[bed] = False
        while done[bed] < k and not follow[bed]:
            first = done[bed]
            end = min(k, first + BLOCK - recent.patches[slot] % BLOCK)
            compare_patches(
                columns,
                slot,
                mean[bed, first:end],
                scale[bed, first:end],
                observed[bed, first:end],
                features[: end - first],
                votes[bed, first : LOOK_BACK + end],
                deviations[bed, first : LOOK_BACK + end],
            )
            fill_log_odds(weights, features[: end - first], log_odds)
            new_log_odds, new_score = log_odds[: end - first], score[bed, first:end]
            score_patches(columns.history, recent.block_log_odds, slot, recent.patches[slot], new_log_odds, new_score)
            follow[bed] = recent.episode_open[slot]
            for row in range(first, end):
                follow[bed] |= score[bed, row] >= release
            done[bed] = end
        some |= follow[bed]
        complete &= done[bed] == k
    return some, complete


def _patch(columns: AnomalyColumns) -> int:
    """Return the samples per patch."""
    return int(columns.recent.observed.shape[2])


def _follow_episode(
    config: AnomalyConfig,
    columns: AnomalyColumns,
    notes: list[AnomalyNotes],
    slot: int,
    score: FloatArray,
    votes: FloatArray,
    deviations: FloatArray,
) -> list[Change]:
    """Push the scores of the last patches of a bed to its open or a new episode; return the changes."""
    patch, own, episode = _patch(columns), notes[slot], notes[slot].episode
    first = own.start + (int(columns.recent.patches[slot]) - len(score)) * patch
    last_samples = range(first + patch - 1, first + len(score) * patch, patch)
    changes: list[Change | None] = []
    for high, run in groupby(range(len(score)), (score >= config.release).tolist().__getitem__):
        rows = list(run)
        if not high:
            at = last_samples[rows[0] : rows[-1] + 1]
            episode, ended = episodes.follow_low(episode, at, config.threshold, config.hold, own.leads)
            changes.append(ended)
            continue
        peak_vote = math.exp(columns.history.quantiles[slot, len(QUANTILES) - 1, :VOTES].mean())
        for row in rows:
            recent, end = slice(row + 1, row + 1 + LOOK_BACK), last_samples[row] + 1
            interval = locate(votes[recent], deviations[recent], peak_vote, end, patch, episode)
            value = float(score[row])
            episode, began = episodes.follow_high(episode, value, end - 1, interval, config.threshold, own.leads)
            changes.append(began)
    notes[slot] = AnomalyNotes(own.leads, own.start, episode)
    columns.recent.episode_open[slot] = episode is not None
    columns.recent.frozen_until[slot] = 0
    if episode is not None and episode.raised:
        columns.recent.frozen_until[slot] = episode.onset - own.start + MEMORY_FREEZE_S * FS
    return [change for change in changes if change is not None]
