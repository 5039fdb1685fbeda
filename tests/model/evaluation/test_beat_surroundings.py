"""The place of samples among the reference beats."""

from __future__ import annotations

import numpy as np
import pytest

from model.datasets.reference import Reference
from model.evaluation.beat_surroundings import ELSEWHERE, PLACES, in_qrs, place_of_beats, place_of_samples

UNDISTURBED, VEB, FIRST, SECOND, THIRD = range(len(PLACES))


def reference(labels: str) -> Reference:
    """Return one beat per second."""
    return Reference(360 * np.arange(1, len(labels) + 1), tuple(labels))


@pytest.mark.parametrize(
    ("labels", "places"),
    [
        ("NN", [UNDISTURBED] * 2),
        ("NVNNNN", [UNDISTURBED, VEB, FIRST, SECOND, THIRD, ELSEWHERE]),
        ("VNVVN", [VEB, FIRST, VEB, VEB, FIRST]),
        ("VSNF", [VEB, ELSEWHERE, SECOND, ELSEWHERE]),
        ("S" + "N" * 11, [ELSEWHERE] * 11 + [UNDISTURBED]),
        ("", []),
    ],
)
def test_places_of_beats(labels: str, places: list[int]) -> None:
    assert place_of_beats(reference(labels)).tolist() == places


def test_a_beat_lasts_from_150_ms_before_its_peak_to_150_ms_before_the_next() -> None:
    found = place_of_samples(reference("NVN"), 1440)
    assert set(found[: 360 - 54]) == {ELSEWHERE}
    assert set(found[360 - 54 : 720 - 54]) == {UNDISTURBED}
    assert set(found[720 - 54 : 1080 - 54]) == {VEB}
    assert set(found[1080 - 54 :]) == {FIRST}


def test_a_qrs_complex_is_60_ms_around_its_peak() -> None:
    assert np.flatnonzero(in_qrs(reference("N"), 720)).tolist() == list(range(338, 383))
