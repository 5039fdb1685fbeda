"""Onset and end of rhythm conditions on synthetic beat trains."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.beats.beat_detector import Beat
from model.conditions import settings as alarm_config
from model.conditions.changes import Began, Change, Ended
from model.conditions.precedence import SUPPRESSED_BY
from model.rhythm import rhythm_detector
from model.rhythm.rules import SignalStatus
from stream.timebase import FS, STRIDE
from stream.wire.alarm_messages import Limits
from tests.model.beat_trains import CONFIG, LIMITS, begun_kinds, changes_of, good_signal, per_min, run, train

MAX_DELAY = STRIDE + 72
"""Longest delay from the sample at which a rule is met to the report, samples."""

SEGMENTS = st.tuples(
    st.sampled_from([0.2, 0.3, 0.4, 0.55, 0.8, 1.3, 1.7, 4.05, 5.0]),
    st.sampled_from(["N", "V", "S", "Q", "NV", "NNV", "VVVN", "VVVVVN"]),
    st.integers(1, 40),
)
"""RR interval in seconds, repeated pattern of beat types, number of beats."""


@st.composite
def scenarios(draw: st.DrawFn) -> tuple[list[Beat], list[SignalStatus], int]:
    start = draw(st.integers(0, 10_000))
    segments = draw(st.lists(SEGMENTS, max_size=5))
    beats = train([(seconds, types[k % len(types)]) for seconds, types, n in segments for k in range(n)], start)
    seconds = 10 + (beats[-1].index - start) / FS if beats else 10
    signal = good_signal(min(seconds, 120), start)
    for _ in range(draw(st.integers(0, 3))):
        first = draw(st.integers(0, len(signal) - 1))
        last = min(len(signal), first + draw(st.integers(1, 150)))
        disturbance = draw(st.sampled_from(["unusable", "fibrillation", "suspected"]))
        for k in range(first, last):
            if disturbance == "unusable":
                signal[k] = replace(signal[k], usable=False)
            elif disturbance == "fibrillation":
                signal[k] = replace(
                    signal[k], fibrillation_since=max(start, signal[first].at - 1440), fibrillation_suspected=True
                )
            else:
                signal[k] = replace(signal[k], fibrillation_suspected=True)
    return beats, signal, start


@settings(max_examples=40)
@given(scenario=scenarios())
def test_every_condition_begins_once_ends_once_and_suppresses_less_severe_ones(
    scenario: tuple[list[Beat], list[SignalStatus], int],
) -> None:
    beats, signal, start = scenario
    changes, _, state = run(beats, signal, start=start, limits=Limits(heart_rate_low=60, heart_rate_high=100))
    changes += rhythm_detector.close(state, signal[-1].at)
    active: dict[str, int] = {}
    reported: set[tuple[str, int]] = set()
    before = start - 1
    for at, together in itertools.groupby(changes, key=lambda change: change.at):
        assert at > before or at == signal[-1].at
        before = at
        for change in together:
            if isinstance(change, Began):
                assert start <= change.onset <= at
                assert (change.kind, change.onset) not in reported
                assert not {*SUPPRESSED_BY[change.kind], change.kind} & set(active)
                reported.add((change.kind, change.onset))
                active[change.kind] = change.onset
            else:
                assert active.pop(change.kind) == change.onset < change.end <= at + 1
        assert not any(more_severe in active for kind in active for more_severe in SUPPRESSED_BY[kind])
    assert not active


def beats_with_pause(seconds: float) -> list[Beat]:
    """Return beats with one pause, at a rate at which five of them around the pause are no bradycardia."""
    return train([*per_min((150, 10, "S")), (seconds, "S"), *per_min((150, 30, "S"))])


@pytest.mark.parametrize("seconds", [4.0, 4.01, 4.1, 4.2, 4.3, 6.0])
def test_a_pause_of_four_seconds_is_an_asystole(seconds: float) -> None:
    beats = beats_with_pause(seconds)
    changes, _, _ = run(beats, good_signal(beats[-1].index / FS), limits=LIMITS)
    began, ended = changes_of(changes, "asystole")
    assert isinstance(began, Began)
    assert isinstance(ended, Ended)
    assert began.onset == ended.onset == beats[9].index
    assert began.onset + 4 * FS <= began.at <= began.onset + 4 * FS + MAX_DELAY + 50
    assert ended.end == beats[10].index
    assert ended.value == pytest.approx(seconds, abs=0.01)
    assert ended.limit == 4.0


def test_a_shorter_pause_is_no_asystole() -> None:
    beats = beats_with_pause(3.98)
    assert "asystole" not in begun_kinds(run(beats, good_signal(beats[-1].index / FS))[0])


def test_no_beats_from_the_start_is_an_asystole() -> None:
    (began,) = run([], good_signal(10, 720), start=720)[0]
    assert began.kind == "asystole"
    assert began.onset == 720
    assert began.at <= 720 + 4 * FS + MAX_DELAY


def test_a_new_epoch_restarts_the_time_without_beats() -> None:
    beats = train(per_min((75, 10, "N")))
    end = beats[-1].index + 3 * FS
    changes, _, state = run(beats, good_signal(end / FS))
    assert rhythm_detector.close(state, end) == ()
    later, _, _ = rhythm_detector.step(CONFIG, LIMITS, rhythm_detector.begin(end), [], good_signal(3.9, end))
    assert [*changes, *later] == []


def test_an_unusable_signal_restarts_the_time_without_beats() -> None:
    beats = train(per_min((75, 10, "N")))
    signal = [replace(now, usable=not 10 * FS < now.at < 12 * FS) for now in good_signal(15.9)]
    assert run(beats, signal)[0] == []
    signal = [replace(now, usable=not 10 * FS < now.at < 12 * FS) for now in good_signal(17)]
    (began,) = run(beats, signal)[0]
    assert began.kind == "asystole"
    assert 12 * FS <= began.onset <= 12 * FS + STRIDE


def test_no_asystole_while_fibrillation_is_suspected() -> None:
    beats = beats_with_pause(6.0)
    silent = beats[9].index
    signal = [replace(now, fibrillation_suspected=silent < now.at < silent + 5 * FS) for now in good_signal(15)]
    assert "asystole" in begun_kinds(run(beats, signal)[0])  # suspicion ended before the next beat
    signal = [replace(now, fibrillation_suspected=silent < now.at < silent + 7 * FS) for now in good_signal(15)]
    assert "asystole" not in begun_kinds(run(beats, signal)[0])


def test_fibrillation_replaces_asystole() -> None:
    beats = train(per_min((75, 10, "N")))
    since = 9 * FS
    signal = [replace(now, fibrillation_since=since if now.at > 14 * FS else None) for now in good_signal(20)]
    *_, asystole, ended, fibrillation = run(beats, signal)[0]
    assert (asystole.kind, ended.kind, fibrillation.kind) == ("asystole", "asystole", "ventricular_fibrillation")
    assert ended.at == fibrillation.at
    assert (ended.reason, ended.replaced_by) == ("replaced", "ventricular_fibrillation")
    assert fibrillation.onset == since


@pytest.mark.parametrize(("rate", "expected"), [(39.5, True), (40.5, False)])
def test_extreme_bradycardia_needs_five_beats_below_forty(rate: float, expected: bool) -> None:
    beats = train(per_min((75, 10, "N"), (rate, 4, "N")))
    changes, _, _ = run(beats, good_signal(beats[-1].index / FS + 1))
    if not expected:
        assert changes == []
        return
    (began,) = changes
    assert began.kind == "extreme_bradycardia"
    assert began.onset == beats[-5].index
    assert beats[-1].index <= began.at <= beats[-1].at + STRIDE
    assert began.value == pytest.approx(rate, abs=0.5)
    three = train(per_min((75, 10, "N"), (rate, 3, "N")))
    assert run(three, good_signal(three[-1].index / FS + 1))[0] == []


def test_one_early_beat_among_slow_ones_does_not_end_a_bradycardia() -> None:
    beats = train([*per_min((36, 8, "N")), (0.5, "S"), *per_min((36, 10, "N"))])
    changes, _, _ = run(beats, good_signal(beats[-1].index / FS))
    assert [(type(change), change.kind) for change in changes] == [(Began, "extreme_bradycardia")]


def test_a_bradycardia_ends_when_none_of_the_last_five_rates_is_low() -> None:
    """One interval of 0.5 s raises the rate over five beats above the limit and its margin."""
    beats = train([*per_min((36, 8, "N")), *per_min((120, 12, "N"))])
    changes, _, _ = run(beats, good_signal(beats[-1].index / FS))
    _, ended = changes_of(changes, "extreme_bradycardia")
    assert isinstance(ended, Ended)
    fifth = beats[7 + 5]
    assert fifth.at <= ended.at <= fifth.at + STRIDE


def test_bradycardia_is_reported_when_the_fifth_beat_is_overdue() -> None:
    beats = train(per_min((75, 10, "N"), (45, 3, "N")))
    changes, _, _ = run(beats, good_signal(beats[-1].index / FS + 3))
    began = changes[0]
    assert began.kind == "extreme_bradycardia"
    assert began.onset == beats[-4].index
    assert beats[-4].index + 6 * FS < began.at <= beats[-4].index + 6 * FS + MAX_DELAY


@pytest.mark.parametrize(("rates", "expected"), [((150,) * 8, True), ((150,) * 7, False), ((190, 130) * 5, False)])
def test_a_steady_tachycardia_needs_nine_beats(rates: tuple[float, ...], expected: bool) -> None:
    beats = train(per_min((80, 10, "N"), *((rate, 1, "N") for rate in rates)))
    changes, _, _ = run(beats, good_signal(beats[-1].index / FS + 1))
    assert begun_kinds(changes) == (["extreme_tachycardia"] if expected else [])


def test_of_two_beats_within_200_ms_the_first_is_discarded() -> None:
    beats = train([(0.8, "N")] * 8 + [(0.62, "N"), (0.18, "N")] * 12)
    assert run(beats, good_signal(beats[-1].index / FS + 1))[0] == []


@pytest.mark.parametrize(("rate", "expected"), [(141, True), (139, False)])
def test_extreme_tachycardia_needs_seventeen_beats_above_140(rate: float, expected: bool) -> None:
    beats = train(per_min((rate, 1, "N"), *[(rate + 20, 1, "N"), (1 / (2 / rate - 1 / (rate + 20)), 1, "N")] * 8))
    changes, _, _ = run(beats, good_signal(beats[-1].index / FS + 2))
    assert begun_kinds(changes) == (["extreme_tachycardia"] if expected else [])
    if expected:
        assert changes[0].onset == beats[0].index
        assert changes[0].at <= beats[-1].at + STRIDE
    assert begun_kinds(run(beats[:-1], good_signal(beats[-1].index / FS))[0]) == []


def test_a_rate_must_recover_by_a_margin() -> None:
    beats = train(per_min((145, 20, "N"), (138, 30, "N"), (142, 20, "N"), (120, 20, "N")))
    began, ended = run(beats, good_signal(beats[-1].index / FS))[0]
    assert (began.kind, type(ended)) == ("extreme_tachycardia", Ended)
    assert ended.at > beats[70].index
    assert ended.value == pytest.approx(145, abs=0.5)


@pytest.mark.parametrize(("rate", "kind"), [(101, "ventricular_tachycardia"), (99, "pvc_run")])
def test_five_ventricular_beats_above_100_are_a_tachycardia(rate: float, kind: str) -> None:
    beats = train(per_min((80, 10, "N"), (90, 1, "V"), (rate, 4, "V"), (80, 10, "N")))
    changes, _, _ = run(beats, good_signal(20))
    assert begun_kinds(changes) == list(dict.fromkeys(["pvc_run", kind]))
    began, ended = changes_of(changes, kind)
    assert began.onset == beats[10].index
    assert isinstance(ended, Ended)
    assert ended.end == beats[14].index + 1
    assert ended.beats == 5
    if kind == "ventricular_tachycardia":
        assert beats[14].at <= began.at <= beats[14].at + STRIDE
        assert began.limit == 100


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        ("NVVVVN", ["pvc_run"]),
        ("VVNVVV", ["ventricular_tachycardia"]),
        ("VVNVNVV", []),
        ("VVNVVN", []),
    ],
)
def test_a_tachycardia_may_include_one_other_beat_but_not_two(between: str, expected: list[str]) -> None:
    beats = train([(0.75, "N")] * 5 + [(0.4, letter) for letter in between] + [(0.75, "N")] * 10)
    assert begun_kinds(run(beats, good_signal(15))[0]) == expected


def test_one_other_beat_does_not_end_a_tachycardia() -> None:
    beats = train([*per_min((80, 8, "N"), (150, 6, "V"), (150, 1, "N"), (150, 6, "V"), (80, 5, "N"))])
    changes, _, _ = run(beats, good_signal(20))
    _, ended = changes_of(changes, "ventricular_tachycardia")
    assert isinstance(ended, Ended)
    assert ended.end == beats[20].index + 1


def test_a_more_severe_condition_replaces_another_until_it_ends() -> None:
    beats = train(per_min((160, 40, "N"), (180, 12, "V"), (160, 20, "N")))
    changes, _, _ = run(beats, good_signal(beats[-1].index / FS), limits=Limits())
    names = [(type(change).__name__, change.kind) for change in changes if change.kind != "pvc_run"]
    assert names == [
        ("Began", "extreme_tachycardia"),
        ("Ended", "extreme_tachycardia"),
        ("Began", "ventricular_tachycardia"),
        ("Ended", "ventricular_tachycardia"),
        ("Began", "extreme_tachycardia"),
    ]
    first, replaced, tachycardia, over, back = (change for change in changes if change.kind != "pvc_run")
    assert (replaced.reason, replaced.replaced_by) == ("replaced", "ventricular_tachycardia")
    assert replaced.at == tachycardia.at
    assert isinstance(over, Ended)
    assert back.onset >= over.end > first.onset


def test_a_disabled_kind_suppresses_no_other() -> None:
    beats = train(per_min((160, 40, "N"), (180, 12, "V"), (160, 20, "N")))
    limits = Limits(off=("ventricular_tachycardia", "pvc_run"))
    assert begun_kinds(run(beats, good_signal(20), limits=limits)[0]) == ["extreme_tachycardia"]


def test_disabling_a_kind_ends_its_condition() -> None:
    beats = train(per_min((160, 60, "N")))
    signal = good_signal(20)
    state = rhythm_detector.begin(0)

    def step(limits: Limits, first: int, last: int) -> Sequence[Change]:
        nonlocal state
        known = [beat for beat in beats if first * STRIDE <= beat.at < last * STRIDE]
        changes, _, state = rhythm_detector.step(CONFIG, limits, state, known, signal[first:last])
        return changes

    assert begun_kinds(step(Limits(), 0, 150)) == ["extreme_tachycardia"]
    changes = step(Limits(off=("extreme_tachycardia",)), 150, 160)
    assert [(type(change), change.kind) for change in changes] == [(Ended, "extreme_tachycardia")]
    changes = step(Limits(), 160, 170)
    assert begun_kinds(changes) == ["extreme_tachycardia"]


def test_a_limit_must_be_exceeded_for_the_delay() -> None:
    limits = Limits(heart_rate_low=50, heart_rate_high=120)
    beats = train(per_min((75, 20, "N"), (130, 60, "N"), (75, 30, "N")))
    changes, vitals, _ = run(beats, good_signal(beats[-1].index / FS), limits=limits)
    began, ended = changes
    broken = next(now.index for now in vitals if now.heart_rate is not None and now.heart_rate > 120)
    assert (began.kind, began.limit) == ("heart_rate_high", 120)
    assert abs(began.at - (broken + CONFIG.delay_s["heart_rate_high"] * FS)) <= FS
    assert isinstance(ended, Ended)
    assert ended.value == pytest.approx(130, abs=0.5)
    short = train(per_min((75, 20, "N"), (130, 14, "N"), (75, 30, "N")))
    assert run(short, good_signal(40), limits=limits)[0] == []


def test_a_low_heart_rate_is_reported() -> None:
    beats = train(per_min((75, 20, "N"), (46, 15, "N")))
    (began,) = run(beats, good_signal(beats[-1].index / FS), limits=Limits())[0]
    assert (began.kind, began.limit) == ("heart_rate_low", 50)
    assert began.value is not None
    assert began.value < 50


def test_no_condition_begins_while_the_signal_is_unusable() -> None:
    beats = train(per_min((75, 5, "N"), (200, 60, "V")))
    signal = [replace(now, usable=now.at < 4 * FS) for now in good_signal(22)]
    assert run(beats, signal)[0] == []


def test_a_condition_continues_through_a_short_but_not_a_long_disturbance() -> None:
    beats = train(per_min((75, 5, "N"), (150, 100, "V")))

    def with_disturbance(seconds: float) -> list[Change]:
        signal = [replace(now, usable=not 12 * FS < now.at < (12 + seconds) * FS) for now in good_signal(40)]
        return changes_of(run(beats, signal)[0], "ventricular_tachycardia")

    assert len(with_disturbance(5)) == 1
    _, ended, again = with_disturbance(15)
    assert isinstance(ended, Ended)
    assert ended.reason == "signal_unusable"
    assert 12 * FS - STRIDE <= ended.end <= 12 * FS + STRIDE
    assert again.onset >= 27 * FS


def test_close_ends_active_conditions() -> None:
    beats = train(per_min((160, 40, "N")))
    changes, _, state = run(beats, good_signal(15))
    (ended,) = rhythm_detector.close(state, 15 * FS - 1)
    assert (ended.kind, ended.onset) == (changes[0].kind, changes[0].onset)
    assert ended.end == 15 * FS


def test_fibrillation_holds_while_it_is_detected() -> None:
    beats = train(per_min((75, 60, "N")))
    signal = [
        replace(now, fibrillation_since=10 * FS if 15 * FS < now.at < 25 * FS else None) for now in good_signal(40)
    ]
    began, ended = run(beats, signal)[0]
    assert (began.kind, began.onset) == ("ventricular_fibrillation", 10 * FS)
    assert 15 * FS <= began.at <= 15 * FS + STRIDE
    assert 25 * FS <= ended.at <= 25 * FS + STRIDE


def test_onset_and_end_of_atrial_fibrillation_are_dated_back() -> None:
    regular = [(0.8, "N")] * 200
    pattern = itertools.cycle([0.41, 0.92, 0.63, 1.27, 0.55, 0.78, 1.05, 0.48, 0.7, 1.42, 0.58])
    irregular = [(next(pattern) + 0.037 * (k % 13), "N") for k in range(200)]
    beats = train([*regular, *irregular, *regular])
    began, ended = changes_of(run(beats, good_signal(beats[-1].index / FS))[0], "atrial_fibrillation")
    assert isinstance(ended, Ended)
    assert abs(began.onset - beats[200].index) < 40 * FS
    assert abs(ended.end - beats[400].index) < 40 * FS
    assert began.at > began.onset + 30 * FS


def test_a_kind_disabled_in_the_settings_is_not_tracked() -> None:
    config = replace(alarm_config.load(), disabled=frozenset({"extreme_tachycardia"}))
    beats = train(per_min((160, 40, "N")))
    assert run(beats, good_signal(15), config=config)[0] == []


def test_a_rate_slightly_above_its_limit_is_reported_with_its_beats() -> None:
    beats = train(per_min((140.3, 30, "N")))
    (began,) = run(beats, good_signal(11))[0]
    assert (began.reason, began.limit, began.beats) == ("rule_met", 140, 9)
    assert began.value == pytest.approx(140.3, abs=0.1)


def test_a_tachycardia_ends_when_no_beat_follows() -> None:
    config = replace(alarm_config.load(), asystole_s=10.0)
    beats = train(per_min((80, 5, "N"), (150, 8, "V")))
    _, ended = changes_of(run(beats, good_signal(14), config=config)[0], "ventricular_tachycardia")
    assert isinstance(ended, Ended)
    assert ended.end == beats[-1].index + 1
    assert 4 * FS < ended.at - beats[-1].index <= 4 * FS + STRIDE
