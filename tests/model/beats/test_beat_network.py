"""The network along the beats, on random weights."""

from __future__ import annotations

import numpy as np
import pytest

from model.beats import beat_network
from model.beats.beat_network import BINS, MEMBERS, UNITS, BeatNetwork, Layer
from model.beats.templates import CORE
from model.signal.arrays import FloatArray

FEATURES, TYPES, SHAPE, CODES, HIDDEN = 5, 3, 4, 3, 6
BOTH = np.ones(2, np.bool_)


def random_network() -> BeatNetwork:
    rng = np.random.default_rng(0)

    def layer(inputs: int, outputs: int) -> Layer:
        return Layer(rng.normal(0, 0.5, (MEMBERS, inputs, outputs)), rng.normal(0, 0.5, (MEMBERS, outputs)))

    return BeatNetwork(
        rng.normal(size=FEATURES),
        rng.uniform(0.5, 2, FEATURES),
        layer(2 * BINS, SHAPE),
        layer(SHAPE, CODES),
        layer(FEATURES + 2 * CODES, HIDDEN),
        layer(HIDDEN, 3 * UNITS),
        layer(UNITS, 3 * UNITS),
        layer(HIDDEN + UNITS, TYPES),
        np.array([0.0, -1.0, -2.0]),
    )


def beats(n: int, leads: int = 2) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(n, FEATURES)), rng.normal(size=(n, leads, 2, BINS))


def test_the_earlier_beats_change_the_result_through_the_states_alone() -> None:
    network, (features, shapes) = random_network(), beats(3)
    (states,), (fresh,) = beat_network.begin(), beat_network.begin()
    first = beat_network.log_probabilities(network, states, features[0], shapes[0], BOTH)
    kept = states.copy()
    after = beat_network.log_probabilities(network, states, features[1], shapes[1], BOTH)
    np.testing.assert_array_equal(beat_network.log_probabilities(network, kept, features[1], shapes[1], BOTH), after)
    alone = beat_network.log_probabilities(network, fresh, features[1], shapes[1], BOTH)
    assert np.abs(alone - after).max() > 0.01
    assert np.isfinite(first).all()


def test_the_order_of_the_leads_and_leads_that_are_not_valid_change_nothing() -> None:
    network, (features, shapes) = random_network(), beats(1, leads=3)

    def result(order: list[int], valid: list[bool]) -> FloatArray:
        (states,) = beat_network.begin()
        chosen = np.ascontiguousarray(shapes[0][order])
        return beat_network.log_probabilities(network, states, features[0], chosen, np.array(valid))

    np.testing.assert_allclose(result([0, 1, 2], [True] * 3), result([2, 0, 1], [True] * 3))
    np.testing.assert_array_equal(result([0, 1], [True, False]), result([0], [True]))
    assert np.abs(result([0, 1], [True, True]) - result([0], [True])).max() > 1e-3


def test_a_condensed_beat_has_neither_offset_nor_amplitude() -> None:
    rng, expected, found = np.random.default_rng(2), np.empty((2, BINS)), np.empty((2, BINS))
    narrow = np.exp(-0.5 * ((np.arange(CORE) - 88) / 5) ** 2) + rng.normal(0, 0.02, CORE)
    beat_network.condense(narrow, narrow, expected)
    beat_network.condense(1e3 * narrow + 7, 1e3 * narrow - 5, found)
    np.testing.assert_allclose(found, expected * 1.05, atol=0.01)
    np.testing.assert_array_equal(found[0].argmax(), 88 // beat_network.BIN)


def test_arrays_survive_being_named_and_assembled() -> None:
    network = random_network()
    restored = beat_network.assemble(beat_network.tensors(network), FEATURES, TYPES)
    for name, value in beat_network.tensors(network).items():
        np.testing.assert_array_equal(beat_network.tensors(restored)[name], value)


@pytest.mark.parametrize(
    "name", ["mean", "class_bias", *(f"{name}.weight" for name in beat_network.LAYERS), "output.bias"]
)
def test_arrays_that_do_not_fit_together_are_refused(name: str) -> None:
    named = beat_network.tensors(random_network())
    named[f"main.{name}"] = named[f"main.{name}"][..., 1:]
    with pytest.raises(ValueError, match="inconsistent"):
        beat_network.assemble(named, FEATURES, TYPES)
