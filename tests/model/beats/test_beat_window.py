"""Samples around the detected beats."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.beats import beat_window
from model.beats.beat_window import AFTER, BEFORE, WindowRows
from model.beats.qrs_decision import BLANKING_PERIOD
from model.beats.qrs_detector import MAX_R_PEAK_ADVANCE, MAX_R_PEAK_LAG, MAX_REPORT_DELAY, Qrs, QrsRows
from model.beats.qrs_state import DECISION_DELAY, ENERGY_DELAY
from model.signal.arrays import FloatArray
from model.signal.batch import single
from model.signal.intake import strides_of
from stream.timebase import STRIDE

START = 7200
DELAY = DECISION_DELAY + ENERGY_DELAY


@st.composite
def detections(draw: st.DrawFn) -> list[Qrs]:
    """Draw beats as the QRS detector reports them."""
    at, found = START, []
    for distance in draw(st.lists(st.integers(BLANKING_PERIOD, 400), min_size=1, max_size=12)):
        at += distance
        found.append(Qrs(at - DELAY + draw(st.integers(-MAX_R_PEAK_ADVANCE, MAX_R_PEAK_LAG)), at, 1.0))
    return found


def signal(n: int) -> FloatArray:
    mv = np.random.default_rng(0).normal(0, 1, (n, 2))
    mv[300:380, 1] = np.nan
    return mv


def run(mv: FloatArray, detected: list[Qrs], cuts: list[int]) -> list[WindowRows]:
    """Push the signal in pieces, and return the beats of each; ``cuts`` are in strides."""
    state, found = beat_window.begin(START, mv.shape[1]), []
    whole = strides_of(mv, START)
    for first, stop in itertools.pairwise([0, *cuts, len(whole.mv) // STRIDE]):
        rows = slice(first * STRIDE, stop * STRIDE)
        strides = type(whole)(START + first * STRIDE, whole.mv[rows], whole.invalid[rows])
        now = [beat for beat in detected if strides.start <= beat.at < strides.end]
        found.append(beat_window.advance(state, single(strides), rows_of(now)))
    return found


def rows_of(detected: list[Qrs]) -> QrsRows:
    index, at = (np.array([getattr(beat, name) for beat in detected], np.int64) for name in ("index", "at"))
    return QrsRows(np.array([0, len(detected)]), index, at, np.ones(len(detected)))


@given(detected=detections(), cuts=st.sets(st.integers(1, 60), max_size=20))
def test_each_beat_comes_with_the_samples_around_it_once_they_are_complete(detected: list[Qrs], cuts: set[int]) -> None:
    n = -(-(detected[-1].at - START + STRIDE) // STRIDE) * STRIDE + STRIDE
    mv = signal(n)
    found = run(mv, detected, sorted(cut for cut in cuts if cut * STRIDE < n))
    index, at, rr = (np.concatenate([getattr(rows, name) for rows in found]) for name in ("r_peak", "at", "rr"))
    assert index.tolist() == [q.index for q in detected]
    assert at.tolist() == [max(q.at, q.index + AFTER) for q in detected]
    assert rr.tolist() == [-1, *np.diff(index)]
    strides = strides_of(mv, START)
    before = np.pad(strides.mv, ((BEFORE + DELAY, 0), (0, 0)))
    invalid = np.pad(strides.invalid, ((BEFORE + DELAY, 0), (0, 0)), constant_values=True)
    for rows in found:
        assert rows.first.tolist() == [0, len(rows.at)]
        for r_peak, own, own_invalid in zip(rows.r_peak, rows.samples, rows.invalid, strict=True):
            first = r_peak - START + DELAY
            np.testing.assert_array_equal(own, before[first : first + BEFORE + 1 + AFTER])
            np.testing.assert_array_equal(own_invalid, invalid[first : first + BEFORE + 1 + AFTER])


def test_a_beat_is_complete_before_the_next_one_is_detected() -> None:
    assert AFTER - DELAY + MAX_R_PEAK_LAG < BLANKING_PERIOD
    assert AFTER <= MAX_REPORT_DELAY
