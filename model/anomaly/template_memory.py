"""Template match against the patient's own QRS complexes, independent of timing.

A beat that comes early or late deviates from the forecast as much as an abnormal one does, and so does one that stays
away; but its shape is known. Once a block, the steepest complex is remembered: a QRS complex rather than a broad
ectopic beat, if both are there. Each window of 200 ms is compared with the last 32 remembered ones, at each
shift of 5.6 ms that the moving window passes through. How well it fits many of them, most, and nearly all, is what
counts: by the best fit alone an ectopic beat would be known as soon as there has been another. Of every ten
complexes one is remembered for ten times as long: conduction that was there minutes ago and comes back is known.

All functions are pure and work patch by patch: how many patches come at once changes no bit of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.signal.arrays import FloatArray

STEP = 2
"""Samples under one of the halved signal, 180 Hz; each is the mean of the last six, which is silent at 60 Hz."""

WIDTH = 36
"""Samples of a window, 200 ms."""

AFTER = 10
"""Patches, 111 ms, from the steepest stretch of a complex to the end of its window."""

STEEP = 5
"""Patches of that stretch."""

MEMORY = 32
"""The last complexes; and so many again, of which each is the tenth of ten."""

TENTH = 10

SHARES, OLD_SHARES = (0.75, 0.5, 0.25), (0.9, 0.75, 0.5)
"""The fits that are reported: what so large a share of the remembered complexes stays below, or at."""

UNIT = 5
"""Patches in which a fit counts by its best, so that the moment at which the window lies right is not missed."""

FITS = len(SHARES) + len(OLD_SHARES)
LEVELS = FITS + 1
LEAST, NOTHING = 0.03, 0.01
"""A perfect fit, and an empty window, count as if this were missing, or in it."""

TINY = 1e-6
"""mV²; so that a flat line can be divided by."""

KEPT = WIDTH - 1
"""Samples of the halved signal that later windows need."""


TAPER = np.minimum(1.0, np.minimum(np.arange(WIDTH) + 1, np.arange(WIDTH)[::-1] + 1) / 6)
TAPER_SUM = float(TAPER.sum())


@dataclass(frozen=True, slots=True)
class TemplateMemory:
    """The remembered complexes of a patient, n of them.

    Attributes
    ----------
    tail : ndarray, shape (KEPT, leads), mV
        The halved signal up to now; NaN before the epoch.
    fits : ndarray, shape (UNIT - 1, FITS)
        Of the last patches.
    templates : ndarray, shape (leads, n, WIDTH), mV
        Without their mean; the last complexes, oldest first, then every tenth, oldest first.
    power : ndarray, shape (leads, n), mV²
        Their tapered sums of squares.
    recent : int
        How many of them are the last ones.
    since : int
        How many have been remembered since one became a tenth.
    usual_power : ndarray, shape (leads,), mV²
        The median power of the last ones; NaN while nothing is remembered.
    steepest : float
        Of the block that is being filled, mV; negative where nothing is known.
    candidate : ndarray, shape (leads, WIDTH), mV
        The window about it.
    """

    tail: FloatArray
    fits: FloatArray
    templates: FloatArray
    power: FloatArray
    recent: int
    since: int
    usual_power: FloatArray
    steepest: float
    candidate: FloatArray


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows that end in k new patches.

    Attributes
    ----------
    mv, tapered : ndarray, shape (leads, k, shifts, WIDTH), mV
    power : ndarray, shape (leads, k, shifts), mV²
    steep : ndarray, shape (k,), mV
        How far the signal goes up and down in the stretch about which the patch's last window lies; negative where
        it is not known.
    tail : ndarray, shape (KEPT, leads), mV
        As in `TemplateMemory`, after them.
    """

    mv: FloatArray
    tapered: FloatArray
    power: FloatArray
    steep: FloatArray
    tail: FloatArray


def begin(leads: int) -> TemplateMemory:
    """Return the state at the start of an epoch."""
    return TemplateMemory(
        tail=np.full((KEPT, leads), np.nan),
        fits=np.full((UNIT - 1, FITS), np.nan),
        templates=np.empty((leads, 0, WIDTH)),
        power=np.empty((leads, 0)),
        recent=0,
        since=TENTH,
        usual_power=np.full(leads, np.nan),
        steepest=-1.0,
        candidate=np.full((leads, WIDTH), np.nan),
    )


