"""Rows of the alarm store: an alarm event or a strip as cells of SQLite, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from monitor.common.strip import Strip
from stream.wire.alarm_messages import Alarm

EVENT_FIELDS = tuple(name for name in Alarm.__struct_fields__ if name not in ("at", "lease", "resent"))
"""Columns of an event: it is the same whoever sends it, however often. The lease decides only whether it is stored;
``at`` is for those who score a stream while it flows: of an alarm that is raised it is the sample before onset +
duration, which the debriefing uses."""

STRIP_FIELDS = ("alarm_id", "bed", "session", "priority", "start", "leads", "gain", "zero", "samples", "complete")


def cells(values: Iterable[object]) -> list[object]:
    """Return values for SQLite: tuples as JSON."""
    return [json.dumps(value, ensure_ascii=False) if isinstance(value, tuple) else value for value in values]


def alarm_of(row: Sequence[Any]) -> Alarm:
    """Return the event of a row of `EVENT_FIELDS`; a ValueError or TypeError for what this program did not write."""
    own = dict(zip(EVENT_FIELDS, row, strict=True))
    return Alarm(**{**own, "latched": bool(own["latched"]), "leads": tuple(json.loads(own["leads"]))})


def strip_of(row: Sequence[Any]) -> Strip | None:
    """Return the strip of a row of `STRIP_FIELDS`, None if there is none; errors as for `alarm_of`."""
    own = dict(zip(STRIP_FIELDS, row, strict=True))
    if own["alarm_id"] is None:
        return None
    lists = {name: tuple(json.loads(own[name])) for name in ("leads", "gain", "zero")}
    return Strip(**{**own, **lists, "complete": bool(own["complete"])})
