"""Comparison of two beats in one lead."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.beats import shape_comparison
from model.beats.shape_comparison import DIFFERENCES, MEASURES
from model.beats.templates import BEFORE, CORE
from model.signal.arrays import FloatArray

NAMES = ("amplitude", "qrs", "qrs_off", "st_off", "p_off", "p", "slope", "width", "extent", "trend")


def beat(width: float = 6.0, height: float = 1.0, p: float = 0.15) -> FloatArray:
    time = np.arange(CORE) - BEFORE
    return height * np.exp(-((time / width) ** 2)) + p * np.exp(-(((time + 55) / 14) ** 2))


def compare(own: FloatArray, reference: FloatArray) -> tuple[dict[str, float], FloatArray]:
    measures, differences = np.empty(MEASURES), np.empty(DIFFERENCES)
    shape_comparison.compare(own, reference, 1.0, measures, differences)
    return dict(zip(NAMES, measures.tolist(), strict=True)), differences


def test_equal_beats_do_not_differ() -> None:
    measures, differences = compare(beat(), beat())
    assert measures["qrs"] == pytest.approx(1)
    assert measures["p"] == pytest.approx(1, abs=1e-6)
    for name in ("amplitude", "slope", "width", "extent"):
        assert measures[name] == 0
    assert (differences < -4).all()


def test_a_higher_and_a_broader_beat_are_told_apart() -> None:
    higher, _ = compare(beat(height=2), beat())
    assert higher["amplitude"] == pytest.approx(math.log(2), abs=0.01)
    assert abs(higher["width"]) < 0.1
    broader, _ = compare(beat(width=15), beat())
    assert abs(broader["amplitude"]) < 0.1
    assert broader["width"] > 0.3
    assert broader["extent"] > 0.3
    assert broader["slope"] < -0.5


def test_a_missing_p_wave_shows_in_the_p_wave_alone() -> None:
    measures, differences = compare(beat(p=0), beat())
    assert measures["p_off"] == differences[3] > -3
    assert measures["qrs_off"] < -4


@pytest.mark.parametrize("flat", [0.0, 3.0])
def test_flat_leads_have_finite_measures(flat: float) -> None:
    for own, reference in ((np.full(CORE, flat), beat()), (beat(), np.full(CORE, flat))):
        measures, differences = compare(own, reference)
        assert np.isfinite(list(measures.values())).all()
        assert np.isfinite(differences).all()


def test_the_trend_of_values_is_subtracted() -> None:
    values = 3 + 0.5 * np.arange(10.0)
    values[4] += 1
    shape_comparison.subtract_trend(values)
    assert values.sum() == pytest.approx(0)
    assert values @ np.arange(10) == pytest.approx(0)
    assert values.argmax() == 4
