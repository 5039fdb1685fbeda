"""Training examples of the beat classifier: features of detected beats, recorded and augmented.

Beats are those of our own detector, so that the classifier is trained on its R peaks and its false detections. A false
detection is labelled normal, since it is not an ectopic beat.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model.beats import features as beat_features
from model.beats import qrs_detector
from model.beats.classifier import TYPES
from model.beats.features import NAMES
from model.console.progress import track
from model.datasets.annotated_signal import load_annotated
from model.datasets.reference import Reference
from model.evaluation import ec57_beats
from model.signal.arrays import Float32Array, IntArray
from model.signal.gaps import fill_gaps
from model.signal.intake import strides_of
from model.training.augment_beats import SHORTEST_RR, UNLABELLED, N, RecordBeats, TrainingBeat, augment
from stream.records.catalog import Catalog
from stream.timebase import FS


@dataclass(frozen=True)
class Examples:
    """Features, shapes and labels of consecutive beats.

    Attributes
    ----------
    features : ndarray of float32, shape (k, features)
    shapes : ndarray of float32, shape (k, leads, 2, BINS)
        Of the beats and of the narrow beat, see `model.beats.beat_network.condense`.
    type : ndarray of int64, shape (k,)
        Index into TYPES, or UNLABELLED.
    """

    features: Float32Array
    shapes: Float32Array
    type: IntArray


@dataclass(frozen=True)
class Patient:
    """Examples of one record.

    Attributes
    ----------
    recorded : Examples
        The detected beats, all leads.
    others : tuple of Examples
        The beats detected in the first lead alone, and the augmented ones.
    index : ndarray of int64
        R peaks of the detected beats.
    reference : Reference
    n : int
        Samples of the record.
    """

    recorded: Examples
    others: tuple[Examples, ...]
    index: IntArray
    reference: Reference
    n: int


def prepare(names: Sequence[str], augmented: Sequence[str], seed: int, catalog: Catalog | None) -> dict[str, Patient]:
    """Detect the beats of records, augment those of some, and compute their features, with progress.

    Parameters
    ----------
    names, augmented : sequence of str
        Records, such as ``mitdb/101``, and those of them that are augmented.
    seed : int
    catalog : Catalog or None

    Raises
    ------
    RecordError
        A record cannot be found or has no annotations.
    """
    found, references = {}, {}
    for name in track(names, "detecting beats"):
        found[name], references[name] = detect(name, catalog)
    changed = dict(zip(augmented, augment([found[name] for name in augmented], seed), strict=True))
    patients = {}
    for name in track(names, "computing features"):
        recorded = found[name]
        first_lead, _ = detect(name, catalog, leads=1)
        patients[name] = Patient(
            recorded=examples_of(_consecutive(recorded)),
            others=tuple(map(examples_of, (_consecutive(first_lead), *changed.get(name, {}).values()))),
            index=recorded.index,
            reference=references[name],
            n=len(recorded.mv),
        )
    return patients


def detect(name: str, catalog: Catalog | None, leads: int | None = None) -> tuple[RecordBeats, Reference]:
    """Return the beats detected in the first leads of a record, labelled by the reference, and the reference."""
    record = load_annotated(name, catalog)
    recorded = record.mv[:, :leads]
    mv, _ = fill_gaps(recorded, np.zeros(recorded.shape[1]))
    reference = record.reference.outside_flutter()
    beats, _ = qrs_detector.step(qrs_detector.begin(0, mv.shape[1]), strides_of(recorded))
    index = np.array([beat.index for beat in beats], np.int64)
    label = np.full(len(index), N)
    for i, j in ec57_beats.match(reference.sample, index):
        if i is not None and j is not None:
            label[j] = TYPES.index(reference.label[i]) if reference.label[i] in TYPES else UNLABELLED
    for first, stop in reference.flutter:
        label[(index >= first) & (index <= stop)] = UNLABELLED
    inside = (index >= FS) & (index < len(mv) - FS)
    return RecordBeats(mv, index[inside], label[inside]), reference


def _consecutive(recorded: RecordBeats) -> Iterator[TrainingBeat]:
    for k, (at, kind) in enumerate(zip(recorded.index, recorded.type, strict=True)):
        yield TrainingBeat(recorded.piece(int(at)), recorded.rr(k), int(kind))


def examples_of(beats: Iterable[TrainingBeat]) -> Examples:
    """Return the features of consecutive beats."""
    rows, shapes, kinds = [], [], []
    state = None
    for beat in beats:
        leads = beat.piece.shape[1]
        state = state or beat_features.begin(leads)
        rr = None if beat.rr is None else max(beat.rr, SHORTEST_RR)
        measured, state = beat_features.measure(state, beat.piece, np.ones(leads, np.bool_), rr)
        rows.append(measured.features[0])
        shapes.append(measured.shapes[0].astype(np.float32))
        kinds.append(beat.type)
    features = np.array(rows, np.float32).reshape(-1, len(NAMES))
    return Examples(features, np.array(shapes, np.float32), np.array(kinds, np.int64))
