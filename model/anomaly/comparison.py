"""Comparison of new patches with their forecasts and with the patient's past: from samples to features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from model.anomaly import features as signal_features
from model.anomaly import patient_history, template_memory
from model.anomaly.blocks import split_at_blocks
from model.anomaly.features import LEVEL_HISTORY, LEVELS, QUANTILES, SIGNAL_LEVELS, VOTES
from model.anomaly.state import LOOK_BACK, AnomalyConfig, AnomalyState, PatientHistory
from model.signal.arrays import Float32Array, FloatArray
from stream.timebase import FS

MEMORY_FREEZE_S = 20
"""Seconds from the onset of an episode in which no templates are stored, so that a run does not hide itself. The
shortest time that hides nothing of simulated runs of up to 20 s in DS1: with 0, 5 and 10 s, 5.8, 2.3 and 0.6 % fewer of
their beats are found. With more, normal beats that change their shape for minutes alarm for longer, without benefit.
Chosen before conduction and noise were simulated."""

AnyArray = TypeVar("AnyArray", FloatArray, Float32Array)


@dataclass(frozen=True, slots=True)
class Comparison:
    """New patches, compared with their forecasts and with the patient's past.

    Attributes
    ----------
    features : ndarray, shape (k, FEATURES)
        NaN while learning.
    votes, mean, scale, observed : ndarray
        As in `AnomalyState`, with the k new patches appended.
    peak_vote : ndarray, shape (k,)
        Mean vote that is normal at a peak.
    """

    features: FloatArray
    votes: FloatArray
    mean: Float32Array
    scale: Float32Array
    observed: FloatArray
    peak_vote: FloatArray


def compare(
    config: AnomalyConfig, state: AnomalyState, mean: Float32Array, scale: Float32Array, observed: FloatArray
) -> tuple[Comparison, AnomalyState]:
    """Compare the new patches of one bed; the parameters are those of `model.anomaly.anomaly_detector.step`.

    The episode in ``state`` decides whether templates are stored. To follow episodes, push at most one block.
    """
    [result] = compare_together(config, [state], [mean], [scale], [observed])
    return result


def compare_together(
    config: AnomalyConfig,
    states: Sequence[AnomalyState],
    mean: Sequence[Float32Array],
    scale: Sequence[Float32Array],
    observed: Sequence[FloatArray],
) -> list[tuple[Comparison, AnomalyState]]:
    """Compare as `compare` does, for beds with equal numbers of leads and of new patches, in one computation."""
    beds, (k, patch, leads) = len(states), observed[0].shape
    ahead = signal_features.ahead(patch)
    means = np.concatenate([_join_leads([state.mean for state in states]), _join_leads(mean)[:, ahead]])
    scales = np.concatenate([_join_leads([state.scale for state in states]), _join_leads(scale)[:, ahead]])
    samples = np.concatenate([_join_leads([state.observed for state in states]), _join_leads(observed)])
    new_channels = signal_features.compare(means[LOOK_BACK:], scales[LOOK_BACK:], samples[LOOK_BACK - 1 :])
    channels = np.concatenate([np.concatenate([state.channels for state in states], axis=1), new_channels])
    levels = np.empty((beds, LEVEL_HISTORY + k, LEVELS))
    for bed_levels, state in zip(levels, states, strict=True):
        bed_levels[:LEVEL_HISTORY] = state.levels
    by_bed = (k, beds, leads)
    measured = np.add.reduce(signal_features.levels(channels).reshape(*by_bed, SIGNAL_LEVELS), axis=2) / leads
    levels[:, LEVEL_HISTORY:, :SIGNAL_LEVELS] = measured.transpose(1, 0, 2)
    votes = np.add.reduce(new_channels[:, :, :VOTES].reshape(*by_bed, VOTES), axis=(2, 3)) / (leads * VOTES)

    windows = template_memory.windows_of(
        [state.templates for state in states], samples[LOOK_BACK - 1], samples[LOOK_BACK:]
    )
    quantiles = np.empty((beds, k, len(QUANTILES), LEVELS))
    learnt = [
        _learn(config, state, bed_windows, bed_levels[LEVEL_HISTORY:], bed_quantiles)
        for state, bed_windows, bed_levels, bed_quantiles in zip(states, windows, levels, quantiles, strict=True)
    ]
    features = signal_features.features(levels, quantiles)
    peak_votes = np.exp(quantiles[:, :, -1, :VOTES].sum(axis=2) / VOTES)
    by_array = (
        *(_split_beds(array, beds) for array in (means, scales, samples)),
        _split_beds(channels.swapaxes(1, 2), beds),
    )
    results = []
    for i, (state, (history, peaks, templates)) in enumerate(zip(states, learnt, strict=True)):
        bed_mean, bed_scale, bed_observed, bed_channels = (array[i] for array in by_array)
        bed_votes = np.concatenate([state.votes, votes[:, i]])
        comparison = Comparison(features[i], bed_votes, bed_mean, bed_scale, bed_observed, peak_votes[i])
        after = replace(
            state,
            patches=state.patches + k,
            mean=bed_mean[k:],
            scale=bed_scale[k:],
            observed=bed_observed[k:],
            channels=bed_channels[k:].swapaxes(1, 2),
            levels=levels[i, k:],
            votes=bed_votes[k:],
            block_peaks=peaks,
            history=history,
            templates=templates,
        )
        results.append((comparison, after))
    return results


def _learn(
    config: AnomalyConfig,
    state: AnomalyState,
    windows: template_memory.Windows,
    levels: FloatArray,
    quantiles: FloatArray,
) -> tuple[PatientHistory, FloatArray, template_memory.TemplateMemory]:
    """Process the new patches of one bed; at each end of a block, store its peak levels and its template.

    Template matches are written into ``levels``, and the quantiles known at each patch into ``quantiles``.
    """
    history, peaks, templates = state.history, state.block_peaks, state.templates
    for begins, ends, _ in split_at_blocks(config.block, state.patches, len(levels)):
        if (state.patches + begins) % config.block == 0:
            templates = (
                template_memory.discard(templates) if _memory_frozen(state) else template_memory.store(templates)
            )
            history, peaks = patient_history.add_levels(config, history, peaks), np.full_like(peaks, np.nan)
        quantiles[begins:ends] = history.quantiles
        levels[begins:ends, SIGNAL_LEVELS:], templates = template_memory.compare(templates, windows, begins, ends)
        peaks = np.fmax(peaks, np.fmax.reduce(levels[begins:ends]))
    return history, peaks, templates


def _memory_frozen(state: AnomalyState) -> bool:
    """Return whether no templates are stored, because an episode began less than `MEMORY_FREEZE_S` ago."""
    if state.episode is None or not state.episode.raised:
        return False
    patch: int = state.mean.shape[2]
    return state.start + state.patches * patch - state.episode.onset < MEMORY_FREEZE_S * FS


def _join_leads(arrays: Sequence[AnyArray]) -> AnyArray:
    """Concatenate the arrays of beds along the last axis, the leads."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=-1)


def _split_beds(array: AnyArray, beds: int) -> AnyArray:
    """Split the leads, last axis, into beds, first axis; the part of each bed is contiguous."""
    if beds == 1:
        return array[None]
    return np.ascontiguousarray(np.moveaxis(array.reshape(*array.shape[:-1], beds, -1), -2, 0))
