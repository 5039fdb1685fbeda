"""Ranges of waves: round limits of pressures, size of waves without a unit, hysteresis."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.view.wave_range import SCALES, WaveRange
from stream.wire.wave_message import Signal

FS = 125.0


def updated(wave: WaveRange, values: np.ndarray, *, at_wrap: bool = False) -> tuple[float, float]:
    wave.update(lambda seconds: values[-round(seconds * FS) :].astype(np.float32), FS, at_wrap=at_wrap)
    return wave.current


def pulses(low: float, high: float, seconds: float = 30.0, hz: float = 1.2) -> np.ndarray:
    phase = np.arange(round(seconds * FS)) / FS * hz
    return low + (high - low) * (0.5 - 0.5 * np.cos(2 * np.pi * phase))


@pytest.mark.parametrize("signal", ["abp", "pap", "cvp"])
def test_the_limits_of_a_pressure_are_round_and_contain_it(signal: Signal) -> None:
    low, high = updated(WaveRange(signal), pulses(63, 128))
    assert low <= 63 < 128 <= high
    assert low % SCALES[signal].step == high % SCALES[signal].step == 0


def test_carbon_dioxide_starts_at_zero() -> None:
    assert updated(WaveRange("co2"), pulses(0.2, 38, hz=0.25)) == (0.0, 40.0)


def test_a_small_pressure_is_not_enlarged_to_fill_the_lane() -> None:
    low, high = updated(WaveRange("abp"), pulses(90, 92))
    assert high - low >= SCALES["abp"].smallest


def test_a_wave_without_a_unit_fills_its_lane() -> None:
    low, high = updated(WaveRange("pleth"), pulses(0.4, 0.5))
    assert 0.4 - low == pytest.approx(high - 0.5, rel=0.05)
    assert 0.1 / (high - low) > 0.8


def test_the_noise_of_a_sensor_that_came_off_does_not_fill_the_lane() -> None:
    wave = WaveRange("pleth")
    updated(wave, pulses(0.2, 1.2))
    noise = 0.3 + np.random.default_rng(0).normal(0, 0.002, 4000)
    low, high = updated(wave, noise, at_wrap=True)
    assert (noise.max() - noise.min()) / (high - low) < 0.15


def test_the_noise_of_an_arrest_does_not_fill_the_lane_of_a_bed_that_is_opened_then() -> None:
    noise = 0.7 + np.random.default_rng(0).normal(0, 0.02, round(60 * FS))
    low, high = updated(WaveRange("pleth"), np.concatenate([pulses(0.2, 1.2, 40), noise]))
    assert high - low >= 0.25
    low, high = updated(WaveRange("pleth"), noise)
    assert high - low < 0.25, "nothing else is known of this wave"


def test_it_changes_within_a_sweep_only_for_clipped_samples() -> None:
    wave = WaveRange("abp")
    before = updated(wave, pulses(80, 120))
    assert updated(wave, pulses(90, 110)) == before
    assert updated(wave, pulses(80, 118), at_wrap=True) == before
    low, high = updated(wave, pulses(100, 190))
    assert high >= 190
    assert low > before[0]
