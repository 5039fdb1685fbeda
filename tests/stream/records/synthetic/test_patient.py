"""Parameters are constants or courses; what is out of range is refused in one line."""

from __future__ import annotations

import numpy as np
import pytest

from stream.errors import UsageError
from stream.records.synthetic.patient import Patient, Segment, values_at


def test_a_course_is_linear_between_its_points_and_may_have_steps() -> None:
    times = np.array([0.0, 10.0, 15.0, 20.0, 20.1, 99.0])
    assert values_at(((10, 60), (20, 80), (20, 100)), times)[[0, 1, 2, 5]].tolist() == [60, 60, 70, 100]
    assert values_at(72, times).tolist() == [72.0] * 6


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"heart_rate": 400}, "heart_rate of 400: use 20 to 250"),
        ({"spo2": ((0, 97), (60, 101))}, "spo2 of 101"),
        ({"etco2": ((60, 30), (0, 40))}, "etco2 has points at [60, 0] s: give ascending times"),
        ({"rhythm": ()}, "rhythm segments start at [] s"),
        ({"rhythm": (Segment(5, "sinus"),)}, "start the first at 0"),
        ({"rhythm": (Segment(0, "sinus"), Segment(0, "asystole"))}, "rhythm segments start at [0, 0] s"),
    ],
)
def test_what_is_out_of_range_is_refused(wrong, message: str) -> None:
    with pytest.raises(UsageError) as error:
        Patient(**wrong)
    assert message in str(error.value)
