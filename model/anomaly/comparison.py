"""Comparison of new patches with their forecasts and with the patient's past: from samples to features."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from model.anomaly import template_matching, template_memory
from model.anomaly.blocks import BLOCK, split_at_blocks
from model.anomaly.features import (
    CHANNEL_HISTORY,
    CHANNELS,
    DEVIATION,
    FEATURES,
    FORECAST_HISTORY,
    LEVEL_HISTORY,
    LEVELS,
    SIGNAL_LEVELS,
    VOTES,
    fill_features,
    find_largest_deviation,
    keep_forecast,
    measure_channels,
    measure_levels,
)
from model.anomaly.patient_history import PatientHistory, add_levels
from model.anomaly.rows import extended, keep_last, put_first
from model.anomaly.state import LOOK_BACK, AnomalyState, RecentPatches
from model.anomaly.template_matching import TemplateMatching
from model.anomaly.template_memory import TemplateMemory
from model.signal.arrays import BoolArray, Float32Array, FloatArray
from model.signal.compiled import compiled


class Comparison(NamedTuple):
    """New patches, compared with their forecasts and with the patient's past; columns over beds.

    Attributes
    ----------
    features : ndarray, shape (beds, k, FEATURES)
        NaN while learning.
    votes : ndarray, shape (beds, LOOK_BACK + k)
        Mean votes of the last and of the new patches.
    deviations : ndarray, shape (beds, LOOK_BACK + k, DEVIATION)
        Their largest deviations.
    """

    features: FloatArray
    votes: FloatArray
    deviations: FloatArray


def begin_recent(leads: int, patch: int) -> RecentPatches:
    """Return the last patches of one bed at the start of an epoch, and after lost samples."""
    forecasts = np.full((1, FORECAST_HISTORY, VOTES, patch, leads), np.nan, np.float32)
    return RecentPatches(
        patches=np.zeros(1, np.int64),
        mean=forecasts,
        scale=forecasts,
        observed=np.full((1, 1, patch, leads), np.nan),
        channels=np.full((1, CHANNEL_HISTORY, leads, CHANNELS), np.nan),
        levels=np.full((1, LEVEL_HISTORY, LEVELS), np.nan),
        votes=np.full((1, LOOK_BACK), np.nan),
        deviations=np.full((1, LOOK_BACK, DEVIATION), np.nan),
        block_peaks=np.full((1, LEVELS), np.nan),
        block_log_odds=np.full(1, np.nan),
    )


def own_columns(state: AnomalyState, k: int) -> AnomalyState:
    """Return a state with columns of its own, which may be changed, before k patches are compared.

    The history and the templates, which are large, are copied only if a block begins or ends with the new patches.
    """
    recent = RecentPatches._make(column.copy() for column in state.recent)
    matching = TemplateMatching._make(column.copy() for column in state.matching)
    place = int(recent.patches[0]) % BLOCK
    if 0 < place < BLOCK - k:
        return replace(state, recent=recent, matching=matching)
    history = PatientHistory._make(column.copy() for column in state.history)
    templates = TemplateMemory._make(column.copy() for column in state.templates)
    return replace(state, recent=recent, matching=matching, history=history, templates=templates)


def compare(
    state: AnomalyState, mean: Float32Array, scale: Float32Array, observed: FloatArray
) -> tuple[FloatArray, AnomalyState]:
    """Return the features of new patches of one bed, shape (k, FEATURES), without episodes.

    Parameters and state are those of `model.anomaly.anomaly_detector.step`.
    """
    state = own_columns(state, len(observed))
    features = np.empty((len(observed), FEATURES))
    for begins, ends in split_at_blocks(int(state.recent.patches[0]), len(observed)):
        rows = slice(begins, ends)
        features[rows] = compare_block(state, mean[rows], scale[rows], observed[rows], False).features[0]
    return features, state


def compare_block(
    state: AnomalyState, mean: Float32Array, scale: Float32Array, observed: FloatArray, frozen: bool
) -> Comparison:
    """Compare new patches of one block of one bed; the state is changed in place.

    Parameters
    ----------
    state : AnomalyState
        From `own_columns`.
    mean, scale, observed
        As in `model.anomaly.anomaly_detector.step`.
    frozen : bool
        Whether no template is stored if the block begins with these patches.
    """
    rows = LOOK_BACK + len(observed)
    comparison = Comparison(np.empty((1, len(observed), FEATURES)), np.empty((1, rows)), np.empty((1, rows, DEVIATION)))
    columns = state.recent, state.matching, state.history, state.templates
    forecasts = np.ascontiguousarray(mean)[None], np.ascontiguousarray(scale)[None]
    compare_beds(*columns, *forecasts, np.ascontiguousarray(observed)[None], np.array([frozen]), comparison)
    return comparison


@compiled
def compare_beds(
    recent: RecentPatches,
    matching: TemplateMatching,
    history: PatientHistory,
    templates: TemplateMemory,
    mean: Float32Array,
    scale: Float32Array,
    observed: FloatArray,
    frozen: BoolArray,
    comparison: Comparison,
) -> None:
    """Compare new patches of each bed, of one block; at its beginning, learn from the block before.

    Parameters
    ----------
    recent, matching, history, templates
        Columns of the beds, changed in place.
    mean, scale : ndarray of float32, shape (beds, k, horizon, leads), mV
    observed : ndarray, shape (beds, k, patch, leads), mV
    frozen : ndarray of bool, shape (beds,)
    comparison : Comparison
        Receives the results.
    """
    beds, k, patch, leads = observed.shape
    for bed in range(beds):
        first = recent.patches[bed]
        recent.patches[bed] = first + k
        if first % BLOCK == 0:
            if matching.steepest[bed] >= 0 and not frozen[bed]:
                template_memory.store(templates, bed, matching.candidate[bed])
            matching.steepest[bed] = -1.0
            add_levels(history, bed, recent.block_peaks[bed])
            recent.block_peaks[bed].fill(np.nan)

        samples = extended(recent.observed[bed], k)
        channels = extended(recent.channels[bed], k)
        votes, deviations = comparison.votes[bed], comparison.deviations[bed]
        put_first(votes, recent.votes[bed])
        put_first(deviations, recent.deviations[bed])
        for row in range(k):
            for i in range(patch):
                for lead in range(leads):
                    samples[1 + row, i, lead] = observed[bed, row, i, lead]
            forecasts = recent.mean[bed], recent.scale[bed], first + row
            vote = measure_channels(*forecasts, samples[row], samples[row + 1], channels[CHANNEL_HISTORY + row])
            find_largest_deviation(*forecasts, samples[row + 1], deviations[LOOK_BACK + row])
            votes[LOOK_BACK + row] = vote
            keep_forecast(recent.mean[bed], first + row, mean[bed, row])
            keep_forecast(recent.scale[bed], first + row, scale[bed, row])

        levels = extended(recent.levels[bed], k)
        measure_levels(channels, levels)
        template_levels = np.empty((k, template_matching.LEVELS))
        template_matching.compare(matching, templates, bed, samples, template_levels)
        for row in range(k):
            values = levels[LEVEL_HISTORY + row]
            for i in range(template_matching.LEVELS):
                values[SIGNAL_LEVELS + i] = template_levels[row, i]
            for level in range(LEVELS):
                recent.block_peaks[bed, level] = np.fmax(recent.block_peaks[bed, level], values[level])
        fill_features(levels, history.quantiles[bed], comparison.features[bed])

        keep_last(recent.observed[bed], samples)
        keep_last(recent.channels[bed], channels)
        keep_last(recent.levels[bed], levels)
        keep_last(recent.votes[bed], votes)
        keep_last(recent.deviations[bed], deviations)
