"""What kind of beat: normal, supraventricular ectopic, ventricular ectopic.

The outputs of a few small networks on the features of one beat are averaged. The families of the patient's beats have a
say too: a beat whose family looked ventricular before needs less to be called ventricular. While the patient's
normal beat is being learnt, no class is reported.

It works on numpy alone; `model.training.train_beat_classifier` made the weights. There is no next RR interval to go
by, because a beat is reported before the next one comes, and so before the compensatory pause after an ectopic beat.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from model.beats import features as beat_features
from model.beats.features import NAMES, Patient
from model.beats.templates import FAMILIES
from model.signal.arrays import BoolArray, FloatArray
from stream.errors import CheckpointError, StorageError
from stream.wire.messages import BeatType

FORMAT = "bedside-beat-types-1"

SHIPPED = Path(__file__).parents[1] / "weights" / "beat_types.safetensors"
"""The weights that come with the package."""

TYPES: Final[tuple[BeatType, ...]] = ("N", "S", "V")
"""In the order of the networks' outputs."""

LEARNING = 10
"""Beats before the first that is typed."""

REACH = 4.0
"""Standard deviations at which features are clipped."""

FAMILY_SAY, FAMILY_RATE, FAMILY_SURE = 0.5, 0.04, 5
"""What the mean opinion of the family weighs, the least share of a new beat in it, and the beats until it is full."""

MOST_OPINION = 6.0
"""Logit at which one beat's opinion is clipped."""


@dataclass(frozen=True)
class BeatTyper:
    """The networks.

    Attributes
    ----------
    mean, scale : ndarray, shape (features,)
        Of the features in training.
    weights, biases : tuple of ndarray, shapes (members, in, out) and (members, 1, out)
        One pair a layer.
    lean : ndarray, shape (3,)
        Added to the log chances: how rare each type is outside of the training set.
    provenance : dict
        Records, seed, settings, figures, versions; what the header holds.
    """

    mean: FloatArray
    scale: FloatArray
    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    lean: FloatArray
    provenance: dict[str, Any]

    def chances(self, features: FloatArray) -> FloatArray:
        """Return the log chances of N, S and V, shape (n, 3), for features of shape (n, features)."""
        x = np.clip((features - self.mean) / self.scale, -REACH, REACH)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = np.maximum(x @ weight + bias, 0.0)
        y = x @ self.weights[-1] + self.biases[-1]
        y = y - y.max(axis=2, keepdims=True)
        y = y - np.log(np.exp(y).sum(axis=2, keepdims=True))
        return np.asarray(y.mean(axis=0) + self.lean)


@dataclass(frozen=True, slots=True)
class Opinions:
    """What was thought of the families of a patient.

    Attributes
    ----------
    odds : tuple of float
        Mean log odds of ventricular in each family.
    count : tuple of int
        Beats behind each.
    """

    odds: tuple[float, ...] = (0.0,) * FAMILIES
    count: tuple[int, ...] = (0,) * FAMILIES


@dataclass(frozen=True, slots=True)
class TypingState:
    """What is remembered of one patient."""

    patient: Patient
    opinions: Opinions


def begin(leads: int) -> TypingState:
    """Return the state before the first beat."""
    return TypingState(beat_features.begin(leads), Opinions())


def step(
    typer: BeatTyper, state: TypingState, piece: FloatArray, valid: BoolArray, rr: float | None
) -> tuple[BeatType, TypingState]:
    """Type one beat; the arguments after the state are those of `model.beats.features.measure`."""
    measured, patient = beat_features.measure(state.patient, piece, valid, rr)
    chances = typer.chances(measured.features[None])[0]
    kind, opinions = decide(state.opinions, chances, measured.joined, measured.founded)
    return kind if patient.beats > LEARNING else "Q", TypingState(patient, opinions)


def decide(opinions: Opinions, chances: FloatArray, joined: int, founded: bool) -> tuple[BeatType, Opinions]:
    """Make a type of the log chances of one beat and of what was thought of its family before.

    Parameters
    ----------
    opinions : Opinions
    chances : ndarray, shape (3,)
    joined, founded : int, bool
        As in `model.beats.features.Measured`.
    """
    mean, count = list(opinions.odds), list(opinions.count)
    if founded:
        mean[joined], count[joined] = 0.0, 0
    normal, supraventricular, ventricular = chances.tolist()
    odds = max(-MOST_OPINION, min(MOST_OPINION, ventricular - float(np.logaddexp(normal, supraventricular))))
    kind: BeatType
    if odds + FAMILY_SAY * mean[joined] * min(1.0, count[joined] / FAMILY_SURE) > 0:
        kind = "V"
    else:
        kind = "S" if supraventricular > normal else "N"
    count[joined] += 1
    mean[joined] += max(1 / count[joined], FAMILY_RATE) * (odds - mean[joined])
    return kind, Opinions(tuple(mean), tuple(count))


def save(path: Path, typer: BeatTyper) -> None:
    """Write the networks; the file is there whole or not at all.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    tensors = {"mean": typer.mean, "scale": typer.scale, "lean": typer.lean}
    tensors |= {f"weight{i}": value for i, value in enumerate(typer.weights)}
    tensors |= {f"bias{i}": value for i, value in enumerate(typer.biases)}
    header = {"format": FORMAT, "features": json.dumps(NAMES), "provenance": json.dumps(typer.provenance)}
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: np.ascontiguousarray(value, "<f4") for name, value in tensors.items()}, part, metadata=header)
        part.replace(path)
    except (OSError, SafetensorError) as error:
        raise StorageError(f"cannot write the weights to {path}: {error}") from error


def load_typer(path: Path | None = None) -> BeatTyper:
    """Read networks, by default those that come with the package.

    Raises
    ------
    CheckpointError
        The file is missing, damaged, or made for other features.
    """
    path = path or SHIPPED
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name).astype(np.float64) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise CheckpointError(f"no weights of beat typing at {path}: give another file, or train them anew") from None
    except (OSError, SafetensorError) as error:
        text = " ".join(str(error).split())[:120]
        raise CheckpointError(f"the weights in {path} cannot be read ({text}): give another file") from error
    try:
        return _assemble(header, tensors)
    except (KeyError, TypeError, ValueError) as error:
        text = " ".join(str(error).split())[:120]
        raise CheckpointError(f"{path} holds no beat typing of this version ({text}): give another file") from error


def _assemble(header: Mapping[str, str], tensors: Mapping[str, FloatArray]) -> BeatTyper:
    if header.get("format") != FORMAT or tuple(json.loads(header["features"])) != NAMES:
        raise ValueError("made for other features")
    if not all(np.isfinite(value).all() for value in tensors.values()):
        raise ValueError("not all finite")
    layers = range(sum(name.startswith("weight") for name in tensors))
    typer = BeatTyper(
        tensors["mean"],
        tensors["scale"],
        tuple(tensors[f"weight{i}"] for i in layers),
        tuple(tensors[f"bias{i}"] for i in layers),
        tensors["lean"],
        dict(json.loads(header["provenance"])),
    )
    if not layers or typer.chances(np.zeros((1, len(NAMES)))).shape != (1, len(TYPES)):
        raise ValueError("layers that do not fit each other")
    return typer
