"""Normal family, features and classification on synthetic beats of known type."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from model.beats import classifier, templates
from model.beats import features as beat_features
from model.beats.beat import KINDS
from model.beats.classifier import LEARNING_BEATS, BeatClassifier, ClassifierState, load_classifier
from model.beats.features import NAMES, Patient
from model.beats.templates import PIECE_AFTER, PIECE_BEFORE
from model.signal.arrays import FloatArray
from model.signal.columns import copied
from stream.errors import WeightsError

TIME = (np.arange(-PIECE_BEFORE, PIECE_AFTER + 1) / 360)[:, None]
BOTH = np.ones(2, np.bool_)
EVEN = np.array([0.5, 0.5])


load_shipped = cache(load_classifier)


def wave(feature: float, width: float, height: float) -> FloatArray:
    return height * np.exp(-0.5 * ((TIME - feature) / width) ** 2)


def normal(rng: np.random.Generator, leads: int = 2) -> FloatArray:
    """Return a normal beat: P wave, narrow QRS complex, start of the T wave."""
    beat = wave(-0.16, 0.02, 0.15) + wave(0, 0.012, 1.2) - wave(0.03, 0.01, 0.3) + wave(0.25, 0.05, 0.3)
    return beat * np.array([1.0, 0.6])[:leads] + rng.normal(0, 0.01, (len(TIME), leads))


def ventricular(rng: np.random.Generator, leads: int = 2) -> FloatArray:
    """Return a ventricular beat: no P wave, broad and inverted."""
    beat = wave(0.02, 0.045, -1.5) + wave(0.2, 0.05, 0.6)
    return beat * np.array([1.0, -0.8])[:leads] + rng.normal(0, 0.01, (len(TIME), leads))


def patient_of(beats: list[tuple[FloatArray, float | None]]) -> Patient:
    patient = beat_features.begin(beats[0][0].shape[1])
    for piece, rr in beats:
        _, patient = beat_features.measure(patient, piece, np.ones(piece.shape[1], np.bool_), rr)
    return patient


def matches_normal(patient: Patient, piece: FloatArray) -> bool:
    """Return whether a beat matches the patient's normal beat."""
    families, smoothed, by_lead = patient.families, templates.smooth(piece), np.empty(2)
    template = families.filter[0, templates.normal_family(families, 0)]
    correlation, _ = templates.match(template, smoothed, templates.window_norms(smoothed), EVEN, by_lead)
    return correlation > 0.95


def classify(beats: list[tuple[FloatArray, float | None]]) -> list[str]:
    state = classifier.begin(beats[0][0].shape[1])
    return [push(state, piece, math.nan if rr is None else rr) for piece, rr in beats]


def push(state: ClassifierState, piece: FloatArray, rr: float) -> str:
    """Push a beat, in place, and return its type."""
    valid, slots = np.ones((1, piece.shape[1]), np.bool_), np.zeros(1, np.int64)
    (kind,) = classifier.push_beats(load_shipped(), state, slots, piece[None], valid, np.array([rr]))
    return KINDS[kind]


def test_the_normal_beat_is_learnt_in_a_bigeminy_from_the_first_beat() -> None:
    rng = np.random.default_rng(1)
    patient = patient_of([(ventricular(rng), 200.0) if i % 2 == 0 else (normal(rng), 400.0) for i in range(40)])
    assert matches_normal(patient, normal(rng))
    assert not matches_normal(patient, ventricular(rng))


def test_a_permanent_change_of_the_normal_beat_is_learnt() -> None:
    rng = np.random.default_rng(2)
    patient = patient_of([(normal(rng), 300.0)] * 60 + [(ventricular(rng), 300.0) for _ in range(400)])
    assert matches_normal(patient, ventricular(rng))


def test_a_beat_after_a_gap_does_not_become_the_normal_one() -> None:
    rng = np.random.default_rng(10)
    patient = patient_of([*[(normal(rng), 300.0)] * 40, (ventricular(rng), 1400.0), (normal(rng), 300.0)])
    assert matches_normal(patient, normal(rng))


def test_a_shifted_r_peak_does_not_change_the_correlation() -> None:
    rng = np.random.default_rng(3)
    patient = patient_of([(normal(rng), 300.0) for _ in range(20)])
    centred, _ = beat_features.measure(patient, normal(rng), BOTH, 300.0)
    shifted, _ = beat_features.measure(patient, np.roll(normal(rng), 8, axis=0), BOTH, 300.0)
    feature = NAMES.index("likeness.normal")
    assert centred.features[0, feature] > 0.99
    assert shifted.features[0, feature] > 0.97


