"""Conversion between pixels, samples and mV, in both directions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.view.trace_scale import Lane, Ruler, lines_between

LANES = (Lane("MLII", 10, 110, -1.0, 1.5), Lane("V1", 130, 330, -2.0, 3.0))
PAPER = Ruler(60, 960, 3600, 0.5, LANES)
SWEEP = Ruler(60, 960, 3600, 0.5, LANES, seam=4500, span=1800)


@given(x=st.floats(60, 959), y=st.floats(10, 110))
@pytest.mark.parametrize("ruler", [PAPER, SWEEP])
def test_conversions_are_inverse(ruler: Ruler, x: float, y: float) -> None:
    assert ruler.x(ruler.sample(x)) == pytest.approx(x)
    assert LANES[0].y(LANES[0].mv(y)) == pytest.approx(y)


def test_samples_right_of_the_cursor_belong_to_the_previous_sweep() -> None:
    assert SWEEP.sample(60) == 3600
    assert SWEEP.sample(509) == 4498
    assert SWEEP.sample(511) == 4502 - 1800


def test_the_measurement_between_two_lines() -> None:
    lines = lines_between(PAPER, (100, 40), (280, 80))
    assert lines.lane == 0
    assert lines.ms == pytest.approx(1000)
    assert lines.text(PAPER) == "Δt 1000 ms · 60/min · MLII Δ 1.00 mV"


def test_a_short_interval_shows_no_rate() -> None:
    assert "/min" not in lines_between(PAPER, (100, 40), (110, 80)).text(PAPER)


def test_the_first_corner_determines_the_lead() -> None:
    lines = lines_between(PAPER, (100, 300), (200, 20))
    assert lines.lane == 1
    assert lines.mv[1] == 3.0, "limited to the lane"
    assert "V1 Δ" in lines.text(PAPER)


def test_moving_one_line_leaves_the_others() -> None:
    lines = lines_between(PAPER, (100, 40), (280, 80))
    assert lines.nearest(PAPER, 281, 60, 6) == 1
    assert lines.nearest(PAPER, 180, 42, 6) == 2
    assert lines.nearest(PAPER, 180, 60, 6) is None
    assert lines.nearest(PAPER, 180, 300, 6) is None
    wider = lines.moved(1, PAPER, 460, 0)
    assert wider.ms == pytest.approx(2000)
    assert (wider.samples[0], wider.mv) == (lines.samples[0], lines.mv)
    taller = lines.moved(2, PAPER, 0, 20)
    assert abs(taller.mv[0] - taller.mv[1]) == pytest.approx(1.5)
    assert taller.samples == lines.samples
