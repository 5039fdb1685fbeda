"""Training of the beat classifier: networks along the beats, and the second ensemble, scored by cross-validation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from model.beats import classifier
from model.beats.classifier import TYPES, BeatClassifier
from model.beats.ensemble import Ensemble
from model.beats.features import FAMILY_NAMES
from model.beats.layers import MAX_DEVIATION
from model.console.progress import stderr, track
from model.datasets import mitdb, svdb
from model.evaluation import ec57_beats
from model.evaluation.ec57_beats import BeatScores
from model.evaluation.tables import percent
from model.forecast.torch_runtime import one_thread
from model.signal.arrays import FloatArray
from model.training.augment_beats import UNLABELLED
from model.training.beat_examples import Examples, Patient, prepare
from model.training.beat_sequences import SequenceConfig, fit_network
from model.training.provenance import date_and_commit, versions
from stream.records.catalog import Catalog
from stream.wire.messages import BeatType

_HALF = len(mitdb.TRAIN) // 2
PAIRED = tuple(f"mitdb/{name}" for pair in zip(mitdb.TRAIN[:_HALF], mitdb.TRAIN[_HALF:], strict=True) for name in pair)
"""The training records of MIT-BIH in the pairs in which they are augmented and left out."""

RECORDS = (*PAIRED, *(f"svdb/{name}" for name in svdb.TRAIN))
"""All training records."""

GROUPS = 5
"""Groups of patients, each left out once in cross-validation."""

SHARE = (0.5, 0.25, 0.25)
"""Shares of normal, supraventricular and ventricular beats in a batch."""

EVENNESS = 0.65
"""A beat is weighted by the number of beats of its type in its record to the power of −EVENNESS: with 1 all patients
count equally."""


@dataclass(frozen=True)
class EnsembleConfig:
    """Configuration of the second ensemble.

    It is trained on MIT-BIH alone: with svdb it took a lasting atrial rhythm for a normal one.

    Attributes
    ----------
    members : int
        Networks in the ensemble.
    hidden : int
        Units in each of two hidden layers.
    steps, batch : int
        Optimiser steps, and beats in a batch.
    lr, weight_decay : float
        Parameters of AdamW; the learning rate follows one cycle.
    dropout, noise, blank : float
        Dropout between layers; standard deviation of the noise added to normalised features; share of features set to
        0.
    smoothing : float
        Label smoothing.
    lean : tuple of float
        Added to the log probabilities of N, S and V; chosen by cross-validation.
    seed : int
    """

    members: int = 4
    hidden: int = 48
    steps: int = 1200
    batch: int = 256
    lr: float = 2e-3
    weight_decay: float = 1e-3
    dropout: float = 0.3
    noise: float = 0.3
    blank: float = 0.05
    smoothing: float = 0.02
    lean: tuple[float, float, float] = (0.0, -1.5, -1.5)
    seed: int = 42


def group_of(name: str) -> int:
    """Return the group in which a training record is left out; the records of a pair are in the same one."""
    return (PAIRED.index(name) // 2 if name in PAIRED else RECORDS.index(name)) % GROUPS


def train_beats(
    config: SequenceConfig, atrial: EnsembleConfig, catalog: Catalog | None, out: Path
) -> dict[str, BeatScores]:
    """Train on DS1 without 201 and 208 and on svdb, and write the networks to `out`, with progress on standard error.

    Returns
    -------
    dict of str to BeatScores
        By record, classified by networks trained without its group of patients.

    Raises
    ------
    RecordError, SourceError, StorageError
    """
    with one_thread():
        patients = prepare(RECORDS, PAIRED, config.seed, catalog)
        scores: dict[str, BeatScores] = {}
        for group in track(range(GROUPS), "cross-validation"):
            left_out = [name for name in RECORDS if group_of(name) == group]
            kept = {name: patients[name] for name in RECORDS if name not in left_out}
            beat_classifier = fit_both(config, atrial, kept)
            scores |= {name: score(beat_classifier, patients[name]) for name in left_out}
        stderr().print("fitting to all records")
        beat_classifier = fit_both(config, atrial, patients)
    classifier.save(out, replace(beat_classifier, provenance=provenance(config, atrial, scores)))
    stderr().print(f"networks written to {out}")
    return scores


def provenance(config: SequenceConfig, atrial: EnsembleConfig, scores: Mapping[str, BeatScores]) -> dict[str, Any]:
    """Return the header of the networks' file."""
    return {
        "database": {
            "mitdb": "MIT-BIH Arrhythmia Database 1.0.0",
            "svdb": "MIT-BIH Supraventricular Arrhythmia Database 1.0.0",
        },
        "trained_on": sorted(scores),
        "command": "bedside train --what beats",
        "config": {"main": asdict(config), "atrial": asdict(atrial)},
        "seed": config.seed,
        **date_and_commit(),
        "cross_validation": {
            database: {
                name: {
                    "sensitivity": round(t.sensitivity, 4),
                    "positive_predictivity": round(t.positive_predictivity, 4),
                }
                for name, t in (("veb", total.veb), ("sveb", total.sveb))
            }
            for database, total in totals(scores).items()
        },
        "versions": versions("torch", "numpy", "scipy", "safetensors"),
    }


def totals(scores: Mapping[str, BeatScores]) -> dict[str, BeatScores]:
    """Return the scores of each database, from those of its records."""
    total: dict[str, BeatScores] = {}
    for name, own in sorted(scores.items()):
        database = name.partition("/")[0]
        total[database] = total.get(database, BeatScores()) + own
    return total


