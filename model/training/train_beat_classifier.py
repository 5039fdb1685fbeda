"""Training of beat typing: small networks on the features of found beats, real and made up.

The beats are those that our own detector finds, so that typing learns to live with where it puts them and with what it
takes for a beat. A found beat that none belongs to trains as normal: whatever it is, it is not ectopic.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from torch import nn

from model.beats import classifier, qrs_detector
from model.beats import features as beat_features
from model.beats.classifier import TYPES, BeatTyper
from model.beats.features import NAMES
from model.datasets.mitdb import TRAIN
from model.evaluation import ec57_beats
from model.evaluation.ec57_beats import BeatScores, Reference
from model.forecast.torch_runtime import one_thread
from model.signal.arrays import FloatArray, IntArray
from model.signal.gaps import hold
from model.signal.intake import strides_of
from model.training.augment_beats import NONE, SHORTEST_RR, Made, N, Real, variants
from model.training.provenance import made_now, versions
from stream.errors import RecordError
from stream.records import wfdb_reader
from stream.records.catalog import Catalog
from stream.timebase import FS
from stream.wire.messages import BeatType

ORDER = tuple(itertools.chain(*zip(TRAIN[: len(TRAIN) // 2], TRAIN[len(TRAIN) // 2 :], strict=True)))
"""The records in pairs: a pair is left out together in cross-validation, and exchanges shapes in synthesis."""

SHARE = (0.5, 0.25, 0.25)
"""Of normal, supraventricular and ventricular beats in a batch."""


@dataclass(frozen=True)
class BeatTrainConfig:
    """One training run.

    Attributes
    ----------
    members : int
        Networks that are averaged.
    hidden : int
        Units in each of two hidden layers.
    steps, batch : int
        Of the optimiser.
    lr, weight_decay : float
        Of AdamW; the rate follows one cycle.
    dropout, noise, blank : float
        Dropout between the layers; standard deviation of the noise on features, in theirs; share of features at 0.
    smoothing : float
        Of the labels.
    evenness : float
        A beat weighs its type's number of beats in its record to the power of minus this: 1 makes patients equal.
    lean : tuple of float
        Added to the log chances of N, S and V, chosen by cross-validation.
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
    evenness: float = 0.65
    lean: tuple[float, float, float] = (0.0, -1.5, -1.5)
    seed: int = 42


@dataclass(frozen=True)
class Examples:
    """Beats in numbers, in the order of the signal.

    Attributes
    ----------
    features : ndarray of float32, shape (k, features)
    type : ndarray of int64, shape (k,)
        Index into TYPES, or NONE.
    joined : tuple of (int, bool)
        The beat's family, and whether it founded it.
    """

    features: npt.NDArray[np.float32]
    type: IntArray
    joined: tuple[tuple[int, bool], ...]


@dataclass(frozen=True)
class Patient:
    """What one record gives to training.

    Attributes
    ----------
    real : Examples
        The found beats, all leads.
    others : tuple of Examples
        The found beats in the first lead alone, and made-up ones.
    index : ndarray of int64
        Where the found beats are.
    reference : Reference
    n : int
        Samples of the record.
    """

    real: Examples
    others: tuple[Examples, ...]
    index: IntArray
    reference: Reference
    n: int


def train_beats(config: BeatTrainConfig, catalog: Catalog | None, out: Path) -> dict[str, BeatScores]:
    """Train on DS1 without 201 and 208 and write the networks to `out`.

    Returns
    -------
    dict of str to BeatScores
        By record, each typed by networks that did not see its pair of patients.

    Raises
    ------
    RecordError, SourceError, StorageError
    """
    with one_thread(), _bar() as bar:
        patients = prepare(ORDER, config.seed, catalog, lambda items, text: bar.track(items, description=text))
        scores: dict[str, BeatScores] = {}
        for first in bar.track(range(0, len(ORDER), 2), description="cross-validation"):
            pair = ORDER[first : first + 2]
            typer = fit(config, [patients[name] for name in ORDER if name not in pair])
            scores |= {name: score(typer, patients[name]) for name in pair}
        typer = fit(config, list(patients.values()))
    classifier.save(out, replace(typer, provenance=provenance(config, scores)))
    return scores


