"""What a bed is at a time of its scenario, for a jump to it."""

from __future__ import annotations

from stream.records.synthetic.patient import value_at
from stream.scenario.course import in_progress, patient_at
from stream.scenario.scenario import Bed, Injection, Scenario, Step, Texts
from stream.scenario.timeline import Happening, advance, begin
from stream.timebase import FS

TEXT = Texts(en="x", ja="x")
STEPS = (
    Step(at_s=10, inject=Injection(kind="cuff_inflation", seconds=40)),
    Step(at_s=12, name="off", inject=Injection(kind="lead_off")),
    Step(at_s=20, rhythm="VT", rate=150, vitals={"spo2": 77}, ramp_s=20),
    Step(at_s=45, stop="off"),
)
SCENARIO = Scenario(name="trial", title=TEXT, about=TEXT, seconds=60, steps=STEPS)


def happened(seconds: float) -> list[Happening]:
    return advance(STEPS, begin(STEPS, "N"), round(seconds * FS))[1]


def test_injections_go_on_with_what_is_left_of_them() -> None:
    def left(seconds: float) -> list[tuple[str, float | None]]:
        found = in_progress(SCENARIO, STEPS, happened(seconds), round(seconds * FS))
        return [(one.kind, one.seconds) for one in found]

    assert left(5) == []
    assert left(30) == [("cuff_inflation", 20), ("lead_off", None)]
    assert left(42) == [("lead_off", None)], "a cuff inflates for 10 s at least"
    assert left(50) == []


def test_a_patient_goes_on_from_where_it_would_be() -> None:
    patient = patient_at(Bed(vitals={"spo2": 97}), STEPS, happened(30), 30 * FS)
    assert [segment.rhythm for segment in patient.rhythm] == ["ventricular tachycardia"]
    assert [value_at(patient.spo2, at) for at in (-10, 0, 10, 50)] == [97, 87, 77, 77]
    assert value_at(patient.vt_rate, 0) == 150
