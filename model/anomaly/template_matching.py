"""Template match against the patient's own QRS complexes, independent of timing.

A premature, late or missing beat deviates from the forecast as much as an abnormal one does, but its shape is known.
Each window of 200 ms is compared with the templates of `model.anomaly.template_memory`, at shifts of 5.6 ms. The result
is not the best match but quantiles over the templates: by the best match alone, an ectopic beat would count as normal
after a single earlier one.

The loops work patch by patch: results are bit-identical for any number of patches per call.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from model.anomaly.rows import extended, keep_last
from model.anomaly.sorting import sort_columns
from model.anomaly.template_memory import MAX_TEMPLATES, SLOTS, SORT, TAPER, TAPER_SUM, WIDTH, TemplateMemory, counts
from model.signal.arrays import FloatArray
from model.signal.compiled import compiled, compiled_fused, compiled_part, wide_vectors

DECIMATION = 2
"""Decimation factor, 360 to 180 Hz. Each decimated sample is the mean of the last six, which suppresses 60 Hz."""

PATCHES_AFTER_STEEPEST = 10
"""Patches, 111 ms, from the steepest interval of a complex to the end of its window."""

STEEP_PATCHES = 5
"""Patches of that interval."""

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


class TemplateMatching(NamedTuple):
    """Columns over beds: the state of the matching.

    Attributes
    ----------
    tail : ndarray, shape (beds, leads, TAIL), mV
        The last decimated samples; NaN before the epoch.
    matches : ndarray, shape (beds, HOLD_PATCHES - 1, MATCHES)
        Match quantiles of the last patches.
    steepest : ndarray, shape (beds,), mV
        Largest steepness in the current block; negative if unknown.
    candidate : ndarray, shape (beds, leads, WIDTH), mV
        The window about the steepest interval of the current block.
    """

    tail: FloatArray
    matches: FloatArray
    steepest: FloatArray
    candidate: FloatArray


def begin(leads: int) -> TemplateMatching:
    """Return the state of one bed at the start of an epoch, and after lost samples."""
    return TemplateMatching(
        tail=np.full((1, leads, TAIL), np.nan),
        matches=np.full((1, HOLD_PATCHES - 1, MATCHES), np.nan),
        steepest=np.full(1, -1.0),
        candidate=np.full((1, leads, WIDTH), np.nan),
    )


@compiled
def compare(
    matching: TemplateMatching, memory: TemplateMemory, bed: int, samples: FloatArray, levels: FloatArray
) -> None:
    """Compare the windows that end in new patches of one block with the templates of a bed.

    Parameters
    ----------
    matching : TemplateMatching
        Receives the steepest complex, if it is steeper than those before in the block.
    memory : TemplateMemory
    bed : int
    samples : ndarray, shape (1 + k, samples per patch, leads), mV
        The previous patch, followed by the new ones; NaN before the epoch.
    levels : ndarray, shape (k, LEVELS)
        Receives logarithms of the match quantiles and of the power relative to a normal complex.
    """
    shifts = samples.shape[1] // DECIMATION
    decimated = _decimate(matching.tail[bed], samples)
    power = _window_power(decimated)
    matches = extended(matching.matches[bed], len(levels))
    stored = memory.stored[bed]
    best = _best_matches(memory.templates[bed], memory.power[bed], decimated, power, shifts)
    _write_quantiles(best, stored, len(power), matches)
    _write_levels(matches, power, memory.normal_power[bed], stored, levels)
    keep_last(matching.matches[bed], matches)
    matching.steepest[bed] = _find_steepest(decimated, power, shifts, matching.steepest[bed], matching.candidate[bed])


@compiled_part
def _decimate(tail: FloatArray, samples: FloatArray) -> FloatArray:
    """Return the last decimated samples, followed by those of the new patches, shape (leads, TAIL + shifts * k).

    They are kept in ``tail``.
    """
    patches, patch, leads = samples.shape
    new = patch // DECIMATION * (patches - 1)
    mv = samples.reshape(-1, leads)
    decimated = np.empty((leads, TAIL + new))
    for lead in range(leads):
        for i in range(TAIL):
            decimated[lead, i] = tail[lead, i]
        for i in range(new):
            first = patch + DECIMATION * (i - 2)
            total = 0.0
            for pair in range(first, first + 3 * DECIMATION, DECIMATION):
                total += mv[pair, lead] + mv[pair + 1, lead]
            decimated[lead, TAIL + i] = total / 6
        for i in range(TAIL):
            tail[lead, i] = decimated[lead, new + i]
    return decimated


@compiled_part
def _window_power(decimated: FloatArray) -> FloatArray:
    """Return the tapered sums of squares of all windows about their means, shape (leads, shifts * k), mV²."""
    leads, windows = len(decimated), decimated.shape[1] - TAIL
    power = np.empty((leads, windows))
    for lead in range(leads):
        for window in range(windows):
            total, squares = 0.0, 0.0
            for i in range(WIDTH):
                tapered = decimated[lead, window + i] * TAPER[i]
                total += tapered
                squares += tapered * decimated[lead, window + i]
            power[lead, window] = squares - total * total / TAPER_SUM
    return power


@compiled_part
def _best_matches(
    templates: FloatArray, template_power: FloatArray, decimated: FloatArray, power: FloatArray, shifts: int
) -> FloatArray:
    """Return the best match of each template over the shifts, sum over the leads, shape (SLOTS, k or more).

    The match of two shapes is 1 minus the power of their difference over the sum of their powers. It is 1 for equal
    shapes.
    """
    wide_vectors()  # type: ignore[call-arg]
    leads, windows = power.shape
    k = windows // shifts
    best = np.zeros((SLOTS, -(-k // 16) * 16))  # whole groups of 16 columns are sorted fastest
    products, match, highest = np.empty((2, SLOTS)), np.empty((2, SLOTS)), np.empty(SLOTS)
    for row in range(k):
        highest.fill(-np.inf)
        last = shifts * row + shifts - 1
        for window in range(shifts * row, last + 1, 2):
            both = window, min(window + 1, last)
            match.fill(0.0)
            for lead in range(leads):
                _correlate(decimated[lead], both, templates[lead], products)
                for i in range(2):
                    own, total = power[lead, both[i]], match[i]
                    for slot in range(SLOTS):
                        total[slot] += products[i, slot] / (own + template_power[lead, slot] + MIN_POWER_MV2)
            for slot in range(SLOTS):
                highest[slot] = np.maximum(np.maximum(highest[slot], match[0, slot]), match[1, slot])
        for slot in range(SLOTS):
            best[slot, row] = highest[slot]
    return best


@compiled_fused
def _correlate(decimated: FloatArray, firsts: tuple[int, int], templates: FloatArray, products: FloatArray) -> None:
    """Write the tapered inner products of two windows with all templates, shape (2, SLOTS).

    The inner loop runs over templates, which the processor adds several at once; two windows, and four samples each
    time, save memory access.
    """
    wide_vectors()  # type: ignore[call-arg]
    first, second = products[0], products[1]
    products.fill(0.0)
    for i in range(0, WIDTH, 4):
        x, y = decimated[firsts[0] + i :], decimated[firsts[1] + i :]
        a, b, c, d = x[0] * TAPER[i], x[1] * TAPER[i + 1], x[2] * TAPER[i + 2], x[3] * TAPER[i + 3]
        e, f, g, h = y[0] * TAPER[i], y[1] * TAPER[i + 1], y[2] * TAPER[i + 2], y[3] * TAPER[i + 3]
        for slot in range(SLOTS):
            p, q, r, s = templates[i, slot], templates[i + 1, slot], templates[i + 2, slot], templates[i + 3, slot]
            first[slot] = first[slot] + a * p + b * q + c * r + d * s
            second[slot] = second[slot] + e * p + f * q + g * r + h * s


@compiled_part
def _write_quantiles(best: FloatArray, stored: int, leads: int, matches: FloatArray) -> None:
    """Write the quantiles over recent and over long-term templates of new patches, mean over the leads.

    ``matches`` has the shape (HOLD_PATCHES - 1 + k, MATCHES). Without templates the matches are 0.
    """
    recent, long_term = counts(stored)
    of_recent, of_long_term = best[:MAX_TEMPLATES], best[MAX_TEMPLATES:]
    for column in range(best.shape[1]):  # free places come last
        for slot in range(recent, MAX_TEMPLATES):
            of_recent[slot, column] = np.inf
        for slot in range(long_term, MAX_TEMPLATES):
            of_long_term[slot, column] = np.inf
    sort_columns(of_recent, SORT)
    sort_columns(of_long_term, SORT)
    for row in range(HOLD_PATCHES - 1, len(matches)):
        column = row - HOLD_PATCHES + 1
        for i in range(MATCHES):
            matches[row, i] = 0.0
        if stored == 0:
            continue
        for i, share in enumerate(RECENT_QUANTILES):
            matches[row, i] = of_recent[round(share * (recent - 1)), column] * (2 / leads)
        for i, share in enumerate(LONG_TERM_QUANTILES, len(RECENT_QUANTILES)):
            matches[row, i] = of_long_term[round(share * (long_term - 1)), column] * (2 / leads)


@compiled_part
def _write_levels(
    matches: FloatArray, power: FloatArray, normal_power: FloatArray, stored: int, levels: FloatArray
) -> None:
    """Write the levels of new patches, from the match quantiles and the power of the windows."""
    k, leads = len(levels), len(power)
    for row in range(k):
        for i in range(MATCHES):
            held = matches[row, i]
            for later in range(row + 1, row + HOLD_PATCHES):
                held = np.maximum(held, matches[later, i])
            levels[row, i] = -math.log(1 + MIN_MISMATCH - held)
        last = (row + 1) * power.shape[1] // k - 1
        relative = 0.0
        if stored:
            for lead in range(leads):
                relative += power[lead, last] / (normal_power[lead] + MIN_POWER_MV2) / leads
        levels[row, MATCHES] = math.log(MIN_RELATIVE_POWER + relative)


@compiled_part
def _find_steepest(
    decimated: FloatArray, power: FloatArray, shifts: int, steepest: float, candidate: FloatArray
) -> float:
    """Find the steepest interval of the block so far; return its steepness and write the window about it.

    Steepness is the sum of the absolute changes of all leads in the interval. ``steepest`` and ``candidate`` are those
    before the new patches.
    """
    leads, windows = power.shape
    changes = np.zeros(decimated.shape[1] - 1)
    for lead in range(leads):
        for i in range(len(changes)):
            changes[i] += abs(decimated[lead, i + 1] - decimated[lead, i])
    for last in range(shifts - 1, windows, shifts):
        end = last + TAIL - shifts * PATCHES_AFTER_STEEPEST + shifts * (STEEP_PATCHES // 2)
        steepness = _sum(changes[end - shifts * STEEP_PATCHES : end])
        known = True
        for lead in range(leads):
            known &= math.isfinite(power[lead, last])
        if known and steepness > steepest:
            steepest = steepness
            for lead in range(leads):
                for i in range(WIDTH):
                    candidate[lead, i] = decimated[lead, last + i]
    return steepest


@compiled_part
def _sum(changes: FloatArray) -> float:
    """Return the sum of an interval; the first eight values are added in pairs.

    Windows of a digitised signal are often equally steep, and then rounding decides. This order, which is numpy's,
    selects the templates with which the classifier was trained.
    """
    total, rest = 0.0, 0
    if len(changes) >= 8:
        total = (changes[0] + changes[1]) + (changes[2] + changes[3])
        total += (changes[4] + changes[5]) + (changes[6] + changes[7])
        rest = 8
    for i in range(rest, len(changes)):
        total += changes[i]
    return total
