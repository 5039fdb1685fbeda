"""What a step does and waits for, as the status of its bed tells it."""

from __future__ import annotations

import msgspec
import pytest

from stream.scenario.description import described
from stream.scenario.file import SHIPPED, load, parse
from stream.wire.scenario_status import ScenarioStatus, StepAction, StepWait

FILE = """
name = "trial"
seconds = 60
title = { en = "A trial", ja = "試行" }
about = { en = "For a test.", ja = "試験用。" }
[[steps]]
name = "vf"
after = { event = "acknowledge", delay_s = 5, latest_s = 30 }
rhythm = "VF"
vitals = { spo2 = 82, heart_rate = 60 }
ramp_s = 20
inject = { kind = "mains", level = 0.5, seconds = 9 }
expect = { action = "answer", within_s = 10, text = { en = "Name it.", ja = "答える。" } }
note = { en = "A note.", ja = "注。" }
[[steps]]
after = { rhythm = "VF", seconds = 20, delay_s = 1 }
stop = "vf"
[[steps]]
after = { alarm = "asystole" }
rhythm = "N"
rate = 70
[[steps]]
after = { step = "vf", delay_s = 40 }
note = { en = "A note.", ja = "注。" }
"""


def test_a_step_tells_what_it_does_and_what_it_waits_for() -> None:
    steps = parse(FILE, "trial.toml").steps
    told = [described(steps, step, None, happened=False) for step in steps]
    assert told[0].actions == (
        StepAction(do="rhythm", name="VF"),
        StepAction(do="vital", name="spo2", value=82.0, seconds=20.0),
        StepAction(do="vital", name="heart_rate", value=60.0, seconds=20.0),
        StepAction(do="inject", name="mains", value=0.5, seconds=9.0),
        StepAction(do="expect", name="answer", seconds=10.0),
        StepAction(do="note"),
    )
    assert told[1].actions == (StepAction(do="stop", name="mains"),)
    assert told[2].actions == (StepAction(do="rhythm", name="N", value=70.0),)
    assert [one.after for one in told] == [
        StepWait(on="action", name="acknowledge", seconds=5.0, latest_s=30.0),
        StepWait(on="rhythm", name="VF", seconds=21.0),
        StepWait(on="alarm", name="asystole"),
        StepWait(on="step", name="vf", seconds=40.0),
    ]


@pytest.mark.parametrize("name", sorted(entry.name[:-5] for entry in SHIPPED.iterdir() if entry.name.endswith(".toml")))
def test_the_steps_of_what_ships_fit_into_a_status(name: str) -> None:
    scenario = load(name)
    for bed in scenario.beds:
        steps = scenario.steps_of(bed.name)
        told = tuple(described(steps, step, step.at_s, happened=True) for step in steps)
        status = ScenarioStatus(name=name, title="", position_s=0, seconds=1, playing=True, steps=told)
        sent = msgspec.json.encode(status)
        assert msgspec.json.decode(sent, type=ScenarioStatus) == status
        assert len(sent) < 20_000
