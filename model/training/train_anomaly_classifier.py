"""Fit the weights of the residual score, and score them on patients that were left out.

The examples are stretches of 400 ms: one for each reference beat, and one behind each beat, where no alarm belongs
either. A stretch counts by (nearly) the highest departure in it, since one high second is enough for an alarm. Each
record weighs as the root of its number of examples, and so does the same patient with a made-up rhythm
(`model.training.augment_rhythm`), with a made-up conduction (`model.training.augment_conduction`) and with made-up
noise (`model.training.augment_noise`). Noise on the levels, one number for all delays of a level, stands for patients
who differ more than those at hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from model.anomaly import anomaly_detector, classifier
from model.anomaly.classifier import Weights
from model.anomaly.features import FEATURES, LEVELS, TAPS
from model.anomaly.state import DEFAULT_CONFIG
from model.datasets.mitdb import TRAIN
from model.evaluation import anomaly_scores, detection_metrics
from model.evaluation.anomaly_scores import BEATS, CHUNK, EXCUSING, VEB, Reference
from model.evaluation.time_metrics import BEFORE_R
from model.forecast import forecaster as forecasting
from model.forecast.checkpoint import Checkpoint
from model.forecast.config import PATCH
from model.forecast.torch_runtime import one_thread
from model.signal import intake
from model.signal.arrays import Float32Array, FloatArray, IntArray
from model.training import augment_conduction, augment_noise, augment_rhythm
from model.training.augment_conduction import SUPRAVENTRICULAR
from model.training.augment_rhythm import LOST, NORMAL
from model.training.provenance import made_now, versions
from stream.errors import RecordError
from stream.records import wfdb_reader as wfdb_records
from stream.records.catalog import Catalog
from stream.timebase import FS

FIT_FROM = 60 * FS
RARE = VEB | (SUPRAVENTRICULAR - NORMAL) | frozenset(LOST)
"""Beats all of which are examples: ventricular ones, and what is easily taken for them. Of the others, every sixth."""

KEPT = 6
STRETCH, STRIDE = 36, 4
"""Patches of an example, of which every fourth is looked at."""

QUIET_BEFORE, QUIET_AFTER = 450, 250
"""Samples around an example behind a beat in which no VEB may lie."""

HIDDEN, SEEDS = 12, (1, 2, 3)
"""Units of one network; networks whose outputs are averaged, side by side in one hidden layer."""

STEPS, RATE, DECAY, NOISE, SHARPNESS = 120, 0.02, 1e-3, 0.3, 3.0

GROUPS = 5
"""Groups of patients, one of which is left out at a time."""

VARIANT_SEED = 1
"""Of what is made up; with the record's number."""

GROUP = np.concatenate([TAPS[:, 0], LEVELS + np.arange(2 * LEVELS)])
"""Features of one group get the same noise."""


@dataclass(frozen=True)
class Annotated:
    """A patient's signal and the reference beats in it.

    Attributes
    ----------
    mv : ndarray, shape (n, leads)
        NaN where invalid.
    sample : ndarray of int64, shape (m,)
        Of the annotations, rising.
    symbol : tuple of str
    """

    mv: FloatArray
    sample: IntArray
    symbol: tuple[str, ...]


@dataclass(frozen=True)
class Examples:
    """Stretches of one record: features of shape (n, STRETCH / STRIDE, FEATURES), which are VEB, and weights."""

    features: Float32Array
    veb: npt.NDArray[np.bool_]
    weight: Float32Array


@dataclass(frozen=True)
class LeftOut:
    """How a record's beats are scored by networks that have not seen the patient, from 5:00.

    Attributes
    ----------
    score : ndarray, shape (n,)
    veb : ndarray of bool, shape (n,)
    """

    score: FloatArray
    veb: npt.NDArray[np.bool_]


def train_residual(catalog: Catalog | None, out: Path, seed: int | None = None) -> dict[str, LeftOut]:
    """Fit to MIT-BIH DS1 without 201 and 208 and write the weights to ``out``, with a progress bar.

    Parameters
    ----------
    catalog : Catalog or None
    out : Path
    seed : int, optional
        Of the first network; the others follow. By default those of the shipped weights.

    Returns
    -------
    dict of str to LeftOut
        By record, each scored by networks that did not see its group of patients.

    Raises
    ------
    RecordError
        A record is nowhere, or has no reference beats.
    """
    seeds = SEEDS if seed is None else tuple(seed + i for i in range(len(SEEDS)))
    forecaster = forecasting.load_forecaster()
    examples, features, references = {}, {}, {}
    with one_thread():
        for name in track(TRAIN, description="forecasts", console=Console(stderr=True), transient=True):
            variants = patient(name, catalog)
            found = features_of([part.mv for part in variants], forecaster)
            examples[name] = [examples_of(part, seen) for part, seen in zip(variants, found, strict=True)]
            features[name], own = found[0], variants[0]
            references[name] = anomaly_scores.reference_of(own.sample, own.symbol, len(own.mv))
        departures = left_out(examples, features, seeds)
        weights = fit([part for parts in examples.values() for part in parts], seeds)
    scores = {name: score_left_out(departures[name], reference) for name, reference in references.items()}
    classifier.save(out, weights, provenance(seeds, forecaster, scores))
    return scores


