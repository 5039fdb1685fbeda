"""Amplitude ranges show the patient's complexes, and change rarely."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.view.autoscale import (
    BLOCK,
    GAIN_STEPS,
    MEMORY,
    MIN_AMPLITUDE_MV,
    Range,
    adapt_range,
    fit_range,
    fitting_gain,
    is_clipped,
    usual_extremes,
)
from stream.timebase import FS

HEIGHT_MM = 60.0

samples = st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=50).map(lambda v: np.array(v, np.float32))


def complexes(seconds: int, peak_mv: float) -> np.ndarray:
    """Return a complex of 20 ms in each second, on a baseline of −0.2 mV."""
    mv = np.full(seconds * FS, -0.2, np.float32)
    for second in range(seconds):
        mv[second * FS + 100 : second * FS + 107] = peak_mv
    return mv


def gain(lane: Range | None) -> float:
    assert lane is not None
    return HEIGHT_MM / (lane[1] - lane[0])


@given(mv=samples)
def test_the_range_of_a_recording_contains_every_sample(mv: np.ndarray) -> None:
    low, high = fit_range(mv)
    assert low < mv.min()
    assert mv.max() < high
    assert high - low >= 2.5


@given(peak=st.floats(0.0, 8.0))
def test_a_lane_has_the_largest_step_of_gain_at_which_the_complexes_fit(peak: float) -> None:
    mv = complexes(30, peak)
    lane = adapt_range(None, mv, HEIGHT_MM)
    step = min(GAIN_STEPS, key=lambda step: abs(step - gain(lane)))
    assert gain(lane) == pytest.approx(step)
    assert lane[0] < mv.min()
    assert mv.max() < lane[1]
    larger = [more for more in GAIN_STEPS if more > step]
    assert not larger or max(peak + 0.2, MIN_AMPLITUDE_MV) * larger[0] > 0.84 * HEIGHT_MM


def test_complexes_fill_most_of_the_lane() -> None:
    for peak in (1.2, 1.6, 2.5):
        low, high = adapt_range(None, complexes(30, peak), HEIGHT_MM)
        assert (peak + 0.2) / (high - low) > 0.84 * 0.65


def test_noise_does_not_fill_the_lane() -> None:
    noise = np.random.default_rng(0).normal(0, 0.02, MEMORY).astype(np.float32)
    assert gain(adapt_range(None, noise, HEIGHT_MM)) * (noise.max() - noise.min()) < 0.15 * HEIGHT_MM


def test_artefacts_in_two_blocks_do_not_change_the_lane() -> None:
    mv = complexes(30, 1.0)
    before = adapt_range(None, mv, HEIGHT_MM)
    mv[3000:3020], mv[7000:7020] = 6.0, -6.0
    assert adapt_range(before, mv, HEIGHT_MM) == before
    assert adapt_range(None, mv, HEIGHT_MM) == before


def test_a_change_of_rhythm_counts_at_once() -> None:
    mv = complexes(30, 1.0)
    before = adapt_range(None, mv, HEIGHT_MM)
    mv[-BLOCK:] = 3.0 * np.sin(2 * np.pi * 4 * np.arange(BLOCK) / FS)
    assert is_clipped(before, mv[-BLOCK:])
    low, high = adapt_range(before, mv, HEIGHT_MM)
    assert low < -2.8
    assert high > 2.8


def test_an_artefact_of_fifty_milliseconds_does_not_clip() -> None:
    mv = complexes(2, 1.0)
    lane = adapt_range(None, mv, HEIGHT_MM)
    mv[:18] = 9.0
    assert not is_clipped(lane, mv)


@given(peaks=st.lists(st.floats(0.9, 1.1), min_size=2, max_size=10))
def test_a_lane_does_not_follow_small_changes(peaks: list[float]) -> None:
    lane = adapt_range(None, complexes(30, 1.1), HEIGHT_MM)
    for peak in peaks:
        assert adapt_range(lane, complexes(30, peak), HEIGHT_MM) == lane


def test_a_gap_does_not_change_the_range() -> None:
    nothing = np.full(4, np.nan, np.float32)
    assert adapt_range(None, nothing, HEIGHT_MM) is None
    assert adapt_range((-1.0, 2.0), nothing, HEIGHT_MM) == (-1.0, 2.0)
    assert usual_extremes(np.full(2 * MEMORY, np.nan, np.float32)) is None


def test_the_gain_is_never_below_the_smallest_step() -> None:
    assert fitting_gain((-500.0, 500.0), HEIGHT_MM) == GAIN_STEPS[0]
