"""Pulses and pulse rate of a piece of a wave."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.physiology.derived_values import MIN_RISE_SHARE
from model.physiology.pulse_waves import PulseRate, find_pulses, pulse_rate
from model.signal.arrays import FloatArray
from tests.model.pulse_trains import every, movement, pulse_wave

FS = 62.5


def rate_of(wave: FloatArray, fs: float = FS) -> PulseRate | None:
    return pulse_rate(find_pulses(wave, fs, 1e-3), len(wave), fs)


@settings(max_examples=30)
@given(per_min=st.floats(35, 200), fs=st.sampled_from([50.0, 62.5, 125.0, 250.0]), height=st.floats(0.01, 500))
def test_the_rate_of_a_regular_pulse_is_found_at_any_size(per_min: float, fs: float, height: float) -> None:
    found = rate_of(pulse_wave(every(60 / per_min, 20), 20, fs, height), fs)
    assert found is not None
    assert found.per_min == pytest.approx(per_min, rel=0.02)
    assert found.quality > 0.9


def test_every_pulse_is_found_with_foot_and_peak() -> None:
    times = every(0.8, 14)
    pulses = find_pulses(60 + pulse_wave(times, 15, FS, 50), FS, 10)
    assert len(pulses.at) == len(times)
    np.testing.assert_allclose(pulses.foot, 60, atol=1)
    np.testing.assert_allclose(pulses.peak, 110, atol=1)
    np.testing.assert_allclose(pulses.foot_at / FS - times, 0, atol=0.06)


def test_a_high_dicrotic_wave_is_no_pulse() -> None:
    wave = pulse_wave(every(0.8, 18), 18, FS)
    wave += 0.5 * pulse_wave(np.add(every(0.8, 18), 0.3).tolist(), 18, FS)
    found = rate_of(wave)
    assert found is not None
    assert found.per_min == pytest.approx(75, abs=1)


def test_a_pulse_that_is_missed_leaves_the_rate() -> None:
    times = [time for number, time in enumerate(every(0.75, 18)) if number != 9]
    found = rate_of(pulse_wave(times, 18, FS))
    assert found is not None
    assert found.per_min == pytest.approx(80, abs=1)
    assert found.quality < 1


@pytest.mark.parametrize("seed", range(8))
def test_noise_has_no_pulse_rate_if_its_rises_count(seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise, pulse = rng.normal(0, 0.02, round(18 * FS)), pulse_wave(every(0.8, 18), 18, FS)
    found = [pulse_rate(find_pulses(wave, FS, 1e-3), len(wave), FS, MIN_RISE_SHARE) for wave in (noise, pulse + noise)]
    assert found[0] is None
    assert found[1] is not None
    assert found[1].per_min == pytest.approx(75, abs=1)


@pytest.mark.parametrize(
    "wave",
    [
        np.zeros(1000),
        np.full(1000, np.nan),
        np.empty(0),
        np.ones(5),
        np.concatenate([pulse_wave(every(0.8, 12), 12, FS), np.zeros(round(4 * FS))]),
        np.concatenate([pulse_wave(every(0.8, 12), 12, FS), np.full(round(4 * FS), np.nan)]),
    ],
    ids=["flat", "invalid", "empty", "short", "ended", "ended invalid"],
)
def test_without_a_pulse_that_goes_on_there_is_no_rate(wave: FloatArray) -> None:
    assert rate_of(wave) is None


def test_movement_lowers_the_quality_or_hides_the_rate() -> None:
    good = rate_of(pulse_wave(every(0.8, 18), 18, FS))
    wave = pulse_wave(every(0.8, 18), 18, FS)
    wave[round(5 * FS) : round(10 * FS)] = movement(6, FS, 2.0)[: round(10 * FS) - round(5 * FS)]
    moved = rate_of(wave)
    assert good is not None
    assert moved is None or moved.quality < good.quality
