"""Comparison of new patches with their forecasts and with the patient's past: from samples to features."""

from __future__ import annotations

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
from model.anomaly.patient_history import add_levels
from model.anomaly.rows import extended, keep_last
from model.anomaly.state import LOOK_BACK, AnomalyColumns, AnomalyState, RecentPatches
from model.signal.arrays import Float32Array, FloatArray
from model.signal.columns import copied
from model.signal.compiled import compiled
from model.signal.small_arrays import copy


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
        episode_open=np.zeros(1, bool),
        frozen_until=np.zeros(1, np.int64),
    )


def compare(
    state: AnomalyState, mean: Float32Array, scale: Float32Array, observed: FloatArray
) -> tuple[FloatArray, AnomalyState]:
    """Return the features of new patches of one bed, shape (k, FEATURES), without episodes.

    Parameters and state are those of `model.anomaly.anomaly_detector.step`.
    """
    columns, k = copied(state.columns), len(observed)
    mean, scale = np.ascontiguousarray(mean), np.ascontiguousarray(scale)
    observed = np.ascontiguousarray(observed)
    features, votes, deviations = np.empty((k, FEATURES)), np.empty(LOOK_BACK + k), np.empty((LOOK_BACK + k, DEVIATION))
    for begins, ends in split_at_blocks(int(columns.recent.patches[0]), k):
        rows, located = slice(begins, ends), slice(begins, LOOK_BACK + ends)
        new = mean[rows], scale[rows], observed[rows]
        compare_patches(columns, 0, *new, features[rows], votes[located], deviations[located])
    return features, AnomalyState(columns, state.notes)


@compiled
def compare_patches(
    columns: AnomalyColumns,
    bed: int,
    mean: Float32Array,
    scale: Float32Array,
    observed: FloatArray,
    features: FloatArray,
    votes: FloatArray,
    deviations: FloatArray,
) -> None:
    """Compare new patches of one block of a bed; at its beginning, learn from the block before.

    Parameters
    ----------
    columns : AnomalyColumns
        Changed in place.
    bed : int
        Slot of the bed.
    mean, scale : ndarray of float32, shape (k, horizon, leads), mV
    observed : ndarray, shape (k, patch, leads), mV
    features : ndarray, shape (k, FEATURES)
        Receives the features; NaN while learning.
    votes : ndarray, shape (LOOK_BACK + k,)
        Receives the mean votes of the last and of the new patches.
    deviations : ndarray, shape (LOOK_BACK + k, DEVIATION)
        Receives their largest deviations.
    """
    recent, matching, history, templates = columns
    k, patch, leads = observed.shape
    first = recent.patches[bed]
    recent.patches[bed] = first + k
    if first % BLOCK == 0:
        if matching.steepest[bed] >= 0 and first * patch >= recent.frozen_until[bed]:
            template_memory.store(templates, bed, matching.candidate[bed])
        matching.steepest[bed] = -1.0
        add_levels(history, bed, recent.block_peaks[bed])
        recent.block_peaks[bed].fill(np.nan)

    samples = extended(recent.observed[bed], k)
    channels = extended(recent.channels[bed], k)
    copy(recent.votes[bed], votes)
    copy(recent.deviations[bed], deviations)
    for row in range(k):
        for i in range(patch):
            for lead in range(leads):
                samples[1 + row, i, lead] = observed[row, i, lead]
        forecasts = recent.mean[bed], recent.scale[bed], first + row
        vote = measure_channels(*forecasts, samples[row], samples[row + 1], channels[CHANNEL_HISTORY + row])
        find_largest_deviation(*forecasts, samples[row + 1], deviations[LOOK_BACK + row])
        votes[LOOK_BACK + row] = vote
        keep_forecast(recent.mean[bed], first + row, mean[row])
        keep_forecast(recent.scale[bed], first + row, scale[row])

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
    fill_features(levels, history.quantiles[bed], features)

    keep_last(recent.observed[bed], samples)
    keep_last(recent.channels[bed], channels)
    keep_last(recent.levels[bed], levels)
    keep_last(recent.votes[bed], votes)
    keep_last(recent.deviations[bed], deviations)
