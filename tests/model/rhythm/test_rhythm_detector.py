"""Rhythm detector on synthetic beat trains: precedence, settings, delays and unusable signal."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.beats.beat import Beat, to_rows
from model.conditions import settings as alarm_config
from model.conditions.changes import Began, Change, Ended
from model.conditions.precedence import SUPPRESSED_BY
from model.rhythm import rhythm_detector
from model.rhythm.rhythm_detector import RhythmState, bed_limits, signal_rows
from model.rhythm.rules import SignalStatus, rule_settings
from model.rhythm.signal_status import SignalRows
from model.rhythm.vitals import VitalSigns, vital_signs
from stream.timebase import FS, STRIDE
from stream.wire.alarm_messages import Limits
from tests.model.beat_trains import (
    CONFIG,
    LIMITS,
    beats_with_pause,
    begun_kinds,
    changes_of,
    good_signal,
    per_min,
    run,
    train,
)

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


def test_fibrillation_holds_on_a_bad_signal_until_its_end_is_detected() -> None:
    signal = [
        replace(now, usable=now.at < 16 * FS, fibrillation_since=10 * FS if 15 * FS < now.at < 45 * FS else None)
        for now in good_signal(60)
    ]
    changes, vitals, _ = run(train(per_min((75, 10, "N"))), signal)
    began, ended = changes_of(changes, "ventricular_fibrillation")
    assert isinstance(ended, Ended)
    assert 15 * FS <= began.at <= 15 * FS + STRIDE
    assert 45 * FS <= ended.at <= 45 * FS + STRIDE
    assert {now.rhythm for now in vitals if 17 * FS < now.index < 45 * FS} == {"ventricular fibrillation"}
    assert vitals[-1].rhythm == "unknown"


def test_fibrillation_does_not_begin_on_a_bad_signal() -> None:
    signal = [replace(now, usable=False, measurable=False, fibrillation_since=10 * FS) for now in good_signal(20)]
    assert run([], signal)[0] == []


def test_a_kind_disabled_in_the_settings_is_not_tracked() -> None:
    config = replace(alarm_config.load(), disabled=frozenset({"extreme_tachycardia"}))
    beats = train(per_min((160, 40, "N")))
    assert run(beats, good_signal(15), config=config)[0] == []


@settings(max_examples=25)
@given(parts=st.lists(scenarios(), min_size=1, max_size=4), seed=st.integers(0, 1000), strides=st.integers(1, 30))
def test_beds_step_together_as_they_would_alone(
    parts: list[tuple[list[Beat], list[SignalStatus], int]], seed: int, strides: int
) -> None:
    """Several beds in shuffled slots of larger columns: each as in `step`, and the other slots stay as they are."""
    rng = np.random.default_rng(seed)
    limits = [Limits(heart_rate_low=60, heart_rate_high=int(rng.integers(61, 200))) for _ in parts]
    n = min(len(signal) for _, signal, _ in parts) // strides * strides
    alone = [
        run(beats, signal[:n], start=start, limits=own)
        for (beats, signal, start), own in zip(parts, limits, strict=True)
    ]
    slots = rng.permutation(len(parts) + 2)[: len(parts)]
    columns = np.full((len(parts) + 2, len(rhythm_detector.begin(0).records[0])), -7)
    columns[slots] = np.concatenate([rhythm_detector.begin(start).records for _, _, start in parts])
    state = RhythmState(columns)
    changes: list[list[Change]] = [[] for _ in parts]
    seconds: list[list[VitalSigns]] = [[] for _ in parts]
    for first in range(0, n, strides):
        pieces = [signal[first : first + strides] for _, signal, _ in parts]
        beats = [
            [beat for beat in own if piece[0].at - STRIDE < beat.at <= piece[-1].at]
            for (own, _, _), piece in zip(parts, pieces, strict=True)
        ]
        signal = SignalRows(*map(np.concatenate, zip(*map(signal_rows, pieces), strict=True)))
        found, rows = rhythm_detector.advance(
            rule_settings(CONFIG), state, bed_limits(CONFIG, limits), slots, to_rows(beats), signal
        )
        for bed, change in found:
            changes[bed].append(change)
        for bed, second in zip(rows.bed.tolist(), vital_signs(rows), strict=True):
            seconds[bed].append(second)
    for bed, (own_changes, own_vitals, own_state) in enumerate(alone):
        assert changes[bed] == own_changes
        assert seconds[bed] == own_vitals
        np.testing.assert_array_equal(columns[slots[bed]], own_state.records[0])
    assert (np.delete(columns, slots, axis=0) == -7).all()


def test_a_beat_after_the_last_stride_is_an_error() -> None:
    (beat,) = train(per_min((60, 1, "N")))
    with pytest.raises(ValueError, match="after the last stride"):
        rhythm_detector.step(CONFIG, LIMITS, rhythm_detector.begin(0), [beat], good_signal(1))


def test_values_of_heart_rate_limits_are_whole_numbers_as_they_were_set() -> None:
    beats = train(per_min((75, 20, "N"), (46, 15, "N")))
    (began,) = run(beats, good_signal(beats[-1].index / FS), limits=Limits())[0]
    assert isinstance(began.limit, int)


def test_after_a_gap_runs_begin_anew_and_the_last_minute_is_kept() -> None:
    state = run(train(per_min((75, 60, "N"))), good_signal(48))[2]
    resumed = rhythm_detector.after_gap(state, 53 * FS)
    assert rhythm_detector.close(resumed, 53 * FS) == ()
    before, bed = state.beds[0], resumed.beds[0]
    assert (before.last_minute.seconds, bed.last_minute.seconds) == (48, 53)
    assert bed.last_minute.usable[:53].tolist() == [10] * 48 + [0] * 5
    assert (bed.history.known, bed.history.silent_since) == (0, 53 * FS)
    assert bed.irregularity.known == before.irregularity.known > 0
    assert before.history.known > 0
