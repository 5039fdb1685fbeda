"""Ensembles of networks, on random weights."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from model.beats import ensemble
from model.beats.ensemble import Ensemble
from model.beats.layers import MAX_DEVIATION
from model.signal.arrays import FloatArray

FEATURES, TYPES = 5, 3


def random_ensemble(members: int = 2) -> Ensemble:
    rng, sizes = np.random.default_rng(0), (FEATURES, 7, 6, TYPES)
    shapes = list(itertools.pairwise(sizes))
    return Ensemble(
        rng.normal(size=FEATURES),
        rng.uniform(0.5, 2, FEATURES),
        tuple(rng.normal(size=(members, *shape)) for shape in shapes),
        tuple(rng.normal(size=(members, 1, outputs)) for _, outputs in shapes),
        np.array([0.0, -1.0, -2.0]),
    )


def member_logits(networks: Ensemble, member: int, features: FloatArray) -> FloatArray:
    values = np.clip((features - networks.mean) / networks.scale, -MAX_DEVIATION, MAX_DEVIATION)
    for layer, (weight, bias) in enumerate(zip(networks.weights, networks.biases, strict=True)):
        values = (values if layer == 0 else np.maximum(values, 0)) @ weight[member] + bias[member, 0]
    return values


def test_log_probabilities_are_the_mean_over_members_plus_the_bias() -> None:
    networks, features = random_ensemble(), np.random.default_rng(1).normal(0, 3, FEATURES)
    probabilities = []
    for member in range(2):
        odds = np.exp(member_logits(networks, member, features))
        probabilities.append(odds / odds.sum())
    expected = np.log(probabilities).mean(axis=0) + networks.class_bias
    np.testing.assert_allclose(ensemble.log_probabilities(networks, features), expected, rtol=1e-12)


def test_extreme_features_are_clipped() -> None:
    networks = random_ensemble()
    large, larger = np.full(FEATURES, 1e3), np.full(FEATURES, 1e6)
    np.testing.assert_array_equal(
        ensemble.log_probabilities(networks, large), ensemble.log_probabilities(networks, larger)
    )


def test_arrays_survive_being_named_and_assembled() -> None:
    networks = random_ensemble()
    restored = ensemble.assemble(ensemble.tensors(networks, "main"), "main", FEATURES, TYPES)
    for value, original in zip(restored.weights, networks.weights, strict=True):
        np.testing.assert_array_equal(value, original)


@pytest.mark.parametrize("name", ["mean", "scale", "lean", "weight0", "weight2", "bias1"])
def test_arrays_that_do_not_fit_together_are_refused(name: str) -> None:
    named = ensemble.tensors(random_ensemble(), "main")
    named[f"main.{name}"] = named[f"main.{name}"][..., 1:]
    with pytest.raises(ValueError, match="inconsistent"):
        ensemble.assemble(named, "main", FEATURES, TYPES)


def test_no_layers_and_no_members_are_refused() -> None:
    named = ensemble.tensors(random_ensemble(members=0), "main")
    without_layers = {name: value for name, value in named.items() if "weight" not in name and "bias" not in name}
    for arrays in (named, without_layers):
        with pytest.raises(ValueError, match="no layers"):
            ensemble.assemble(arrays, "main", FEATURES, TYPES)
