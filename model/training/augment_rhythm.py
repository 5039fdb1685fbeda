"""Made-up rhythms of real patients: their own beats at other moments, and some not at all.

Records to learn from hold few irregular rhythms and no failing conduction, so that what surprises by its moment alone
is learnt from too few patients. Here every third stretch of 100 s is left as it is; in the next the diastoles, from
the end of the T wave to the start of the P wave, are stretched and shortened at random; in the next some complexes
are taken out and leave a P wave without a beat, often two in a row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from model.signal.arrays import BoolArray, FloatArray, IntArray
from stream.timebase import FS

STRETCH = 100 * FS
KINDS = REGULAR, IRREGULAR, FAILING = range(3)

NORMAL = frozenset("NLR")
"""Beats that are taken out, where both their neighbours are such, too."""

LOST = "Q"
"""How a beat that was taken out is annotated: nothing ventricular is there."""

IRREGULARITY = 0.2
"""Standard deviation of the logarithm by which an RR interval changes."""

LONGEST_RR = 2 * FS
"""A longer interval is a pause already, and stays as it is."""

AFTER_R, OF_RR, BEFORE_R = 0.28, 0.12, 0.2
"""Seconds: a diastole begins so long after an R peak, plus this share of RR (no more than 1.2 s), and ends so long
before the next."""

LEAST_DIASTOLE, SHORTEST, LONGEST = 20, 5, 3
"""Samples of a diastole that is changed, and of the shortest that becomes of it; how many times as long it may grow."""

LOSS, LOSS_AGAIN = 0.15, 0.35
"""Chance that a beat is lost, and that one is after which the last was."""

QRS_BEFORE, QRST_AFTER, LEAST_QRST = 22, 151, 60
"""Samples that are lost with a beat: 60 ms before its R peak to 420 ms after it, if the next P wave is no nearer."""

ENDS = 4
"""Samples whose mean is the end of the line that is drawn instead."""


def vary(
    mv: FloatArray, sample: IntArray, symbol: Sequence[str], beats: Collection[str], seed: int
) -> tuple[FloatArray, IntArray, list[str]]:
    """Return a patient's signal with another rhythm, and its annotations.

    Parameters
    ----------
    mv : ndarray, shape (n, leads)
        NaN where invalid.
    sample : ndarray of int64
        Of the annotations, rising.
    symbol : sequence of str
    beats : collection of str
        Symbols that are beats.
    seed : int
    """
    rng = np.random.default_rng(seed)
    which = np.flatnonzero([kind in beats for kind in symbol])
    at = sample[which]
    normal: BoolArray = np.array([symbol[i] in NORMAL for i in which.tolist()], dtype=np.bool_)
    mv, lost = _fail(mv, at, normal, rng)
    changed = list(symbol)
    for i in which[lost].tolist():
        changed[i] = LOST
    old, new = _shift(at, len(mv), rng)
    moment = np.interp(np.arange(int(new[-1])), new, old)
    whole = np.arange(len(mv))
    varied = np.stack([np.interp(moment, whole, lead) for lead in mv.T], axis=1)
    return varied, np.rint(np.interp(sample, old, new)).astype(np.int64), changed


def _fail(mv: FloatArray, at: IntArray, normal: BoolArray, rng: np.random.Generator) -> tuple[FloatArray, BoolArray]:
    """Replace complexes by straight lines with the signal's own finest noise; return which beats are lost."""
    mv, lost = mv.copy(), np.zeros(len(at), dtype=bool)
    noise = 0.8 * np.nanmedian(np.abs(np.diff(mv, axis=0)), axis=0)
    for i in range(1, len(at) - 1):
        r, chance = int(at[i]), LOSS_AGAIN if lost[i - 1] else LOSS
        first, end = r - QRS_BEFORE, min(r + QRST_AFTER, int(at[i + 1] - BEFORE_R * FS))
        if _kind(r) != FAILING or not normal[i - 1 : i + 2].all() or rng.random() >= chance:
            continue
        if end - first < LEAST_QRST or r - at[i - 1] < FS / 2:
            continue
        left, right = mv[first - ENDS : first].mean(axis=0), mv[end : end + ENDS].mean(axis=0)
        fine = np.convolve(rng.normal(size=end - first + 2), np.ones(3) / 3, "valid")
        mv[first:end] = np.linspace(left, right, end - first) + fine[:, None] * noise
        lost[i] = True
    return mv, lost


def _shift(at: IntArray, n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return moments, and when they are in the new rhythm; between two, time runs evenly."""
    old, new = [0], [0]
    for r, following in zip(at.tolist(), at[1:].tolist(), strict=False):
        rr = following - r
        first = r + round((AFTER_R + OF_RR * min(rr / FS, 1.2)) * FS)
        end = following - round(BEFORE_R * FS)
        if _kind(r) != IRREGULAR or rr > LONGEST_RR or end - first < LEAST_DIASTOLE:
            continue
        longer = rr * (np.exp(rng.normal(0, IRREGULARITY)) - 1)
        length = int(np.clip(end - first + longer, SHORTEST, LONGEST * (end - first)))
        begins = new[-1] + first - old[-1]
        old += [first, end]
        new += [begins, begins + length]
    old, new = [*old, n], [*new, new[-1] + n - old[-1]]
    return np.array(old, dtype=np.float64), np.array(new, dtype=np.float64)


def _kind(sample: int) -> int:
    return sample // STRETCH % len(KINDS)
