"""Reference beats: classes, order, flutter intervals, end of the record."""

from __future__ import annotations

import numpy as np
import pytest

from model.datasets.annotated_signal import AnnotatedSignal, annotations_of
from model.datasets.beat_codes import AAMI_CLASS, NORMAL, SUPRAVENTRICULAR
from model.datasets.reference import reference_of
from stream.errors import RecordError
from stream.records.record import Record


def test_normal_beats_are_of_supraventricular_origin() -> None:
    assert NORMAL < SUPRAVENTRICULAR
    assert {AAMI_CLASS[code] for code in SUPRAVENTRICULAR} == {"N", "S"}


def test_beats_are_sorted_classified_and_limited_to_the_record() -> None:
    reference = reference_of(np.array([30, 10, 20, 40, 99]), ["V", "N", "+", "!", "A"], 90)
    assert reference.sample.tolist() == [10, 30]
    assert reference.label == ("N", "V")
    assert reference.is_label("V", "F").tolist() == [False, True]
    assert reference.flutter_waves.tolist() == [40]


def test_flutter_intervals_and_beats_outside_them() -> None:
    reference = reference_of(np.array([10, 20, 30, 40, 50, 60, 70]), ["N", "[", "V", "]", "N", "[", "V"], 90)
    assert reference.flutter == ((20, 40), (60, 90))
    assert reference.sample.tolist() == [10, 30, 50, 70]
    assert reference.outside_flutter().sample.tolist() == [10, 50]
    assert reference.outside_flutter().label == ("N", "N")


def test_reference_of_an_annotated_signal() -> None:
    signal = AnnotatedSignal(np.zeros((50, 1)), np.array([10, 20, 60]), ("N", "~", "V"))
    assert signal.reference.sample.tolist() == [10]


def test_missing_annotations_are_an_error() -> None:
    record = Record("mitdb/100", ("MLII",), (200.0,), (0,), np.zeros((9, 1), np.int16), False, "test", None)
    with pytest.raises(RecordError, match=r"mitdb/100 has no reference annotations: .*\.atr"):
        annotations_of(record)
