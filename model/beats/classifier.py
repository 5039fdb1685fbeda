"""Beat classifier: normal, supraventricular ectopic or ventricular ectopic.

Networks that carry a state along the beats of a patient (`model.beats.beat_network`) classify each beat from its
features and its shape. During the learning period of the patient's normal beat no type is reported.

An ensemble of the features without the narrow beat decides between normal and supraventricular while it takes many
beats for supraventricular: where most beats are atrial, the narrow beat is an ectopic one, so that relative to it the
ectopic beats are normal. `model.beats.type_decision` decides which of them, and how much evidence is required.

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

from model.beats import beat_network, ensemble, type_decision
from model.beats import features as beat_features
from model.beats.beat import KINDS, UNKNOWN
from model.beats.beat_network import BeatNetwork
from model.beats.ensemble import Ensemble
from model.beats.features import FAMILY_NAMES, NAMES, Measured, Patient
from model.beats.type_decision import PastDecisions, decide
from model.signal import weights_file
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.compiled import compiled
from stream.errors import WeightsError
from stream.wire.messages import BeatType

FORMAT = "bedside-beat-types-3"
"""Format identifier in the header of a weights file."""

SHIPPED = Path(__file__).parents[1] / "weights" / "beat_types.safetensors"
"""Weights file in the package."""

TYPES: Final[tuple[BeatType, ...]] = KINDS[:UNKNOWN]
"""Beat types, in the order of the network outputs: N, S and V."""

LEARNING_BEATS = 10
"""Beats of a patient before the first classified one; they are reported as Q."""


@dataclass(frozen=True)
class BeatClassifier:
    """The networks along the beats, and the second ensemble.

    Attributes
    ----------
    main : BeatNetwork
        Of all features and of the shapes.
    atrial : Ensemble
        Of `features.FAMILY_NAMES`; decides between N and S while many beats are S to it.
    provenance : dict
        Training records, seed, settings, scores and versions, from the header of the weights file.
    """

    main: BeatNetwork
    atrial: Ensemble
    provenance: dict[str, Any]

    def tensors(self) -> dict[str, FloatArray]:
        """Return all arrays by name, as a weights file holds them."""
        return beat_network.tensors(self.main) | ensemble.tensors(self.atrial, "atrial")

    def types(self, features: FloatArray, shapes: FloatArray) -> list[BeatType]:
        """Return the types of consecutive beats of a patient, from the first one on, all leads valid.

        Parameters
        ----------
        features : ndarray of float64, shape (n, len(NAMES))
        shapes : ndarray of float64, shape (n, leads, 2, BINS)
            As in `model.beats.features.Measured`.
        """
        kinds = np.empty(len(features), np.int64)
        states, past, valid = beat_network.begin(), type_decision.begin(), np.ones(shapes.shape[1], np.bool_)
        _classify_patient(self.main, self.atrial, states, past, features, shapes, valid, kinds)
        return [TYPES[kind] for kind in kinds]


class ClassifierState(NamedTuple):
    """State of the classifier; columns over beds.

    Attributes
    ----------
    patient : Patient
    states : ndarray of float64, shape (beds, MEMBERS, UNITS)
        Of the networks.
    past : PastDecisions
    """

    patient: Patient
    states: FloatArray
    past: PastDecisions


def begin(leads: int) -> ClassifierState:
    """Return the state of one bed before the first beat."""
    return ClassifierState(beat_features.begin(leads), beat_network.begin(), type_decision.begin())


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
    main, atrial = beat_classifier.main, beat_classifier.atrial
    _classify(main, atrial, state.states, state.past, slots, measured, valid, kind)
    return kind


@compiled
def _classify(
    main: BeatNetwork,
    atrial: Ensemble,
    states: FloatArray,
    past: PastDecisions,
    slots: IntArray,
    measured: Measured,
    valid: BoolArray,
    kind: IntArray,
) -> None:
    """Write the type of each measured beat into ``kind``, and update the state in place."""
    for row in range(len(slots)):
        if measured.beats[row] > 0:
            slot, features = slots[row], measured.features[row]
            by_main = beat_network.log_probabilities(main, states[slot], features, measured.shapes[row], valid[row])
            found = decide(past, slot, by_main, ensemble.log_probabilities(atrial, features))
            kind[row] = found if measured.beats[row] > LEARNING_BEATS else UNKNOWN


@compiled
def _classify_patient(
    main: BeatNetwork,
    atrial: Ensemble,
    states: FloatArray,
    past: PastDecisions,
    features: FloatArray,
    shapes: FloatArray,
    valid: BoolArray,
    kind: IntArray,
) -> None:
    """Write the types of consecutive beats of one patient into ``kind``, and update the state in place."""
    for row in range(len(features)):
        by_main = beat_network.log_probabilities(main, states[0], features[row], shapes[row], valid)
        kind[row] = decide(past, 0, by_main, ensemble.log_probabilities(atrial, features[row]))


def save(path: Path, beat_classifier: BeatClassifier) -> None:
    """Write the weights file atomically.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    header = {"format": FORMAT, "features": json.dumps(NAMES), "provenance": json.dumps(beat_classifier.provenance)}
    arrays = {name: np.ascontiguousarray(value, "<f4") for name, value in beat_classifier.tensors().items()}
    weights_file.write(path, arrays, header)


def load_classifier(path: Path | None = None) -> BeatClassifier:
    """Read a weights file, by default the one in the package.

    Raises
    ------
    WeightsError
        The file is missing, damaged, or was written for other features.
    """
    path = path or SHIPPED
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name).astype(np.float64) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise WeightsError(f"no beat classifier weights at {path}: give another file, or train them again") from None
    except (OSError, SafetensorError) as error:
        text = " ".join(str(error).split())[:120]
        raise WeightsError(f"the weights in {path} cannot be read ({text}): give another file") from error
    try:
        return _assemble(header, tensors)
    except (KeyError, TypeError, ValueError) as error:
        text = " ".join(str(error).split())[:120]
        raise WeightsError(f"{path} is not a beat classifier of this version ({text}): give another file") from error


def _assemble(header: Mapping[str, str], tensors: Mapping[str, FloatArray]) -> BeatClassifier:
    if header.get("format") != FORMAT or tuple(json.loads(header["features"])) != NAMES:
        raise ValueError("written for other features")
    if not all(np.isfinite(value).all() for value in tensors.values()):
        raise ValueError("values that are not finite")
    return BeatClassifier(
        beat_network.assemble(tensors, len(NAMES), len(TYPES)),
        ensemble.assemble(tensors, "atrial", len(FAMILY_NAMES), len(TYPES)),
        dict(json.loads(header["provenance"])),
    )
