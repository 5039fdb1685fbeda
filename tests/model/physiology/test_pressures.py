"""Pressures of the beats, and mean pressure."""

import numpy as np
import pytest

from model.physiology.pressures import PulsePressure, mean_pressure, pulse_pressure
from model.physiology.pulse_waves import find_pulses
from model.signal.arrays import FloatArray
from tests.model.pulse_trains import every, pulse_wave

FS = 62.5
WAVE = 70 + 50 * pulse_wave(every(0.8, 16), 16, FS)


def pressure_of(wave: FloatArray, min_pulse: float = 10.0) -> PulsePressure | None:
    return pulse_pressure(wave, find_pulses(wave, FS, min_pulse), FS, min_pulse)


def test_systolic_diastolic_and_mean_are_those_of_the_wave() -> None:
    found = pressure_of(WAVE)
    assert found is not None
    assert found.systolic == pytest.approx(120, abs=1.5)
    assert found.diastolic == pytest.approx(70, abs=1.5)
    assert found.mean == pytest.approx(WAVE[: round(15.3 * FS)].mean(), abs=1.5)
    assert found.quality == 1


def test_one_extrasystole_does_not_change_them() -> None:
    wave = WAVE.copy()
    wave[round(13 * FS) : round(13.6 * FS)] += 60
    found = pressure_of(wave)
    assert found is not None
    assert found.systolic == pytest.approx(120, abs=3)
    assert found.quality < 1


def test_a_static_pressure_has_a_mean_alone() -> None:
    wave = WAVE.copy()
    wave[round(8 * FS) :] = 4.0
    assert pressure_of(wave) is None
    static = mean_pressure(wave, FS)
    assert static is not None
    assert static.mean == pytest.approx(4)


def test_a_small_pulse_is_one_of_the_pulmonary_artery_only() -> None:
    wave = 10 + (WAVE - 70) / 7
    assert pressure_of(wave) is None
    assert pressure_of(wave, 4.0) is not None


def test_values_that_are_no_pressures_have_no_mean() -> None:
    assert mean_pressure(np.full(1000, 1000.0), FS) is None
    assert mean_pressure(np.full(1000, np.nan), FS) is None
    assert mean_pressure(np.empty(0), FS) is None
