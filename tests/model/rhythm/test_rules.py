"""Rules of the rhythm conditions on synthetic beat trains: limits, numbers of beats, onset and end."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from model.conditions import settings as alarm_config
from model.conditions.changes import Began, Ended
from model.conditions.precedence import RHYTHM_KINDS
from model.rhythm.active_conditions import END_DELAY
from model.rhythm.rules import SignalStatus
from model.signal.pulses import KEPT, MAX_SILENCE, REPORT_DELAY
from stream.timebase import FS, STRIDE
from stream.wire.alarm_messages import Limits
from stream.wire.messages import BeatType
from tests.model.beat_trains import (
    LIMITS,
    beats_with_pause,
    begun_kinds,
    changes_of,
    good_signal,
    per_min,
    run,
    train,
)
from tests.model.pulse_trains import every, pulse_status

MAX_DELAY = STRIDE + 72
"""Longest delay from the sample at which a rule is met to the report, samples."""


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


def with_missed(signal: list[SignalStatus], *r_peaks: int) -> list[SignalStatus]:
    """Return the signal with missed beats, each found 80 samples after its R peak."""
    found = {(r_peak + 80) // STRIDE: r_peak for r_peak in r_peaks}
    return [replace(status, missed=found.get(stride)) for stride, status in enumerate(signal)]


@pytest.mark.parametrize("seconds", [4.1, 6.0])
def test_a_pause_with_a_missed_beat_is_no_asystole(seconds: float) -> None:
    beats = beats_with_pause(seconds)
    before, signal = beats[9].index, good_signal(beats[-1].index / FS)
    assert "asystole" not in begun_kinds(run(beats, with_missed(signal, before + 2 * FS))[0])
    assert "asystole" in begun_kinds(run(beats, with_missed(signal, before - FS // 5))[0])
    assert "asystole" in begun_kinds(run(beats, with_missed(signal, beats[10].index + FS // 5))[0])


def test_a_missed_beat_counts_for_the_onset_of_a_bradycardia() -> None:
    """Five beats at 36/min: with one more in between the rate is 45/min; at 30/min it is 38/min."""
    for rate, expected in ((36, False), (30, True)):
        beats = train(per_min((75, 10, "N"), (rate, 4, "N")))
        signal = with_missed(good_signal(beats[-1].index / FS + 0.5), beats[-3].index + FS // 2)
        assert ("extreme_bradycardia" in begun_kinds(run(beats, signal)[0])) == expected


def test_no_beats_before_an_ecg_was_observed_are_no_asystole() -> None:
    unattached = [replace(status, ecg_seen=False) for status in good_signal(10)]
    assert not run([], unattached)[0]


def test_no_beats_from_the_start_is_an_asystole() -> None:
    (began,) = run([], good_signal(10, 720), start=720)[0]
    assert began.kind == "asystole"
    assert began.onset == 720
    assert began.at <= 720 + 4 * FS + MAX_DELAY


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


def test_late_beats_among_fast_ones_do_not_end_a_tachycardia() -> None:
    """Three late beats lower the rate below the limit and its margin, at fewer than five beats."""
    beats = train(per_min((145, 20, "N"), (92, 3, "N"), (200, 10, "N")))
    changes, _, _ = run(beats, good_signal(beats[-1].index / FS))
    assert [(type(change), change.kind) for change in changes if change.kind == "extreme_tachycardia"] == [
        (Began, "extreme_tachycardia")
    ]


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


def test_a_low_heart_rate_is_reported() -> None:
    beats = train(per_min((75, 20, "N"), (46, 15, "N")))
    (began,) = run(beats, good_signal(beats[-1].index / FS), limits=Limits())[0]
    assert (began.kind, began.limit) == ("heart_rate_low", 50)
    assert began.value is not None
    assert began.value < 50


def irregular_intervals(n: int) -> list[tuple[float, BeatType]]:
    pattern = itertools.cycle([0.41, 0.92, 0.63, 1.27, 0.55, 0.78, 1.05, 0.48, 0.7, 1.42, 0.58])
    return [(next(pattern) + 0.037 * (k % 13), "N") for k in range(n)]


def test_onset_and_end_of_atrial_fibrillation_are_dated_back() -> None:
    regular: list[tuple[float, BeatType]] = [(0.8, "N")] * 200
    beats = train([*regular, *irregular_intervals(200), *regular])
    began, ended = changes_of(run(beats, good_signal(beats[-1].index / FS))[0], "atrial_fibrillation")
    assert isinstance(ended, Ended)
    assert abs(began.onset - beats[200].index) < 40 * FS
    assert abs(ended.end - beats[400].index) < 40 * FS
    assert began.at > began.onset + 20 * FS


def test_irregular_beats_with_a_consistent_p_wave_are_no_atrial_fibrillation() -> None:
    beats = [replace(beat, p_wave=0.8) for beat in train(irregular_intervals(200))]
    changes, vitals, _ = run(beats, good_signal(beats[-1].index / FS))
    assert changes_of(changes, "atrial_fibrillation") == []
    assert "atrial fibrillation" not in {now.rhythm for now in vitals}


def test_atrial_fibrillation_ends_when_the_p_wave_returns() -> None:
    beats = train(irregular_intervals(300))
    beats = [replace(beat, p_wave=0.8 if number >= 200 else 0.1) for number, beat in enumerate(beats)]
    _, ended = changes_of(run(beats, good_signal(beats[-1].index / FS))[0], "atrial_fibrillation")
    assert isinstance(ended, Ended)
    delay = int(END_DELAY[RHYTHM_KINDS.index("atrial_fibrillation")])
    assert 0 <= ended.at - delay - beats[200].at <= STRIDE


def test_atrial_fibrillation_that_returns_soon_is_the_same_but_the_rhythm_is_named_as_it_is() -> None:
    beats = train(irregular_intervals(300))
    back = range(200, 230)
    beats = [replace(beat, p_wave=0.8 if number in back else 0.1) for number, beat in enumerate(beats)]
    changes, vitals, _ = run(beats, good_signal(beats[-1].index / FS))
    assert [type(change) for change in changes_of(changes, "atrial_fibrillation")] == [Began]
    between = {now.rhythm for now in vitals if beats[201].at < now.index < beats[229].at}
    assert "atrial fibrillation" not in between


@pytest.mark.parametrize("before", [3, 20])
def test_the_pause_of_an_asystole_is_no_rate_of_the_beats_that_return(before: int) -> None:
    beats = train([*[(0.8, "N")] * before, (20.0, "N"), *[(0.8, "N")] * 10])
    changes, vitals, _ = run(beats, good_signal(beats[-1].index / FS))
    assert {change.kind for change in changes if isinstance(change, Began) and change.at > beats[before].at} <= {
        "asystole"
    }
    rates = [now.heart_rate for now in vitals if now.index > beats[before].at and now.heart_rate is not None]
    assert rates
    assert rates == pytest.approx([75] * len(rates))


def test_a_bradycardia_after_an_asystole_needs_five_beats_of_its_own() -> None:
    beats = train([*[(0.8, "N")] * 10, (8.0, "N"), *[(1.9, "N")] * 6])
    began = next(
        change
        for change in run(beats, good_signal(beats[-1].index / FS))[0]
        if change.kind == "extreme_bradycardia" and change.at > beats[10].at
    )
    assert beats[13].at < began.at <= beats[14].at + STRIDE


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


@pytest.mark.parametrize(
    ("resemblance", "expected"),
    [
        ((0.75, 0.0), ["pvc_run", "ventricular_tachycardia"]),
        ((0.0, 0.95), ["pvc_run", "ventricular_tachycardia"]),
        ((0.6, 0.8), []),
        ((), []),
    ],
)
def test_a_run_needs_complexes_that_resemble_each_other(resemblance: tuple[float, ...], expected: list[str]) -> None:
    beats = train(per_min((80, 10, "N"), (130, 8, "V"), (80, 10, "N")), resemblance=resemblance)
    assert begun_kinds(run(beats, good_signal(20))[0]) == expected


def test_half_of_the_intervals_of_a_tachycardia_must_repeat_a_shape() -> None:
    beats = train(per_min((80, 10, "N"), (150, 5, "V"), (80, 10, "N")), resemblance=(0.0,))
    for repeated, expected in ((1, False), (2, True)):
        changed = [
            replace(beat, resemblance=(0.9,)) if 15 - repeated <= k < 15 else beat for k, beat in enumerate(beats)
        ]
        assert ("ventricular_tachycardia" in begun_kinds(run(changed, good_signal(20))[0])) is expected


# --- pulse -----------------------------------------------------------------------------------------------------------


def with_pulse(signal: list[SignalStatus], times: list[float], since: float | None = None) -> list[SignalStatus]:
    """Add a trusted pulse with the given times, s, as long as it goes on."""
    since = times[0] if since is None else since
    result = []
    for status in signal:
        known = [time for time in times if round(time * FS) + REPORT_DELAY <= status.at]
        goes_on = bool(known) and status.at - known[-1] * FS <= MAX_SILENCE and known[-1] >= since
        pulse = pulse_status([time for time in known if time >= since][-KEPT:], since) if goes_on else None
        result.append(replace(status, pulse=pulse))
    return result


@pytest.mark.parametrize(
    ("pulses", "alarm"),
    [
        ((0.4, 30), False),  # goes on through the pause
        ((0.4, 4.3), True),  # stops with the last beat
        ((5.5, 30), True),  # began in the pause
    ],
)
def test_an_asystole_is_contradicted_by_a_pulse_that_goes_on(pulses: tuple[float, float], alarm: bool) -> None:
    beats = beats_with_pause(6.0)
    times = every(0.4, pulses[1], first=pulses[0])
    signal = with_pulse(good_signal(beats[-1].index / FS), times)
    assert ("asystole" in begun_kinds(run(beats, signal, limits=LIMITS)[0])) == alarm


def test_an_asystole_begins_when_the_pulse_stops_later() -> None:
    beats = beats_with_pause(20.0)
    signal = with_pulse(good_signal(beats[-1].index / FS), every(0.4, 12, first=0.4))
    began = changes_of(run(beats, signal, limits=LIMITS)[0], "asystole")[0]
    assert 14 * FS < began.at < 15.5 * FS


@pytest.mark.parametrize(("interval", "alarm"), [(0.8, False), (1.65, True)])
def test_a_bradycardia_is_contradicted_by_a_faster_pulse(interval: float, alarm: bool) -> None:
    beats = train(per_min((75, 10, "N"), (36, 8, "N")))
    times = [*every(0.8, 8.2, first=0.4), *every(interval, 30, first=8.4)]
    signal = with_pulse(good_signal(beats[-1].index / FS), times)
    assert ("extreme_bradycardia" in begun_kinds(run(beats, signal)[0])) == alarm


def test_a_fibrillation_is_contradicted_by_a_pulse_that_goes_on() -> None:
    signal = [
        replace(status, fibrillation_since=10 * FS if status.at >= 13 * FS else None) for status in good_signal(20)
    ]
    assert "ventricular_fibrillation" in begun_kinds(run([], signal)[0])
    assert "ventricular_fibrillation" not in begun_kinds(run([], with_pulse(signal, every(0.8, 20)))[0])
    stops = begun_kinds(run([], with_pulse(signal, every(0.8, 10.5)))[0])
    assert "ventricular_fibrillation" in stops


@pytest.mark.parametrize(
    ("pulses", "alarm"),
    [
        (every(0.8, 30, first=0.4), False),  # unchanged
        ([*every(0.8, 8.1, first=0.4), *every(0.5, 14, first=8.8)], True),  # as fast as the run
        ([*every(0.8, 8.1, first=0.4), *every(0.8, 30, first=12.0)], True),  # drops out
        (every(0.57, 30, first=0.4), True),  # at more than 100/min all the time
    ],
)
def test_a_ventricular_tachycardia_is_contradicted_only_by_an_unchanged_pulse(pulses: list[float], alarm: bool) -> None:
    beats = train(per_min((75, 10, "N"), (120, 8, "V"), (75, 10, "N")))
    signal = with_pulse(good_signal(beats[-1].index / FS), pulses)
    assert ("ventricular_tachycardia" in begun_kinds(run(beats, signal)[0])) == alarm


def test_no_pulse_contradicts_an_extreme_tachycardia() -> None:
    beats = train(per_min((75, 10, "N"), (150, 30, "N")))
    signal = with_pulse(good_signal(beats[-1].index / FS), every(0.8, 30, first=0.4))
    assert "extreme_tachycardia" in begun_kinds(run(beats, signal)[0])
