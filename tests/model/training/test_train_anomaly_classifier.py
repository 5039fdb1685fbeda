"""Training of the anomaly classifier on synthetic examples with one informative feature."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from model.anomaly import classifier
from model.anomaly.classifier import Weights
from model.anomaly.features import FEATURES
from model.anomaly.null_distribution import GUMBEL_LOCATION, gumbel_score
from model.datasets.annotated_signal import AnnotatedSignal
from model.datasets.reference import reference_of
from model.evaluation.anomaly_targets import BEFORE_R, targets_of
from model.forecast.config import PATCH
from model.training.anomaly_examples import EVERY, FIT_FROM, SEGMENT, STRIDE, Examples, examples_of
from model.training.train_anomaly_classifier import cross_validate, fit, metrics, score_beats


def synthetic(seed: int, n: int = 400) -> Examples:
    """Return noise about a constant; in positive examples one time is raised in feature 7."""
    rng = np.random.default_rng(seed)
    x = rng.normal(3.0, 0.5, (n, SEGMENT // STRIDE, FEATURES)).astype(np.float32)
    veb = np.arange(n) % EVERY == 0
    x[np.flatnonzero(veb), rng.integers(0, x.shape[1], int(veb.sum())), 7] += 4
    return Examples(x, veb, np.ones(n, np.float32))


def log_odds(part: Examples, weights: Weights) -> npt.NDArray[np.float64]:
    found = classifier.log_odds(weights, part.features.reshape(-1, FEATURES).astype(np.float64))
    return found.reshape(len(part.veb), -1).max(axis=1)


def test_informative_feature_is_learnt_and_generalises() -> None:
    torch.set_num_threads(1)
    weights = fit([synthetic(0), synthetic(1)], seeds=(1,))
    other = synthetic(2)
    found = log_odds(other, weights)
    high, low = found[other.veb], found[~other.veb]
    assert (high[:, None] > low).mean() > 0.95


def test_networks_of_several_seeds_are_averaged() -> None:
    torch.set_num_threads(1)
    examples = [synthetic(0)]
    x = np.random.default_rng(5).normal(3.0, 0.5, (20, FEATURES))
    alone = [classifier.log_odds(fit(examples, seeds=(seed,)), x) for seed in (1, 2)]
    np.testing.assert_allclose(
        classifier.log_odds(fit(examples, seeds=(1, 2)), x), np.mean(alone, axis=0), rtol=1e-6, atol=1e-6
    )


def test_cross_validation_excludes_the_scored_record() -> None:
    """The labels of a record do not affect its own log-odds."""
    torch.set_num_threads(1)
    own = synthetic(0)
    examples = {"a": [own], "b": [synthetic(1), synthetic(2)]}
    other = {**examples, "a": [Examples(own.features, ~own.veb, own.weight)]}
    features = {"a": own.features[:, 0]}
    np.testing.assert_array_equal(cross_validate(examples, features)["a"], cross_validate(other, features)["a"])


def test_examples_lie_at_beats_and_between_them() -> None:
    """Features contain the number of their patch, which shows the position of an example."""
    at = FIT_FROM + 360 * np.arange(1, 19)
    symbol = ["N"] * 18
    symbol[4], symbol[9], symbol[12] = "V", "F", "A"
    n = int(at[-1]) + 720
    features = np.repeat(np.arange(n // PATCH, dtype=np.float32)[:, None], FEATURES, axis=1)
    found = examples_of(AnnotatedSignal(np.zeros((n, 1)), at, tuple(symbol)), features)

    beats = [i for i in range(18) if symbol[i] != "F"]
    kept = [i for k, i in enumerate(beats) if k % EVERY == 0 or symbol[i] in "VA"]
    # An example between beats needs a second without ectopic or fusion beats.
    alone = [i for k, i in enumerate(beats) if k % EVERY == 0 and not {4, 9} & {i - 1, i}]
    begins = [int(at[i]) - BEFORE_R for i in kept] + [int(at[i]) - BEFORE_R + SEGMENT * PATCH for i in alone]
    assert found.veb.tolist() == [symbol[i] == "V" for i in kept] + [False] * len(alone)
    np.testing.assert_array_equal(found.features[:, 0, 0], [-(-(first - PATCH + 1) // PATCH) for first in begins])
    np.testing.assert_array_equal(found.features[0, :, 0] - found.features[0, 0, 0], np.arange(0, SEGMENT, STRIDE))
    # A common beat represents those that were not selected.
    assert found.weight[kept.index(0)] / found.weight[kept.index(4)] == EVERY


def test_beat_score_is_the_highest_in_its_window() -> None:
    beats = np.array([110_000, 120_000, 130_000])
    targets = targets_of(reference_of(beats, ["N", "V", "N"], 140_000), 140_000)
    values = np.full(140_000 // PATCH, GUMBEL_LOCATION - 3)
    values[120_200 // PATCH :] = np.nan  # after the window of the second beat
    values[120_080 // PATCH] = GUMBEL_LOCATION + 9
    found = score_beats(values, targets)
    assert found.veb.tolist() == [False, True, False]
    expected = [gumbel_score(GUMBEL_LOCATION - 3), gumbel_score(GUMBEL_LOCATION + 9), np.nan]
    np.testing.assert_allclose(found.score, expected)
    assert metrics([found, found])["auroc"] == metrics([found])["ap"] == 1
