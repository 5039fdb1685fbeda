"""The order of the steps of a scenario, and which comes next."""

from __future__ import annotations

from monitor.view.scenario_steps import in_order, next_step
from stream.wire.scenario_status import ScenarioStep, StepWait


def step(
    at_s: float | None = None, after: StepWait | None = None, name: str = "", *, done: bool = False
) -> ScenarioStep:
    return ScenarioStep(text="", at_s=at_s, happened=done, name=name, after=after)


ACKNOWLEDGED = StepWait(on="action", name="acknowledge")
LATER = StepWait(on="step", name="vf", seconds=30)


def test_a_step_that_waits_follows_what_it_waits_for() -> None:
    steps = (step(200), step(100, name="vf"), step(after=ACKNOWLEDGED), step(120), step(after=LATER))
    assert in_order(steps) == (1, 2, 3, 4, 0), "the last one 30 s after that of 100 s, and after that of 120 s"
    assert in_order((step(after=ACKNOWLEDGED), step(0))) == (0, 1)


def test_the_next_step_is_the_first_whose_time_is_known() -> None:
    steps = (step(10, done=True), step(after=ACKNOWLEDGED), step(80), step(60))
    assert next_step(steps) == 3
    assert next_step(steps[:2]) is None
