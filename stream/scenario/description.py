"""Where a bed is in its scenario, what its steps do, and what they wait for: for the status of the bed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice

import msgspec

from stream.scenario.scenario import After, Place, Scenario, Step
from stream.scenario.timeline import Timeline, due
from stream.timebase import FS
from stream.wire.scenario_status import (
    MAX_SCENARIO_STEPS,
    MAX_STATUS_ACTIONS,
    ScenarioStatus,
    ScenarioStep,
    StepAction,
    StepWait,
)


def status_of(
    scenario: Scenario, steps: Sequence[Step], timeline: Timeline, playing: bool, language: str
) -> ScenarioStatus:
    """Return the state of a bed in its scenario.

    Parameters
    ----------
    scenario : Scenario
    steps : sequence of Step
        Those of the bed.
    timeline : Timeline
    playing : bool
        Whether the scenario goes on at the bed.
    language : str
        Of the title, ``en`` or ``ja``.
    """
    planned = [due(steps, timeline, number) for number in range(len(steps))]
    following = min(range(len(planned)), key=planned.__getitem__, default=0)
    comes = bool(planned) and not math.isinf(planned[following])
    shown, actions = [], 0
    for step, at, fired in islice(zip(steps, planned, timeline.fired, strict=True), MAX_SCENARIO_STEPS):
        known = at if fired is None else fired
        at_s = None if math.isinf(known) else round(known / FS, 2)
        one = described(steps, step, at_s, happened=fired is not None)
        actions += len(one.actions)
        shown.append(one if actions <= MAX_STATUS_ACTIONS else msgspec.structs.replace(one, actions=()))
    return ScenarioStatus(
        name=scenario.name,
        title=scenario.title.of(language)[:200],
        position_s=round(timeline.position / FS, 2),
        seconds=scenario.seconds,
        playing=playing,
        next=in_words(steps[following])[:80] if comes else "",
        next_s=round(planned[following] / FS, 2) if comes else None,
        steps=tuple(shown),
    )


def described(steps: Sequence[Step], step: Step, at_s: float | None, *, happened: bool) -> ScenarioStep:
    """Return a step as the status shows it.

    Parameters
    ----------
    steps : sequence of Step
        All of the bed.
    step : Step
    at_s : float or None
        When it happens or has happened, s of the scenario, as far as it is known.
    happened : bool
    """
    return ScenarioStep(
        text=in_words(step)[:80],
        at_s=at_s,
        happened=happened,
        name=step.name or "",
        actions=actions_of(steps, step),
        after=None if step.after is None else wait_of(step.after),
    )


def actions_of(steps: Sequence[Step], step: Step) -> tuple[StepAction, ...]:
    """Return what a step does; ``steps`` are all of the bed."""
    found = []
    if step.rhythm is not None:
        found.append(StepAction(do="rhythm", name=step.rhythm, value=step.rate))
    for name, target in step.vitals.items():
        found.append(StepAction(do="vital", name=name, value=target, seconds=step.ramp_s))
    if isinstance(step.episode, Place):
        found.append(StepAction(do="episode", name=step.episode.rhythm or step.episode.record[:64]))
    elif step.episode is not None:
        found.append(StepAction(do="episode", name=step.episode))
    if step.inject is not None:
        found.append(
            StepAction(do="inject", name=step.inject.kind, value=step.inject.level, seconds=step.inject.seconds)
        )
    if step.stop is not None:
        [begun] = (one.inject for one in steps if one.name == step.stop)
        found.append(StepAction(do="stop", name="" if begun is None else begun.kind))
    if step.expect is not None:
        found.append(StepAction(do="expect", name=step.expect.action, seconds=step.expect.within_s))
    if step.note is not None:
        found.append(StepAction(do="note"))
    return tuple(found)


def wait_of(after: After) -> StepWait:
    """Return what a step waits for; exactly one of the four is given."""
    if after.rhythm is not None:
        return StepWait(on="rhythm", name=after.rhythm, seconds=after.seconds + after.delay_s, latest_s=after.latest_s)
    if after.event is not None:
        return StepWait(on="action", name=after.event, seconds=after.delay_s, latest_s=after.latest_s)
    if after.alarm is not None:
        return StepWait(on="alarm", name=after.alarm, seconds=after.delay_s, latest_s=after.latest_s)
    return StepWait(on="step", name=after.step or "", seconds=after.delay_s, latest_s=after.latest_s)


def in_words(step: Step) -> str:
    """Return what a step does in few words, the same in every language: codes, numbers, names."""
    parts = []
    if step.rhythm is not None:
        parts.append(step.rhythm if step.rate is None else f"{step.rhythm} {step.rate:g}/min")
    if step.vitals:
        targets = ", ".join(f"{_spaced(name)} {target:g}" for name, target in step.vitals.items())
        parts.append(targets + (f" ({step.ramp_s:g} s)" if step.ramp_s else ""))
    if isinstance(step.episode, Place):
        parts.append(f"episode {step.episode.record} {step.episode.start_s:g} s")
    elif step.episode is not None:
        parts.append(f"episode {step.episode}")
    if step.inject is not None:
        parts.append(_spaced(step.inject.kind))
    if step.stop is not None:
        parts.append(f"stop {step.stop}")
    if step.expect is not None:
        parts.append(f"→ {_spaced(step.expect.action)} ({step.expect.within_s:g} s)")
    if step.note is not None and not parts:
        parts.append("note")
    return "; ".join(parts)


def _spaced(name: str) -> str:
    return name.replace("_", " ")