def fit_both(config: SequenceConfig, atrial: EnsembleConfig, patients: Mapping[str, Patient]) -> BeatClassifier:
    """Train the networks, and the second ensemble on the patients of MIT-BIH alone."""
    everyone = _sets(patients.values())
    of_mitdb = _sets(patient for name, patient in patients.items() if name in PAIRED)
    return BeatClassifier(fit_network(config, everyone, _sampling_weights(everyone)), fit(atrial, of_mitdb), {})


def _sets(patients: Iterable[Patient]) -> list[Examples]:
    return [examples for patient in patients for examples in (patient.recorded, *patient.others)]


def fit(config: EnsembleConfig, sets: Sequence[Examples]) -> Ensemble:
    """Train all members of the second ensemble on the first features, those of `FAMILY_NAMES`."""
    features = np.concatenate([examples.features[:, : len(FAMILY_NAMES)] for examples in sets])
    kinds = np.concatenate([examples.type for examples in sets])
    weight = _sampling_weights(sets)
    known = kinds != UNLABELLED
    features, kinds, weight = features[known], kinds[known], weight[known]
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-3
    x = torch.from_numpy(np.clip((features - mean) / scale, -MAX_DEVIATION, MAX_DEVIATION))
    y = torch.from_numpy(kinds)
    cumulative = torch.from_numpy(np.cumsum(weight / weight.sum()))
    members = [_fit_one(config, config.seed + i, x, y, cumulative) for i in range(config.members)]
    by_depth = list(zip(*([layer for layer in m if isinstance(layer, nn.Linear)] for m in members), strict=True))
    return Ensemble(
        mean.astype(np.float64),
        scale.astype(np.float64),
        tuple(_stacked([layer.weight.detach().double().numpy().T for layer in same]) for same in by_depth),
        tuple(_stacked([layer.bias.detach().double().numpy()[None] for layer in same]) for same in by_depth),
        np.array(config.lean),
    )


def _stacked(arrays: Sequence[FloatArray]) -> FloatArray:
    """Return the arrays of the members as one, C-contiguous as an `Ensemble` holds them."""
    return np.ascontiguousarray(np.stack(arrays))


def _sampling_weights(sets: Sequence[Examples]) -> FloatArray:
    """Return the relative frequency with which each beat of all sets is drawn, shape (beats,)."""
    parts = []
    for examples in sets:
        count = np.bincount(examples.type[examples.type != UNLABELLED], minlength=len(TYPES)).astype(np.float64)
        each = np.append(np.maximum(count, 1) ** -EVENNESS, 0.0)  # the last one is for UNLABELLED
        parts.append(each[examples.type])
    kinds, weight = np.concatenate([examples.type for examples in sets]), np.concatenate(parts)
    for kind, share in enumerate(SHARE):
        weight[kinds == kind] *= share / max(float(weight[kinds == kind].sum()), 1e-12)
    return weight


def _fit_one(
    config: EnsembleConfig, seed: int, x: torch.Tensor, y: torch.Tensor, cumulative: torch.Tensor
) -> nn.Sequential:
    """Train one network; ``cumulative`` is the cumulative sampling probability of the beats."""
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Linear(x.shape[1], config.hidden),
        nn.ReLU(),
        nn.Dropout(config.dropout),
        nn.Linear(config.hidden, config.hidden),
        nn.ReLU(),
        nn.Dropout(config.dropout),
        nn.Linear(config.hidden, len(TYPES)),
    )
    optimiser = torch.optim.AdamW(net.parameters(), lr=config.lr, weight_decay=config.weight_decay)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.lr, config.steps)
    for _ in range(config.steps):
        drawn = torch.searchsorted(cumulative, torch.rand(config.batch, dtype=torch.float64)).clamp(max=len(y) - 1)
        batch = x[drawn] + config.noise * torch.randn(config.batch, x.shape[1])
        batch = batch * (torch.rand_like(batch) > config.blank)
        loss = nn.functional.cross_entropy(net(batch), y[drawn], label_smoothing=config.smoothing)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        cycle.step()
    return net.eval()


def types_of(beat_classifier: BeatClassifier, examples: Examples) -> list[BeatType]:
    """Classify consecutive beats; those of the learning period are Q."""
    types = beat_classifier.types(examples.features.astype(np.float64), examples.shapes.astype(np.float64))
    types[: classifier.LEARNING_BEATS] = ["Q"] * min(len(types), classifier.LEARNING_BEATS)
    return types


def score(beat_classifier: BeatClassifier, patient: Patient) -> BeatScores:
    """Score the classification of a patient's detected beats from 5:00 on."""
    types = types_of(beat_classifier, patient.recorded)
    return ec57_beats.score(patient.reference, patient.index.tolist(), types, until=patient.n)


def print_scores(scores: Mapping[str, BeatScores], console: Console | None = None) -> None:
    """Print the scores of cross-validation, the expected performance on new patients."""
    table = Table(title="Beat classification from 5:00 on, cross-validation over patients, in %")
    for head in ("record", "VEB Se", "VEB +P", "SVEB Se", "SVEB +P"):
        table.add_column(head, justify="left" if head == "record" else "right")
    for name, own in (*sorted(scores.items()), *totals(scores).items()):
        shares = (share for tally in (own.veb, own.sveb) for share in (tally.sensitivity, tally.positive_predictivity))
        table.add_row(name, *(percent(share, 1) for share in shares))
    (console or Console()).print(table)
