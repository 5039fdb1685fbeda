"""Template match against the patient's own QRS complexes, independent of timing.

A premature, late or missing beat deviates from the forecast as much as an abnormal one does, but its shape is known.
Once per block, the steepest complex is stored as a template; of a normal and a broad ectopic beat in one block that is
the normal one. Each window of 200 ms is compared with the last 32 templates, at shifts of 5.6 ms. The result is not the
best match but quantiles over the templates: by the best match alone, an ectopic beat would count as normal after a
single earlier one. Every tenth template is kept ten times as long, so conduction that was present minutes ago is
recognised when it returns.

All functions are pure and work patch by patch: results are bit-identical for any number of patches per call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.signal.arrays import FloatArray

DECIMATION = 2
"""Decimation factor, 360 to 180 Hz. Each decimated sample is the mean of the last six, which suppresses 60 Hz."""

WIDTH = 36
"""Decimated samples per window, 200 ms."""

PATCHES_AFTER_STEEPEST = 10
"""Patches, 111 ms, from the steepest interval of a complex to the end of its window."""

STEEP_PATCHES = 5
"""Patches of that interval."""

MAX_TEMPLATES = 32
"""Number of recent templates, and largest number of long-term templates."""

LONG_TERM_EVERY = 10
"""One of so many templates becomes a long-term template."""

RECENT_QUANTILES, LONG_TERM_QUANTILES = (0.75, 0.5, 0.25), (0.9, 0.75, 0.5)
"""Quantiles of the matches that are reported, over recent and over long-term templates."""

HOLD_PATCHES = 5
"""Patches over which the best match is held, so that the moment of the right alignment is not missed."""

MATCHES = len(RECENT_QUANTILES) + len(LONG_TERM_QUANTILES)
"""Number of match quantiles."""

LEVELS = MATCHES + 1
"""Number of levels: the match quantiles, and the power of the signal."""

MIN_MISMATCH, MIN_RELATIVE_POWER = 0.03, 0.01
"""Offsets of the mismatch and of the relative power, so that their logarithms are finite."""

MIN_POWER_MV2 = 1e-6
"""mV²; avoids division by zero for a flat line."""

TAIL = WIDTH - 1
"""Decimated samples that later windows need."""

TAPER = np.minimum(1.0, np.minimum(np.arange(WIDTH) + 1, np.arange(WIDTH)[::-1] + 1) / 6)
"""Weights of the samples of a window: 1, with linear slopes at both ends."""

TAPER_SUM = float(TAPER.sum())


@dataclass(frozen=True, slots=True)
class TemplateMemory:
    """The n templates of a patient, and the state of the matching.

    Attributes
    ----------
    tail : ndarray, shape (TAIL, leads), mV
        The last decimated samples; NaN before the epoch.
    matches : ndarray, shape (HOLD_PATCHES - 1, MATCHES)
        Match quantiles of the last patches.
    templates : ndarray, shape (leads, n, WIDTH), mV
        Without their mean; recent templates, oldest first, then long-term templates, oldest first.
    power : ndarray, shape (leads, n), mV²
        Tapered sums of squares of the templates.
    recent : int
        Number of recent templates.
    since_long_term : int
        Templates stored since the last long-term template.
    normal_power : ndarray, shape (leads,), mV²
        Median power of the recent templates; NaN without templates.
    steepest : float
        Largest steepness in the current block, mV; negative if unknown.
    candidate : ndarray, shape (leads, WIDTH), mV
        The window about the steepest interval of the current block.
    """

    tail: FloatArray
    matches: FloatArray
    templates: FloatArray
    power: FloatArray
    recent: int
    since_long_term: int
    normal_power: FloatArray
    steepest: float
    candidate: FloatArray


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows that end in k new patches.

    Attributes
    ----------
    mv, tapered : ndarray, shape (leads, k, shifts, WIDTH), mV
    power : ndarray, shape (leads, k, shifts), mV²
    steepness : ndarray, shape (k,), mV
        Sum of the absolute changes of the signal in the interval about which the patch's last window lies; negative
        if unknown.
    tail : ndarray, shape (TAIL, leads), mV
        As in `TemplateMemory`, after the new patches.
    """

    mv: FloatArray
    tapered: FloatArray
    power: FloatArray
    steepness: FloatArray
    tail: FloatArray


