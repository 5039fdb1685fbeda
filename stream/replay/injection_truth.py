"""What a command to inject means: the values in effect, the words of the log, and the messages of truth."""

from __future__ import annotations

from typing import Literal

from stream.clock import rfc3339
from stream.injections import swapped_electrodes
from stream.replay.playhead import Playhead
from stream.replay.truths import truth_of
from stream.timebase import FS
from stream.wire.injection_kinds import INJECTION_RULES, WIRE_FAULTS
from stream.wire.replay_actions import Inject
from stream.wire.status_messages import RunningInjection
from stream.wire.truth_message import Truth


def in_effect(action: Inject, begin: int) -> RunningInjection:
    """Return an injection with its usual values where the command names none."""
    rules = INJECTION_RULES[action.kind]
    seconds = rules.seconds.usual if action.seconds is None and rules.seconds is not None else action.seconds
    return RunningInjection(
        injection_id=action.injection_id,
        kind=action.kind,
        signal=action.signal or next(iter(rules.signals), None),
        lead=action.lead,
        level=rules.level.usual if action.level is None and rules.level is not None else action.level,
        hz=rules.hz.usual if action.hz is None and rules.hz is not None else action.hz,
        begin=begin,
        end=None if seconds is None else begin + max(round(seconds * FS), 1),
    )


def description(injection: RunningInjection, leads: tuple[str, ...]) -> str:
    """Return an injection into a bed with these leads in words."""
    swapped = injection.kind == "swapped_electrodes"
    concerned = leads if injection.lead is None else (injection.lead,)
    level, hz = INJECTION_RULES[injection.kind].level, injection.hz
    parts = [
        injection.kind,
        f"of {injection.lead or injection.signal}" if injection.signal else "of the wire",
        f"{injection.level:g} {level.unit}".rstrip() if injection.level is not None and level is not None else "",
        f"{hz:g} Hz" if hz is not None else "",
        swapped_electrodes.effect(concerned) if swapped else "",
        f"for {(injection.end - injection.begin) / FS:g} s" if injection.end is not None else "until it is stopped",
    ]
    return ", ".join(part for part in parts if part)


def truth(
    injection: RunningInjection, phase: Literal["begin", "end"], index: int, head: Playhead, now_ns: int
) -> Truth:
    """Return the message of the start or the end of an injection."""
    level = INJECTION_RULES[injection.kind].level
    seconds = None if injection.end is None else (injection.end - injection.begin) / FS
    values = {"hz": injection.hz, "seconds": seconds}
    return truth_of(
        head,
        index,
        rfc3339(now_ns),
        truth_id=injection.injection_id,
        what="wire_fault" if injection.kind in WIRE_FAULTS else "injection",
        phase=phase,
        name=injection.kind,
        signal=injection.signal,
        lead=injection.lead,
        level=injection.level,
        unit=level.unit or None if level is not None else None,
        values={name: value for name, value in values.items() if value is not None},
        text=description(injection, head.record.leads) if phase == "begin" else "",
    )
