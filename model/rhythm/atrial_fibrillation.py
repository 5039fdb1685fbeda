"""Detects atrial fibrillation from the irregularity of the RR intervals and the absence of a consistent P wave.

The irregularity is that of Zhou, Ding, Wu and Zhang, "A real-time atrial fibrillation detection algorithm based on the
instantaneous state of heart rate", PLoS ONE 10(9): e0136544, 2015. The rate of each beat is quantized to symbols of
5/min. Three consecutive symbols form a word. The entropy is the Shannon entropy of the last words times the share of
distinct words: near 0 in a regular rhythm, near 1 in atrial fibrillation. Two changes:

- The RR intervals before and after a ventricular ectopic beat are left out, because they are short and long in any
  atrial rhythm. With the reference beats of MIT-BIH DS1 without 201 and 208, after 5:00, this raised the specificity
  (share of time) from 97.0 to 98.6 %. Supraventricular ectopic beats are included, because many beats of atrial
  fibrillation are classified as such.
- 63 words instead of 127: an onset is found after half the time. With the limit of 0.7 instead of 0.639 the lowest
  entropy in atrial fibrillation of MIT-BIH DS1 and svdb 804 is 0.79.

Ectopic beats, bigeminy among them, make RR intervals irregular in a sinus rhythm, too: by the RR intervals alone 10 %
of svdb would be atrial fibrillation. So it is not reported while the P wave is consistent (`model.beats.p_wave`).
Without evidence of a P wave, as in noise, the RR intervals decide.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from model.beats.beat import VENTRICULAR
from model.signal import columns
from model.signal.arrays import FloatArray, IntArray
from model.signal.compiled import compiled
from stream.timebase import FS

WORDS = 63
"""Number of words over which the entropy is measured."""

RATE_PER_SYMBOL = 5
"""Width of a symbol, 1/min."""

MAX_SYMBOL = 63
"""Symbol of 315/min and above."""

RELEASE_RATIO = 0.94
"""The condition ends when the entropy falls below this share of the limit, as 0.6 and 0.639 in the publication."""

ABSENT_P_WAVE, PRESENT_P_WAVE = 0.4, 0.5
"""Consistency of the P wave below which the condition may begin, and from which it ends: above 99 % of the values in
atrial fibrillation, see `model.beats.p_wave`. With 0.5 for both, 39 records of svdb without atrial fibrillation had 20
episodes, with these values 9."""

LOG2: FloatArray = np.array([0.0, *(math.log2(n) for n in range(1, WORDS + 1))])
"""Binary logarithms of counts of words."""


IRREGULARITY: Final = np.dtype(
    [
        ("symbols", "i8", (2,)),
        ("known", "i8"),
        ("words", "i8", (WORDS,)),
        ("r_peaks", "i8", (WORDS,)),
        ("last", "i8"),
        ("entropy", "f8"),
        ("p_wave", "f8"),
    ],
    align=True,
)
"""Irregularity of the last beats of a bed.

symbols
    Last two symbols; -1 before the first ones.
known
    Number of words in the next two fields, oldest first.
words, r_peaks
    Last words, and the R peak of the last beat of each.
last
    R peak of the last beat; -1 if the RR interval after it is left out.
entropy
    Entropy, 0 to 1; NaN until there are `WORDS` words.
p_wave
    Consistency of the P wave at the last beat; NaN if unknown.
"""


def begin(irregularity: Any) -> None:
    """Begin a record of zeros, before the first beat."""
    irregularity.symbols[:], irregularity.last = -1, -1
    irregularity.entropy, irregularity.p_wave = math.nan, math.nan


@compiled
def push(irregularity: Any, r_peak: int, kind: int, rr: int, p_wave: float) -> None:
    """Push the next beat; ``rr`` is -1 and ``p_wave`` NaN if it is unknown."""
    last, symbols, known = irregularity.last, irregularity.symbols, irregularity.known
    irregularity.p_wave = p_wave
    irregularity.last = -1 if kind == VENTRICULAR else r_peak
    if kind == VENTRICULAR or last < 0 or rr < 0:
        return
    rate = 60 * FS / (r_peak - last)
    first, second, third = symbols[0], symbols[1], min(MAX_SYMBOL, int(rate / RATE_PER_SYMBOL))
    symbols[0], symbols[1] = second, third
    if first >= 0:
        columns.push(irregularity.words, known, first << 12 | second << 6 | third)
        irregularity.known = columns.push(irregularity.r_peaks, known, r_peak)
        irregularity.entropy = entropy(irregularity.words) if irregularity.known == WORDS else math.nan


@compiled
def interrupt(irregularity: Any) -> None:
    """Leave out the RR interval to the next beat, because beats may have been missed."""
    irregularity.last = -1


@compiled
def p_wave_absent(irregularity: Any) -> bool:
    """Return whether there is no evidence of a P wave, so that atrial fibrillation may begin."""
    return not irregularity.p_wave >= ABSENT_P_WAVE


@compiled
def p_wave_present(irregularity: Any) -> bool:
    """Return whether the P wave is consistent, so that the rhythm is not atrial fibrillation."""
    return bool(irregularity.p_wave >= PRESENT_P_WAVE)


@compiled
def middle(irregularity: Any) -> int:
    """Return the R peak in the middle of the words.

    It is the estimated time of a rhythm change when the entropy crosses a limit.
    """
    return int(irregularity.r_peaks[irregularity.known // 2])


@compiled
def entropy(words: IntArray) -> float:
    """Return the normalized Shannon entropy of words, two to `WORDS`, times the share of distinct words: 0 to 1."""
    n, distinct, sum_of_counts = len(words), 0, 0.0
    for i in range(n):
        count, repeated = 1, False
        for k in range(i):
            repeated = repeated or words[k] == words[i]
        if repeated:
            continue
        for k in range(i + 1, n):
            count += words[k] == words[i]
        distinct += 1
        sum_of_counts += count * LOG2[count]
    bits = LOG2[n] - sum_of_counts / n
    return float(distinct / n * bits / LOG2[n])