def begin(leads: int) -> TemplateMemory:
    """Return the state at the start of an epoch."""
    return TemplateMemory(
        tail=np.full((TAIL, leads), np.nan),
        matches=np.full((HOLD_PATCHES - 1, MATCHES), np.nan),
        templates=np.empty((leads, 0, WIDTH)),
        power=np.empty((leads, 0)),
        recent=0,
        since_long_term=LONG_TERM_EVERY,
        normal_power=np.full(leads, np.nan),
        steepest=-1.0,
        candidate=np.full((leads, WIDTH), np.nan),
    )


def after_gap(state: TemplateMemory) -> TemplateMemory:
    """Return the state after lost samples: the templates are kept, the windows and the candidate are not."""
    fresh = begin(len(state.power))
    return replace(state, tail=fresh.tail, matches=fresh.matches, steepest=fresh.steepest, candidate=fresh.candidate)


def windows_of(states: Sequence[TemplateMemory], before: FloatArray, observed: FloatArray) -> list[Windows]:
    """Return the windows that end in new patches, for beds with equal numbers of leads.

    Parameters
    ----------
    states : sequence of TemplateMemory
    before : ndarray, shape (patch, beds * leads), mV
        The previous patch; NaN before the epoch.
    observed : ndarray, shape (k, patch, beds * leads), mV
    """
    beds, (k, patch, columns) = len(states), observed.shape
    samples = np.concatenate([before, observed.reshape(k * patch, columns)])[patch - 2 * DECIMATION :]
    pairs = samples[0::DECIMATION] + samples[1::DECIMATION]
    tails = np.concatenate([state.tail for state in states], axis=1)
    decimated = np.ascontiguousarray(np.concatenate([tails, (pairs[:-2] + pairs[1:-1] + pairs[2:]) / 6]).T)
    shifts = patch // DECIMATION

    mv = _moving(decimated, WIDTH).reshape(columns, k, shifts, WIDTH)
    tapered = mv * TAPER
    mean = np.add.reduce(tapered, axis=3)
    power = np.add.reduce(tapered * mv, axis=3) - mean * mean / TAPER_SUM

    by_bed = (beds, columns // beds)
    changes = np.add.reduce(np.abs(decimated[:, 1:] - decimated[:, :-1]).reshape(*by_bed, -1), axis=1)
    begins = TAIL - shifts * (PATCHES_AFTER_STEEPEST + STEEP_PATCHES // 2) - 1
    intervals = _moving(changes, STEEP_PATCHES * shifts)[:, begins : begins + shifts * k : shifts]
    steepness = np.add.reduce(intervals, axis=2)
    known = np.isfinite(steepness + np.add.reduce(power[:, :, -1].reshape(*by_bed, k), axis=1))
    parts = (
        mv.reshape(*by_bed, k, shifts, WIDTH),
        tapered.reshape(*by_bed, k, shifts, WIDTH),
        power.reshape(*by_bed, k, shifts),
        np.where(known, steepness, -1.0),
        decimated[:, -TAIL:].reshape(*by_bed, TAIL).transpose(0, 2, 1),
    )
    return [Windows(*own) for own in zip(*parts, strict=True)]


def _moving(lines: FloatArray, width: int) -> FloatArray:
    """Return a view of all windows along the last, contiguous axis; faster than numpy's ``sliding_window_view``."""
    shape = (*lines.shape[:-1], lines.shape[-1] - width + 1, width)
    return np.ndarray(shape, np.float64, lines, strides=(*lines.strides, lines.itemsize))


def compare(state: TemplateMemory, windows: Windows, first: int, end: int) -> tuple[FloatArray, TemplateMemory]:
    """Compare the windows of patches from ``first`` up to, not including, ``end`` with the templates.

    Compare all windows, in order, before new ones are formed; blocks may end in between.

    Returns
    -------
    levels : ndarray, shape (end - first, LEVELS)
        Logarithms of the match quantiles and of the power relative to a normal complex.
    state : TemplateMemory
        With the candidate of a steeper complex, if there is one.
    """
    k = end - first
    matches = np.concatenate([state.matches, _matches(state, windows, first, end)])
    result = np.empty((k, LEVELS))
    result[:, :-1] = 1 + MIN_MISMATCH - np.maximum.reduce([matches[i : k + i] for i in range(HOLD_PATCHES)])
    result[:, -1] = 1 / (MIN_RELATIVE_POWER + _relative_power(state, windows, first, end))
    row = first + int(windows.steepness[first:end].argmax())
    steepest, candidate = state.steepest, state.candidate
    if windows.steepness[row] > steepest:
        steepest, candidate = float(windows.steepness[row]), windows.mv[:, row, -1].copy()
    state = replace(state, tail=windows.tail, matches=matches[k:].copy(), steepest=steepest, candidate=candidate)
    return -np.log(result), state


def _matches(state: TemplateMemory, windows: Windows, first: int, end: int) -> FloatArray:
    """Return match quantiles, shape (end - first, MATCHES).

    The match of two shapes is 1 minus the power of their difference over the sum of their powers, mean over the leads.
    It is 1 for equal shapes.
    """
    leads, n = state.power.shape
    if n == 0:
        return np.zeros((end - first, MATCHES))
    products = windows.tapered[:, first:end] @ state.templates.swapaxes(1, 2)[:, None]
    match = products / (windows.power[:, first:end, :, None] + state.power[:, None, None] + MIN_POWER_MV2)
    best = np.maximum.reduce(np.add.reduce(match, axis=0), axis=1)
    recent, long_term = state.recent, n - state.recent
    best[:, :recent].sort(axis=1)
    best[:, recent:].sort(axis=1)
    places = [round(share * (recent - 1)) for share in RECENT_QUANTILES] + [
        recent + round(share * (long_term - 1)) for share in LONG_TERM_QUANTILES
    ]
    matches: FloatArray = best.take(places, axis=1) * (2 / leads)
    return matches


def _relative_power(state: TemplateMemory, windows: Windows, first: int, end: int) -> FloatArray:
    """Return the power of each patch's last window relative to a normal complex, mean over the leads."""
    leads = len(state.power)
    if state.recent == 0:
        return np.zeros(end - first)
    relative: FloatArray = windows.power[:, first:end, -1] / (state.normal_power + MIN_POWER_MV2)[:, None]
    return np.asarray(relative.sum(axis=0) / leads)


def store(state: TemplateMemory) -> TemplateMemory:
    """Store the steepest complex of a block that ends as a template."""
    if state.steepest < 0:
        return state
    mean = (state.candidate * TAPER).sum(axis=1) / TAPER_SUM
    shape = (state.candidate - mean[:, None])[:, None]
    power = (shape * shape * TAPER).sum(axis=2)
    long_term = state.since_long_term >= LONG_TERM_EVERY - 1
    templates, recent = _append(state.templates, state.recent, shape, long_term)
    powers, recent = _append(state.power, state.recent, power, long_term)
    return replace(
        state,
        templates=templates,
        power=powers,
        recent=recent,
        since_long_term=0 if long_term else state.since_long_term + 1,
        normal_power=np.median(powers[:, :recent], axis=1),
        steepest=-1.0,
    )


def _append(kept: FloatArray, recent: int, new: FloatArray, long_term: bool) -> tuple[FloatArray, int]:
    """Append to the recent and, if ``long_term``, to the long-term entries, axis 1; return all and the recent count."""
    last = np.concatenate([kept[:, :recent], new], axis=1)[:, -MAX_TEMPLATES:]
    old = kept[:, recent:]
    if long_term:
        old = np.concatenate([old, new], axis=1)[:, -MAX_TEMPLATES:]
    return np.concatenate([last, old], axis=1), last.shape[1]


def discard(state: TemplateMemory) -> TemplateMemory:
    """Discard the steepest complex of a block that ends."""
    return replace(state, steepest=-1.0)
