"""NEWS2 against chart 1 of the Royal College of Physicians, 2017."""

from __future__ import annotations

import numpy as np
import pytest

from model.trends.news2 import news2
from model.trends.vital_inputs import VITALS, Floats


def vitals(**values: float) -> Floats:
    return np.array([values.get(name, np.nan) for name in VITALS])


@pytest.mark.parametrize(
    ("name", "scores"),
    [
        ("respiration_rate", {8: 3, 9: 1, 11: 1, 12: 0, 20: 0, 21: 2, 24: 2, 25: 3}),
        ("spo2", {91: 3, 92: 2, 93: 2, 94: 1, 95: 1, 96: 0, 100: 0}),
        ("nibp_systolic", {90: 3, 91: 2, 100: 2, 101: 1, 110: 1, 111: 0, 219: 0, 220: 3}),
        ("heart_rate", {40: 3, 41: 1, 50: 1, 51: 0, 90: 0, 91: 1, 110: 1, 111: 2, 130: 2, 131: 3}),
        ("temperature", {35.0: 3, 35.1: 1, 36.0: 1, 36.1: 0, 38.0: 0, 38.1: 1, 39.0: 1, 39.1: 2}),
    ],
)
def test_each_column_of_the_chart(name: str, scores: dict[float, int]) -> None:
    assert {value: news2(vitals(**{name: value})).parts[name] for value in scores} == scores


def test_a_score_names_what_is_missing_and_sums_what_is_there() -> None:
    found = news2(vitals(heart_rate=115, nibp_systolic=95, temperature=38.5))
    assert (found.score, found.parts) == (5, {"nibp_systolic": 2, "heart_rate": 2, "temperature": 1})
    assert found.missing == ("respiration_rate", "spo2", "consciousness", "oxygen")
    assert news2(vitals()).score == 0
    assert len(news2(vitals()).missing) == 7
