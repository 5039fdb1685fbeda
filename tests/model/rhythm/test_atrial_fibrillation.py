"""Entropy of RR intervals: near 0 in a regular rhythm, near 1 in an irregular one. A consistent P wave excludes AF."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from model.rhythm import atrial_fibrillation
from model.rhythm.atrial_fibrillation import ABSENT_P_WAVE, PRESENT_P_WAVE, WORDS, Irregularity
from stream.wire.messages import BeatType
from tests.model.beat_trains import train


def irregularity_of(intervals: list[tuple[float, BeatType]]) -> Irregularity:
    state = Irregularity()
    for beat in train(intervals):
        state = atrial_fibrillation.push(state, beat)
    return state


def random_intervals(n: int, deviation: float, seed: int = 0) -> list[tuple[float, BeatType]]:
    rng = np.random.default_rng(seed)
    return [(float(seconds), "N") for seconds in 0.7 * np.exp(rng.normal(0, deviation, n))]


def test_entropy_is_that_of_the_words_times_the_share_of_distinct_words() -> None:
    assert atrial_fibrillation.entropy((7,) * WORDS) == 0
    assert atrial_fibrillation.entropy(tuple(range(WORDS))) == pytest.approx(1)
    # Two words, 63 times each: one bit of 6.977 possible, times 2 / 126.
    assert atrial_fibrillation.entropy((1, 2) * 63) == pytest.approx(2 / 126 * 1 / math.log2(126))


def test_a_regular_rhythm_has_low_and_an_irregular_one_high_entropy() -> None:
    assert irregularity_of(random_intervals(200, 0.01)).entropy == pytest.approx(0, abs=0.35)
    assert irregularity_of(random_intervals(200, 0.25)).entropy == pytest.approx(1, abs=0.1)


def test_entropy_is_unknown_until_there_are_enough_beats() -> None:
    assert irregularity_of(random_intervals(WORDS + 2, 0.2)).entropy is None
    assert irregularity_of(random_intervals(WORDS + 3, 0.2)).entropy is not None


def test_ventricular_beats_do_not_raise_the_entropy() -> None:
    rng = np.random.default_rng(1)
    beats: list[tuple[float, BeatType]] = []
    for _ in range(100):
        beats += [(0.8, "N")] * int(rng.integers(2, 4))
        early = float(rng.uniform(0.3, 0.7))
        beats += [(early, "V"), (1.6 - early, "N")]
    assert irregularity_of(beats).entropy == pytest.approx(0, abs=0.05)
    as_normal: list[tuple[float, BeatType]] = [(seconds, "N") for seconds, _ in beats]
    assert (irregularity_of(as_normal).entropy or 0) > 0.2


def test_an_interruption_leaves_out_one_interval() -> None:
    regular = [(0.8, "N")] * 150
    state = irregularity_of(regular)
    later = train([(0.8, "N"), (5.0, "N")], start=state.index or 0)[1]
    assert len(set(atrial_fibrillation.push(state, later).words)) == 2
    interrupted = atrial_fibrillation.push(atrial_fibrillation.interrupt(state), later)
    assert interrupted.words == state.words
    assert interrupted.index == later.index


def test_the_middle_is_half_the_words_back() -> None:
    state = irregularity_of([(0.8, "N")] * 300)
    assert (state.index or 0) - state.middle == WORDS // 2 * 288


def test_a_p_wave_is_absent_or_present_or_undecided() -> None:
    beats = train(random_intervals(5, 0.2))
    state = Irregularity()
    found = []
    for beat, p_wave in zip(beats, (None, 0.9, 0.1, ABSENT_P_WAVE, PRESENT_P_WAVE), strict=True):
        state = atrial_fibrillation.push(state, replace(beat, p_wave=p_wave))
        found.append((state.p_wave_absent, state.p_wave_present))
    assert found == [(True, False), (False, True), (True, False), (False, False), (False, True)]
