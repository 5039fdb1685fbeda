"""Template families, on synthetic beats of one lead."""

from __future__ import annotations

import numpy as np
import pytest

from model.beats import templates
from model.beats.templates import CORE, MAX_FAMILIES, MAX_SHIFT, PIECE_AFTER, PIECE_BEFORE, Families
from model.signal.arrays import FloatArray

TIME = np.arange(-PIECE_BEFORE, PIECE_AFTER + 1)
ONE = np.ones(1)
VALID = np.ones(1, np.bool_)


def wave(frequency: float, delay: int = 0) -> FloatArray:
    """Return a beat whose shape depends on a frequency, in periods per 100 samples."""
    time = TIME - delay
    return (np.exp(-((time / 40) ** 2)) * np.cos(2 * np.pi * frequency * time / 100))[:, None]


def matches(families: Families, smoothed: FloatArray) -> tuple[FloatArray, FloatArray]:
    norms = templates.window_norms(smoothed)
    found = [templates.match(families.filter[0, k], smoothed, norms, ONE, np.empty(1)) for k in range(MAX_FAMILIES)]
    correlation, shift = zip(*found, strict=True)
    return np.array(correlation), np.array(shift)


def push(families: Families, piece: FloatArray, threshold: float = 0.9) -> tuple[int, bool]:
    """Add a beat, in place."""
    smoothed = templates.smooth(piece)
    correlation, shift = matches(families, smoothed)
    return templates.add_beat(families, 0, smoothed, correlation, shift, VALID, threshold, 0.0, 30.0)


def test_mains_hum_is_removed() -> None:
    hum = np.sin(2 * np.pi * 60 * TIME / 360)[:, None]
    assert np.abs(templates.smooth(hum)).max() < 1e-9


@pytest.mark.parametrize("delay", [-MAX_SHIFT, 0, 5, MAX_SHIFT])
def test_a_delayed_beat_matches_at_its_shift(delay: int) -> None:
    families = templates.begin(1)
    push(families, wave(3))
    correlation, shift = matches(families, templates.smooth(wave(3, delay)))
    assert correlation[0] == pytest.approx(1, abs=1e-3)
    assert shift[0] == MAX_SHIFT + delay


def test_a_beat_joins_the_family_that_it_matches_or_starts_one() -> None:
    families = templates.begin(1)
    found = [push(families, wave(frequency)) for frequency in (1, 4, 1, 4, 7)]
    assert found == [(0, True), (1, True), (0, False), (1, False), (2, True)]
    assert families.known[0] == 3


def test_a_further_family_replaces_the_one_with_the_smallest_weight() -> None:
    families = templates.begin(1)
    for frequency in range(1, MAX_FAMILIES + 1):
        push(families, wave(frequency))
        if frequency != 3:
            push(families, wave(frequency))
    assert push(families, wave(MAX_FAMILIES + 1)) == (2, True)
    assert families.known[0] == MAX_FAMILIES


def test_families_that_the_same_beat_matches_are_merged() -> None:
    families = templates.begin(1)
    push(families, wave(3))
    push(families, wave(3.05), threshold=1.1)
    assert families.known[0] == 2
    family, new_family = push(families, wave(3))
    assert not new_family
    assert families.weight[0].tolist() == pytest.approx([2.985 if k == family else 0 for k in range(8)], abs=1e-3)


def test_the_early_family_of_a_bigeminy_is_not_the_normal_one() -> None:
    families = templates.begin(1)
    families.known[0] = 2
    families.weight[0, :2], families.width[0, :2], families.tempo[0, :2] = 10.0, 30.0, (-0.3, 0.2)
    assert templates.normal_family(families, 0) == 1


def test_a_shape_moves_towards_a_beat_in_the_valid_leads_only() -> None:
    shape, smoothed = np.zeros((2, CORE)), np.ones((2, CORE + 2 * MAX_SHIFT))
    templates.move(shape, smoothed, MAX_SHIFT, np.array([True, False]), 0.25)
    assert (shape[0] == 0.25).all()
    assert (shape[1] == 0).all()
