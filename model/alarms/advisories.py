"""The entry of a bed that counts advisories, as a pure function of their events.

Each advisory is raised and cleared under an id of its own; the list of active alarms has one entry for all of them. The
entry is no alarm: it has no condition, no tone and no end. Acknowledging it sets its count to 0; the next advisory
counts from 1.
"""

from __future__ import annotations

from msgspec.structs import replace

from stream.timebase import FS
from stream.wire.alarm_messages import MAX_ONSETS, Advisory, Alarm

RECENT = 60 * FS
"""Samples before the latest advisory whose onsets the entry holds."""


def push(entry: Advisory | None, event: Alarm) -> Advisory:
    """Return the entry after an event of an advisory."""
    if event.phase == "raised":
        return _count(entry, event)
    if entry is None or event.alarm_id != entry.latest.alarm_id:
        raise ValueError(f"event {event.event_id!r} does not belong to the latest advisory")
    if event.phase == "acknowledged":
        return replace(entry, count=0, since="", onsets=(), latest=event)
    return replace(entry, latest=event)


def is_covered(entry: Advisory | None, alarm_id: str) -> bool:
    """Return whether the entry counts the advisory of this id, so that acknowledging it acknowledges the entry.

    A monitor may name one that is no longer the latest.
    """
    if entry is None:
        return False
    prefix = entry.latest.alarm_id.removesuffix(str(entry.latest.onset))
    return alarm_id in {f"{prefix}{onset}" for onset in (*entry.onsets, entry.latest.onset)}


def _count(entry: Advisory | None, raised: Alarm) -> Advisory:
    if entry is None or entry.latest.session != raised.session or entry.count == 0:
        return Advisory(count=1, since=raised.when, last=raised.when, onsets=(raised.onset,), latest=raised)
    recent = (onset for onset in entry.onsets if onset > raised.onset - RECENT)
    onsets = (*recent, raised.onset)[-MAX_ONSETS:]
    return replace(entry, count=entry.count + 1, last=raised.when, onsets=onsets, latest=raised)
