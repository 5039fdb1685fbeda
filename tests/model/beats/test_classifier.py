"""The patient's own normal beat, and what the others are called, on beats made up so that the right answer is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.beats import classifier, templates
from model.beats import features as beat_features
from model.beats.classifier import LEARNING, BeatTyper, Opinions, TypingState, load_typer
from model.beats.features import NAMES, Patient
from model.beats.templates import PIECE_AFTER, PIECE_BEFORE
from model.signal.arrays import FloatArray
from stream.errors import CheckpointError

TIME = (np.arange(-PIECE_BEFORE, PIECE_AFTER + 1) / 360)[:, None]
BOTH = np.ones(2, np.bool_)


def wave(at: float, width: float, height: float) -> FloatArray:
    return height * np.exp(-0.5 * ((TIME - at) / width) ** 2)


def normal(rng: np.random.Generator, leads: int = 2) -> FloatArray:
    """Return a P wave, a narrow QRS complex, and the beginning of a T wave."""
    beat = wave(-0.16, 0.02, 0.15) + wave(0, 0.012, 1.2) - wave(0.03, 0.01, 0.3) + wave(0.25, 0.05, 0.3)
    return beat * np.array([1.0, 0.6])[:leads] + rng.normal(0, 0.01, (len(TIME), leads))


def broad(rng: np.random.Generator, leads: int = 2) -> FloatArray:
    """Return a beat without a P wave, broad and turned over."""
    beat = wave(0.02, 0.045, -1.5) + wave(0.2, 0.05, 0.6)
    return beat * np.array([1.0, -0.8])[:leads] + rng.normal(0, 0.01, (len(TIME), leads))


def patient_of(beats: list[tuple[FloatArray, float | None]]) -> Patient:
    patient = beat_features.begin(beats[0][0].shape[1])
    for piece, rr in beats:
        _, patient = beat_features.measure(patient, piece, np.ones(piece.shape[1], np.bool_), rr)
    return patient


def is_normal(patient: Patient, piece: FloatArray) -> bool:
    """Return whether a piece is like the patient's normal beat."""
    found = templates.match(patient.families, templates.smooth(piece), np.array([0.5, 0.5]))
    return bool(found.likeness[patient.families.normal] > 0.95)


def types_of(beats: list[tuple[FloatArray, float | None]]) -> list[str]:
    typer, state, types = load_typer(), classifier.begin(beats[0][0].shape[1]), []
    for piece, rr in beats:
        kind, state = classifier.step(typer, state, piece, np.ones(piece.shape[1], np.bool_), rr)
        types.append(kind)
    return types


def test_a_bigeminy_from_the_first_beat_on_does_not_teach_its_ectopic_beats() -> None:
    rng = np.random.default_rng(1)
    patient = patient_of([(broad(rng), 200.0) if i % 2 == 0 else (normal(rng), 400.0) for i in range(40)])
    assert is_normal(patient, normal(rng))
    assert not is_normal(patient, broad(rng))


def test_a_normal_beat_that_changes_for_good_is_learnt_anew() -> None:
    rng = np.random.default_rng(2)
    patient = patient_of([(normal(rng), 300.0)] * 60 + [(broad(rng), 300.0) for _ in range(400)])
    assert is_normal(patient, broad(rng))


def test_a_misplaced_r_peak_changes_nothing_of_the_shape() -> None:
    rng = np.random.default_rng(3)
    patient = patient_of([(normal(rng), 300.0) for _ in range(20)])
    there, _ = beat_features.measure(patient, normal(rng), BOTH, 300.0)
    beside, _ = beat_features.measure(patient, np.roll(normal(rng), 8, axis=0), BOTH, 300.0)
    at = NAMES.index("likeness.normal")
    assert there.features[at] > 0.99
    assert beside.features[at] > 0.97


def test_a_lead_that_fell_off_is_left_out() -> None:
    rng = np.random.default_rng(4)
    patient = patient_of([(normal(rng), 300.0) for _ in range(20)])
    piece = normal(rng)
    piece[:, 1] = 0.0
    measured, after = beat_features.measure(patient, piece, np.array([True, False]), 300.0)
    assert measured.features[NAMES.index("likeness.normal")] > 0.99
    kept = after.families.normal
    np.testing.assert_array_equal(after.families.shape[kept, 1], patient.families.shape[kept, 1])


