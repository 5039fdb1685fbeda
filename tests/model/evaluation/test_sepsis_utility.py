"""The utility of the Challenge 2019 against values computed by hand from its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.evaluation.sepsis_utility import best, hourly, normalized

LABEL = np.arange(30) >= 14
"""Onset in hour 20: the label begins 6 h before it."""


def test_an_alarm_earns_from_twelve_hours_before_to_three_after_the_onset() -> None:
    alarm, silence = hourly(LABEL)
    assert alarm[:8].tolist() == [-0.05] * 8  # 12 h before the onset and earlier: as any false alarm
    assert alarm[8] == pytest.approx(0)
    assert alarm[11] == pytest.approx(0.5)  # halfway up
    assert alarm[14] == 1.0
    assert alarm[17] == pytest.approx(6 / 9)
    assert alarm[20] == pytest.approx(3 / 9)
    assert alarm[23:].tolist() == [0.0] * 7
    assert silence[:15].tolist() == [0.0] * 15
    assert silence[17] == pytest.approx(-2 * 3 / 9)
    assert silence[23] == pytest.approx(-2)
    assert silence[24:].tolist() == [0.0] * 6


def test_the_best_alarms_and_the_scale_of_the_challenge() -> None:
    alarm, silence = hourly(LABEL)
    most = best(LABEL)
    # (0 + 1/6 + ... + 5/6) + (1 + 8/9 + ... + 0)
    assert most == pytest.approx(15 / 6 + 45 / 9)
    inaction = silence.sum()
    assert inaction == pytest.approx(-2 * 45 / 9)
    assert normalized(most, inaction, most) == 1
    assert normalized(inaction, inaction, most) == 0
    assert normalized(alarm.sum(), inaction, most) == pytest.approx((7.5 - 0.4 + 10) / 17.5)


def test_a_patient_without_sepsis_and_one_with_sepsis_from_the_first_hour() -> None:
    alarm, silence = hourly(np.zeros(4, bool))
    assert (alarm.tolist(), silence.tolist(), best(np.zeros(4, bool))) == ([-0.05] * 4, [0.0] * 4, 0.0)
    alarm, _ = hourly(np.ones(3, bool))
    assert alarm.tolist() == pytest.approx([1, 8 / 9, 7 / 9])
    assert math.isnan(normalized(-1.0, 0.0, 0.0))
