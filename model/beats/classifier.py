"""Beat classifier: normal, supraventricular ectopic or ventricular ectopic.

An ensemble of small networks classifies the features of one beat. The ventricular log odds of earlier beats of the same
template family (`model.beats.templates`) are added with a weight. During the learning period of the patient's normal
beat no type is reported.

Inference uses numpy only; `model.training.train_beat_classifier` trains the weights. Beats are classified before the
next one is detected, so the following RR interval (compensatory pause) is not a feature.
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
from model.beats.templates import MAX_FAMILIES
from model.signal.arrays import BoolArray, FloatArray
from stream.errors import CheckpointError, StorageError
from stream.wire.messages import BeatType

FORMAT = "bedside-beat-types-1"
"""Format identifier in the header of a weights file."""

SHIPPED = Path(__file__).parents[1] / "weights" / "beat_types.safetensors"
"""Weights file in the package."""

TYPES: Final[tuple[BeatType, ...]] = ("N", "S", "V")
"""Beat types, in the order of the network outputs."""

LEARNING_BEATS = 10
"""Beats of a patient before the first classified one; they are reported as Q."""

NORMAL = NAMES.index("likeness.normal")
"""Index of the feature that is the correlation with the patient's normal beat."""

MAX_DEVIATION = 4.0
"""Limit at which normalized features are clipped, standard deviations."""

FAMILY_WEIGHT, FAMILY_RATE, FAMILY_BEATS = 0.5, 0.04, 5
"""Weight of the family's mean log odds, smallest share of a new beat in that mean, and number of beats at which the
full weight applies."""

MAX_LOG_ODDS = 6.0
"""Limit at which the ventricular log odds of one beat are clipped."""


@dataclass(frozen=True)
class BeatClassifier:
    """Ensemble of networks.

    Attributes
    ----------
    mean, scale : ndarray, shape (features,)
        Mean and scale of the features in training.
    weights, biases : tuple of ndarray, shapes (members, in, out) and (members, 1, out)
        One pair per layer.
    class_bias : ndarray, shape (3,)
        Added to the log probabilities: corrects for the frequency of each type in the training set.
    provenance : dict
        Training records, seed, settings, scores and versions, from the header of the weights file.
    """

    mean: FloatArray
    scale: FloatArray
    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    class_bias: FloatArray
    provenance: dict[str, Any]

    def log_probabilities(self, features: FloatArray) -> FloatArray:
        """Return the log probabilities of N, S and V plus ``class_bias``, shape (n, 3).

        Parameters
        ----------
        features : ndarray, shape (n, features)
        """
        x = np.clip((features - self.mean) / self.scale, -MAX_DEVIATION, MAX_DEVIATION)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = np.maximum(x @ weight + bias, 0.0)
        logits = x @ self.weights[-1] + self.biases[-1]
        logits = logits - logits.max(axis=2, keepdims=True)
        logits = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
        return np.asarray(logits.mean(axis=0) + self.class_bias)


@dataclass(frozen=True, slots=True)
class FamilyOdds:
    """Ventricular log odds of a patient's template families.

    Attributes
    ----------
    log_odds : tuple of float
        Mean log odds of a ventricular beat in each family.
    count : tuple of int
        Number of beats in each mean.
    """

    log_odds: tuple[float, ...] = (0.0,) * MAX_FAMILIES
    count: tuple[int, ...] = (0,) * MAX_FAMILIES


@dataclass(frozen=True, slots=True)
class ClassifierState:
    """State of the classifier for one patient."""

    patient: Patient
    family_odds: FamilyOdds


def begin(leads: int) -> ClassifierState:
    """Return the state before the first beat."""
    return ClassifierState(beat_features.begin(leads), FamilyOdds())


def step(
    beat_classifier: BeatClassifier, state: ClassifierState, piece: FloatArray, valid: BoolArray, rr: float | None
) -> tuple[BeatType, float, ClassifierState]:
    """Classify one beat; the arguments after the state are those of `model.beats.features.measure`.

    Returns
    -------
    kind : str
        ``N``, ``S`` or ``V``; ``Q`` during the learning period.
    normal : float
        Correlation with the patient's normal beat, -1 to 1.
    state : ClassifierState
    """
    measured, patient = beat_features.measure(state.patient, piece, valid, rr)
    log_probabilities = beat_classifier.log_probabilities(measured.features[None])[0]
    kind, family_odds = decide(state.family_odds, log_probabilities, measured.family, measured.new_family)
    normal = float(measured.features[NORMAL])
    return kind if patient.beats > LEARNING_BEATS else "Q", normal, ClassifierState(patient, family_odds)


