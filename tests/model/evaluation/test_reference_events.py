from itertools import accumulate

import numpy as np

from model.evaluation.ec57_beats import Reference
from model.evaluation.reference_events import RhythmEvent, events_of


def beats(rr_s: list[float], labels: str | None = None, flutter: tuple[tuple[int, int], ...] = ()) -> Reference:
    sample = np.round(np.array(list(accumulate(rr_s, initial=10.0))) * 360).astype(np.int64)
    return Reference(sample, tuple(labels or "N" * len(sample)), flutter)


def kinds(reference: Reference) -> list[str]:
    return [event.kind for event in events_of(reference)]


def test_four_seconds_without_a_beat_is_asystole_and_no_less() -> None:
    assert kinds(beats([1.0, 3.99, 1.0])) == []
    [event] = events_of(beats([1.0, 4.01, 1.0]))
    assert event == RhythmEvent("asystole", 3960, 3960 + 1440, 3960 + 1444)


def test_no_beat_is_missing_in_flutter() -> None:
    assert kinds(beats([1.0, 9.0, 1.0], flutter=((4000, 7000),))) == ["ventricular_fibrillation"]


def test_no_rate_reaches_across_flutter_and_each_side_counts() -> None:
    slow = beats([1.6] * 7 + [1.6] * 6, flutter=((round(20.5 * 360), round(21.0 * 360)),))
    before, _, after = events_of(slow)
    assert (before.kind, after.kind) == ("extreme_bradycardia", "extreme_bradycardia")
    assert before.stop <= round(20.5 * 360)
    assert after.first >= round(21.0 * 360)
    short = beats([1.6] * 4, flutter=((round(12.0 * 360), round(12.5 * 360)),))
    assert kinds(short) == ["ventricular_fibrillation"]


def test_five_slow_beats_are_bradycardia() -> None:
    assert kinds(beats([0.8] * 5 + [1.51] * 3 + [0.8] * 5)) == []
    [event] = events_of(beats([0.8] * 5 + [1.51] * 6 + [0.8] * 5))
    assert event.kind == "extreme_bradycardia"
    assert event.first == round(14.0 * 360)
    assert event.met == round((14.0 + 4 * 1.51) * 360)


def test_seventeen_fast_beats_are_tachycardia() -> None:
    assert kinds(beats([0.8] * 5 + [0.42] * 15 + [0.8] * 5)) == []
    assert kinds(beats([0.8] * 5 + [0.42] * 16 + [0.8] * 5)) == ["extreme_tachycardia"]
    assert kinds(beats([0.8] * 5 + [0.43] * 30 + [0.8] * 5)) == []


def test_five_fast_ventricular_beats_are_ventricular_tachycardia() -> None:
    rr = [0.8] * 4 + [0.5] * 5 + [0.8] * 4
    assert kinds(beats(rr, "NNNNN" + "VVVV" + "NNNNN")) == []
    [event] = events_of(beats(rr, "NNNNN" + "VVVVV" + "NNNN"))
    assert event.kind == "ventricular_tachycardia"
    assert event.met == round((13.2 + 5 * 0.5) * 360)
    assert kinds(beats([0.8] * 4 + [0.61] * 5 + [0.8] * 4, "NNNNN" + "VVVVV" + "NNNN")) == []
