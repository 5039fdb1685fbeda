"""Training of the anomaly classifier, and cross-validation over patients.

The log-odds of an example are (nearly) the highest in its segment, since one high value suffices for an alarm. Noise
on the features, equal for all delays of a level, represents differences between patients beyond those in the
training records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from model.anomaly import classifier, null_distribution
from model.anomaly.classifier import Weights
from model.anomaly.features import FEATURES, LEVELS, TAPS
from model.anomaly.state import DEFAULT_CONFIG
from model.console.progress import stderr, track
from model.datasets.mitdb import TRAIN
from model.evaluation import anomaly_scores, detection_metrics
from model.evaluation.anomaly_targets import AnomalyTargets, targets_of
from model.evaluation.tables import number
from model.forecast import forecaster as forecasting
from model.forecast.config import PATCH
from model.forecast.forecaster_weights import TrainedForecaster
from model.forecast.torch_runtime import one_thread
from model.signal.arrays import BoolArray, Float32Array, FloatArray
from model.training.anomaly_examples import VARIANT_SEED, Examples, examples_of, features_of, load_variants
from model.training.provenance import date_and_commit, versions
from stream.records.catalog import Catalog

HIDDEN, SEEDS = 12, (1, 2, 3)
"""Hidden units of one network, and seeds of the networks. Their outputs are averaged, as one wider hidden layer."""

STEPS, RATE, DECAY, NOISE, SHARPNESS = 120, 0.02, 1e-3, 0.3, 3.0
"""Optimiser steps, highest learning rate, weight decay, standard deviation of the noise, sharpness of the soft
maximum."""

GROUPS = 5
"""Folds of the cross-validation."""

GROUP = np.concatenate([TAPS[:, 0], LEVELS + np.arange(2 * LEVELS)])
"""Noise group of each feature."""

CHUNK = 3600
"""Patches whose log-odds are computed at once; a whole record in double precision needs too much memory."""


@dataclass(frozen=True)
class CrossValidated:
    """Scores of a record's beats from 5:00 on by networks trained without the patient.

    Attributes
    ----------
    score : ndarray, shape (n,)
    veb : ndarray of bool, shape (n,)
    """

    score: FloatArray
    veb: BoolArray


def train_residual(catalog: Catalog | None, out: Path, seed: int | None = None) -> dict[str, CrossValidated]:
    """Train on MIT-BIH DS1 without 201 and 208 and write the weights to ``out``, with progress on standard error.

    Parameters
    ----------
    catalog : Catalog or None
    out : Path
    seed : int, optional
        Seed of the first network; the others use the following ones. By default those of the shipped weights.

    Returns
    -------
    dict of str to CrossValidated
        By record, scored by networks trained without its group of patients.

    Raises
    ------
    RecordError
        A record cannot be found or has no annotations.
    """
    seeds = SEEDS if seed is None else tuple(seed + i for i in range(len(SEEDS)))
    forecaster = forecasting.load_forecaster()
    examples, features, targets = {}, {}, {}
    with one_thread():
        for name in track(TRAIN, "computing features"):
            variants = load_variants(name, catalog)
            found = features_of([variant.mv for variant in variants], forecaster)
            examples[name] = [examples_of(variant, own) for variant, own in zip(variants, found, strict=True)]
            features[name], recorded = found[0], variants[0]
            targets[name] = targets_of(recorded.reference, len(recorded.mv))
        log_odds = cross_validate(examples, features, seeds)
        stderr().print("fitting to all records")
        weights = fit([part for parts in examples.values() for part in parts], seeds)
    scores = {name: score_beats(log_odds[name], own) for name, own in targets.items()}
    classifier.save(out, weights, provenance(seeds, forecaster, scores))
    stderr().print(f"weights written to {out}")
    return scores


def provenance(
    seeds: Sequence[int], forecaster: TrainedForecaster, scores: Mapping[str, CrossValidated]
) -> dict[str, Any]:
    """Return the header of the weights' file."""
    return {
        "database": "MIT-BIH Arrhythmia Database 1.0.0",
        "trained_on": list(TRAIN),
        "command": "bedside train --what residual",
        "seeds": list(seeds),
        "variant_seed": VARIANT_SEED,
        "steps": STEPS,
        **date_and_commit(),
        "cross_validation": {name: round(value, 4) for name, value in metrics(list(scores.values())).items()},
        "forecaster": forecaster.provenance,
        "versions": versions("torch", "numpy", "safetensors"),
    }


class _Net(torch.nn.Module):
    """Hidden units and, as the last row of the first layer, a linear term that goes directly to the output."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(FEATURES, HIDDEN + 1)
        self.outer = torch.nn.Linear(HIDDEN, 1, bias=False)
        with torch.no_grad():
            self.first.weight[-1] = 0.0
            self.first.bias[-1] = -3.0

    def forward(self, x: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Return the log-odds of x, shape (n, times, FEATURES), with noise on its groups, shape (n, 1, groups)."""
        # All features of a group get the same noise, so their weights can be summed first.
        by_group = torch.zeros(HIDDEN + 1, noise.shape[-1]).index_add(1, torch.from_numpy(GROUP), self.first.weight)
        both = self.first(x) + noise @ by_group.T
        out: torch.Tensor = both[..., -1] + self.outer(torch.tanh(both[..., :-1]))[..., 0]
        return out


