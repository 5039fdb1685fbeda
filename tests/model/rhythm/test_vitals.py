"""Vital signs: heart rate, ventricular beats per minute, name of the rhythm."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.rhythm.vitals import VitalSigns
from stream.timebase import FS
from stream.wire.messages import BeatType
from tests.model.beat_trains import good_signal, per_min, run, train


def vitals(
    intervals: list[tuple[float, BeatType]], seconds: float, unusable: tuple[float, float] = (0, 0)
) -> list[VitalSigns]:
    first, last = unusable
    signal = [replace(now, usable=not first * FS <= now.at < last * FS) for now in good_signal(seconds)]
    return run(train(intervals), signal)[1]


def repeated(pattern: str, times: int, seconds: float = 0.8) -> list[tuple[float, BeatType]]:
    return [(seconds, letter) for letter in pattern * times]


def test_one_set_of_vital_signs_per_second() -> None:
    assert [now.index for now in vitals(per_min((75, 20, "N")), 10.95)] == [k * FS - 1 for k in range(1, 11)]


def test_the_heart_rate_is_known_after_five_beats() -> None:
    vital_signs = vitals(per_min((75, 20, "N")), 15)
    assert [now.heart_rate for now in vital_signs[:4]] == [None] * 4  # the fifth beat comes at 4.0 s
    assert vital_signs[4].heart_rate == pytest.approx(75)
    assert vital_signs[-1].rr_ms == pytest.approx(800)


def test_the_longest_and_the_shortest_interval_are_left_out() -> None:
    beats = [*per_min((60, 9, "N")), (0.5, "S"), (1.5, "N"), *per_min((60, 5, "N"))]
    assert vitals(beats, 17)[-1].heart_rate == pytest.approx(60)


def test_a_slow_rate_is_reported_after_four_beats() -> None:
    vital_signs = vitals([*per_min((80, 20, "N"), (45, 4, "N"))], 21)
    assert vital_signs[-1].heart_rate == pytest.approx(45, abs=0.1)


def test_no_rate_without_beats() -> None:
    vital_signs = vitals(per_min((75, 20, "N")), 25)
    last_beat = 16
    assert vital_signs[last_beat + 3].heart_rate == pytest.approx(75)
    assert vital_signs[last_beat + 4].heart_rate is None
    assert vital_signs[last_beat + 4].rr_ms is None
    assert vital_signs[last_beat + 4].rhythm == "asystole"


def test_vital_signs_are_unknown_while_the_signal_is_unusable() -> None:
    vital_signs = vitals(per_min((75, 200, "N")), 140, unusable=(100, 110))
    now = vital_signs[104]
    assert (now.heart_rate, now.rr_ms, now.pvc_per_min, now.rhythm) == (None, None, None, "unknown")
    assert vital_signs[111].heart_rate is None  # fewer than five beats since the signal became usable again
    assert vital_signs[118].heart_rate == pytest.approx(75)
    assert vital_signs[118].pvc_per_min is None  # ten seconds of the last minute were unusable


def test_ventricular_beats_are_counted_over_one_minute() -> None:
    vital_signs = vitals(repeated("NNNV", 40), 120)
    assert vital_signs[58].pvc_per_min is None
    assert vital_signs[59].pvc_per_min in (18, 19)
    assert vital_signs[-1].pvc_per_min in (18, 19)


def test_ventricular_beats_are_not_counted_with_what_seems_to_be_a_beat_in_fibrillation() -> None:
    beats = train([*per_min((75, 80, "N"), (300, 100, "V"), (75, 100, "N"))])
    begin, end = 80 * 0.8 * FS, (80 * 0.8 + 20) * FS
    signal = [
        replace(now, fibrillation_since=round(begin) if begin <= now.at < end else None) for now in good_signal(160)
    ]
    vital_signs = run(beats, signal)[1]
    assert vital_signs[62].pvc_per_min == 0
    assert {now.pvc_per_min for now in vital_signs[72:136]} == {None}
    assert vital_signs[-1].pvc_per_min == 0


@pytest.mark.parametrize(
    ("intervals", "name"),
    [
        (repeated("N", 40), "sinus"),
        (repeated("NV", 20), "bigeminy"),
        (repeated("NNV", 14), "trigeminy"),
        (repeated("NVV", 14), "unknown"),
        (repeated("Q", 40), "unknown"),
        (repeated("NNNNNNV", 6), "sinus"),
        (repeated("V", 60, 0.4), "ventricular tachycardia"),
        ([(1.0 + 0.3 * (-1) ** k, "N") for k in range(40)], "unknown"),
    ],
)
def test_rhythm_names(intervals: list[tuple[float, BeatType]], name: str) -> None:
    assert vitals(intervals, 20)[-1].rhythm == name


@pytest.mark.parametrize(
    ("p_wave", "types", "name"),
    [(0.9, "NS", "sinus"), (0.1, "NS", "unknown"), (None, "NS", "unknown"), (0.9, "S", "unknown")],
)
def test_a_consistent_p_wave_makes_normal_and_ectopic_beats_a_sinus_rhythm(
    p_wave: float | None, types: str, name: str
) -> None:
    beats = [replace(beat, p_wave=p_wave) for beat in train(repeated(types, 40 // len(types)))]
    assert run(beats, good_signal(20))[1][-1].rhythm == name


def test_no_heart_rate_during_fibrillation() -> None:
    signal = [replace(now, fibrillation_since=5 * FS if now.at > 9 * FS else None) for now in good_signal(20)]
    now = run(train(per_min((200, 60, "V"))), signal)[1][-1]
    assert (now.heart_rate, now.rr_ms, now.rhythm) == (None, None, "ventricular fibrillation")