def windows_of(states: Sequence[TemplateMemory], before: FloatArray, observed: FloatArray) -> list[Windows]:
    """Cut the windows that end in new patches, for beds side by side; all have as many leads.

    Parameters
    ----------
    states : sequence of TemplateMemory
    before : ndarray, shape (patch, beds * leads), mV
        The patch before them; NaN before the epoch.
    observed : ndarray, shape (k, patch, beds * leads), mV
    """
    beds, (k, patch, columns) = len(states), observed.shape
    samples = np.concatenate([before, observed.reshape(k * patch, columns)])[patch - 2 * STEP :]
    pairs = samples[0::STEP] + samples[1::STEP]
    tails = np.concatenate([state.tail for state in states], axis=1)
    halved = np.ascontiguousarray(np.concatenate([tails, (pairs[:-2] + pairs[1:-1] + pairs[2:]) / 6]).T)
    shifts = patch // STEP

    mv = _moving(halved, WIDTH).reshape(columns, k, shifts, WIDTH)
    tapered = mv * TAPER
    mean = np.add.reduce(tapered, axis=3)
    power = np.add.reduce(tapered * mv, axis=3) - mean * mean / TAPER_SUM

    by_bed = (beds, columns // beds)
    changes = np.add.reduce(np.abs(halved[:, 1:] - halved[:, :-1]).reshape(*by_bed, -1), axis=1)
    begins = KEPT - shifts * (AFTER + STEEP // 2) - 1
    steep = np.add.reduce(_moving(changes, STEEP * shifts)[:, begins : begins + shifts * k : shifts], axis=2)
    known = np.isfinite(steep + np.add.reduce(power[:, :, -1].reshape(*by_bed, k), axis=1))
    parts = (
        mv.reshape(*by_bed, k, shifts, WIDTH),
        tapered.reshape(*by_bed, k, shifts, WIDTH),
        power.reshape(*by_bed, k, shifts),
        np.where(known, steep, -1.0),
        halved[:, -KEPT:].reshape(*by_bed, KEPT).transpose(0, 2, 1),
    )
    return [Windows(*own) for own in zip(*parts, strict=True)]


def _moving(lines: FloatArray, width: int) -> FloatArray:
    """Return a view of all windows along the last axis, which must be contiguous. Numpy's own takes longer to make."""
    shape = (*lines.shape[:-1], lines.shape[-1] - width + 1, width)
    return np.ndarray(shape, np.float64, lines, strides=(*lines.strides, lines.itemsize))


def compare(state: TemplateMemory, windows: Windows, first: int, end: int) -> tuple[FloatArray, TemplateMemory]:
    """Compare the windows of patches from ``first`` to before ``end`` with the remembered complexes.

    All windows have to be compared, in their order, before others are cut; in between may lie ends of blocks.

    Returns
    -------
    levels : ndarray, shape (end - first, LEVELS)
        How well they fit, and how much signal there is in them, relative to a usual complex; logarithms.
    state : TemplateMemory
        After them; it may hold a steeper complex.
    """
    k = end - first
    fits = np.concatenate([state.fits, _fits(state, windows, first, end)])
    found = np.empty((k, LEVELS))
    found[:, :-1] = 1 + LEAST - np.maximum.reduce([fits[i : k + i] for i in range(UNIT)])
    found[:, -1] = 1 / (NOTHING + _relative_power(state, windows, first, end))
    row = first + int(windows.steep[first:end].argmax())
    steepest, candidate = state.steepest, state.candidate
    if windows.steep[row] > steepest:
        steepest, candidate = float(windows.steep[row]), windows.mv[:, row, -1].copy()
    state = replace(state, tail=windows.tail, fits=fits[k:].copy(), steepest=steepest, candidate=candidate)
    return -np.log(found), state


def _fits(state: TemplateMemory, windows: Windows, first: int, end: int) -> FloatArray:
    """Return fits, shape (end - first, FITS).

    The fit of two shapes is 1 less the power of their difference over the sum of their powers: 1 if they are the same,
    mean over the leads.
    """
    leads, n = state.power.shape
    if n == 0:
        return np.zeros((end - first, FITS))
    products = windows.tapered[:, first:end] @ state.templates.swapaxes(1, 2)[:, None]
    fit = products / (windows.power[:, first:end, :, None] + state.power[:, None, None] + TINY)
    best = np.maximum.reduce(np.add.reduce(fit, axis=0), axis=1)
    recent, old = state.recent, n - state.recent
    best[:, :recent].sort(axis=1)
    best[:, recent:].sort(axis=1)
    places = [round(share * (recent - 1)) for share in SHARES] + [
        recent + round(share * (old - 1)) for share in OLD_SHARES
    ]
    fits: FloatArray = best.take(places, axis=1) * (2 / leads)
    return fits


def _relative_power(state: TemplateMemory, windows: Windows, first: int, end: int) -> FloatArray:
    """Return the power of each patch's last window, in that of a usual complex; mean over the leads."""
    leads = len(state.power)
    if state.recent == 0:
        return np.zeros(end - first)
    relative: FloatArray = windows.power[:, first:end, -1] / (state.usual_power + TINY)[:, None]
    return np.asarray(relative.sum(axis=0) / leads)


def remember(state: TemplateMemory) -> TemplateMemory:
    """Remember the steepest complex of a block that ends."""
    if state.steepest < 0:
        return state
    mean = (state.candidate * TAPER).sum(axis=1) / TAPER_SUM
    shape = (state.candidate - mean[:, None])[:, None]
    power = (shape * shape * TAPER).sum(axis=2)
    tenth = state.since >= TENTH - 1
    templates, recent = _with(state.templates, state.recent, shape, tenth)
    powers, recent = _with(state.power, state.recent, power, tenth)
    return replace(
        state,
        templates=templates,
        power=powers,
        recent=recent,
        since=0 if tenth else state.since + 1,
        usual_power=np.median(powers[:, :recent], axis=1),
        steepest=-1.0,
    )


def _with(kept: FloatArray, recent: int, new: FloatArray, tenth: bool) -> tuple[FloatArray, int]:
    """Return what is kept with one more, along the second axis, and how many of it are the last ones."""
    last = np.concatenate([kept[:, :recent], new], axis=1)[:, -MEMORY:]
    old = kept[:, recent:]
    if tenth:
        old = np.concatenate([old, new], axis=1)[:, -MEMORY:]
    return np.concatenate([last, old], axis=1), last.shape[1]


def discard(state: TemplateMemory) -> TemplateMemory:
    """Do not remember the steepest complex of a block that ends."""
    return replace(state, steepest=-1.0)
