"""The entropy of beats: near 0 where they come evenly, near 1 where nothing repeats itself."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.rhythm import atrial_fibrillation
from model.rhythm.atrial_fibrillation import WORDS, Irregularity
from stream.wire.messages import BeatType
from tests.model.beat_trains import train


def follow(intervals: list[tuple[float, BeatType]]) -> Irregularity:
    known = Irregularity()
    for beat in train(intervals):
        known = atrial_fibrillation.push(known, beat)
    return known


def scattered(n: int, share: float, seed: int = 0) -> list[tuple[float, BeatType]]:
    rng = np.random.default_rng(seed)
    return [(float(seconds), "N") for seconds in 0.7 * np.exp(rng.normal(0, share, n))]


def test_entropy_is_that_of_the_words_times_the_share_of_different_ones() -> None:
    assert atrial_fibrillation.entropy((7,) * WORDS) == 0
    assert atrial_fibrillation.entropy(tuple(range(WORDS))) == pytest.approx(1)
    # Two words, half and half of 126: one bit of the 6.977 possible, times 2 / 126.
    assert atrial_fibrillation.entropy((1, 2) * 63) == pytest.approx(2 / 126 * 1 / math.log2(126))


def test_an_even_rhythm_has_little_and_a_scattered_one_much() -> None:
    assert follow(scattered(200, 0.01)).entropy == pytest.approx(0, abs=0.35)
    assert follow(scattered(200, 0.25)).entropy == pytest.approx(1, abs=0.1)


def test_it_is_unknown_until_there_are_enough_beats() -> None:
    assert follow(scattered(WORDS + 2, 0.2)).entropy is None
    assert follow(scattered(WORDS + 3, 0.2)).entropy is not None


def test_ventricular_beats_do_not_make_a_rhythm_irregular() -> None:
    rng = np.random.default_rng(1)
    beats: list[tuple[float, BeatType]] = []
    for _ in range(100):
        beats += [(0.8, "N")] * int(rng.integers(2, 4))
        early = float(rng.uniform(0.3, 0.7))
        beats += [(early, "V"), (1.6 - early, "N")]
    assert follow(beats).entropy == pytest.approx(0, abs=0.05)
    as_normal: list[tuple[float, BeatType]] = [(seconds, "N") for seconds, _ in beats]
    assert (follow(as_normal).entropy or 0) > 0.2


def test_an_interruption_leaves_one_interval_out() -> None:
    even = [(0.8, "N")] * 150
    known = follow(even)
    later = train([(0.8, "N"), (5.0, "N")], start=known.index or 0)[1]
    assert len(set(atrial_fibrillation.push(known, later).words)) == 2
    interrupted = atrial_fibrillation.push(atrial_fibrillation.interrupt(known), later)
    assert interrupted.words == known.words
    assert interrupted.index == later.index


def test_the_middle_lies_half_the_words_back() -> None:
    known = follow([(0.8, "N")] * 300)
    assert (known.index or 0) - known.middle == 63 * 288
