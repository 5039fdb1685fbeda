"""Augmentation with irregular rhythms and dropped beats, from the patient's own signal.

Training records contain few irregular rhythms and no conduction failure, so there are too few examples of beats that
are unusual only in their timing. The signal is divided into segments of 100 s that take turns: unchanged; diastoles,
from the end of the T wave to the start of the P wave, lengthened and shortened at random; and QRS complexes removed,
which leaves a P wave without a beat, often two in succession.
"""

from __future__ import annotations

import numpy as np

from model.datasets.annotated_signal import AnnotatedSignal
from model.datasets.beat_codes import AAMI_CLASS, NORMAL
from model.signal.arrays import BoolArray, FloatArray, IntArray
from stream.timebase import FS

SEGMENT = 100 * FS
KINDS = REGULAR, IRREGULAR, FAILING = range(3)

REMOVED = "Q"
"""Annotation code of a removed beat, which is not ventricular. Only beats between normal beats are removed."""

IRREGULARITY = 0.2
"""Standard deviation of the logarithmic change of an RR interval."""

LONGEST_RR = 2 * FS
"""A longer interval is a pause and stays unchanged."""

AFTER_R, OF_RR, BEFORE_R = 0.28, 0.12, 0.2
"""A diastole begins 0.28 s plus 12 % of the RR interval (at most 1.2 s) after an R peak, and ends 0.2 s before the
next."""

LEAST_DIASTOLE, SHORTEST, LONGEST = 20, 5, 3
"""Least length in samples of a diastole that is changed, and of the result; largest lengthening factor."""

REMOVAL, REMOVAL_AGAIN = 0.15, 0.35
"""Probability that a beat is removed, in general and after a removed beat."""

QRS_BEFORE, QRST_AFTER, LEAST_QRST = 22, 151, 60
"""Samples removed with a beat: 60 ms before its R peak to 420 ms after it, or to the next P wave if that is nearer."""

ENDS = 4
"""Samples averaged at each end of the line that replaces a beat."""


def augment(signal: AnnotatedSignal, seed: int) -> AnnotatedSignal:
    """Return the signal with irregular rhythm and dropped beats; annotations move with their beats.

    Parameters
    ----------
    signal : AnnotatedSignal
        Not modified.
    seed : int
    """
    rng = np.random.default_rng(seed)
    which = np.flatnonzero([code in AAMI_CLASS for code in signal.symbol])
    at = signal.sample[which]
    normal: BoolArray = np.array([signal.symbol[i] in NORMAL for i in which.tolist()], dtype=np.bool_)
    mv, removed = _remove_beats(signal.mv, at, normal, rng)
    symbol = list(signal.symbol)
    for i in which[removed].tolist():
        symbol[i] = REMOVED
    old, new = _time_map(at, len(mv), rng)
    source = np.interp(np.arange(int(new[-1])), new, old)
    whole = np.arange(len(mv))
    warped = np.stack([np.interp(source, whole, lead) for lead in mv.T], axis=1)
    sample = np.rint(np.interp(signal.sample, old, new)).astype(np.int64)
    return AnnotatedSignal(warped, sample, tuple(symbol))


def _remove_beats(
    mv: FloatArray, at: IntArray, normal: BoolArray, rng: np.random.Generator
) -> tuple[FloatArray, BoolArray]:
    """Replace complexes by lines with the signal's own high-frequency noise; return which beats were removed."""
    mv, removed = mv.copy(), np.zeros(len(at), dtype=bool)
    noise = 0.8 * np.nanmedian(np.abs(np.diff(mv, axis=0)), axis=0)
    for i in range(1, len(at) - 1):
        r, probability = int(at[i]), REMOVAL_AGAIN if removed[i - 1] else REMOVAL
        first, end = r - QRS_BEFORE, min(r + QRST_AFTER, int(at[i + 1] - BEFORE_R * FS))
        if _kind(r) != FAILING or not normal[i - 1 : i + 2].all() or rng.random() >= probability:
            continue
        if end - first < LEAST_QRST or r - at[i - 1] < FS / 2:
            continue
        left, right = mv[first - ENDS : first].mean(axis=0), mv[end : end + ENDS].mean(axis=0)
        fine = np.convolve(rng.normal(size=end - first + 2), np.ones(3) / 3, "valid")
        mv[first:end] = np.linspace(left, right, end - first) + fine[:, None] * noise
        removed[i] = True
    return mv, removed


def _time_map(at: IntArray, n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return samples of the signal and their positions in the new rhythm; the map is linear in between."""
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
    return sample // SEGMENT % len(KINDS)
