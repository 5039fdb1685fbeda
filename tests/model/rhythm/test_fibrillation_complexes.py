"""Complexes are cut when they are complete, compared in shape, and forgotten after some seconds."""

from __future__ import annotations

import numpy as np
import pytest

from model.rhythm import fibrillation_complexes
from model.rhythm.fibrillation_complexes import (
    MAX_AGE,
    MIN_SIMILARITY,
    PIECE_AFTER,
    ComplexColumns,
    add_beat,
    concentration,
    cut_complexes,
    repetition,
)
from model.signal.arrays import FloatArray
from model.signal.fibrillation_waveform import DECIMATION, RECENT
from stream.timebase import FS

AT = 100 * FS - 1
"""Last sample of the signals."""


def signal(r_peaks: list[int], widths: list[int]) -> FloatArray:
    """Return the last 5 s of two leads at 90 Hz, with a complex of a width, in samples, at each R peak."""
    time, mv = np.arange(RECENT), np.zeros((RECENT, 2))
    for r_peak, width in zip(r_peaks, widths, strict=True):
        row = RECENT - 1 - (AT - r_peak) // DECIMATION + 3
        mv[:, 0] += np.exp(-(((time - row) / width) ** 2))
        mv[:, 1] -= 0.5 * np.exp(-(((time - row) / width) ** 2))
    return mv


def cut(r_peaks: list[int], widths: list[int]) -> ComplexColumns:
    state = fibrillation_complexes.begin(2)
    for r_peak in r_peaks:
        add_beat(state, 0, r_peak)
    cut_complexes(state, 0, signal(r_peaks, widths), AT)
    return state


R_PEAKS = [AT - 4 * (360 - 80 * k) for k in range(4)]


def test_a_complex_that_repeats_an_earlier_one_is_similar_to_it() -> None:
    state = cut(R_PEAKS, [3, 8, 3, 8])
    assert state.known[0] == 4
    similarity = state.similarity[0, :4]
    assert similarity[0] == 0  # none is earlier
    assert similarity[1] < MIN_SIMILARITY
    np.testing.assert_allclose(similarity[2:], 1)
    assert state.steepness[0, 0] == state.steepness[0, 2] > state.steepness[0, 1]


def test_a_complex_is_cut_when_it_is_complete() -> None:
    late = AT - DECIMATION * (PIECE_AFTER // 2)
    state = cut([*R_PEAKS[:2], late], [3, 3, 3])
    assert (state.known[0], state.waiting[0], state.pending[0, 0]) == (2, 1, late)


def test_old_complexes_are_forgotten_with_the_next_one() -> None:
    state = cut(R_PEAKS, [3] * 4)
    r_peak = AT + MAX_AGE - 3 * FS
    cut_complexes(state, 0, np.zeros((RECENT, 2)), AT + MAX_AGE)
    assert state.known[0] == 4
    add_beat(state, 0, r_peak)
    cut_complexes(state, 0, np.zeros((RECENT, 2)), AT + MAX_AGE)
    assert state.r_peak[0, : state.known[0]].tolist() == [r_peak]


@pytest.mark.parametrize(
    ("similarity", "steepness", "expected"),
    [
        ([0, 1, 1, 1], [1, 1, 1, 1], (0.75, 100, 110)),
        ([1, 0, 1, 1, 1], [1, 0.1, 1, 1, 1], (1, 400 / 3, 210)),  # the wave between QRS complexes is ignored
        ([1, 1, 1], [1, 1, 1], (0, 0, 0)),
        ([0, 0, 1, 1, 1, 1, 1, 1], [1] * 8, (1, 100, 110)),  # only the last ones count
    ],
)
def test_the_share_that_repeats_and_the_rr_intervals(
    similarity: list[float], steepness: list[float], expected: tuple[float, float, int]
) -> None:
    r_peak = np.cumsum([0, 100, 110, 90, 100, 100, 100, 100])[: len(similarity)]
    if len(similarity) == 8:
        r_peak = np.cumsum([0, 100, 100, 110, 90, 100, 110, 90])
    values = np.array(similarity, np.float64), np.array(steepness, np.float64)
    assert repetition(r_peak, *values, int(r_peak[-1]) + 200) == pytest.approx(expected)
    assert repetition(r_peak, *values, int(r_peak[-1]) + 3 * FS) == (0, 0, 0)


def test_the_slope_of_qrs_complexes_is_concentrated_that_of_a_sine_is_not() -> None:
    within = np.empty(RECENT, np.bool_)
    peaks = np.array(R_PEAKS)
    assert concentration(peaks, signal(R_PEAKS, [3] * 4), AT, within) > 5
    sine = np.sin(np.arange(RECENT) * 0.3)[:, None] * [1, 0.5]
    assert concentration(peaks, sine, AT, within) == pytest.approx(1, abs=0.15)
    assert concentration(peaks[:0], sine, AT, within) == 1
