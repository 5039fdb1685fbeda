"""What a step of a scenario does, and what it waits for, in the language of the window."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.gui.instructor.names import action_name, kind_name, name_of, rhythm_name
from monitor.gui.style.language import translate
from monitor.view.replay_status import clock
from stream.wire.injection_kinds import INJECTION_RULES
from stream.wire.numerics_message import UNIT_OF
from stream.wire.scenario_status import ScenarioStep, StepAction, StepWait


def step_text(step: ScenarioStep) -> str:
    """Return what a step does; a note is named if there is nothing else."""
    actions = [one for one in step.actions if one.do != "note"] or step.actions
    return "; ".join(action_text(one) for one in actions) or step.text


def action_text(action: StepAction) -> str:
    """Return one thing that a step does."""
    seconds = "" if action.seconds is None else f"{action.seconds:g}"
    match action.do:
        case "rhythm":
            return f"{rhythm_name(action.name)}{_with_unit(action.value, '1/min')}"
        case "vital":
            unit = next((unit for name, unit in UNIT_OF.items() if name == action.name), "1/min")  # premature beats
            what = f"{name_of(action.name)}{_with_unit(action.value, unit)}"
            within = translate("Instructor", "{what} within {seconds} s")
            return within.format(what=what, seconds=seconds) if action.seconds else what
        case "episode":
            return translate("Instructor", "episode: {name}").format(name=rhythm_name(action.name))
        case "inject":
            level = next((rules.level for kind, rules in INJECTION_RULES.items() if kind == action.name), None)
            what = f"{name_of(action.name)}{_with_unit(action.value, '' if level is None else level.unit)}"
            lasting = translate("Instructor", "{what} for {seconds} s")
            return lasting.format(what=what, seconds=seconds) if action.seconds else what
        case "stop":
            return translate("Instructor", "end of {name}").format(name=name_of(action.name))
        case "expect":
            expected = translate("Instructor", "student: {action} within {seconds} s")
            return expected.format(action=action_name(action.name), seconds=seconds)
        case "note":
            return translate("Instructor", "note")


def wait_text(wait: StepWait, steps: Sequence[ScenarioStep]) -> str:
    """Return what a step waits for; another step by its number in the file, from 1."""
    numbers = [number for number, step in enumerate(steps, 1) if step.name == wait.name]
    what = {
        "action": lambda: action_name(wait.name),
        "alarm": lambda: translate("Instructor", "the alarm {name}").format(name=kind_name(wait.name)),
        "rhythm": lambda: rhythm_name(wait.name),
        "step": lambda: translate("Instructor", "step {number}").format(number=numbers[0] if numbers else wait.name),
    }[wait.on]()
    if wait.on == "rhythm":
        text = translate("Instructor", "after {seconds} s of {what}")
    elif wait.seconds:
        text = translate("Instructor", "{seconds} s after {what}")
    else:
        text = translate("Instructor", "after {what}")
    shown = text.format(seconds=f"{wait.seconds:g}", what=what)
    if wait.latest_s is None:
        return shown
    latest = translate("Instructor", "{text}, at {time} at the latest")
    return latest.format(text=shown, time=clock(int(wait.latest_s)))


def _with_unit(value: float | None, unit: str) -> str:
    return "" if value is None else f" {value:g} {unit}".rstrip()
