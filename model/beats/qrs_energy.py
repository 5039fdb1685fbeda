"""How strongly the leads show a QRS: one energy from one or two leads.

A lead's energy is the root mean square of its 7 to 22 Hz band over 67 ms. Every half second each lead is judged by its
last eight: how high its energy peaks (the size of its QRS) and how far that stands above its median (its clarity). In
these units the leads are combined, the clearer one weighing more.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from scipy.signal import butter

from model.signal.arrays import BoolArray, FloatArray
from stream.timebase import FS

BAND: FloatArray = butter(2, [7.0, 22.0], "bandpass", fs=FS, output="sos")
"""QRS energy lies here; P and T waves are slower, muscles and mains faster."""

WINDOW = 24
"""Samples over which energy is averaged."""

BLOCK = 180
"""Samples after which leads are judged anew: half a second."""

MEMORY = 16
"""Blocks by which a lead is judged."""

WARM = 3
"""Blocks before the first beat; one alone may lie between two beats."""

USUAL = 0.6
"""Quantile, among the peaks of the remembered blocks, that stands for a lead's QRS: many blocks hold none."""

LEAST_MV = 0.04
"""Energy below which nothing is a beat: a triangle of 0.13 mV and 80 ms has it."""

QUIET_MV = 0.004
"""Medians below count as this, so that a flat lead is not a clear one."""

KEEP = 0.95
"""Share of a lead's size that a block leaves at least: a pause does not make P waves beats."""

UNCLEAR, CLEAR = 2.0, 20.0
"""Clarity of a lead without QRS complexes (white noise has 1.9), and beyond which one is not clearer: it may be
dying."""

LARGE = 3.0
"""An artefact larger than so many QRS counts as so many."""

TRUST = 1.5
"""Power of the clarity by which a lead weighs."""

POWER = 1.5
"""Leads are combined by this power: 2 would add energies; a lower one trusts a peak in one lead alone less."""


@dataclass(frozen=True, slots=True)
class Leads:
    """How the leads are judged; tuples with one element per lead.

    Attributes
    ----------
    peaks, medians : tuple of tuple of float
        Energy in each of the last blocks, oldest first, in mV; blocks of mostly invalid samples are left out.
    size : tuple of float
        Usual energy of a QRS in mV.
    weight : tuple of float
        Their sum is 1.
    """

    peaks: tuple[tuple[float, ...], ...]
    medians: tuple[tuple[float, ...], ...]
    size: tuple[float, ...]
    weight: tuple[float, ...]


def initial_leads(leads: int) -> Leads:
    """Return how leads are judged before anything is known: equal."""
    return Leads(((),) * leads, ((),) * leads, (1.0,) * leads, (1.0 / leads,) * leads)


def bridge(
    gap: tuple[bool, ...], level: FloatArray, shift: FloatArray, mv: FloatArray, invalid: BoolArray
) -> tuple[tuple[bool, ...], FloatArray, FloatArray]:
    """Hold invalid samples, and shift what follows them to where they were held, so that no filter gets a step.

    Parameters
    ----------
    gap : tuple of bool
        Leads whose last sample was invalid.
    level : ndarray, shape (leads,)
        The last shifted samples in mV.
    shift : ndarray, shape (leads,)
        What has been added to valid samples, in mV.
    mv, invalid : ndarray, shape (n, leads)

    Returns
    -------
    gap, shift
        As they are now.
    samples : ndarray, shape (n, leads)
        Shifted, in mV, all finite.
    """
    shift, samples = shift.copy(), np.empty_like(mv)
    for lead, held in enumerate(level.tolist()):
        flags = np.concatenate([gap[lead : lead + 1], invalid[:, lead]])
        turns = np.flatnonzero(flags[2:] != flags[1:-1]) + 1
        for first, stop in itertools.pairwise([0, *turns.tolist(), len(mv)]):
            if flags[first + 1]:
                samples[first:stop, lead] = held
                continue
            if flags[first]:
                shift[lead] = held - mv[first, lead]
            samples[first:stop, lead] = mv[first:stop, lead] + shift[lead]
            held = samples[stop - 1, lead]
    return tuple(invalid[-1].tolist()), shift, samples


def window_sum(values: FloatArray) -> FloatArray:
    """Return the sums over `WINDOW` rows, always added in the same order, unlike a running sum."""
    two = values[1:] + values[:-1]
    four = two[2:] + two[:-2]
    eight = four[4:] + four[:-4]
    sixteen = eight[8:] + eight[:-8]
    return sixteen[8:] + eight[:-16]


def combine(energy: FloatArray, leads: Leads) -> FloatArray:
    """Return the combined energy, shape (n,), to the power `POWER`; 0 where there can be no beat."""
    if max(map(len, leads.peaks)) < WARM:
        return np.zeros(len(energy))
    ratio = np.minimum(energy / leads.size, LARGE)
    ratio *= np.sqrt(ratio)  # which is the power
    total = ratio[:, 0] * leads.weight[0]
    for lead in range(1, len(leads.weight)):
        total += ratio[:, lead] * leads.weight[lead]
    total[energy.max(axis=1) < LEAST_MV] = 0.0
    return total


def judge(leads: Leads, block: FloatArray, invalid: FloatArray) -> Leads:
    """Judge the leads anew after a block; ``invalid`` counts its invalid samples."""
    ordered = np.sort(block, axis=0)
    peaks, medians, size, clarity = [], [], [], []
    for lead, (peak, median, missing) in enumerate(
        zip(ordered[-1].tolist(), ordered[BLOCK // 2].tolist(), invalid.tolist(), strict=True)
    ):
        blind, size_before = 2 * missing > BLOCK, leads.size[lead]
        peaks.append(leads.peaks[lead] if blind else (*leads.peaks[lead], peak)[-MEMORY:])
        medians.append(leads.medians[lead] if blind else (*leads.medians[lead], median)[-MEMORY:])
        known = size_before if len(peaks[-1]) > 1 else 0.0
        size.append(max(_quantile(peaks[-1], USUAL), KEEP * known, QUIET_MV) if peaks[-1] else size_before)
        noise = max(_quantile(medians[-1], 0.5), *medians[-1][-2:], QUIET_MV) if medians[-1] else math.inf
        dead = blind or max(peaks[-1][-WARM:]) < LEAST_MV
        clarity.append(0.0 if dead else min(size[-1] / noise, CLEAR))
    trusted = [max(value - UNCLEAR, 0.05) ** TRUST for value in clarity]
    return Leads(tuple(peaks), tuple(medians), tuple(size), tuple(value / sum(trusted) for value in trusted))


def _quantile(values: tuple[float, ...], q: float) -> float:
    return sorted(values)[round(q * (len(values) - 1))]