def provenance(seeds: Sequence[int], forecaster: Checkpoint, scores: Mapping[str, LeftOut]) -> dict[str, Any]:
    """Return where weights come from, for the header of their file."""
    return {
        "database": "MIT-BIH Arrhythmia Database 1.0.0",
        "trained_on": list(TRAIN),
        "command": "bedside train --what residual",
        "seeds": list(seeds),
        "variant_seed": VARIANT_SEED,
        "steps": STEPS,
        **made_now(),
        "cross_validation": {name: round(value, 4) for name, value in figures(list(scores.values())).items()},
        "forecaster": forecaster.provenance,
        "versions": versions("torch", "numpy", "safetensors"),
    }


def patient(name: str, catalog: Catalog | None = None) -> tuple[Annotated, ...]:
    """Read a record; make up another rhythm for it, another conduction, and noise."""
    record = wfdb_records.load(f"mitdb/{name}", catalog)
    if record.annotations is None:
        raise RecordError(f"mitdb/{name} has no annotations to learn from: get its .atr file")
    order = np.argsort(record.annotations.sample, kind="stable")
    sample = record.annotations.sample[order].astype(np.int64)
    symbol = tuple(record.annotations.symbol[i] for i in order)
    mv = record.mv()
    seed = VARIANT_SEED + 1000 * int(name)
    other, moved, changed = augment_rhythm.vary(mv, sample, symbol, BEATS, seed)
    broad = augment_conduction.vary(mv, sample, symbol, BEATS, seed)
    noisy = augment_noise.vary(mv, sample, symbol, BEATS, seed)
    return (
        Annotated(mv, sample, symbol),
        Annotated(other, moved, tuple(changed)),
        Annotated(broad, sample, symbol),
        Annotated(noisy, sample, symbol),
    )


def features_of(signals: Sequence[FloatArray], forecaster: Checkpoint) -> list[Float32Array]:
    """Return the features of whole signals, each of shape (patches, FEATURES), as they would be live."""
    intakes = [intake.begin(mv.shape[1], 0, 0) for mv in signals]
    forecasts = [forecasting.begin(forecaster, mv.shape[1]) for mv in signals]
    anomalies = [anomaly_detector.begin(0, [""] * mv.shape[1]) for mv in signals]
    found: list[list[Float32Array]] = [[] for _ in signals]
    for begins in range(0, max(map(len, signals)), CHUNK):
        received = [intake.step(state, mv[begins : begins + CHUNK]) for state, mv in zip(intakes, signals, strict=True)]
        intakes = [state for _, state in received]
        stepped = forecasting.step(forecaster, forecasts, [strides for strides, _ in received])
        forecasts = [state for _, state in stepped]
        for i, (made, _) in enumerate(stepped):
            compared, anomalies[i] = anomaly_detector.compare(
                DEFAULT_CONFIG, anomalies[i], made.mean, made.scale, made.observed
            )
            found[i].append(compared.features.astype(np.float32))
    return [np.concatenate(parts) for parts in found]


