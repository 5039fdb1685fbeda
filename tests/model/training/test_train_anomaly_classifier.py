"""Fitting the residual's weights, on examples made up so that one feature tells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from model.anomaly.anomaly_detector import LOCATION, rarity
from model.anomaly.classifier import Weights, log_odds
from model.anomaly.features import FEATURES
from model.evaluation.anomaly_scores import reference_of
from model.evaluation.time_metrics import BEFORE_R
from model.forecast.config import PATCH
from model.training.train_anomaly_classifier import (
    FIT_FROM,
    KEPT,
    STRETCH,
    STRIDE,
    Annotated,
    Examples,
    examples_of,
    figures,
    fit,
    left_out,
    score_left_out,
)


def made_up(seed: int, n: int = 400) -> Examples:
    """Return noise about a level of its own; in a positive, one place stands out in feature 7."""
    rng = np.random.default_rng(seed)
    x = rng.normal(3.0, 0.5, (n, STRETCH // STRIDE, FEATURES)).astype(np.float32)
    veb = np.arange(n) % KEPT == 0
    x[np.flatnonzero(veb), rng.integers(0, x.shape[1], int(veb.sum())), 7] += 4
    return Examples(x, veb, np.ones(n, np.float32))


def departures(part: Examples, weights: Weights) -> npt.NDArray[np.float64]:
    found = log_odds(weights, part.features.reshape(-1, FEATURES).astype(np.float64))
    return found.reshape(len(part.veb), -1).max(axis=1)


def test_what_tells_is_found_and_holds_for_others() -> None:
    torch.set_num_threads(1)
    weights = fit([made_up(0), made_up(1)], seeds=(1,))
    other = made_up(2)
    high, low = departures(other, weights)[other.veb], departures(other, weights)[~other.veb]
    assert (high[:, None] > low).mean() > 0.95


def test_networks_of_several_seeds_are_averaged() -> None:
    torch.set_num_threads(1)
    examples = [made_up(0)]
    x = np.random.default_rng(5).normal(3.0, 0.5, (20, FEATURES))
    alone = [log_odds(fit(examples, seeds=(seed,)), x) for seed in (1, 2)]
    np.testing.assert_allclose(log_odds(fit(examples, seeds=(1, 2)), x), np.mean(alone, axis=0), rtol=1e-6, atol=1e-6)


def test_a_record_does_not_score_itself() -> None:
    """Its labels say nothing about its own departures."""
    torch.set_num_threads(1)
    own = made_up(0)
    examples = {"a": [own], "b": [made_up(1), made_up(2)]}
    other = {**examples, "a": [Examples(own.features, ~own.veb, own.weight)]}
    features = {"a": own.features[:, 0]}
    np.testing.assert_array_equal(left_out(examples, features)["a"], left_out(other, features)["a"])


def test_examples_are_the_beats_and_what_lies_behind_them() -> None:
    """Each feature tells its patch, so that it can be seen where an example lies."""
    at = FIT_FROM + 360 * np.arange(1, 19)
    symbol = ["N"] * 18
    symbol[4], symbol[9], symbol[12] = "V", "F", "A"
    n = int(at[-1]) + 720
    features = np.repeat(np.arange(n // PATCH, dtype=np.float32)[:, None], FEATURES, axis=1)
    found = examples_of(Annotated(np.zeros((n, 1)), at, tuple(symbol)), features)

    beats = [i for i in range(18) if symbol[i] != "F"]
    kept = [i for k, i in enumerate(beats) if k % KEPT == 0 or symbol[i] in "VA"]
    # Behind a beat is an example where there is no ectopic or fusion beat within a second before it.
    alone = [i for k, i in enumerate(beats) if k % KEPT == 0 and not {4, 9} & {i - 1, i}]
    begins = [int(at[i]) - BEFORE_R for i in kept] + [int(at[i]) - BEFORE_R + STRETCH * PATCH for i in alone]
    assert found.veb.tolist() == [symbol[i] == "V" for i in kept] + [False] * len(alone)
    np.testing.assert_array_equal(found.features[:, 0, 0], [-(-(first - PATCH + 1) // PATCH) for first in begins])
    np.testing.assert_array_equal(found.features[0, :, 0] - found.features[0, 0, 0], np.arange(0, STRETCH, STRIDE))
    # An example stands for the two like it that were left out.
    assert found.weight[kept.index(0)] / found.weight[kept.index(4)] == KEPT


def test_beats_are_scored_by_the_highest_departure_about_them() -> None:
    beats = np.array([110_000, 120_000, 130_000])
    reference = reference_of(beats, ["N", "V", "N"], 140_000)
    departure = np.full(140_000 // PATCH, LOCATION - 3)
    departure[120_200 // PATCH :] = np.nan  # behind the window of the second beat
    departure[120_080 // PATCH] = LOCATION + 9
    found = score_left_out(departure, reference)
    assert found.veb.tolist() == [False, True, False]
    np.testing.assert_allclose(found.score, [*rarity(np.array([LOCATION - 3, LOCATION + 9])), np.nan])
    assert figures([found, found])["auroc"] == figures([found])["ap"] == 1
