"""Pulse arrival time."""

import numpy as np
import pytest

from model.physiology.pulse_arrival import pulse_arrival
from stream.timebase import FS

PEAKS = np.arange(0, 15 * FS, 0.8 * FS)


def test_it_is_the_delay_of_the_pulse_after_the_r_peak() -> None:
    found = pulse_arrival(PEAKS, PEAKS + 0.25 * FS)
    assert found is not None
    assert found.ms == pytest.approx(250)
    assert found.quality == 1


def test_a_beat_without_a_pulse_lowers_the_quality() -> None:
    found = pulse_arrival(PEAKS, np.delete(PEAKS + 0.25 * FS, [4, 9]))
    assert found is not None
    assert found.ms == pytest.approx(250)
    assert found.quality == pytest.approx(1 - 2 / len(PEAKS))


def test_pulses_that_do_not_follow_the_beats_have_none() -> None:
    assert pulse_arrival(PEAKS, np.arange(100.0, 15 * FS, 1.13 * FS)) is None
    assert pulse_arrival(PEAKS, PEAKS[:3]) is None
    assert pulse_arrival(np.empty(0), PEAKS) is None
