"""Heart rate, ventricular beats a minute, and the name of the rhythm."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.rhythm.vitals import VitalSigns
from stream.timebase import FS
from stream.wire.messages import BeatType
from tests.model.beat_trains import per_min, quiet_signal, run, train


def vitals(
    intervals: list[tuple[float, BeatType]], seconds: float, unusable: tuple[float, float] = (0, 0)
) -> list[VitalSigns]:
    first, last = unusable
    signal = [replace(now, usable=not first * FS <= now.at < last * FS) for now in quiet_signal(seconds)]
    return run(train(intervals), signal)[1]


def letters(pattern: str, times: int, seconds: float = 0.8) -> list[tuple[float, BeatType]]:
    return [(seconds, letter) for letter in pattern * times]


def test_one_for_each_second_of_signal() -> None:
    assert [now.index for now in vitals(per_min((75, 20, "N")), 10.95)] == [k * FS - 1 for k in range(1, 11)]


def test_a_steady_rate_is_told_after_a_few_beats() -> None:
    found = vitals(per_min((75, 20, "N")), 15)
    assert [now.heart_rate for now in found[:4]] == [None] * 4  # the fifth beat comes at 4.0 s
    assert found[4].heart_rate == pytest.approx(75)
    assert found[-1].rr_ms == pytest.approx(800)


def test_the_longest_and_the_shortest_interval_do_not_count() -> None:
    beats = [*per_min((60, 9, "N")), (0.5, "S"), (1.5, "N"), *per_min((60, 5, "N"))]
    assert vitals(beats, 17)[-1].heart_rate == pytest.approx(60)


def test_a_slow_rate_shows_after_four_beats() -> None:
    found = vitals([*per_min((80, 20, "N"), (45, 4, "N"))], 21)
    assert found[-1].heart_rate == pytest.approx(45, abs=0.1)


def test_no_rate_without_beats() -> None:
    found = vitals(per_min((75, 20, "N")), 25)
    last_beat = 16
    assert found[last_beat + 3].heart_rate == pytest.approx(75)
    assert found[last_beat + 4].heart_rate is None
    assert found[last_beat + 4].rr_ms is None
    assert found[last_beat + 4].rhythm == "asystole"


def test_nothing_is_told_of_a_signal_that_is_not_usable() -> None:
    found = vitals(per_min((75, 200, "N")), 140, unusable=(100, 110))
    now = found[104]
    assert (now.heart_rate, now.rr_ms, now.pvc_per_min, now.rhythm) == (None, None, None, "unknown")
    assert found[111].heart_rate is None  # not five beats yet since it is usable again
    assert found[118].heart_rate == pytest.approx(75)
    assert found[118].pvc_per_min is None  # ten seconds of the last minute were not observed


def test_ventricular_beats_are_counted_over_a_whole_minute() -> None:
    found = vitals(letters("NNNV", 40), 120)
    assert found[58].pvc_per_min is None
    assert found[59].pvc_per_min in (18, 19)
    assert found[-1].pvc_per_min in (18, 19)


@pytest.mark.parametrize(
    ("intervals", "name"),
    [
        (letters("N", 40), "sinus"),
        (letters("NV", 20), "bigeminy"),
        (letters("NNV", 14), "trigeminy"),
        (letters("NVV", 14), "unknown"),
        (letters("Q", 40), "unknown"),
        (letters("NNNNNNV", 6), "sinus"),
        (letters("V", 60, 0.4), "ventricular tachycardia"),
        ([(1.0 + 0.3 * (-1) ** k, "N") for k in range(40)], "unknown"),
    ],
)
def test_the_rhythm_has_a_name(intervals: list[tuple[float, BeatType]], name: str) -> None:
    assert vitals(intervals, 20)[-1].rhythm == name


def test_fibrillation_has_no_rate() -> None:
    signal = [replace(now, fibrillation_since=5 * FS if now.at > 9 * FS else None) for now in quiet_signal(20)]
    now = run(train(per_min((200, 60, "V"))), signal)[1][-1]
    assert (now.heart_rate, now.rr_ms, now.rhythm) == (None, None, "ventricular fibrillation")