def test_an_invalid_lead_is_not_used() -> None:
    rng = np.random.default_rng(4)
    patient = patient_of([(normal(rng), 300.0) for _ in range(20)])
    piece = normal(rng)
    piece[:, 1] = 0.0
    measured, after = beat_features.measure(patient, piece, np.array([True, False]), 300.0)
    assert measured.features[0, NAMES.index("likeness.normal")] > 0.99
    normal_family = templates.normal_family(after.families, 0)
    before = patient.families.shape[0, normal_family]
    np.testing.assert_array_equal(after.families.shape[0, normal_family, 1], before[1])
    assert (after.families.shape[0, normal_family, 0] != before[0]).any()


@pytest.mark.parametrize("leads", [1, 2])
def test_normal_and_ventricular_beats_are_distinguished(leads: int) -> None:
    rng = np.random.default_rng(6)
    beats: list[tuple[FloatArray, float | None]] = []
    expected = []
    for i in range(80):
        ectopic = i > 20 and i % 8 == 0
        rr = 190.0 if ectopic else 410.0 if i > 21 and i % 8 == 1 else 300.0 + rng.normal(0, 5)
        beats.append((ventricular(rng, leads) if ectopic else normal(rng, leads), rr if i else None))
        expected.append("V" if ectopic else "N")
    types = classify(beats)
    assert types[:LEARNING_BEATS] == ["Q"] * LEARNING_BEATS
    assert types[LEARNING_BEATS:] == expected[LEARNING_BEATS:]


def test_irregular_narrow_beats_are_not_classified_as_supraventricular() -> None:
    rng = np.random.default_rng(7)
    without_p = [normal(rng) - wave(-0.16, 0.02, 0.15) * [1.0, 0.6] for _ in range(120)]
    types = classify([(piece, float(np.exp(rng.normal(5.5, 0.2)))) for piece in without_p])
    assert types[40:].count("S") <= 4
    assert "V" not in types[40:]


def test_weights_survive_writing_and_reading(tmp_path: Path) -> None:
    beat_classifier = load_classifier()
    classifier.save(tmp_path / "copy.safetensors", beat_classifier)
    restored = load_classifier(tmp_path / "copy.safetensors")
    before, after = beat_classifier.tensors(), restored.tensors()
    assert before.keys() == after.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)
    assert restored.provenance == beat_classifier.provenance


def test_shipped_weights_contain_their_provenance() -> None:
    provenance = load_classifier().provenance
    assert len(provenance["trained_on"]) == 60
    assert not {"mitdb/201", "mitdb/208", "mitdb/202"} & set(provenance["trained_on"])
    assert provenance["seed"] == 42


@pytest.mark.parametrize("defect", ["missing", "damaged", "of other features", "not finite"])
def test_bad_weights_end_in_one_line(tmp_path: Path, defect: str) -> None:
    path = tmp_path / "weights.safetensors"
    beat_classifier: BeatClassifier = load_classifier()
    if defect == "damaged":
        path.write_bytes(b"no weights")
    elif defect == "of other features":
        main = beat_classifier.main._replace(mean=beat_classifier.main.mean[1:])
        classifier.save(path, replace(beat_classifier, main=main))
    elif defect == "not finite":
        main = beat_classifier.main._replace(class_bias=np.array([0.0, np.nan, 0.0]))
        classifier.save(path, replace(beat_classifier, main=main))
    with pytest.raises(WeightsError, match="give another file"):
        load_classifier(path)


def test_the_types_of_all_beats_at_once_are_those_of_one_after_the_other() -> None:
    rng, state, patient = np.random.default_rng(11), classifier.begin(2), beat_features.begin(2)
    single, measured = [], []
    for i in range(60):
        piece, rr = (ventricular(rng), 200.0) if i % 7 == 6 else (normal(rng), 300.0)
        single.append(push(state, piece, rr))
        row, patient = beat_features.measure(patient, piece, BOTH, rr)
        measured.append(row)
    features, shapes = (np.concatenate([getattr(row, name) for row in measured]) for name in ("features", "shapes"))
    types = load_shipped().types(features, shapes)
    assert types[LEARNING_BEATS:] == single[LEARNING_BEATS:]
    assert single.count("V") > 4


def test_the_result_depends_only_on_the_state() -> None:
    rng = np.random.default_rng(9)
    state = classifier.begin(2)
    for _ in range(15):
        push(state, normal(rng), 300.0)
    piece, same = ventricular(rng), copied(state)
    assert push(state, piece, 200.0) == "V"
    push(state, normal(rng), 300.0)
    assert push(same, piece, 200.0) == "V"
