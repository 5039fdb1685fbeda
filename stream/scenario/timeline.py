"""The timeline of a bed in a scenario: a pure state machine. It knows samples and events, no clock and no socket.

State, time and events give the same steps at the same samples, however the time is cut.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from stream.scenario.scenario import Step
from stream.timebase import FS

NEVER = math.inf


class Event(NamedTuple):
    """Something that a step may wait for, or a student should do.

    Attributes
    ----------
    kind : str
        ``action``, ``alarm`` or ``rhythm``.
    name : str
        Name of the action, kind of the alarm, code of the rhythm.
    """

    kind: str
    name: str


class Expected(NamedTuple):
    """An action that a student should do: the number of its step, and the sample up to which."""

    step: int
    until: int


class Timeline(NamedTuple):
    """The state of a bed.

    Attributes
    ----------
    position : int
        Samples of the scenario so far.
    rhythm : str
        Code of the present rhythm.
    rhythm_since : int
    fired : tuple of int or None
        The sample at which each step happened.
    met : tuple of int or None
        The sample at which the event came for which a step waits.
    expected : tuple of Expected
    """

    position: int
    rhythm: str
    rhythm_since: int
    fired: tuple[int | None, ...]
    met: tuple[int | None, ...]
    expected: tuple[Expected, ...]


class Happening(NamedTuple):
    """What has happened.

    Attributes
    ----------
    kind : str
        ``step``; or of its expected action ``done`` or ``missed``.
    step : int
        Number of the step.
    at : int
        Sample of the scenario.
    """

    kind: str
    step: int
    at: int


def begin(steps: Sequence[Step], rhythm: str) -> Timeline:
    """Return the state at the start, before the steps at 0 s."""
    none = (None,) * len(steps)
    return Timeline(0, rhythm, 0, none, none, ())


def advance(steps: Sequence[Step], state: Timeline, to: int) -> tuple[Timeline, list[Happening]]:
    """Return the state at a sample, and what has happened up to it, with it."""
    happened: list[Happening] = []
    while True:
        at, number = min(((due(steps, state, i), i) for i in range(len(steps))), default=(NEVER, 0))
        limit, missed = min(((one.until, one) for one in state.expected), default=(NEVER, None))
        if min(at, limit) > to:
            return state._replace(position=max(to, state.position)), happened
        if missed is not None and limit < at:
            state = state._replace(expected=tuple(one for one in state.expected if one is not missed))
            happened.append(Happening("missed", missed.step, int(limit)))
        else:
            state = _fire(steps[number], state, number, max(int(at), state.position))
            happened.append(Happening("step", number, state.position))


def observe(steps: Sequence[Step], state: Timeline, event: Event) -> tuple[Timeline, list[Happening]]:
    """Return the state after an event at the present sample, and which expected actions it was."""
    if event.kind == "rhythm" and event.name != state.rhythm:
        state = state._replace(rhythm=event.name, rhythm_since=state.position)
    met = tuple(
        state.position if before is None and _is_waiting(steps, state, number) and _fits(step, event) else before
        for number, (step, before) in enumerate(zip(steps, state.met, strict=True))
    )
    done = [one for one in state.expected if event.kind == "action" and _expects(steps[one.step], event.name)]
    state = state._replace(met=met, expected=tuple(one for one in state.expected if one not in done))
    return state, [Happening("done", one.step, state.position) for one in done]


def due(steps: Sequence[Step], state: Timeline, number: int) -> float:
    """Return the sample at which a step happens, as far as it is known; never if it has happened."""
    step = steps[number]
    if state.fired[number] is not None:
        return NEVER
    if step.at_s is not None:
        return round(step.at_s * FS)
    after = step.after
    if after is None:
        return NEVER
    latest = NEVER if after.latest_s is None else round(after.latest_s * FS)
    at = NEVER
    if after.step is not None:
        [other] = (i for i, one in enumerate(steps) if one.name == after.step)
        begun = state.fired[other]
        at = NEVER if begun is None else begun
    elif after.rhythm is not None:
        if state.rhythm == after.rhythm and _is_waiting(steps, state, number):
            before = state.fired[number - 1] if number else 0
            at = max(state.rhythm_since + round(after.seconds * FS), before or 0)
    else:
        met = state.met[number]
        at = NEVER if met is None else met
    return min(at + round(after.delay_s * FS), latest)


def _fire(step: Step, state: Timeline, number: int, at: int) -> Timeline:
    fired = (*state.fired[:number], at, *state.fired[number + 1 :])
    state = state._replace(position=at, fired=fired)
    if step.rhythm is not None and step.rhythm != state.rhythm:
        state = state._replace(rhythm=step.rhythm, rhythm_since=at)
    if step.expect is not None:
        expected = Expected(number, at + round(step.expect.within_s * FS))
        state = state._replace(expected=(*state.expected, expected))
    return state


def _is_waiting(steps: Sequence[Step], state: Timeline, number: int) -> bool:
    """Return whether a step waits for its event: the one before it has happened."""
    return steps[number].after is not None and (number == 0 or state.fired[number - 1] is not None)


def _fits(step: Step, event: Event) -> bool:
    after = step.after
    return after is not None and event in (("action", after.event), ("alarm", after.alarm))


def _expects(step: Step, action: str) -> bool:
    return step.expect is not None and step.expect.action == action