def provenance(config: BeatTrainConfig, scores: Mapping[str, BeatScores]) -> dict[str, Any]:
    """Return where the networks come from, for the header of their file."""
    total = sum(scores.values(), BeatScores())
    return {
        "database": "MIT-BIH Arrhythmia Database 1.0.0",
        "trained_on": sorted(scores),
        "command": "bedside train --what beats",
        "config": asdict(config),
        "seed": config.seed,
        **made_now(),
        "cross_validation": {
            name: {"sensitivity": round(t.sensitivity, 4), "positive_predictivity": round(t.positive_predictivity, 4)}
            for name, t in (("veb", total.veb), ("sveb", total.sveb))
        },
        "versions": versions("torch", "numpy", "scipy", "safetensors"),
    }


Track = Callable[[Sequence[str], str], Iterable[str]]


def prepare(
    names: Sequence[str], seed: int, catalog: Catalog | None, track: Track = lambda items, _: items
) -> dict[str, Patient]:
    """Find the beats of records, make others up, and measure all of them."""
    found, references = {}, {}
    for name in track(names, "finding beats"):
        found[name], references[name] = find(name, catalog)
    made = dict(zip(names, variants(list(found.values()), seed), strict=True))
    patients = {}
    for name in track(names, "measuring beats"):
        real = found[name]
        first = Real(real.mv[:, :1], real.index, real.type)
        patients[name] = Patient(
            real=measure(_as_found(real)),
            others=(measure(_as_found(first)), *(measure(beats) for beats in made[name].values())),
            index=real.index,
            reference=references[name],
            n=len(real.mv),
        )
    return patients


def find(name: str, catalog: Catalog | None) -> tuple[Real, Reference]:
    """Return the beats that our detector finds in a record, with their reference types, and the reference."""
    record = wfdb_reader.load(f"mitdb/{name}", catalog)
    if record.annotations is None:
        raise RecordError(f"mitdb/{name} has no annotations to learn from: get its .atr file")
    mv, _ = hold(record.mv(), np.zeros(len(record.leads)))
    reference = ec57_beats.reference_of(record.annotations, record.n)
    beats, _ = qrs_detector.step(qrs_detector.begin(0, mv.shape[1]), strides_of(record.mv()))
    index = np.array([beat.index for beat in beats], np.int64)
    label = np.full(len(index), N)
    for i, j in ec57_beats.match(reference.sample, index):
        if i is not None and j is not None:
            label[j] = TYPES.index(reference.label[i]) if reference.label[i] in TYPES else NONE
    for first, stop in reference.flutter:
        label[(index >= first) & (index <= stop)] = NONE
    inside = (index >= FS) & (index < len(mv) - FS)
    return Real(mv, index[inside], label[inside]), reference


def _as_found(real: Real) -> Iterator[Made]:
    for k, (at, kind) in enumerate(zip(real.index, real.type, strict=True)):
        yield Made(real.piece(int(at)), real.rr(k), int(kind))


def measure(beats: Iterable[Made]) -> Examples:
    """Put beats that follow each other into numbers."""
    rows, kinds, joined = [], [], []
    patient = None
    for beat in beats:
        leads = beat.piece.shape[1]
        patient = patient or beat_features.begin(leads)
        rr = None if beat.rr is None else max(beat.rr, SHORTEST_RR)
        measured, patient = beat_features.measure(patient, beat.piece, np.ones(leads, np.bool_), rr)
        rows.append(measured.features)
        kinds.append(beat.type)
        joined.append((measured.joined, measured.founded))
    features = np.array(rows, np.float32).reshape(-1, len(NAMES))
    return Examples(features, np.array(kinds, np.int64), tuple(joined))


