"""Rhythm events at both sides of each definition."""

from itertools import accumulate

import numpy as np

from model.datasets.reference import Reference
from model.evaluation.reference_events import RhythmEvent, events_of


def beats(rr_s: list[float], labels: str | None = None, flutter: tuple[tuple[int, int], ...] = ()) -> Reference:
    sample = np.round(np.array(list(accumulate(rr_s, initial=10.0))) * 360).astype(np.int64)
    return Reference(sample, tuple(labels or "N" * len(sample)), flutter)


def kinds(reference: Reference) -> list[str]:
    return [event.kind for event in events_of(reference)]


def test_asystole_is_more_than_four_seconds_without_a_beat() -> None:
    assert kinds(beats([1.0, 3.99, 1.0])) == []
    [event] = events_of(beats([1.0, 4.01, 1.0]))
    assert event == RhythmEvent("asystole", 3960, 3960 + 1440, 3960 + 1444)


def test_flutter_is_no_asystole() -> None:
    assert kinds(beats([1.0, 9.0, 1.0], flutter=((4000, 7000),))) == ["ventricular_fibrillation"]


def test_rate_events_do_not_extend_across_flutter() -> None:
    slow = beats([1.6] * 7 + [1.6] * 6, flutter=((round(20.5 * 360), round(21.0 * 360)),))
    before, _, after = events_of(slow)
    assert (before.kind, after.kind) == ("extreme_bradycardia", "extreme_bradycardia")
    assert before.stop <= round(20.5 * 360)
    assert after.first >= round(21.0 * 360)
    short = beats([1.6] * 4, flutter=((round(12.0 * 360), round(12.5 * 360)),))
    assert kinds(short) == ["ventricular_fibrillation"]


def test_bradycardia_needs_five_slow_beats() -> None:
    assert kinds(beats([0.8] * 5 + [1.51] * 3 + [0.8] * 5)) == []
    [event] = events_of(beats([0.8] * 5 + [1.51] * 6 + [0.8] * 5))
    assert event.kind == "extreme_bradycardia"
    assert event.first == round(14.0 * 360)
    assert event.met == round((14.0 + 4 * 1.51) * 360)


def test_tachycardia_needs_seventeen_fast_beats() -> None:
    assert kinds(beats([0.8] * 5 + [0.42] * 15 + [0.8] * 5)) == []
    assert kinds(beats([0.8] * 5 + [0.42] * 16 + [0.8] * 5)) == ["extreme_tachycardia"]
    assert kinds(beats([0.8] * 5 + [0.43] * 30 + [0.8] * 5)) == []


def test_ventricular_tachycardia_needs_five_fast_ventricular_beats() -> None:
    rr = [0.8] * 4 + [0.5] * 5 + [0.8] * 4
    assert kinds(beats(rr, "NNNNN" + "VVVV" + "NNNNN")) == []
    [event] = events_of(beats(rr, "NNNNN" + "VVVVV" + "NNNN"))
    assert event.kind == "ventricular_tachycardia"
    assert event.met == round((13.2 + 5 * 0.5) * 360)
    assert kinds(beats([0.8] * 4 + [0.61] * 5 + [0.8] * 4, "NNNNN" + "VVVVV" + "NNNN")) == []
