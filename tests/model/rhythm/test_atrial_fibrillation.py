"""Entropy of RR intervals: near 0 in a regular rhythm, near 1 in an irregular one. A consistent P wave excludes AF."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from model.beats.beat import Beat, to_rows
from model.rhythm import atrial_fibrillation
from model.rhythm.atrial_fibrillation import (
    ABSENT_P_WAVE,
    IRREGULARITY,
    PRESENT_P_WAVE,
    WORDS,
    middle,
    p_wave_absent,
    p_wave_present,
)
from stream.wire.messages import BeatType
from tests.model.beat_trains import train


def irregularity_of(beats: Sequence[Beat]) -> Any:
    state = np.zeros(1, IRREGULARITY).view(np.recarray)[0]
    atrial_fibrillation.begin(state)
    for beat in beats:
        push(state, beat)
    return state


def push(state: Any, beat: Beat) -> None:
    rows = to_rows([[beat]])
    atrial_fibrillation.push(state, rows.r_peak[0], rows.kind[0], rows.rr[0], rows.p_wave[0])


def entropy_of(intervals: list[tuple[float, BeatType]]) -> float:
    return float(irregularity_of(train(intervals)).entropy)


def random_intervals(n: int, deviation: float, seed: int = 0) -> list[tuple[float, BeatType]]:
    rng = np.random.default_rng(seed)
    return [(float(seconds), "N") for seconds in 0.7 * np.exp(rng.normal(0, deviation, n))]


def test_entropy_is_that_of_the_words_times_the_share_of_distinct_words() -> None:
    assert atrial_fibrillation.entropy(np.full(WORDS, 7)) == 0
    assert atrial_fibrillation.entropy(np.arange(WORDS)) == pytest.approx(1)
    # Two words, 31 times each: one bit of 5.954 possible, times 2 / 62.
    assert atrial_fibrillation.entropy(np.tile([1, 2], 31)) == pytest.approx(2 / 62 * 1 / math.log2(62))


def test_a_regular_rhythm_has_low_and_an_irregular_one_high_entropy() -> None:
    assert entropy_of(random_intervals(200, 0.01)) == pytest.approx(0, abs=0.35)
    assert entropy_of(random_intervals(200, 0.25)) == pytest.approx(1, abs=0.1)


def test_entropy_is_unknown_until_there_are_enough_beats() -> None:
    assert math.isnan(entropy_of(random_intervals(WORDS + 2, 0.2)))
    assert not math.isnan(entropy_of(random_intervals(WORDS + 3, 0.2)))


def test_ventricular_beats_do_not_raise_the_entropy() -> None:
    rng = np.random.default_rng(1)
    beats: list[tuple[float, BeatType]] = []
    for _ in range(100):
        beats += [(0.8, "N")] * int(rng.integers(2, 4))
        early = float(rng.uniform(0.3, 0.7))
        beats += [(early, "V"), (1.6 - early, "N")]
    assert entropy_of(beats) == pytest.approx(0, abs=0.05)
    as_normal: list[tuple[float, BeatType]] = [(seconds, "N") for seconds, _ in beats]
    assert entropy_of(as_normal) > 0.2


def test_an_interruption_leaves_out_one_interval() -> None:
    regular = train([(0.8, "N")] * 150)
    later = train([(0.8, "N"), (5.0, "N")], start=regular[-1].index)[1]
    state = irregularity_of(regular)
    words = state.words.tolist()
    atrial_fibrillation.interrupt(state)
    push(state, later)
    assert state.words.tolist() == words
    assert state.last == later.index
    uninterrupted = irregularity_of(regular)
    push(uninterrupted, later)
    assert len(set(uninterrupted.words.tolist())) == 2


def test_the_middle_is_half_the_words_back() -> None:
    state = irregularity_of(train([(0.8, "N")] * 300))
    assert state.last - middle(state) == WORDS // 2 * 288


def test_a_p_wave_is_absent_or_present_or_undecided() -> None:
    beats = train(random_intervals(5, 0.2))
    state = irregularity_of([])
    found = []
    for beat, p_wave in zip(beats, (None, 0.9, 0.1, ABSENT_P_WAVE, PRESENT_P_WAVE), strict=True):
        push(state, replace(beat, p_wave=p_wave))
        found.append((p_wave_absent(state), p_wave_present(state)))
    assert found == [(True, False), (False, True), (True, False), (False, False), (False, True)]
