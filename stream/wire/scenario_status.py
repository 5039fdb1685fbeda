"""A scenario in the status of a bed: where it is, its steps, what each does and what it waits for."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

MAX_SCENARIO_STEPS = 64
"""Steps of a scenario that a status lists."""

MAX_STATUS_ACTIONS = 192
"""Actions of all steps that a publisher lists, 16 kB of a status of at most 64 KiB; further steps have a text alone."""

MAX_STEP_ACTIONS = 24
"""Actions of a step: all vital signs, and one of each other kind."""

_Name = Annotated[str, msgspec.Meta(max_length=64)]
_Text = Annotated[str, msgspec.Meta(max_length=200)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e6)]
_Value = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]


class StepAction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a step does.

    Attributes
    ----------
    do : str
    name : str
        Code of the ``rhythm`` or ``episode`` (or the record of the latter), ``vital`` sign, kind of the injection that
        begins (``inject``) or ends (``stop``), action that is expected (``expect``); empty for a ``note``.
    value : float or None
        Rate in 1/min, target, or level of the injection; None: the usual one.
    seconds : float or None
        Of the change of a vital sign, of the injection, or within which the action is expected.
    """

    do: Literal["rhythm", "vital", "episode", "inject", "stop", "expect", "note"]
    name: _Name = ""
    value: _Value | None = None
    seconds: _Seconds | None = None


class StepWait(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a step waits for.

    Attributes
    ----------
    on : str
        An ``action`` of somebody at a monitor, an ``alarm`` that is raised, a ``rhythm``, or another ``step``.
    name : str
        Of the action, the kind of alarm, the code of the rhythm, or the name of the step.
    seconds : float
        How long the rhythm has lasted, or how long after the others.
    latest_s : float or None
        Time of the scenario at which the step happens in any case; None: it may never happen.
    """

    on: Literal["action", "alarm", "rhythm", "step"]
    name: _Name
    seconds: _Seconds = 0.0
    latest_s: _Seconds | None = None


class ScenarioStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a scenario at a bed.

    Attributes
    ----------
    text : str
        In few words: codes, numbers, names.
    at_s : float or None
        When it happens, or has happened, s of the scenario; None: that depends on an event.
    happened : bool
    name : str
        For the steps that wait for it; may be empty.
    actions : tuple of StepAction
    after : StepWait or None
        None: it has a time.
    """

    text: Annotated[str, msgspec.Meta(max_length=80)]
    at_s: _Seconds | None
    happened: bool
    name: _Name = ""
    actions: Annotated[tuple[StepAction, ...], msgspec.Meta(max_length=MAX_STEP_ACTIONS)] = ()
    after: StepWait | None = None


class ScenarioStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario that is in progress at a bed.

    Attributes
    ----------
    name, title : str
    position_s, seconds : float
        Where it is, and its duration, s.
    playing : bool
        False while it waits, and when it is over.
    next : str
        The step that comes next, as far as it is known; empty if there is none.
    next_s : float or None
        When it comes.
    steps : tuple of ScenarioStep
        The first 64 of this bed, in the order of its file; once these have 192 actions, the further ones have none.
    """

    name: _Text
    title: _Text
    position_s: _Seconds
    seconds: _Seconds
    playing: bool
    next: _Text = ""
    next_s: _Seconds | None = None
    steps: Annotated[tuple[ScenarioStep, ...], msgspec.Meta(max_length=MAX_SCENARIO_STEPS)] = ()
