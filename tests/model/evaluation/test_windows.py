"""Windows of 10 s: positive, negative, or neither."""

import numpy as np
from hypothesis import given as for_any
from hypothesis import strategies as st

from model.evaluation.intervals import mask
from model.evaluation.windows import WINDOW, window_confusion
from stream.timebase import FS

N = 30 * WINDOW


def in_s(*seconds: tuple[float, float]) -> tuple[tuple[int, int], ...]:
    """Return intervals in samples."""
    return tuple((round(first * FS), round(stop * FS)) for first, stop in seconds)


def confusion(rhythm: tuple, alarms: tuple, noise: tuple = ()) -> list[list[int]]:
    """Return [[tn, fp], [fn, tp]]."""
    return window_confusion(rhythm, mask(alarms, N), noise).tolist()


def test_half_a_window_is_positive_less_is_neither() -> None:
    assert confusion(in_s((95, 120)), ()) == [[26, 0], [3, 0]]  # the next window begins within AFTER_S of the end
    assert confusion(in_s((95.1, 120)), ()) == [[26, 0], [2, 0]]


def test_a_short_event_counts_where_it_lies_whole() -> None:
    assert confusion(in_s((104, 106)), in_s((105, 106)))[1] == [0, 1]
    assert confusion(in_s((109, 111)), in_s((110, 111)))[1] == [0, 0]


def test_an_alarm_may_be_three_seconds_late() -> None:
    assert confusion(in_s((107, 109.9)), in_s((112, 115)))[1] == [0, 1]
    assert confusion(in_s((107, 109.9)), in_s((114, 116)))[1] == [1, 0]


def test_alarms_are_false_in_each_window_that_they_reach_outside_noise() -> None:
    assert confusion((), in_s((95, 115))) == [[27, 3], [0, 0]]
    assert confusion((), in_s((95, 115)), in_s((101, 102))) == [[27, 2], [0, 0]]


@for_any(st.lists(st.tuples(st.integers(0, N), st.integers(1, 60 * FS)), max_size=5))
def test_every_window_counts_at_most_once_and_the_oracle_is_perfect(parts: list[tuple[int, int]]) -> None:
    rhythm = tuple((first, min(first + length, N)) for first, length in parts if first < N)
    exact, empty = (window_confusion(rhythm, alarm, ()) for alarm in (mask(rhythm, N), np.zeros(N, bool)))
    assert exact.sum() == empty.sum() <= 30
    assert exact[0, 1] == exact[1, 0] == empty[0, 1] == empty[1, 1] == 0
    assert exact[1, 1] == empty[1, 0]
