"""What a bed is at a time of its scenario: its patient, and the injections in progress."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stream.records.synthetic.patient import Patient
from stream.records.synthetic.steering import shifted, with_rhythm, with_vitals
from stream.scenario.file import initial_patient
from stream.scenario.scenario import Bed, Scenario, Step
from stream.scenario.timeline import Happening
from stream.timebase import FS
from stream.wire.injection_kinds import INJECTION_RULES
from stream.wire.replay_actions import Inject


def patient_at(bed: Bed, steps: Sequence[Step], happened: Iterable[Happening], position: int) -> Patient:
    """Return the synthetic patient of a bed as it goes on from a position, in samples of the scenario.

    Parameters
    ----------
    bed : Bed
    steps : sequence of Step
        Of the bed.
    happened : iterable of Happening
        Up to the position, in order.
    position : int

    Raises
    ------
    UsageError
        A step has given it a value out of range.
    """
    patient = initial_patient(bed)
    for one in happened:
        step = steps[one.step]
        if one.kind != "step":
            continue
        if step.rhythm is not None:
            patient = with_rhythm(patient, step.rhythm, step.rate, one.at / FS)
        if step.vitals:
            patient = with_vitals(patient, step.vitals, step.ramp_s, one.at / FS)
    return shifted(patient, position / FS)


def injection_id(scenario: Scenario, number: int) -> str:
    """Return the id of the injection of a step, of this number at its bed: always the same, as it is the seed."""
    return f"{scenario.name}-{number}"


def injection(scenario: Scenario, steps: Sequence[Step], number: int) -> Inject | None:
    """Return the injection of a step as a command."""
    one = steps[number].inject
    if one is None:
        return None
    return Inject(
        injection_id=injection_id(scenario, number),
        kind=one.kind,
        signal=one.signal,
        lead=one.lead,
        level=one.level,
        hz=one.hz,
        seconds=one.seconds,
    )


def in_progress(
    scenario: Scenario, steps: Sequence[Step], happened: Iterable[Happening], position: int
) -> list[Inject]:
    """Return the injections of a bed that go on at a position, with what is left of their duration."""
    running: dict[str, tuple[Inject, int]] = {}
    for one in happened:
        if one.kind != "step":
            continue
        begun, stop = injection(scenario, steps, one.step), steps[one.step].stop
        if begun is not None:
            running[begun.injection_id] = begun, one.at
        if stop is not None:
            [number] = (i for i, step in enumerate(steps) if step.name == stop)
            running.pop(injection_id(scenario, number), None)
    left = []
    for begun, at in running.values():
        own = INJECTION_RULES[begun.kind].seconds
        whole_s = own.usual if begun.seconds is None and own is not None else begun.seconds
        seconds = None if whole_s is None else whole_s - (position - at) / FS
        if seconds is None or seconds >= max(LEAST_LEFT_S, 0.0 if own is None else own.minimum):
            fields = {name: getattr(begun, name) for name in Inject.__struct_fields__}
            left.append(Inject(**{**fields, "seconds": seconds}))
    return left


LEAST_LEFT_S = 0.5
"""An injection whose rest is shorter than this, or than its kind allows, is over after a jump, s."""
