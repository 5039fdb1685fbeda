"""Unusual complexes that last or come often."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from model.anomaly import frequent_episodes
from model.anomaly.frequent_episodes import FrequentState
from model.beats.beat import Beat, to_rows
from model.conditions.changes import Began, Change, Ended, Evidence
from model.conditions.settings import load
from stream.timebase import FS, STRIDE

CONFIG = load()


def episode(second: float, duration_s: float = 0.2, score: float = 4.0, lead: str = "MLII") -> tuple[Began, Ended]:
    """Return an unusual complex, reported 0.1 s after its onset and 1 s after its end."""
    onset, end = round(second * FS), round((second + duration_s) * FS)
    evidence = Evidence(1.5, 0.2, 100.0, score, 3.0)
    return (
        Began("residual", onset, onset + STRIDE, "rule_met", leads=(lead,), evidence=evidence),
        Ended("residual", onset, end, end + FS, "rule_no_longer_met", leads=(lead,), evidence=evidence),
    )


def run(
    *episodes: tuple[Began, Ended], until_s: float = 300, ventricular: Sequence[float] = ()
) -> tuple[list[Change], FrequentState]:
    """Return the changes of the condition up to a time, and the state then."""
    peaks = [round(second * FS) for second in ventricular]
    beats = [Beat(peak, peak + 2 * STRIDE, "V", FS) for peak in peaks if peak + 2 * STRIDE < until_s * FS]
    until = round(until_s * FS)
    reported = [change for pair in episodes for change in pair if change.at < until]
    changes, state = frequent_episodes.step(CONFIG, FrequentState(), reported, beats, range(STRIDE - 1, until, STRIDE))
    return list(changes), state


def seconds(changes: Sequence[Change]) -> list[tuple[str, float]]:
    return [(change.reason, round(change.at / FS)) for change in changes]


def test_single_complexes_are_no_alarm() -> None:
    assert run(*(episode(second) for second in range(20, 280, 13)))[0] == []


def test_six_within_a_minute_are_an_alarm_until_a_minute_has_none() -> None:
    began, ended = run(*(episode(second, score=second) for second in range(20, 80, 10)))[0]
    assert seconds([began, ended]) == [("rule_met", 71), ("rule_no_longer_met", 130)]
    assert isinstance(began, Began)
    assert (began.onset, began.value) == (20 * FS, 6)
    assert isinstance(ended, Ended)
    assert (ended.onset, ended.end, ended.value) == (began.onset, round(70.2 * FS), 6)
    assert began.evidence is not None
    assert began.evidence.score == 70, "the evidence of the worst"


def test_five_within_a_minute_are_none() -> None:
    assert run(*(episode(second) for second in range(20, 70, 10)))[0] == []


def test_it_does_not_end_with_each_pause() -> None:
    often = [episode(second) for second in (*range(20, 80, 10), 125, 180, 235)]
    changes = run(*often)[0]
    assert seconds(changes) == [("rule_met", 71), ("rule_no_longer_met", 295)]
    assert changes[1].value == 9


def test_one_that_lasts_ten_seconds_is_an_alarm() -> None:
    began, ended = run(episode(40, 30, score=9.0, lead="V1"))[0]
    assert seconds([began, ended]) == [("sustained", 50), ("rule_no_longer_met", 130)]
    assert (began.onset, began.leads, began.value) == (40 * FS, ("V1",), 1)
    assert run(episode(40, 8.5))[0] == []


def test_one_longer_than_the_window_is_one_alarm() -> None:
    assert seconds(run(episode(40, 90))[0]) == [("sustained", 50), ("rule_no_longer_met", 190)]


def test_after_an_end_as_many_are_needed_as_before() -> None:
    first, then = range(20, 80, 10), range(140, 190, 10)
    assert len(run(*(episode(second) for second in (*first, *then)))[0]) == 2
    again = run(*(episode(second) for second in (*first, *then, 190)))[0]
    assert [change.onset for change in again] == [20 * FS] * 2 + [140 * FS] * 2


def test_when_a_lead_is_back_the_condition_ends_and_the_minute_begins_anew() -> None:
    often = [one for second in range(20, 80, 10) for one in episode(second)]
    back, ends = 75 * FS - 1, range(STRIDE - 1, 200 * FS, STRIDE)
    changes, state = frequent_episodes.step(CONFIG, FrequentState(), often, (), ends, [back])
    assert seconds(changes) == [("rule_met", 71), ("signal_unusable", 75)]
    assert state.recent == ()
    few = [one for second in (80, 90, 100, 110, 120) for one in episode(second)]
    assert len(frequent_episodes.step(CONFIG, FrequentState(), [*often, *few], (), ends, [back])[0]) == 2
    before = [at for at in ends if at <= 60 * FS], [at for at in ends if at > 60 * FS]
    first, then = [one for one in often if one.at <= 60 * FS], [one for one in often if one.at > 60 * FS]
    _, middle = frequent_episodes.step(CONFIG, FrequentState(), first, (), before[0], [])
    assert frequent_episodes.step(CONFIG, middle, then, (), before[1], [back]) == (changes, state)


def test_ventricular_beats_explain_their_complexes() -> None:
    often = [episode(second) for second in range(20, 90, 5)]
    all_of_them = [second + 0.1 for second in range(20, 90, 5)]
    assert run(*often, ventricular=all_of_them)[0] == []
    [began, ended] = run(*often, ventricular=all_of_them[::2])[0]
    assert (began.onset, began.value, ended.value) == (25 * FS, 6, 7)
    assert seconds([began]) == [("rule_met", 76)]


def test_what_lasts_is_an_alarm_in_spite_of_ventricular_beats() -> None:
    assert seconds(run(episode(40, 30), ventricular=range(41, 69))[0]) == [
        ("sustained", 50),
        ("rule_no_longer_met", 130),
    ]


def test_an_interruption_of_the_signal_ends_it() -> None:
    [began], state = run(*(episode(second) for second in range(20, 80, 10)), until_s=100)
    ended = frequent_episodes.close(state, 100 * FS)
    assert ended is not None
    assert (ended.onset, ended.end, ended.reason) == (began.onset, 100 * FS + 1, "signal_interrupted")
    assert frequent_episodes.close(FrequentState(), 100) is None


@pytest.mark.parametrize("cut_s", [0.1, 7.3, 60.1, 130])
def test_the_cut_into_steps_changes_nothing(cut_s: float) -> None:
    often = [change for second in range(20, 120, 9) for change in episode(second)]
    strides = range(STRIDE - 1, 300 * FS, STRIDE)
    cut = round(cut_s * 10)
    at = strides[cut - 1]
    first, state = frequent_episodes.step(CONFIG, FrequentState(), [c for c in often if c.at <= at], (), strides[:cut])
    then, state = frequent_episodes.step(CONFIG, state, [c for c in often if c.at > at], (), strides[cut:])
    assert ((*first, *then), state) == frequent_episodes.step(CONFIG, FrequentState(), often, (), strides)


def test_beds_that_step_together_have_the_changes_of_beds_alone() -> None:
    often = [change for second in range(20, 120, 9) for change in episode(second)]
    lasting: list[Change] = [*episode(40, 30)]
    peaks = [round(second * FS) for second in range(20, 120, 9)]
    ventricular = [Beat(peak, peak + 2 * STRIDE, "V", FS) for peak in peaks]
    beds: list[tuple[list[Change], list[Beat]]] = [([], []), (often, ventricular), (often, []), (lasting, ventricular)]
    slots, ends = np.array([4, 1, 0, 3]), np.arange(STRIDE - 1, 300 * FS, STRIDE)
    states = [FrequentState()] * 5
    found: list[list[Change]] = [[], [], [], []]
    for now in np.split(ends, [1, 2, 3, 700, 1200, 1201, 1202]):
        first, last = now[0] - STRIDE, now[-1]
        episodes = [(bed, c) for bed, (own, _) in enumerate(beds) for c in own if first < c.at <= last]
        reported = [[beat for beat in own if first < beat.at <= last] for _, own in beds]
        for bed, change in frequent_episodes.advance(
            CONFIG, states, slots, np.tile(now, (4, 1)), to_rows(reported), episodes
        ):
            found[bed].append(change)
    for bed, (own, beats) in enumerate(beds):
        changes, state = frequent_episodes.step(CONFIG, FrequentState(), own, beats, ends.tolist())
        assert (found[bed], states[slots[bed]]) == (list(changes), state)
    assert [len(own) for own in found] == [0, 0, 2, 2]
    assert states[2] == FrequentState()


def test_a_bed_without_episodes_and_ventricular_beats_is_not_evaluated() -> None:
    _, state = run(until_s=1)
    assert state.due == frequent_episodes.NEVER


def test_after_a_gap_the_episodes_of_the_last_minute_count_at_once() -> None:
    _, state = run(*(episode(second) for second in range(20, 80, 10)), until_s=72)
    start = 75 * FS
    ends = range(start + STRIDE - 1, start + 10 * STRIDE, STRIDE)
    [began], _ = frequent_episodes.step(CONFIG, frequent_episodes.after_gap(state, start), (), (), ends)
    assert (began.onset, began.at) == (start, ends[0])
