"""Resemblance of successive complexes."""

from __future__ import annotations

import numpy as np
import pytest

from model.beats import resemblance
from model.beats.resemblance import EARLIER_BEATS
from model.beats.templates import MAX_SHIFT, PIECE_AFTER, PIECE_BEFORE
from model.signal.arrays import BoolArray, FloatArray

BOTH = np.ones(2, np.bool_)


def broad(width: float, delay: int = 0, gain: float = 1.0) -> FloatArray:
    """Return the samples around a biphasic complex in two leads of opposite polarity."""
    t = (np.arange(-PIECE_BEFORE, PIECE_AFTER + 1) - delay) / width
    wave = gain * t * np.exp(-t * t)
    return np.stack([wave, -2 * wave], axis=1)


def compared(*pieces: FloatArray, valid: BoolArray = BOTH) -> tuple[float, ...]:
    """Return the resemblance of the last piece."""
    shapes, found = resemblance.begin(2), np.empty(EARLIER_BEATS)
    for piece in pieces:
        resemblance.push_beat(shapes, 0, piece, valid, found)
    return tuple(found[~np.isnan(found)].tolist())


def test_a_beat_is_compared_with_the_last_two() -> None:
    narrow, wide = broad(6), broad(30)
    assert compared(narrow) == ()
    assert len(compared(narrow, wide)) == 1
    last, second = compared(wide, narrow, narrow, wide)[:2], compared(wide, narrow, wide)
    assert max(last) < 0.8
    assert second[0] < 0.8
    assert second[1] == pytest.approx(1.0)


@pytest.mark.parametrize(("delay", "gain"), [(0, 1.0), (MAX_SHIFT, 1.0), (-MAX_SHIFT, 0.3)])
def test_position_and_height_do_not_matter(delay: int, gain: float) -> None:
    assert compared(broad(15), broad(15, delay, gain))[0] == pytest.approx(1.0, abs=0.01)


def test_a_shape_that_repeats_in_one_lead_only_does_not_resemble() -> None:
    other = broad(15)
    other[:, 1] *= -1
    assert compared(broad(15), other)[0] < 0.5


def test_a_lead_that_is_flat_or_not_valid_is_not_compared() -> None:
    flat = broad(15)
    flat[:, 1] = np.random.default_rng(3).normal(0, 0.005, len(flat))
    assert compared(flat, flat + 0.0)[0] == pytest.approx(1.0)
    other = broad(15)
    other[:, 1] *= -1
    first_only = np.array([True, False])
    assert compared(broad(15), other, valid=first_only)[0] == pytest.approx(1.0)
    assert compared(broad(15, gain=0.01), broad(15, gain=0.01)) == (0.0,)
