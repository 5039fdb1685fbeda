"""What goes on after a jump: injections with what is left of them, as long as their kind allows so short a rest."""

from __future__ import annotations

import pytest

from stream.records.synthetic.patient import value_at
from stream.scenario.course import in_progress, patient_at
from stream.scenario.file import parse
from stream.scenario.scenario import Bed, Step, Texts
from stream.scenario.timeline import advance, begin
from stream.timebase import FS

SCENARIO = parse(
    """
name = "trial"
seconds = 600
title = { en = "A trial", ja = "試行" }
about = { en = "For a test.", ja = "試験用。" }
[[steps]]
at_s = 10
inject = { kind = "cuff_inflation" }
[[steps]]
at_s = 10
inject = { kind = "mains", seconds = 300 }
[[steps]]
at_s = 10
inject = { kind = "flat_line" }
""",
    "trial.toml",
)


@pytest.mark.parametrize(
    ("at_s", "left"),
    [
        (15, {"cuff_inflation": 25, "mains": 295, "flat_line": None}),
        (35, {"mains": 275, "flat_line": None}),  # 5 s of a cuff cannot be injected
        (400, {"flat_line": None}),  # the cuff was deflated after its usual 30 s
    ],
)
def test_injections_go_on_with_what_is_left_of_them(at_s: int, left: dict[str, float | None]) -> None:
    steps, position = SCENARIO.steps_of("bed-1"), at_s * FS
    _, happened = advance(steps, begin(steps, "N"), position)
    assert {one.kind: one.seconds for one in in_progress(SCENARIO, steps, happened, position)} == left


def test_a_patient_goes_on_from_where_it_would_be() -> None:
    text = Texts(en="x", ja="x")
    steps = (Step(at_s=20, rhythm="VT", rate=150, vitals={"spo2": 77}, ramp_s=20, note=text),)
    _, happened = advance(steps, begin(steps, "N"), 30 * FS)
    patient = patient_at(Bed(vitals={"spo2": 97}), steps, happened, 30 * FS)
    assert [segment.rhythm for segment in patient.rhythm] == ["ventricular tachycardia"]
    assert [value_at(patient.spo2, at) for at in (-10, 0, 10, 50)] == [97, 87, 77, 77]
    assert value_at(patient.vt_rate, 0) == 150