def fit(config: BeatTrainConfig, patients: Sequence[Patient]) -> BeatTyper:
    """Train all members on the beats of patients."""
    sets = [examples for patient in patients for examples in (patient.real, *patient.others)]
    features = np.concatenate([examples.features for examples in sets])
    kinds = np.concatenate([examples.type for examples in sets])
    weight = _weights(sets, config.evenness)
    known = kinds != NONE
    features, kinds, weight = features[known], kinds[known], weight[known]
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-3
    x = torch.from_numpy(np.clip((features - mean) / scale, -classifier.REACH, classifier.REACH))
    y = torch.from_numpy(kinds)
    upto = torch.from_numpy(np.cumsum(weight / weight.sum()))
    members = [_fit_one(config, config.seed + i, x, y, upto) for i in range(config.members)]
    by_depth = list(zip(*([layer for layer in m if isinstance(layer, nn.Linear)] for m in members), strict=True))
    return BeatTyper(
        mean.astype(np.float64),
        scale.astype(np.float64),
        tuple(np.stack([layer.weight.detach().double().numpy().T for layer in same]) for same in by_depth),
        tuple(np.stack([layer.bias.detach().double().numpy()[None] for layer in same]) for same in by_depth),
        np.array(config.lean),
        {},
    )


def _weights(sets: Sequence[Examples], evenness: float) -> FloatArray:
    """Return how often to draw each beat, all sets in a row."""
    parts = []
    for examples in sets:
        count = np.bincount(examples.type[examples.type != NONE], minlength=len(TYPES)).astype(np.float64)
        each = np.append(np.maximum(count, 1) ** -evenness, 0.0)  # NONE is the last
        parts.append(each[examples.type])
    kinds, weight = np.concatenate([examples.type for examples in sets]), np.concatenate(parts)
    for kind, share in enumerate(SHARE):
        weight[kinds == kind] *= share / max(float(weight[kinds == kind].sum()), 1e-12)
    return weight


def _fit_one(config: BeatTrainConfig, seed: int, x: torch.Tensor, y: torch.Tensor, upto: torch.Tensor) -> nn.Sequential:
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
        drawn = torch.searchsorted(upto, torch.rand(config.batch, dtype=torch.float64)).clamp(max=len(y) - 1)
        seen = x[drawn] + config.noise * torch.randn(config.batch, x.shape[1])
        seen = seen * (torch.rand_like(seen) > config.blank)
        loss = nn.functional.cross_entropy(net(seen), y[drawn], label_smoothing=config.smoothing)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        cycle.step()
    return net.eval()


def types_of(typer: BeatTyper, examples: Examples) -> list[BeatType]:
    """Type beats that follow each other."""
    opinions = classifier.Opinions()
    chances = typer.chances(examples.features.astype(np.float64))
    types: list[BeatType] = []
    for row, (joined, founded) in zip(chances, examples.joined, strict=True):
        kind, opinions = classifier.decide(opinions, row, joined, founded)
        types.append(kind if len(types) >= classifier.LEARNING else "Q")
    return types


def score(typer: BeatTyper, patient: Patient) -> BeatScores:
    """Return how well the found beats of a patient are typed, from 5:00 on."""
    return ec57_beats.score(patient.reference, patient.index.tolist(), types_of(typer, patient.real), until=patient.n)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def print_scores(scores: Mapping[str, BeatScores], console: Console | None = None) -> None:
    """Print what may be expected of new patients: each record was typed by networks that had not seen it."""
    total = sum(scores.values(), BeatScores())
    table = Table(title="Typing of beats, each record left out of its networks, from 5:00, in %")
    for head in ("record", "VEB Se", "VEB +P", "SVEB Se", "SVEB +P"):
        table.add_column(head, justify="left" if head == "record" else "right")
    for name, own in (*sorted(scores.items()), ("all", total)):
        shares = (share for tally in (own.veb, own.sveb) for share in (tally.sensitivity, tally.positive_predictivity))
        table.add_row(name, *("-" if math.isnan(share) else f"{100 * share:.1f}" for share in shares))
    (console or Console()).print(table)
