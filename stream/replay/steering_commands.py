"""Commands to a live patient: what they change, and the messages of truth about it."""

from __future__ import annotations

from msgspec.structs import replace

from stream.records.synthetic.live_record import LiveRecord
from stream.replay.playhead import Playhead
from stream.replay.truths import truth_of
from stream.wire.numerics_message import UNIT_OF
from stream.wire.replay_actions import PatientAction, SetRhythm
from stream.wire.truth_message import Truth

UNITS: dict[str, str] = {str(name): unit for name, unit in UNIT_OF.items()}
"""Units of the values; premature beats, which are no numerics, are counted per minute."""


def steer(
    head: Playhead, record: LiveRecord, action: PatientAction, when: str, rhythm: Truth | None, scenario: str | None
) -> tuple[list[Truth], Truth | None]:
    """Change a patient; return the truth about it, and the rhythm that was set last.

    Parameters
    ----------
    head : Playhead
        Of the bed.
    record : LiveRecord
        Its patient.
    action : SetVitals or SetRhythm
    when : str
        Wall time.
    rhythm : Truth or None
        The rhythm that was set before.
    scenario : str or None
        The scenario in progress.

    Raises
    ------
    UsageError
        A value is out of range.
    """
    if isinstance(action, SetRhythm):
        at = record.set_rhythm(action.rhythm, action.rate)
    else:
        at = record.set_vitals(action.values, action.seconds)
    index = head.start + at - head.position
    if isinstance(action, SetRhythm):
        return following_rhythm(head, index, when, action.rhythm, action.rate, rhythm, scenario)
    return [
        truth_of(
            head,
            index,
            when,
            truth_id=f"{name}-{index}",
            what="vitals",
            phase="at",
            name=name,
            level=target,
            unit=UNITS.get(name, "1/min"),
            values={"seconds": action.seconds},
            scenario=scenario,
        )
        for name, target in action.values.items()
    ], rhythm


def following_rhythm(
    head: Playhead,
    index: int,
    when: str,
    code: str,
    rate: float | None,
    before: Truth | None,
    scenario: str | None,
) -> tuple[list[Truth], Truth]:
    """Return the truth about a rhythm from a sample on, after the end of the one before; and the former alone."""
    begun = truth_of(
        head,
        index,
        when,
        truth_id=f"rhythm-{index}",
        what="rhythm",
        phase="begin",
        name=code,
        level=rate,
        unit=None if rate is None else "1/min",
        scenario=scenario,
    )
    ended = [] if before is None else [replace(before, phase="end", epoch=head.epoch, index=index, when=when)]
    return [*ended, begun], begun


def steering_effect(action: PatientAction) -> str:
    """Return what a command does, for the log."""
    if isinstance(action, SetRhythm):
        return action.rhythm if action.rate is None else f"{action.rhythm} of {action.rate:g}/min"
    return ", ".join(f"{name} {target:g}" for name, target in action.values.items()) + f" within {action.seconds:g} s"
