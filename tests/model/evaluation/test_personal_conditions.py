"""Errors by minute, phase and place, on errors that are known."""

from __future__ import annotations

import numpy as np
import pytest

from model.datasets.reference import Reference
from model.evaluation.beat_surroundings import PLACES, in_qrs, place_of_samples
from model.evaluation.personal_conditions import MINUTES, by_minute, by_phase, by_place, veb_auroc

N = 360 * 200
ORIGIN = np.arange(35, N - 360, 36)
TARGET = ORIGIN[:, None] + np.array([18, 72])
LABELS = ("N" * 12 + "VNNN") * 12
REFERENCE = Reference(360 * np.arange(1, len(LABELS) + 1), tuple(LABELS))
NOTHING = Reference(np.empty(0, np.int64), ())


def test_errors_by_minute() -> None:
    origin = 60 * 360 * np.array([0, 0.5, 1, 2.9, 4])
    square = np.array([[1, 3, 5, 7, 9]])[:, :, None] * np.array([1, 2])
    found = by_minute(origin.astype(np.int64), square.astype(float))
    assert found.shape == (1, 2, len(MINUTES))
    np.testing.assert_array_equal(found[0], [[2, 5, 7, 9, np.nan], [4, 10, 14, 18, np.nan]])


def test_coverage_by_phase() -> None:
    inside = ~in_qrs(REFERENCE, N)[TARGET]
    np.testing.assert_array_equal(by_phase(inside, TARGET, REFERENCE, N), [[0, 0], [1, 1]])
    assert np.isnan(by_phase(inside, TARGET, NOTHING, N)).all()


def test_errors_by_place() -> None:
    square = place_of_samples(REFERENCE, N)[TARGET].astype(float)
    found = by_place(np.stack([square, 2 * square]), TARGET, REFERENCE, 0, N)
    np.testing.assert_allclose(found[0], [range(len(PLACES))] * 2)
    np.testing.assert_allclose(found[1], 2 * found[0])


@pytest.mark.parametrize(("reference", "since"), [(NOTHING, 0), (REFERENCE, 16 * 3 * 360)])
def test_no_errors_by_place_with_too_few_beats(reference: Reference, since: int) -> None:
    assert np.isnan(by_place(np.ones((2, *TARGET.shape)), TARGET, reference, since, N)).all()


def test_auroc_of_ectopic_beats() -> None:
    veb = REFERENCE.sample[REFERENCE.is_label("V")]
    near = (np.abs(ORIGIN[:, None] - veb) < 50).any(axis=1)
    scores = np.stack([near, ~near, np.ones(len(ORIGIN))]).astype(np.float32)
    found = veb_auroc(scores, ORIGIN, REFERENCE, 0)
    assert found[0] == 1
    assert found[1] <= 0.5
    assert found[2] == 0.5
    assert np.isnan(veb_auroc(scores, ORIGIN, NOTHING, 0)).all()
