"""EC57 beat comparison: matching, tallies by class, limits, flutter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.datasets.reference import Reference, reference_of
from model.evaluation.ec57_beats import BeatScores, Tally, match, score


def reference(beats: dict[int, str], *, notes: dict[int, str] | None = None, n: int = 100_000) -> Reference:
    marks = sorted({**beats, **(notes or {})}.items())
    sample = np.array([at for at, _ in marks], np.int64)
    return reference_of(sample, [symbol for _, symbol in marks], n)


def scored(beats: dict[int, str], found: dict[int, str], **options: int) -> BeatScores:
    limits = {"since": 0, "until": 100_000, **options}
    return score(reference(beats), list(found), list(found.values()), **limits)


def test_match_within_150_ms() -> None:
    assert scored({1000: "N"}, {1054: "N"}).qrs == Tally(1, 0, 0)
    assert scored({1000: "N"}, {1055: "N"}).qrs == Tally(0, 1, 1)


def test_each_beat_matches_at_most_once() -> None:
    assert scored({1000: "N"}, {990: "N", 1010: "N"}).qrs == Tally(1, 0, 1)
    assert scored({1000: "N", 1040: "N"}, {1030: "N"}).qrs == Tally(1, 1, 0)


def test_veb_counts_follow_ec57() -> None:
    beats = {1000: "V", 2000: "E", 3000: "V", 4000: "N", 5000: "F", 6000: "/", 7000: "V"}
    found = {1000: "V", 2000: "N", 4000: "V", 5000: "V", 6000: "V", 7000: "Q", 9000: "V"}
    # Missed: 2000 (N), 3000 (not detected), 7000 (not classified). False: 4000 (N), 9000 (no beat).
    assert scored(beats, found).veb == Tally(found=1, missed=3, false=2)


def test_sveb_counts_follow_ec57() -> None:
    beats = {1000: "A", 2000: "J", 3000: "V", 4000: "F", 5000: "Q"}
    found = {1000: "S", 2000: "N", 3000: "S", 4000: "S", 5000: "S"}
    assert scored(beats, found).sveb == Tally(found=1, missed=1, false=2)


def test_beats_outside_the_limits_are_not_scored() -> None:
    beats = dict.fromkeys((100, 1000, 2000), "N")
    assert scored(beats, {1000: "N", 2500: "N"}, since=500, until=2200).qrs == Tally(1, 1, 0)


def test_flutter_is_not_scored() -> None:
    marks = reference({1000: "N", 9000: "N"}, notes={2000: "[", 2100: "!", 8000: "]"})
    got = score(marks, [1000, 3000, 4000, 8500, 9000], ["N"] * 5, since=0, until=100_000)
    assert got.qrs == Tally(2, 0, 1)


peaks = st.lists(st.integers(0, 3000), max_size=30, unique=True).map(sorted)


@given(peaks, peaks)
def test_matching_is_one_to_one_within_the_window_and_complete(a: list[int], b: list[int]) -> None:
    pairs = match(np.array(a, np.int64), np.array(b, np.int64))
    assert sorted(i for i, _ in pairs if i is not None) == list(range(len(a)))
    assert sorted(j for _, j in pairs if j is not None) == list(range(len(b)))
    assert all(abs(a[i] - b[j]) <= 54 for i, j in pairs if i is not None and j is not None)


@given(peaks)
def test_perfect_detection(a: list[int]) -> None:
    got = scored(dict.fromkeys(a, "V"), dict.fromkeys(a, "V"))
    assert got.qrs == got.veb == Tally(len(a), 0, 0)


def test_shares_without_beats_are_nan() -> None:
    assert np.isnan(Tally().sensitivity)
    assert Tally(1, 3, 0).sensitivity == pytest.approx(0.25)
    assert Tally(3, 0, 1).positive_predictivity == pytest.approx(0.75)
