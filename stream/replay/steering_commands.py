"""What the commands to a live patient do, and how it is told to those who may know."""

from __future__ import annotations

from msgspec.structs import replace

from stream.records.synthetic.live_record import LiveRecord
from stream.replay.playhead import Playhead
from stream.wire.numerics_message import UNIT_OF
from stream.wire.replay_actions import PatientAction, SetRhythm
from stream.wire.truth_message import Truth

UNITS: dict[str, str] = {str(name): unit for name, unit in UNIT_OF.items()}
"""Units of the values; premature beats, which are no numerics, are counted per minute."""


def steer(
    head: Playhead, record: LiveRecord, action: PatientAction, when: str, rhythm: Truth | None
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
    begun = Truth(
        bed=head.bed,
        session=head.session,
        epoch=head.epoch,
        index=index,
        when=when,
        truth_id=f"rhythm-{index}",
        what="rhythm",
        phase="begin",
        name="",
        synthetic=True,
    )
    if isinstance(action, SetRhythm):
        ended = [] if rhythm is None else [replace(rhythm, phase="end", epoch=head.epoch, index=index, when=when)]
        unit = None if action.rate is None else "1/min"
        begun = replace(begun, name=action.rhythm, level=action.rate, unit=unit)
        return [*ended, begun], begun
    return [
        replace(
            begun,
            truth_id=f"{name}-{index}",
            what="vitals",
            phase="at",
            name=name,
            level=target,
            unit=UNITS.get(name, "1/min"),
            values={"seconds": action.seconds},
        )
        for name, target in action.values.items()
    ], rhythm


def steering_effect(action: PatientAction) -> str:
    """Return what a command does, for the log."""
    if isinstance(action, SetRhythm):
        return action.rhythm if action.rate is None else f"{action.rhythm} of {action.rate:g}/min"
    return ", ".join(f"{name} {target:g}" for name, target in action.values.items()) + f" within {action.seconds:g} s"