def test_rhythms_that_repeat_are_predictable_and_fibrillation_is_not() -> None:
    rng = np.random.default_rng(5)
    trigeminy = np.log([300, 200, 420] * 7)
    fibrillation = rng.normal(5.6, 0.25, 21)
    assert beat_features.unpredictable(list(trigeminy)) < 0.01
    assert beat_features.unpredictable(list(fibrillation)) > 0.04


@pytest.mark.parametrize("leads", [1, 2])
def test_beats_are_told_apart(leads: int) -> None:
    rng = np.random.default_rng(6)
    beats: list[tuple[FloatArray, float | None]] = []
    expected = []
    for i in range(80):
        ectopic = i > 20 and i % 8 == 0
        rr = 190.0 if ectopic else 410.0 if i > 21 and i % 8 == 1 else 300.0 + rng.normal(0, 5)
        beats.append((broad(rng, leads) if ectopic else normal(rng, leads), rr if i else None))
        expected.append("V" if ectopic else "N")
    types = types_of(beats)
    assert types[:LEARNING] == ["Q"] * LEARNING
    assert types[LEARNING:] == expected[LEARNING:]


def test_irregular_narrow_beats_are_not_called_supraventricular() -> None:
    rng = np.random.default_rng(7)
    without_p = [normal(rng) - wave(-0.16, 0.02, 0.15) * [1.0, 0.6] for _ in range(120)]
    types = types_of([(piece, float(np.exp(rng.normal(5.5, 0.2)))) for piece in without_p])
    assert types[40:].count("S") <= 4
    assert "V" not in types[40:]


def test_a_family_that_looked_ventricular_has_a_say() -> None:
    doubtful = np.log([0.55, 0.01, 0.44])
    sure = np.log([0.02, 0.01, 0.97])
    opinions = Opinions()
    assert classifier.decide(opinions, doubtful, 3, True)[0] == "N"
    for _ in range(8):
        _, opinions = classifier.decide(opinions, sure, 3, False)
    assert classifier.decide(opinions, doubtful, 3, False)[0] == "V"
    assert classifier.decide(opinions, doubtful, 2, False)[0] == "N"
    assert classifier.decide(opinions, doubtful, 3, True)[0] == "N"  # a new family in its place


def test_weights_are_read_as_they_were_written(tmp_path: Path) -> None:
    typer = load_typer()
    classifier.save(tmp_path / "copy.safetensors", typer)
    again = load_typer(tmp_path / "copy.safetensors")
    features = np.random.default_rng(8).normal(size=(5, len(NAMES)))
    np.testing.assert_array_equal(again.chances(features), typer.chances(features))
    assert again.provenance == typer.provenance


def test_shipped_weights_say_where_they_come_from() -> None:
    provenance = load_typer().provenance
    assert len(provenance["trained_on"]) == 20
    assert not {"201", "208", "202"} & set(provenance["trained_on"])
    assert provenance["seed"] == 42


@pytest.mark.parametrize("what", ["missing", "damaged", "of other features", "not finite"])
def test_bad_weights_end_in_one_line(tmp_path: Path, what: str) -> None:
    path = tmp_path / "weights.safetensors"
    typer: BeatTyper = load_typer()
    if what == "damaged":
        path.write_bytes(b"no weights")
    elif what == "of other features":
        classifier.save(path, replace(typer, weights=(typer.weights[0][:, 1:], *typer.weights[1:])))
    elif what == "not finite":
        classifier.save(path, replace(typer, lean=np.array([0.0, np.nan, 0.0])))
    with pytest.raises(CheckpointError, match="give another file"):
        load_typer(path)


def test_nothing_is_remembered_but_the_state() -> None:
    rng = np.random.default_rng(9)
    typer, state = load_typer(), classifier.begin(2)
    for _ in range(15):
        _, state = classifier.step(typer, state, normal(rng), BOTH, 300.0)
    piece = broad(rng)
    first: tuple[str, TypingState] = classifier.step(typer, state, piece, BOTH, 200.0)
    classifier.step(typer, state, normal(rng), BOTH, 300.0)
    assert classifier.step(typer, state, piece, BOTH, 200.0)[0] == first[0] == "V"
