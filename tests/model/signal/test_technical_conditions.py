"""Confirmation and description of technical conditions."""

from __future__ import annotations

import numpy as np
import pytest

from model.conditions.changes import Began, Ended
from model.signal.arrays import BoolArray
from model.signal.technical_conditions import (
    CONFIRM_STRIDES,
    FLAT_STRIDES,
    KINDS,
    LEAD_OFF,
    NOISE,
    RELEASE_STRIDES,
    confirm,
    describe,
)
from stream.timebase import STRIDE

FIRST = 1000 + STRIDE - 1


def held(strides: int, kind: int, spans: dict[int, tuple[int, int]]) -> BoolArray:
    """Return the conditions before the strides (none) and at each; ``spans`` gives first stride and end by lead."""
    active = np.zeros((1 + strides, len(KINDS), 2), np.bool_)
    for lead, (first, end) in spans.items():
        active[1 + first : 1 + end, kind, lead] = True
    return active


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_a_condition_begins_and_ends_after_consecutive_strides(kind: int) -> None:
    active, contradicting = np.zeros(len(KINDS), np.bool_), np.zeros(len(KINDS), np.int64)
    met = tuple(index == kind for index in range(len(KINDS)))
    never = (False,) * len(KINDS)
    for expected, strides in ((True, CONFIRM_STRIDES[kind]), (False, RELEASE_STRIDES[kind])):
        onset, end = (met, never) if expected else (never, met)
        for _ in range(strides - 1):
            assert not confirm(active, contradicting, onset, end)
        confirm(active, contradicting, never, never)  # the count begins anew
        for _ in range(strides - 1):
            assert not confirm(active, contradicting, onset, end)
        assert confirm(active, contradicting, onset, end)
        assert active.tolist() == [expected and index == kind for index in range(len(KINDS))]
        assert not contradicting.any()


def test_a_condition_is_described_from_its_onset_to_its_end() -> None:
    onset = np.zeros(len(KINDS), np.int64)
    active = held(60, LEAD_OFF, {1: (20, 50)})
    began, ended = describe(("I", "II"), active, onset, FIRST, 1000)
    at = FIRST + 20 * STRIDE
    assert began == Began("lead_off", at + 1 - FLAT_STRIDES * STRIDE, at, "rule_met", leads=("II",))
    over = FIRST + 50 * STRIDE
    end = over + 1 - RELEASE_STRIDES[LEAD_OFF] * STRIDE
    assert ended == Ended("lead_off", began.onset, end, over, "rule_no_longer_met", leads=("II",))
    assert onset[LEAD_OFF] == began.onset


def test_no_condition_begins_before_the_epoch() -> None:
    active = held(10, LEAD_OFF, {0: (3, 10)})
    (began,) = describe(("I", "II"), active, np.zeros(len(KINDS), np.int64), FIRST, 1000)
    assert began.onset == 1000


def test_another_set_of_leads_is_another_condition() -> None:
    active = held(30, NOISE, {0: (10, 25), 1: (15, 30)})
    changes = describe(("I", "II"), active, np.zeros(len(KINDS), np.int64), FIRST, 1000)
    assert [(type(change), change.leads) for change in changes] == [
        (Began, ("I",)),
        (Ended, ("I",)),
        (Began, ("I", "II")),
        (Ended, ("I", "II")),
        (Began, ("II",)),
    ]
    assert [change.reason for change in changes if isinstance(change, Ended)] == ["leads_changed"] * 2


def test_a_condition_that_holds_before_the_strides_ends_with_its_onset() -> None:
    active, onset = held(5, NOISE, {}), np.array([0, 0, 777])
    active[0, NOISE, 0] = True
    (ended,) = describe(("I", "II"), active, onset, 100_000, 0)
    assert isinstance(ended, Ended)
    assert (ended.kind, ended.onset, ended.leads) == ("noise", 777, ("I",))