def fit(examples: Sequence[Examples], seeds: Sequence[int] = SEEDS) -> Weights:
    """Train one network per seed and combine them into one."""
    x = torch.from_numpy(np.concatenate([part.features for part in examples]))
    veb = torch.from_numpy(np.concatenate([part.veb for part in examples]).astype(np.float32))
    weight = torch.from_numpy(np.concatenate([part.weight for part in examples]))
    centre, width = x.mean(dim=(0, 1)), x.std(dim=(0, 1)) + 1e-3
    x.sub_(centre).div_(width)
    nets = [_fit_one(x, veb, weight, seed) for seed in seeds]
    first, bias, outer = (
        np.stack([net.state_dict()[name].double().numpy() for net in nets])
        for name in ("first.weight", "first.bias", "outer.weight")
    )
    # Fold the normalisation into the weights.
    first /= width.double().numpy()
    bias -= first @ centre.double().numpy()
    return Weights(
        inner=first[:, :-1].reshape(-1, FEATURES).T,
        inner_bias=bias[:, :-1].ravel(),
        outer=outer.ravel() / len(nets),
        direct=first[:, -1].mean(axis=0),
        bias=bias[:, -1:].mean(axis=0),
    )


def _fit_one(x: torch.Tensor, veb: torch.Tensor, weight: torch.Tensor, seed: int) -> _Net:
    torch.manual_seed(seed)
    net, groups = _Net(), int(GROUP.max()) + 1
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=RATE, total_steps=STEPS)
    for _ in range(STEPS):
        rows = torch.randperm(len(x))[: len(x) // 4]
        log_odds = net(x[rows], NOISE * torch.randn(len(rows), 1, groups))
        highest = torch.logsumexp(log_odds * SHARPNESS, 1) / SHARPNESS - np.log(x.shape[1]) / SHARPNESS
        loss = torch.nn.functional.binary_cross_entropy_with_logits(highest, veb[rows], reduction="none")
        loss = (weight[rows] * loss).sum() / weight[rows].sum()
        loss = loss + DECAY * ((net.first.weight**2).sum() + (net.outer.weight**2).sum())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return net.eval()


def cross_validate(
    examples: Mapping[str, Sequence[Examples]], features: Mapping[str, Float32Array], seeds: Sequence[int] = SEEDS
) -> dict[str, FloatArray]:
    """Return the log-odds of each record, shape (patches,), by weights trained on the other groups of patients."""
    names, log_odds = list(features), {}
    groups = [names[i::GROUPS] for i in range(min(GROUPS, len(names)))]
    for group in track(groups, "cross-validation"):
        weights = fit([part for name, parts in examples.items() if name not in group for part in parts], seeds)
        for name in group:
            log_odds[name] = log_odds_of(weights, features[name])
    return log_odds


def log_odds_of(weights: Weights, features: Float32Array) -> FloatArray:
    """Return the log-odds of a whole signal, shape (patches,)."""
    pieces = np.array_split(features, max(len(features) // CHUNK, 1))
    return np.concatenate([classifier.log_odds(weights, piece.astype(np.float64)) for piece in pieces])


def score_beats(log_odds: FloatArray, targets: AnomalyTargets) -> CrossValidated:
    """Return the scores of a record's beats from the log-odds of its patches."""
    score = null_distribution.score_log_odds(log_odds)
    known_at = PATCH * (np.arange(len(score)) + 1) - 1
    none = np.empty(0, dtype=np.int64)
    output = anomaly_scores.DetectorOutput(score, known_at, first=none, last=none)
    return CrossValidated(anomaly_scores.score_beats(output, targets.beats), targets.veb)


def metrics(scores: Sequence[CrossValidated]) -> dict[str, float]:
    """Return AUROC, AP, F1 and sensitivity at the alarm threshold, and the break-even point, over all beats."""
    counts = detection_metrics.count(
        np.concatenate([part.score for part in scores]), np.concatenate([part.veb for part in scores])
    )
    return {
        "auroc": detection_metrics.auroc(counts),
        "ap": detection_metrics.average_precision(counts),
        "f1": detection_metrics.f1(counts, DEFAULT_CONFIG.threshold),
        "sensitivity": detection_metrics.sensitivity(counts, DEFAULT_CONFIG.threshold),
        "break_even": detection_metrics.break_even(counts),
        "f1_break_even": detection_metrics.f1(counts, detection_metrics.break_even(counts)),
    }


def print_scores(scores: Mapping[str, CrossValidated], console: Console | None = None) -> None:
    """Print the scores of cross-validation, the expected performance on new patients."""
    table = Table(
        title="Anomaly score by beat from 5:00 on, cross-validation over patients",
        caption="F1 and sensitivity at the alarm threshold; break-even: threshold at which as many beats are detected "
        "as are VEB",
    )
    table.add_column("record")
    for head in ("VEB", "AUROC", "AP", "F1", "sensitivity", "break-even", "F1 there"):
        table.add_column(head, justify="right")
    for name, parts in (*((name, [part]) for name, part in scores.items()), ("all", list(scores.values()))):
        shown = (number(value, 3) for value in metrics(parts).values())
        table.add_row(name, str(sum(int(part.veb.sum()) for part in parts)), *shown)
    (console or Console()).print(table)
