"""The narrow beat of a patient, and the features relative to it, on synthetic beats."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest

from model.beats import narrow_beat, templates
from model.beats.beat_network import BINS
from model.beats.narrow_beat import NAMES, NarrowBeat
from model.beats.templates import PIECE_AFTER, PIECE_BEFORE
from model.signal.arrays import BoolArray, FloatArray
from model.signal.columns import copied

TIME = (np.arange(-PIECE_BEFORE, PIECE_AFTER + 1) / 360)[:, None]
BOTH = np.ones(2, np.bool_)


def wave(centre: float, width: float, height: float) -> FloatArray:
    return height * np.exp(-0.5 * ((TIME - centre) / width) ** 2)


def normal() -> FloatArray:
    beat = wave(-0.16, 0.02, 0.15) + wave(0, 0.012, 1.2) - wave(0.03, 0.01, 0.3)
    return beat * np.array([1.0, 0.6])


def ventricular() -> FloatArray:
    """Return a beat of the same direction as the normal one, of twice its width and 1.5 times its height."""
    beat = wave(0, 0.028, 1.8) - wave(0.07, 0.02, 0.45)
    return beat * np.array([1.0, 0.6])


def shrunk() -> FloatArray:
    """Return a beat that is unchanged in the first lead, and small in the second."""
    return normal() * np.array([1.0, 0.3])


def push(state: NarrowBeat, beats: Iterable[tuple[FloatArray, float | None]]) -> tuple[dict[str, float], NarrowBeat]:
    """Push beats with noise; return the features of the last one."""
    rng, features = np.random.default_rng(0), np.zeros(len(NAMES))
    for piece, rr in beats:
        features, state = push_one(state, piece + rng.normal(0, 0.01, piece.shape), rr)
    return dict(zip(NAMES, features.tolist(), strict=True)), state


def push_one(
    state: NarrowBeat, piece: FloatArray, rr: float | None, valid: BoolArray = BOTH
) -> tuple[FloatArray, NarrowBeat]:
    state, features, smoothed = copied(state), np.empty(len(NAMES)), templates.smooth(piece)
    norms, interval = templates.window_norms(smoothed), math.nan if rr is None else rr
    shapes = np.empty((len(valid), 2, BINS))
    narrow_beat.push_beat(state, 0, smoothed, norms, valid / valid.sum(), valid, interval, features, shapes)
    return features, state


def train(pattern: Iterable[tuple[FloatArray, float | None]], times: int) -> NarrowBeat:
    return push(narrow_beat.begin(2), list(pattern) * times)[1]


@pytest.mark.parametrize("first", [0, 1], ids=["begins ventricular", "begins normal"])
def test_a_broad_beat_of_a_bigeminy_stays_broad(first: int) -> None:
    pattern = [(ventricular(), 200.0), (normal(), 400.0)]
    state = train(pattern[first:] + pattern[:first], 60)
    broad, _ = push(state, [(ventricular(), 200.0)])
    narrow, _ = push(state, [(normal(), 400.0)])
    assert broad["narrow.width.min"] > 0.4
    assert broad["narrow.amplitude.min"] > 0.2
    assert abs(narrow["narrow.width.max"]) < 0.1
    assert narrow["narrow.qrs.min"] > 0.97


def test_a_run_of_early_beats_stays_early() -> None:
    state = train([(normal(), 300.0)], 80)
    features, _ = push(state, [(normal(), 200.0)] * 40)
    assert features["narrow.rr/narrow"] == pytest.approx(math.log(200 / 300), abs=0.02)


def test_a_change_in_one_lead_is_seen() -> None:
    state = train([(normal(), 300.0)], 40)
    features, _ = push(state, [(shrunk(), 250.0)])
    assert features["narrow.amplitude.min"] == pytest.approx(math.log(0.3), abs=0.1)
    assert abs(features["narrow.amplitude.max"]) < 0.05


def test_a_permanent_change_becomes_the_narrow_beat() -> None:
    _, state = push(train([(normal(), 300.0)], 80), [(ventricular(), 300.0)] * 300)
    features, _ = push(state, [(ventricular(), 300.0)])
    assert features["narrow.qrs.min"] > 0.97
    assert abs(features["narrow.width.max"]) < 0.1


def test_the_share_of_the_p_wave_is_one_with_it_and_zero_without() -> None:
    state = train([(normal(), 300.0)], 40)
    without = normal() - wave(-0.16, 0.02, 0.15) * np.array([1.0, 0.6])
    assert push(state, [(normal(), 300.0)])[0]["narrow.p.share"] == pytest.approx(1, abs=0.15)
    assert push(state, [(without, 200.0)])[0]["narrow.p.share"] == pytest.approx(0, abs=0.15)


def test_an_invalid_lead_is_neither_compared_nor_learnt() -> None:
    state = train([(normal(), 300.0)], 40)
    features, after = push_one(state, normal() * np.array([1.0, 0.0]), 300.0, np.array([True, False]))
    assert features[NAMES.index("narrow.amplitude.min")] == pytest.approx(0, abs=0.05)
    np.testing.assert_array_equal(after.shape[0, 1], state.shape[0, 1])


def test_the_first_beat_and_an_unknown_rr_interval_have_finite_features() -> None:
    first, state = push_one(narrow_beat.begin(2), normal(), None)
    second, _ = push_one(state, normal(), None)
    assert np.isfinite(first).all()
    assert np.isfinite(second).all()
