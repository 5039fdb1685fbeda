"""Alarm events as comments of a WFDB record, and back: what a recording keeps of them."""

from __future__ import annotations

import re

from stream.wire.alarm_messages import KINDS, Alarm, AlarmKind

_RAISED = re.compile(r"alarm raised: (\w+) \(")


def alarm_note(alarm: Alarm, *, before_record: bool = False) -> str:
    """Return the comment of an alarm event; with a hint if its onset lies before the record."""
    text = f"alarm {alarm.phase}: {alarm.kind} ({alarm.priority})"
    if alarm.phase == "raised":
        return (
            f"{text}, {alarm.duration_s:.1f} s after its onset{'; began before this record' if before_record else ''}"
        )
    return f"{text} by {alarm.acknowledged_by}" if alarm.phase == "acknowledged" else f"{text}, {alarm.reason}"


def noted_alarm(comment: str) -> AlarmKind | None:
    """Return the kind of the alarm whose start a comment notes; None for other comments."""
    found = _RAISED.match(comment)
    return next((kind for kind in KINDS if found is not None and kind == found[1]), None)