def examples_of(annotated: Annotated, features: Float32Array) -> Examples:
    """Cut a signal's features into examples."""
    sample, kinds = annotated.sample, annotated.symbol
    excusing = sample[[kind in EXCUSING for kind in kinds]]
    beat = np.array([kind in BEATS and kind != "F" for kind in kinds])
    beat &= (sample > FIT_FROM) & (sample < len(features) * PATCH - FS)
    at = sample[beat]
    of_beats = [kind for kind, chosen in zip(kinds, beat, strict=True) if chosen]
    veb, rare = (np.array([kind in those for kind in of_beats]) for those in (VEB, RARE))
    common = np.arange(len(at)) % KEPT == 0
    behind = at + STRETCH * PATCH - BEFORE_R
    alone = np.searchsorted(excusing, behind - QUIET_BEFORE) == np.searchsorted(excusing, behind + QUIET_AFTER)

    chosen, gaps = rare | common, common & alone
    begins = np.concatenate([at[chosen] - BEFORE_R, behind[gaps]])
    # A patch is known at its last sample.
    first = -(-(begins - (PATCH - 1)) // PATCH)
    stretches = features[first[:, None] + np.arange(0, STRETCH, STRIDE)]
    weight = np.concatenate([np.where(rare[chosen], 1.0, KEPT), np.full(int(gaps.sum()), float(KEPT))])
    usable = np.isfinite(stretches).all(axis=(1, 2))
    return Examples(
        stretches[usable],
        np.concatenate([veb[chosen], np.zeros(int(gaps.sum()), bool)])[usable],
        (weight / weight.sum() ** 0.5).astype(np.float32)[usable],
    )


class _Net(torch.nn.Module):
    """Hidden units, and beside them, as the last row of the first layer, what goes to the output directly."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(FEATURES, HIDDEN + 1)
        self.outer = torch.nn.Linear(HIDDEN, 1, bias=False)
        with torch.no_grad():
            self.first.weight[-1] = 0.0
            self.first.bias[-1] = -3.0

    def forward(self, x: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Return departures of x, shape (n, times, FEATURES), with noise on its groups, shape (n, 1, groups)."""
        # Noise is one number for all features of a group, so that their weights can be added up first.
        by_group = torch.zeros(HIDDEN + 1, noise.shape[-1]).index_add(1, torch.from_numpy(GROUP), self.first.weight)
        both = self.first(x) + noise @ by_group.T
        out: torch.Tensor = both[..., -1] + self.outer(torch.tanh(both[..., :-1]))[..., 0]
        return out


def fit(examples: Sequence[Examples], seeds: Sequence[int] = SEEDS) -> Weights:
    """Fit networks from several seeds and put them side by side."""
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
    # The normalisation goes into the weights.
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
        departures = net(x[rows], NOISE * torch.randn(len(rows), 1, groups))
        highest = torch.logsumexp(departures * SHARPNESS, 1) / SHARPNESS - np.log(x.shape[1]) / SHARPNESS
        loss = torch.nn.functional.binary_cross_entropy_with_logits(highest, veb[rows], reduction="none")
        loss = (weight[rows] * loss).sum() / weight[rows].sum()
        loss = loss + DECAY * ((net.first.weight**2).sum() + (net.outer.weight**2).sum())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return net.eval()


def left_out(
    examples: Mapping[str, Sequence[Examples]], features: Mapping[str, Float32Array], seeds: Sequence[int] = SEEDS
) -> dict[str, FloatArray]:
    """Return the departures of each record, shape (patches,), by weights fitted to the other groups of patients."""
    names, departures = list(features), {}
    groups = [names[i::GROUPS] for i in range(min(GROUPS, len(names)))]
    for group in track(groups, description="cross-validation", console=Console(stderr=True), transient=True):
        weights = fit([part for name, parts in examples.items() if name not in group for part in parts], seeds)
        for name in group:
            departures[name] = weigh_all(weights, features[name])
    return departures


def weigh_all(weights: Weights, features: Float32Array) -> FloatArray:
    """Return the departures of a whole signal, piece by piece: in double precision it would fill the memory."""
    pieces = np.array_split(features, max(len(features) // CHUNK, 1))
    return np.concatenate([classifier.log_odds(weights, piece.astype(np.float64)) for piece in pieces])


def score_left_out(departure: FloatArray, reference: Reference) -> LeftOut:
    """Return the scores of a record's beats."""
    score, _ = anomaly_detector.score_log_odds(DEFAULT_CONFIG, anomaly_detector.begin(0, [""]), 0, departure)
    known_at = PATCH * (np.arange(len(score)) + 1) - 1
    none = np.empty(0, dtype=np.int64)
    traced = anomaly_scores.Traced(score, known_at, first=none, last=none)
    return LeftOut(anomaly_scores.score_beats(traced, reference.beats), reference.veb)


def figures(scores: Sequence[LeftOut]) -> dict[str, float]:
    """Return AUROC, AP, break-even point and what the alarm threshold finds, over all beats."""
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


def print_scores(scores: Mapping[str, LeftOut], console: Console | None = None) -> None:
    """Print what may be expected of new patients: each record was scored by networks that had not seen it."""
    table = Table(
        title="Residual score by beat, each patient left out of the fit, from 5:00",
        caption="F1 and sensitivity at the alarm threshold; break-even: as many beats marked as are VEB",
    )
    table.add_column("record")
    for head in ("VEB", "AUROC", "AP", "F1", "sensitivity", "break-even", "F1 there"):
        table.add_column(head, justify="right")
    for name, parts in (*((name, [part]) for name, part in scores.items()), ("all", list(scores.values()))):
        shown = ("-" if np.isnan(value) else f"{value:.3f}" for value in figures(parts).values())
        table.add_row(name, str(sum(int(part.veb.sum()) for part in parts)), *shown)
    (console or Console()).print(table)
