"""Episodes found in time, late, by a graver alarm, or not."""

import math

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from model.evaluation.episodes import EpisodeScore, allowed_s, find
from model.evaluation.reference_events import RhythmEvent
from stream.timebase import FS
from tests.model.evaluation.annotated_records import alarm, silent, with_alarms

N = 600 * FS
VT = RhythmEvent("ventricular_tachycardia", 100 * FS, 100 * FS, 120 * FS)


@for_any(st.floats(0.0, 20.0))
def test_an_episode_is_found_up_to_the_allowed_delay(delay: float) -> None:
    score = find([VT], with_alarms(N, *alarm("ventricular_tachycardia", 100 + delay, 130)), "vt", "rhythm notes")
    assert score.found == (round((100 + delay) * FS) <= 110 * FS)
    if score.found:
        assert score.delays_s == (pytest.approx(delay, abs=1 / FS),)


def test_an_alarm_that_is_already_active_has_no_delay() -> None:
    assert find([VT], with_alarms(N, *alarm("ventricular_tachycardia", 50, 110)), "vt", "rhythm notes").delays_s == (
        0.0,
    )
    assert find([VT], with_alarms(N, *alarm("ventricular_tachycardia", 50, 98.5)), "vt", "rhythm notes").found == 0


def test_a_silencing_alarm_finds_an_episode_and_is_told_apart() -> None:
    output = with_alarms(N, *alarm("ventricular_fibrillation", 103, 120))
    assert find([VT], output, "vt", "rhythm notes") == EpisodeScore(1, 1, 1, (3.0,))
    assert find([VT], output, "either", "rhythm notes") == EpisodeScore(1, 1, 0, (3.0,))
    lesser = with_alarms(N, *alarm("extreme_tachycardia", 103, 120))
    assert find([VT], lesser, "vt", "rhythm notes").found == 0


def test_a_silent_monitor_finds_nothing_and_no_episode_is_no_miss() -> None:
    assert find([VT], silent(N), "vt", "rhythm notes") == EpisodeScore(1, 0, 0, ())
    assert math.isnan(find([], silent(N), "vt", "rhythm notes").delay_s_median)


@for_any(st.lists(st.lists(st.floats(0, 10), min_size=1), min_size=1))
def test_median_and_maximum_are_those_of_all_delays(parts: list[list[float]]) -> None:
    total = sum((EpisodeScore(len(p), len(p), 0, tuple(p)) for p in parts), EpisodeScore())
    delays = sorted(delay for part in parts for delay in part)
    assert total.delay_s_max == delays[-1]
    assert delays[(len(delays) - 1) // 2] <= total.delay_s_median <= delays[len(delays) // 2]


def test_notes_allow_ten_seconds_and_beats_less() -> None:
    assert allowed_s("asystole", "rhythm notes") == 10.0
    assert allowed_s("asystole", "typed beats") == 1.0
    assert allowed_s("ventricular_fibrillation", "untyped beats") == 10.0
    assert allowed_s("ventricular_tachycardia", "typed beats") == 3.0
    assert allowed_s("atrial_fibrillation", "rhythm notes") == 120.0
