"""Decision on the type of a beat from log probabilities."""

from __future__ import annotations

import numpy as np

from model.beats import type_decision
from model.beats.beat import KINDS
from model.beats.type_decision import PastDecisions
from model.signal.arrays import FloatArray

NORMAL, BETWEEN, VENTRICULAR = np.log([0.98, 0.01, 0.01]), np.log([0.55, 0.44, 0.01]), np.log([0.05, 0.05, 0.9])
LIKELY_S, CERTAIN_S = np.log([0.4, 0.59, 0.01]), np.log([0.01, 0.98, 0.01])


def types(past: PastDecisions, by_main: FloatArray, by_atrial: FloatArray, n: int = 1) -> str:
    return "".join(KINDS[type_decision.decide(past, 0, by_main, by_atrial)] for _ in range(n))


def test_the_second_ensemble_decides_between_n_and_s_while_most_beats_are_s_to_it() -> None:
    past, supraventricular = type_decision.begin(), np.log([0.2, 0.7, 0.1])
    found = types(past, NORMAL, supraventricular, 150)
    assert found[:50] == "N" * 50
    assert found[100:] == "S" * 50
    assert types(past, VENTRICULAR, supraventricular) == "V", "the networks decide on V"


def test_where_many_beats_are_between_n_and_s_a_likely_one_is_not_enough() -> None:
    clear, doubtful, no = type_decision.begin(), type_decision.begin(), np.log([0.9, 0.05, 0.05])
    types(clear, NORMAL, no, 300)
    for _ in range(100):
        types(doubtful, NORMAL, no, 2)
        types(doubtful, BETWEEN, no)
    assert types(clear, LIKELY_S, no) == "S"
    assert types(doubtful, LIKELY_S, no) == "N"
    assert types(doubtful, CERTAIN_S, no) == types(clear, CERTAIN_S, no) == "S"


def test_ventricular_beats_leave_the_doubt_as_it_is() -> None:
    past, no = type_decision.begin(), np.log([0.9, 0.05, 0.05])
    before = past.doubt.copy()
    assert types(past, VENTRICULAR, no, 50) == "V" * 50
    np.testing.assert_array_equal(past.doubt, before)
