"""Beat classifier: normal, supraventricular ectopic or ventricular ectopic.

An ensemble of small networks classifies the features of one beat. The ventricular log odds of earlier beats of the same
template family (`model.beats.templates`) are added with a weight. During the learning period of the patient's normal
beat no type is reported.

A second ensemble, of the features without the narrow beat, decides between normal and supraventricular while it takes
many beats for supraventricular: where most beats are atrial, the narrow beat is an ectopic one, so that relative to it
the ectopic beats are normal.

`model.training.train_beat_classifier` trains the weights. Beats are classified before the next one is detected, so the
following RR interval (compensatory pause) is not a feature.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open

from model.beats import ensemble
from model.beats import features as beat_features
from model.beats.beat import KINDS, UNKNOWN
from model.beats.ensemble import Ensemble
from model.beats.features import FAMILY_NAMES, NAMES, Measured, Patient
from model.beats.templates import MAX_FAMILIES
from model.signal import weights_file
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.columns import copied
from model.signal.compiled import compiled
from stream.errors import CheckpointError
from stream.wire.messages import BeatType

FORMAT = "bedside-beat-types-2"
"""Format identifier in the header of a weights file."""

SHIPPED = Path(__file__).parents[1] / "weights" / "beat_types.safetensors"
"""Weights file in the package."""

TYPES: Final[tuple[BeatType, ...]] = KINDS[:UNKNOWN]
"""Beat types, in the order of the network outputs: N, S and V."""

LEARNING_BEATS = 10
"""Beats of a patient before the first classified one; they are reported as Q."""

FAMILY_WEIGHT, FAMILY_RATE, FAMILY_BEATS = 0.5, 0.04, 5
"""Weight of the family's mean log odds, smallest share of a new beat in that mean, and number of beats at which the
full weight applies."""

MAX_LOG_ODDS = 6.0
"""Limit at which the ventricular log odds of one beat are clipped."""

ATRIAL_SHARE, ATRIAL_BEATS = 0.4, 100
"""Share of supraventricular beats from which the second ensemble decides, and beats over which it is averaged."""


@dataclass(frozen=True)
class BeatClassifier:
    """The two ensembles.

    Attributes
    ----------
    main : Ensemble
        Of all features.
    atrial : Ensemble
        Of `features.FAMILY_NAMES`; decides between N and S while many beats are S to it.
    provenance : dict
        Training records, seed, settings, scores and versions, from the header of the weights file.
    """

    main: Ensemble
    atrial: Ensemble
    provenance: dict[str, Any]

    def log_probabilities(self, features: FloatArray) -> FloatArray:
        """Return the log probabilities by both ensembles, shape (n, 2, 3).

        Parameters
        ----------
        features : ndarray of float64, shape (n, len(NAMES))
        """
        return _log_probabilities(self.main, self.atrial, np.ascontiguousarray(features))


class FamilyOdds(NamedTuple):
    """What the earlier beats of patients were to the ensembles; columns over beds.

    Attributes
    ----------
    log_odds : ndarray of float64, shape (beds, MAX_FAMILIES)
        Mean log odds of a ventricular beat in each template family.
    beats : ndarray of int64, shape (beds, MAX_FAMILIES)
        Number of beats in each mean.
    atrial : ndarray of float64, shape (beds,)
        Share of the last beats that are supraventricular to the second ensemble.
    """

    log_odds: FloatArray
    beats: IntArray
    atrial: FloatArray


class ClassifierState(NamedTuple):
    """State of the classifier; columns over beds."""

    patient: Patient
    family_odds: FamilyOdds


def begin(leads: int) -> ClassifierState:
    """Return the state of one bed before the first beat."""
    return ClassifierState(beat_features.begin(leads), begin_odds())


def begin_odds() -> FamilyOdds:
    """Return the odds of one bed before the first beat."""
    return FamilyOdds(np.zeros((1, MAX_FAMILIES)), np.zeros((1, MAX_FAMILIES), np.int64), np.zeros(1))


def decide(
    family_odds: FamilyOdds, log_probabilities: FloatArray, family: int, new_family: bool
) -> tuple[BeatType, FamilyOdds]:
    """Return the type of one beat, from its log probabilities and the log odds of its family, and the updated odds.

    Parameters
    ----------
    family_odds : FamilyOdds
        Of one bed.
    log_probabilities : ndarray, shape (2, 3)
        Log probabilities of N, S and V, by both ensembles.
    family, new_family : int, bool
        As in `model.beats.features.Measured`.
    """
    family_odds = copied(family_odds)
    kind = _decide(family_odds, 0, log_probabilities[0], log_probabilities[1], family, new_family)
    return TYPES[kind], family_odds


@compiled
def _log_probabilities(main: Ensemble, atrial: Ensemble, features: FloatArray) -> FloatArray:
    result = np.empty((len(features), 2, len(TYPES)))
    for i in range(len(features)):
        result[i, 0] = ensemble.log_probabilities(main, features[i])
        result[i, 1] = ensemble.log_probabilities(atrial, features[i])
    return result


def push_beats(
    beat_classifier: BeatClassifier,
    state: ClassifierState,
    slots: IntArray,
    piece: FloatArray,
    valid: BoolArray,
    rr: FloatArray,
) -> IntArray:
    """Return the types of beats, and update the state in place.

    The last four arguments are those of `model.beats.features.push_beats`.

    Returns
    -------
    ndarray of int64, shape (n,)
        Index in `model.beats.beat.KINDS`; unknown for a beat without a valid lead, and while the patient is learnt.
    """
    kind = np.full(len(slots), UNKNOWN)
    measured = beat_features.push_beats(state.patient, slots, piece, valid, rr)
    _classify(beat_classifier.main, beat_classifier.atrial, state.family_odds, slots, measured, kind)
    return kind


@compiled
def _classify(
    main: Ensemble, atrial: Ensemble, family_odds: FamilyOdds, slots: IntArray, measured: Measured, kind: IntArray
) -> None:
    """Write the type of each measured beat into ``kind``, and update the odds in place."""
    for row in range(len(slots)):
        if measured.beats[row] > 0:
            by_main = ensemble.log_probabilities(main, measured.features[row])
            by_atrial = ensemble.log_probabilities(atrial, measured.features[row])
            family, new_family = measured.family[row], measured.new_family[row]
            found = _decide(family_odds, slots[row], by_main, by_atrial, family, new_family)
            kind[row] = found if measured.beats[row] > LEARNING_BEATS else UNKNOWN


@compiled
def _decide(
    family_odds: FamilyOdds, slot: int, by_main: FloatArray, by_atrial: FloatArray, family: int, new_family: bool
) -> int:
    """Return the index in TYPES of one beat of a bed, and update the odds in place; see `decide`."""
    mean, beats = family_odds.log_odds[slot], family_odds.beats[slot]
    if new_family:
        mean[family], beats[family] = 0.0, 0
    log_odds = by_main[2] - np.logaddexp(by_main[0], by_main[1])
    log_odds = max(-MAX_LOG_ODDS, min(MAX_LOG_ODDS, log_odds))
    atrial_supraventricular = by_atrial[1] > by_atrial[0]
    if log_odds + FAMILY_WEIGHT * mean[family] * min(1.0, beats[family] / FAMILY_BEATS) > 0:
        kind = 2
    elif family_odds.atrial[slot] > ATRIAL_SHARE:
        kind = int(atrial_supraventricular)
    else:
        kind = int(by_main[1] > by_main[0])
    beats[family] += 1
    mean[family] += max(1 / beats[family], FAMILY_RATE) * (log_odds - mean[family])
    family_odds.atrial[slot] += (atrial_supraventricular - family_odds.atrial[slot]) / ATRIAL_BEATS
    return kind


def save(path: Path, beat_classifier: BeatClassifier) -> None:
    """Write the weights file atomically.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    tensors = ensemble.tensors(beat_classifier.main, "main") | ensemble.tensors(beat_classifier.atrial, "atrial")
    header = {"format": FORMAT, "features": json.dumps(NAMES), "provenance": json.dumps(beat_classifier.provenance)}
    arrays = {name: np.ascontiguousarray(value, "<f4") for name, value in tensors.items()}
    weights_file.write(path, arrays, header)


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
    return BeatClassifier(
        ensemble.assemble(tensors, "main", len(NAMES), len(TYPES)),
        ensemble.assemble(tensors, "atrial", len(FAMILY_NAMES), len(TYPES)),
        dict(json.loads(header["provenance"])),
    )
