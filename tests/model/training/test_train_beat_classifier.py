"""Training of the beat classifier on synthetic examples with one informative feature per type."""

from __future__ import annotations

import io

import numpy as np
import torch
from rich.console import Console

from model.beats.beat_network import BINS
from model.beats.features import NAMES
from model.datasets import mitdb
from model.datasets.reference import Reference
from model.evaluation.ec57_beats import BeatScores, Tally
from model.training.augment_beats import LENGTH, UNLABELLED, TrainingBeat, V
from model.training.beat_examples import Examples, Patient, examples_of
from model.training.beat_sequences import SequenceConfig
from model.training.train_beat_classifier import (
    GROUPS,
    PAIRED,
    RECORDS,
    SHARE,
    EnsembleConfig,
    _sampling_weights,
    fit_both,
    group_of,
    print_scores,
    score,
    totals,
    types_of,
)

EVEN = (0.0, 0.0, 0.0)
CONFIG = SequenceConfig(steps=60, hidden=16, sequences=8, beats=64, lr=2e-2, dropout=0.1, lean=EVEN)
ATRIAL = EnsembleConfig(members=2, hidden=16, steps=300, lr=1e-2, dropout=0.1, lean=EVEN)


def synthetic(seed: int, n: int = 600) -> Examples:
    """Return noise; feature 0 is raised for S, feature 1 for V. Every 20th beat is unlabelled."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, n, p=[0.8, 0.1, 0.1])
    features = rng.normal(size=(n, len(NAMES))).astype(np.float32)
    features[kind == 1, 0] += 5
    features[kind == V, 1] += 5
    kind[::20] = UNLABELLED
    return Examples(features, np.zeros((n, 2, 2, BINS), np.float32), kind)


def patient(seed: int) -> Patient:
    examples = synthetic(seed)
    index = 360 * (np.arange(len(examples.type)) + 1)
    labels = tuple("Q" if kind == UNLABELLED else "NSV"[kind] for kind in examples.type)
    return Patient(examples, (), index, Reference(index, labels), int(index[-1]) + 360)


def test_informative_features_are_learnt_and_generalise() -> None:
    torch.set_num_threads(1)
    beat_classifier = fit_both(CONFIG, ATRIAL, {"mitdb/101": patient(0), "svdb/800": patient(1)})
    new = patient(2)
    scores = score(beat_classifier, new)
    assert scores.veb.sensitivity > 0.9
    assert scores.sveb.sensitivity > 0.9
    assert scores.veb.positive_predictivity > 0.7
    assert types_of(beat_classifier, new.recorded)[0] == "Q", "the first beats belong to the learning period"


def test_sampling_weights_have_the_configured_shares() -> None:
    sets = [synthetic(0), synthetic(1, 200)]
    weight = _sampling_weights(sets)
    kind = np.concatenate([examples.type for examples in sets])
    np.testing.assert_allclose([weight[kind == i].sum() for i in range(3)], SHARE)
    assert (weight[kind == UNLABELLED] == 0).all()


def test_examples_have_one_row_of_features_per_beat() -> None:
    rng = np.random.default_rng(0)
    beats = [TrainingBeat(rng.normal(size=(LENGTH, 2)), 360.0 if i else None, V) for i in range(5)]
    examples = examples_of(beats)
    assert examples.features.shape == (5, len(NAMES))
    assert examples.type.tolist() == [V] * 5
    assert examples.shapes.shape == (5, 2, 2, BINS)


def test_table_shows_records_and_the_total_of_each_database() -> None:
    console = Console(record=True, width=80, file=io.StringIO())
    scores = {"mitdb/101": BeatScores(veb=Tally(3, 1, 0)), "mitdb/106": BeatScores(veb=Tally(1, 3, 0))}
    print_scores(scores | {"svdb/800": BeatScores(veb=Tally(2, 8, 0))}, console)
    text = console.export_text()
    for word in ("mitdb/101", "mitdb/106", "svdb/800", "75.0", "25.0", "50.0", "20.0", "-"):
        assert word in text
    assert totals(scores) == {"mitdb": BeatScores(veb=Tally(4, 4, 0))}


def test_each_patient_is_left_out_once_and_pairs_stay_together() -> None:
    assert {group_of(name) for name in RECORDS} == set(range(GROUPS))
    assert all(group_of(a) == group_of(b) for a, b in zip(PAIRED[::2], PAIRED[1::2], strict=True))
    assert not {"mitdb/201", "mitdb/208"} & set(RECORDS), "one patient is in DS2 too, and one is the demonstration"
    assert not set(mitdb.DS2) & {name.partition("/")[2] for name in RECORDS}
