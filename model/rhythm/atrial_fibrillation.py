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
from collections import Counter
from dataclasses import dataclass, replace

from model.beats.beat import Beat
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


@dataclass(frozen=True, slots=True)
class Irregularity:
    """Irregularity of the last beats.

    Attributes
    ----------
    symbols : tuple of int
        Last two symbols.
    words, indexes : tuple of int
        Last `WORDS` words, and the R peak of the last beat of each.
    index : int or None
        R peak of the last beat; None if the RR interval after it is left out.
    entropy : float or None
        Entropy, 0 to 1; None until there are `WORDS` words.
    p_wave : float or None
        Consistency of the P wave at the last beat; None if unknown.
    """

    symbols: tuple[int, ...] = ()
    words: tuple[int, ...] = ()
    indexes: tuple[int, ...] = ()
    index: int | None = None
    entropy: float | None = None
    p_wave: float | None = None

    @property
    def p_wave_absent(self) -> bool:
        """Whether there is no evidence of a P wave, so that atrial fibrillation may begin."""
        return self.p_wave is None or self.p_wave < ABSENT_P_WAVE

    @property
    def p_wave_present(self) -> bool:
        """Whether the P wave is consistent, so that the rhythm is not atrial fibrillation."""
        return self.p_wave is not None and self.p_wave >= PRESENT_P_WAVE

    @property
    def middle(self) -> int:
        """R peak in the middle of the words: estimated time of a rhythm change, when the entropy crosses a limit."""
        return self.indexes[len(self.indexes) // 2]


def push(state: Irregularity, beat: Beat) -> Irregularity:
    """Push the next beat."""
    state = replace(state, p_wave=beat.p_wave)
    if beat.type == "V":
        return replace(state, index=None)
    if state.index is None or beat.rr is None:
        return replace(state, index=beat.index)
    rate = 60 * FS / (beat.index - state.index)
    symbols = (*state.symbols, min(MAX_SYMBOL, int(rate / RATE_PER_SYMBOL)))
    if len(symbols) < 3:
        return replace(state, symbols=symbols, index=beat.index)
    first, second, third = symbols
    words = (*state.words, first << 12 | second << 6 | third)[-WORDS:]
    return Irregularity(
        symbols[1:],
        words,
        (*state.indexes, beat.index)[-WORDS:],
        beat.index,
        entropy(words) if len(words) == WORDS else None,
        beat.p_wave,
    )


def interrupt(state: Irregularity) -> Irregularity:
    """Leave out the RR interval to the next beat, because beats may have been missed."""
    return replace(state, index=None)


def entropy(words: tuple[int, ...]) -> float:
    """Return the normalized Shannon entropy of at least two words, times the share of distinct words: 0 to 1."""
    n = len(words)
    counts = Counter(words).values()
    bits = math.log2(n) - sum(count * math.log2(count) for count in counts) / n
    return len(counts) / n * bits / math.log2(n)