def decide(
    family_odds: FamilyOdds, log_probabilities: FloatArray, family: int, new_family: bool
) -> tuple[BeatType, FamilyOdds]:
    """Return the type of one beat, from its log probabilities and the log odds of its family, and the updated odds.

    Parameters
    ----------
    family_odds : FamilyOdds
    log_probabilities : ndarray, shape (3,)
        Log probabilities of N, S and V.
    family, new_family : int, bool
        As in `model.beats.features.Measured`.
    """
    mean, count = list(family_odds.log_odds), list(family_odds.count)
    if new_family:
        mean[family], count[family] = 0.0, 0
    normal, supraventricular, ventricular = log_probabilities.tolist()
    log_odds = max(-MAX_LOG_ODDS, min(MAX_LOG_ODDS, ventricular - float(np.logaddexp(normal, supraventricular))))
    kind: BeatType
    if log_odds + FAMILY_WEIGHT * mean[family] * min(1.0, count[family] / FAMILY_BEATS) > 0:
        kind = "V"
    else:
        kind = "S" if supraventricular > normal else "N"
    count[family] += 1
    mean[family] += max(1 / count[family], FAMILY_RATE) * (log_odds - mean[family])
    return kind, FamilyOdds(tuple(mean), tuple(count))


def save(path: Path, beat_classifier: BeatClassifier) -> None:
    """Write the weights file atomically.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    tensors = {"mean": beat_classifier.mean, "scale": beat_classifier.scale, "lean": beat_classifier.class_bias}
    tensors |= {f"weight{i}": value for i, value in enumerate(beat_classifier.weights)}
    tensors |= {f"bias{i}": value for i, value in enumerate(beat_classifier.biases)}
    header = {"format": FORMAT, "features": json.dumps(NAMES), "provenance": json.dumps(beat_classifier.provenance)}
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: np.ascontiguousarray(value, "<f4") for name, value in tensors.items()}, part, metadata=header)
        part.replace(path)
    except (OSError, SafetensorError) as error:
        raise StorageError(f"cannot write the weights to {path}: {error}") from error


def load_classifier(path: Path | None = None) -> BeatClassifier:
    """Read a weights file, by default the one in the package.

    Raises
    ------
    CheckpointError
        The file is missing, damaged, or was written for other features.
    """
    path = path or SHIPPED
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name).astype(np.float64) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise CheckpointError(f"no beat classifier weights at {path}: give another file, or train them again") from None
    except (OSError, SafetensorError) as error:
        text = " ".join(str(error).split())[:120]
        raise CheckpointError(f"the weights in {path} cannot be read ({text}): give another file") from error
    try:
        return _assemble(header, tensors)
    except (KeyError, TypeError, ValueError) as error:
        text = " ".join(str(error).split())[:120]
        raise CheckpointError(f"{path} is not a beat classifier of this version ({text}): give another file") from error


def _assemble(header: Mapping[str, str], tensors: Mapping[str, FloatArray]) -> BeatClassifier:
    if header.get("format") != FORMAT or tuple(json.loads(header["features"])) != NAMES:
        raise ValueError("written for other features")
    if not all(np.isfinite(value).all() for value in tensors.values()):
        raise ValueError("values that are not finite")
    layers = range(sum(name.startswith("weight") for name in tensors))
    beat_classifier = BeatClassifier(
        tensors["mean"],
        tensors["scale"],
        tuple(tensors[f"weight{i}"] for i in layers),
        tuple(tensors[f"bias{i}"] for i in layers),
        tensors["lean"],
        dict(json.loads(header["provenance"])),
    )
    if not layers or beat_classifier.log_probabilities(np.zeros((1, len(NAMES)))).shape != (1, len(TYPES)):
        raise ValueError("layers of inconsistent shapes")
    return beat_classifier
