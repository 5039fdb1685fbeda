"""Alarms from their start to their end, and which of them belong to what happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.debriefing.expected_alarms import alarms_of
from monitor.debriefing.spans import Span
from stream.clock import unix_ns
from stream.timebase import FS
from stream.wire.alarm_messages import Alarm, AlarmKind, Priority

BEFORE, AFTER = 2 * FS, 10 * FS
"""Samples by which an alarm may begin before what causes it, and after its end."""


@dataclass(frozen=True, slots=True)
class AlarmLife:
    """An alarm from its start to its end.

    Attributes
    ----------
    first : Alarm
        The event with which it was raised.
    raised_ns, cleared_ns : int, int or None
        Unix times.
    end : int or None
        Sample of the session after its last one.
    """

    first: Alarm
    raised_ns: int
    cleared_ns: int | None
    end: int | None

    @property
    def kind(self) -> AlarmKind:
        """Kind of the alarm."""
        return self.first.kind

    @property
    def priority(self) -> Priority:
        """Its priority."""
        return self.first.priority

    @property
    def raised_at(self) -> int:
        """Sample of the session at which it was raised."""
        return self.first.onset + round(self.first.duration_s * FS)

    def is_during(self, span: Span) -> bool:
        """Return whether it overlaps something."""
        begins = span.end is None or self.first.onset < span.end + AFTER
        return begins and (self.first.onset >= span.begin - BEFORE or self.end is None or self.end > span.begin)


def lives_of(events: Iterable[Alarm]) -> list[AlarmLife]:
    """Return the alarms whose start is stored, in the order in which they were raised."""
    by_id: dict[str, dict[str, Alarm]] = {}
    for event in events:
        by_id.setdefault(event.alarm_id, {})[event.phase] = event
    lives = []
    for phases in by_id.values():
        raised, cleared = phases.get("raised"), phases.get("cleared")
        if raised is not None:
            ended_ns = unix_ns(cleared.when) if cleared is not None else None
            lives.append(
                AlarmLife(raised, unix_ns(raised.when), ended_ns, cleared.end if cleared is not None else None)
            )
    return sorted(lives, key=lambda life: life.raised_at)


def alarms_by_span(lives: Sequence[AlarmLife], spans: Sequence[Span]) -> Mapping[int, list[AlarmLife]]:
    """Return the alarms that are expected of each span, by its place.

    An alarm belongs to the latest that it may come of and overlaps; of those that start together, to each. A span
    without one of its own has those that were raised before and went on.
    """
    found: dict[int, list[AlarmLife]] = {place: [] for place in range(len(spans))}
    for life in lives:
        places = [i for i, span in enumerate(spans) if life.kind in alarms_of(span.truth) and life.is_during(span)]
        begun = [spans[i].begin for i in places if spans[i].begin - BEFORE <= life.first.onset]
        for place in places:
            if begun and spans[place].begin == max(begun):
                found[place].append(life)
    for place, span in enumerate(spans):
        if not found[place]:
            kinds = alarms_of(span.truth)
            found[place] = [life for life in lives if life.kind in kinds and _went_on(life, span)]
    return found


def _went_on(life: AlarmLife, span: Span) -> bool:
    return life.first.onset < span.begin - BEFORE and (life.end is None or life.end > span.begin)
