"""Consistency of the P wave: high with P waves, low without, wherever the R peak is placed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.beats import p_wave
from model.beats.p_wave import MIN_BEATS, PIECE_AFTER, PIECE_BEFORE, SPAN_BEFORE, PWaveState
from model.signal.arrays import FloatArray
from model.signal.columns import copied

SAMPLES = np.arange(-PIECE_BEFORE, PIECE_AFTER + 1)


def piece(
    rng: np.random.Generator, p_mv: float = 0.15, f_mv: float = 0.0, r_peak: int = 0, width: float = 6.0
) -> FloatArray:
    """Return a beat with P wave, f waves of random phase, and noise; the R peak is ``r_peak`` samples early."""
    time = SAMPLES + r_peak
    qrs = np.exp(-((time / width) ** 2)) - 0.4 * np.exp(-(((time - 2 * width) / width) ** 2))
    p = p_mv * np.exp(-(((time + 55) / 14) ** 2))
    f = f_mv * np.sin(2 * np.pi * (time / 60 + rng.uniform()))
    return np.asarray((qrs + p + f + rng.normal(0, 0.02, len(time)))[:, None])


def after(pieces: list[FloatArray], rr: list[int] | None = None, ventricular: bool = False) -> PWaveState:
    """Return the state after some beats, regular by default."""
    state = p_wave.begin(pieces[0].shape[1])
    valid = np.ones(pieces[0].shape[1], np.bool_)
    for number, mv in enumerate(pieces):
        p_wave.push_beat(state, 0, mv, valid, 300.0 if rr is None else float(rr[number]), ventricular)
    return state


def consistency(state: PWaveState) -> float:
    return p_wave.consistency(state, 0)


@pytest.mark.parametrize("r_peak", [-12, 0, 25])
@pytest.mark.parametrize("width", [6.0, 14.0])
def test_p_waves_are_consistent_and_f_waves_are_not(r_peak: int, width: float) -> None:
    rng = np.random.default_rng(0)
    sinus = [piece(rng, r_peak=r_peak, width=width) for _ in range(60)]
    fibrillation = [piece(rng, p_mv=0, f_mv=0.08, r_peak=r_peak, width=width) for _ in range(60)]
    assert consistency(after(sinus)) > 0.8
    assert consistency(after(fibrillation)) < 0.4


def test_a_flat_line_before_the_complex_is_not_a_p_wave() -> None:
    rng = np.random.default_rng(1)
    assert consistency(after([piece(rng, p_mv=0) for _ in range(60)])) < 0.4


def test_p_waves_of_atrial_bigeminy_are_consistent() -> None:
    rng = np.random.default_rng(2)
    pieces, rr = [], []
    for _ in range(40):
        pieces += [piece(rng), piece(rng, p_mv=float(rng.normal(0, 0.2)), f_mv=0.1)]
        rr += [int(rng.integers(330, 420)), int(rng.integers(160, 220))]
    assert consistency(after(pieces, rr)) > 0.8


def test_the_best_lead_counts() -> None:
    rng = np.random.default_rng(3)
    both = [np.hstack([piece(rng, p_mv=0), piece(rng)]) for _ in range(60)]
    assert consistency(after(both)) > 0.8


def test_consistency_falls_within_thirty_beats_without_p_waves() -> None:
    rng = np.random.default_rng(4)
    sinus, flat = [[piece(rng, p_mv=mv) for _ in range(count)] for mv, count in ((0.15, 100), (0.0, 30))]
    assert consistency(after(sinus)) > 0.8
    assert consistency(after([*sinus, *flat])) < 0.5


def test_consistency_is_unknown_at_first() -> None:
    rng = np.random.default_rng(5)
    pieces = [piece(rng) for _ in range(MIN_BEATS + 1)]
    assert math.isnan(consistency(after(pieces[:-1])))
    assert not math.isnan(consistency(after(pieces)))


def test_ventricular_beats_change_only_the_intervals() -> None:
    rng = np.random.default_rng(6)
    pieces = [piece(rng) for _ in range(20)]
    state = after(pieces, ventricular=True)
    assert state.beats[0] == 0
    assert state.intervals[0] == 20


def test_an_invalid_lead_keeps_its_state() -> None:
    rng = np.random.default_rng(7)
    before = after([np.hstack([piece(rng), piece(rng)]) for _ in range(20)])
    beat = np.hstack([piece(rng), np.zeros_like(piece(rng))])
    state = copied(before)
    p_wave.push_beat(state, 0, beat, np.array([True, False]), 300.0, False)
    assert (state.mean[0, 1] == before.mean[0, 1]).all()
    assert state.correlation[0, 1] == before.correlation[0, 1]
    assert state.correlation[0, 0] != before.correlation[0, 0]


def test_the_qrs_onset_lies_before_the_complex() -> None:
    mean = np.exp(-(((np.arange(p_wave.SPAN) - SPAN_BEFORE) / 6) ** 2))[None]
    assert -16 <= p_wave.qrs_onset(mean) - SPAN_BEFORE <= -8
    later = np.roll(mean, 20, axis=1)
    assert p_wave.qrs_onset(later) == p_wave.qrs_onset(mean) + 20
