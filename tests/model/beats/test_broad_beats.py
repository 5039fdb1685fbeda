"""Broad, fast beats of a patient who is not known yet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from model.beats import beat_detector, broad_beats
from model.beats.broad_beats import FAST_RR, REPEATS, RUN_RR
from model.beats.classifier import LEARNING_BEATS, load_classifier
from model.beats.templates import PIECE_AFTER, PIECE_BEFORE
from model.signal.arrays import FloatArray
from model.signal.intake import strides_of
from stream.records.synthetic.generator import generate
from stream.records.synthetic.patient import Patient, Segment, SimulatedRhythm
from stream.timebase import FS


def qrs(sigma_s: float) -> FloatArray:
    """Return the samples around a QRS complex in two leads, the second one small."""
    wave = np.exp(-((np.arange(-PIECE_BEFORE, PIECE_AFTER + 1) / FS / sigma_s) ** 2))
    return np.stack([wave, -0.1 * wave], axis=1)


NARROW, BROAD = qrs(0.015), qrs(0.06)


def marked(*beats: tuple[FloatArray, float, float], learned: int = 0, valid: bool = True) -> list[bool]:
    """Return which beats are marked: each given by its samples, RR interval and correlation with the last one."""
    pieces, rr, resemblance = zip(*beats, strict=True)
    n = len(beats)
    found = broad_beats.mark(
        np.zeros(1, np.bool_),
        np.array([learned]),
        np.zeros(n, np.int64),
        np.stack(pieces),
        np.full((n, 2), valid),
        np.array(rr),
        np.stack([resemblance, np.zeros(n)], axis=1),
    )
    return found.tolist()


@pytest.mark.parametrize(
    ("beat", "expected"),
    [
        ((BROAD, FAST_RR, 0.0), True),
        ((BROAD, FAST_RR + 1, 1.0), False),
        ((BROAD, np.nan, 1.0), False),
        ((NARROW, FAST_RR, 1.0), False),
    ],
    ids=["broad and fast", "slow", "first beat", "narrow"],
)
def test_only_a_broad_and_fast_beat_begins_a_run(beat: tuple[FloatArray, float, float], expected: bool) -> None:
    assert marked(beat) == [expected]


@pytest.mark.parametrize(
    ("beat", "expected"),
    [
        ((NARROW, RUN_RR, REPEATS), True),
        ((NARROW, RUN_RR, REPEATS - 0.01), False),
        ((NARROW, RUN_RR + 1, 1.0), False),
    ],
    ids=["repeats", "other shape", "slow"],
)
def test_a_run_goes_on_with_a_beat_that_repeats_the_last_one(
    beat: tuple[FloatArray, float, float], expected: bool
) -> None:
    assert marked((BROAD, FAST_RR, 0.0), beat) == [True, expected]
    assert marked((NARROW, FAST_RR, 0.0), beat) == [False, False]


def test_without_a_valid_lead_no_beat_is_marked() -> None:
    assert marked((BROAD, FAST_RR, 1.0), valid=False) == [False]


def test_the_criteria_hold_until_the_patient_is_known_and_marked_beats_teach_nothing() -> None:
    fast, other = (BROAD, FAST_RR, 1.0), (NARROW, FS, 1.0)
    assert marked(fast, learned=LEARNING_BEATS) == [False]
    assert marked(*[fast] * (LEARNING_BEATS + 5)) == [True] * (LEARNING_BEATS + 5)
    assert marked(fast, *[other] * LEARNING_BEATS, fast)[-1] is False


def types_of(seconds: float, rhythm: tuple[Segment, ...], **patient: Any) -> str:
    """Return the types of the beats of a synthetic patient."""
    mv = generate(Patient(rhythm, **patient), seconds, 1).mv()
    found, _ = beat_detector.step(load_classifier(), beat_detector.begin(0, 2), strides_of(mv, 0))
    return "".join(beat.type for beat in found)


def test_a_tachycardia_with_which_an_epoch_begins_is_ventricular_and_does_not_become_the_normal_beat() -> None:
    types = types_of(40, (Segment(0, "ventricular tachycardia"), Segment(15, "sinus")))
    run = types.index("V")
    assert run <= 1
    assert types[run : run + 25] == "V" * 25
    assert types[-10:] == "N" * 10


@pytest.mark.parametrize("rhythm", ["sinus", "atrial fibrillation"])
def test_a_narrow_tachycardia_has_no_ventricular_beat(rhythm: SimulatedRhythm) -> None:
    assert "V" not in types_of(20, (Segment(0, rhythm),), heart_rate=140)
