"""Perfusion index."""

import pytest

from model.physiology.perfusion import perfusion_index
from model.physiology.pulse_waves import find_pulses
from tests.model.pulse_trains import every, pulse_wave

FS = 62.5
WAVE = pulse_wave(every(0.8, 15), 15, FS)


def test_it_is_the_share_of_the_pulse_in_the_baseline() -> None:
    assert perfusion_index(find_pulses(50 + WAVE, FS, 1e-3)) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("baseline", [0.4, -5.0])
def test_a_wave_without_a_baseline_has_none(baseline: float) -> None:
    assert perfusion_index(find_pulses(baseline + WAVE, FS, 1e-3)) is None


def test_without_pulses_there_is_none() -> None:
    assert perfusion_index(find_pulses(0 * WAVE, FS, 1e-3)) is None
