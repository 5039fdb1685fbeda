"""The last seconds of a wave."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.physiology import recent_wave
from model.physiology.recent_wave import RecentWave
from model.signal.arrays import FloatArray
from model.signal.wave_samples import WaveSamples
from stream.timebase import FS
from tests.model.pulse_trains import pieces

WORKING_FS = 62.5


def received(wave: FloatArray, cuts: list[int], fs: float = 125.0, start: float = 72.0) -> RecentWave:
    state = None
    for samples in pieces(wave, cuts, "abp", fs, start):
        state = recent_wave.receive(state, samples, WORKING_FS)
    assert state is not None
    return state


@settings(max_examples=20)
@given(cuts=st.lists(st.integers(0, 500), max_size=6).map(sorted))
def test_cutting_changes_nothing(cuts: list[int]) -> None:
    wave = np.random.default_rng(0).normal(0, 1, 500)
    whole, cut = received(wave, []), received(wave, cuts)
    np.testing.assert_array_equal(cut.values, whole.values)
    np.testing.assert_array_equal(cut.rest, whole.rest)


def test_the_last_seconds_are_averages_up_to_the_time_and_nothing_later() -> None:
    state = received(np.arange(500.0), [])
    at = 72 + 2 * FS - 1
    np.testing.assert_allclose(state.last(at, 1.0), np.arange(0.5, 250, 2)[-62:])
    later = recent_wave.receive(state, WaveSamples("abp", 125, 72 + 4 * FS, np.full(125, 9.0)), WORKING_FS)
    np.testing.assert_array_equal(later.last(at, 1.0), state.last(at, 1.0))


def test_what_is_missing_is_invalid() -> None:
    state = received(np.ones(250), [])
    assert np.isnan(state.last(72 + 4 * FS, 1.0)).all()
    after = recent_wave.receive(state, WaveSamples("abp", 125, 72 + 3 * FS, np.ones(125)), WORKING_FS)
    values = after.last(72 + 4 * FS - 1, 2.0)
    assert np.isnan(values[:62]).all()
    np.testing.assert_array_equal(values[-62:], 1)


def test_what_came_before_is_dropped() -> None:
    state = received(np.arange(250.0), [])
    again = recent_wave.receive(state, WaveSamples("abp", 125, 72 + FS, np.arange(125.0, 300.0)), WORKING_FS)
    np.testing.assert_array_equal(again.values, np.arange(0.5, 300, 2))


@pytest.mark.parametrize(("fs", "start"), [(250.0, 2 * FS), (125.0, 60 * FS)])
def test_it_begins_anew_at_another_rate_and_after_a_long_gap(fs: float, start: float) -> None:
    again = WaveSamples("abp", fs, start, np.zeros(300))
    state = recent_wave.receive(received(np.ones(250), []), again, WORKING_FS)
    assert (state.fs, state.origin, state.first) == (fs, start, 0)
    assert not state.values.any()


def test_the_rate_at_which_it_began_says_nothing_of_the_next() -> None:
    slow = received(np.ones(90), [], fs=30)
    assert slow.working_fs == 30
    fast = recent_wave.receive(slow, WaveSamples("abp", 125, 4 * FS, np.ones(125)), WORKING_FS)
    assert fast.working_fs == 62.5


def test_the_time_of_a_sample_is_the_middle_of_those_it_averages() -> None:
    state = received(np.ones(250), []).forget(72 + 2 * FS - 1, 1.0)
    at = 72 + 2 * FS - 1
    n = len(state.last(at, 1.0))
    assert state.time(at, n, n - 1) == pytest.approx(72 + 248.5 * FS / 125)
    assert len(state.values) == n


def test_parts_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        RecentWave(125, 2, 0, 0, np.empty((2, 2), np.float32), np.empty(0, np.float32))
