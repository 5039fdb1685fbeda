"""Which complexes are kept as templates."""

from __future__ import annotations

import numpy as np
import pytest

from model.anomaly import template_memory
from model.anomaly.template_memory import LONG_TERM_EVERY, MAX_TEMPLATES, TAPER, WIDTH, counts, store

PULSE = np.exp(-((np.arange(WIDTH) - 18) ** 2) / 20.0)
"""The shape of all templates here; the height tells them apart."""


def heights(stored: int) -> tuple[list[float], list[float]]:
    """Store pulses of heights 1, 2, …; return the heights of the recent and of the long-term templates."""
    memory = template_memory.begin(1)
    for height in range(1, stored + 1):
        store(memory, 0, (0.3 + height * PULSE)[None])
    found = np.ptp(memory.templates[0, 0], axis=0) / np.ptp(PULSE)
    recent, long_term = counts(stored)
    return sorted(found[:recent]), sorted(found[MAX_TEMPLATES : MAX_TEMPLATES + long_term])


@pytest.mark.parametrize("stored", [0, 1, 25, 32, 33, 200, 500])
def test_the_last_templates_and_some_older_ones_are_kept(stored: int) -> None:
    recent, long_term = heights(stored)
    every = range(1, stored + 1)
    np.testing.assert_allclose(recent, every[-MAX_TEMPLATES:])
    np.testing.assert_allclose(long_term, every[::LONG_TERM_EVERY][-MAX_TEMPLATES:])


def test_templates_have_no_mean_and_their_median_power_is_normal() -> None:
    memory = template_memory.begin(2)
    for height in (1.0, 5.0, 2.0):
        store(memory, 0, np.stack([height * PULSE + 7, 2 * height * PULSE]))
    np.testing.assert_allclose(TAPER @ memory.templates[0, 0, :, :3], 0, atol=1e-12)
    shape = PULSE - (TAPER @ PULSE) / TAPER.sum()
    power = TAPER @ shape**2
    np.testing.assert_allclose(memory.power[0, 0, :3], [power, 25 * power, 4 * power])
    np.testing.assert_allclose(memory.normal_power[0], [4 * power, 16 * power])
