"""When a pulse contradicts a condition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from model.rhythm.pulse_confirmation import MIN_PULSES, PULSE, goes_on, rate_since, steady_rate
from model.signal.pulses import KEPT
from stream.timebase import FS
from tests.model.pulse_trains import every


def pulse(times: Sequence[float]) -> Any:
    """Return a pulse with the given times, s."""
    samples = [round(time * FS) for time in times]
    padded = samples + [-1] * (KEPT - len(samples))
    return np.array([(samples[0] if samples else -1, len(samples), padded)], PULSE)[0]


NONE = pulse([])
STEADY = pulse(every(0.8, 12.1, first=0.4))
"""A pulse at 75/min, the last at 11.6 s."""


def test_a_pulse_goes_on_if_it_began_before_and_is_there_after() -> None:
    assert goes_on(STEADY, 8 * FS, MIN_PULSES)
    assert not goes_on(STEADY, 10 * FS, MIN_PULSES), "one pulse may belong to the last beat"
    assert goes_on(STEADY, 10 * FS, 2)
    assert not goes_on(pulse(every(0.8, 12.1, first=9.4)), 8 * FS, MIN_PULSES), "it began with the condition"
    assert not goes_on(NONE, 8 * FS, MIN_PULSES)


def test_the_rate_since_a_beat() -> None:
    assert rate_since(STEADY, 8 * FS) == pytest.approx(75)
    slowing = pulse([*every(0.8, 8.1, first=0.4), 8.5, 10.2, 11.9])
    assert rate_since(slowing, 8 * FS) == pytest.approx(60 / 1.7, rel=0.01)
    assert math.isnan(rate_since(slowing, 9 * FS)), "two pulses are too few"
    assert math.isnan(rate_since(NONE, 8 * FS))


def test_a_steady_pulse_has_a_rate() -> None:
    assert steady_rate(STEADY, round(10.1 * FS), 12 * FS) == pytest.approx(75)


@pytest.mark.parametrize(
    ("times", "at"),
    [
        ([*every(0.8, 10.1, first=0.4), 10.5], 12.0),  # early
        ([*every(0.8, 10.1, first=0.4), 11.4], 12.0),  # late
        (every(0.8, 10.1, first=0.4), 10.5),  # none since
        (every(0.8, 10.9, first=0.4), 12.3),  # overdue
        ([8.4, 9.2, 10.0, 10.8], 11.5),  # too few before
    ],
)
def test_a_pulse_that_changes_is_not_steady(times: list[float], at: float) -> None:
    assert math.isnan(steady_rate(pulse(times), round(10.1 * FS), round(at * FS)))
    assert math.isnan(steady_rate(NONE, round(10.1 * FS), round(at * FS)))
