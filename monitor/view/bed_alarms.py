"""Alarms of one bed as its worker reports them: active and past alarms, and their spans on the trace.

Advisories have spans and can be reviewed like alarms. They are not active alarms: one line counts them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from monitor.view.number_alarms import WAVES
from monitor.view.trace import AlarmSpan
from monitor.view.view_model import AdvisoryCount, AlarmLine, Pauses
from stream.clock import unix_ns
from stream.timebase import FS
from stream.wire.alarm_messages import (
    ADVISORIES,
    MAX_PAUSE_S,
    PRIORITIES,
    TECHNICAL,
    ActiveAlarms,
    Advisory,
    Alarm,
    AlarmKind,
    Limits,
)
from stream.wire.wave_message import Signal

MAX_ALARMS = 200
"""Number of alarms kept, and of advisories; the oldest inactive one is dropped."""

WINDOW_S = 60
"""Seconds of signal in which advisories are recent."""


class BedAlarms:
    """Alarms of one bed by id, in order of arrival.

    Attributes
    ----------
    revision : int
        Increases when an alarm, and possibly its span on the trace, has changed.
    settings : ActiveAlarms or None
        The worker's latest list of active alarms, with limits and pauses.
    has_past : bool
        True once `add_past` was called.
    """

    def __init__(self) -> None:
        self.revision = 0
        self.has_past = False
        self.settings: ActiveAlarms | None = None
        self._latest: dict[str, Alarm] = {}
        self._active: set[str] = set()
        self._advisory: Advisory | None = None
        self._event_times: dict[str, dict[str, str]] = {}
        self._lines: tuple[AlarmLine, ...] = ()
        self._active_lines: tuple[AlarmLine, ...] = ()
        self._lines_key: tuple[object, ...] = ()
        self._alarm_spans: dict[Signal | None, tuple[AlarmSpan, ...]] = {}
        self._alarm_spans_key: tuple[object, ...] = ()

    def add_event(self, alarm: Alarm) -> None:
        """Process one event; one that is sent again is no news, and an alarm that has ended is not raised again."""
        if alarm.resent:
            return
        known = self._latest.get(alarm.alarm_id)
        if known is not None and known.end is not None and alarm.end is None:
            return
        self._store(alarm)
        own = {alarm.alarm_id}
        self._set_active(self._active | own if _is_listed(alarm) else self._active - own)

    def add_past(self, events: Sequence[Alarm]) -> None:
        """Process events from before this monitor was opened, in the order in which they were stored.

        They tell of alarms that have ended: which ones are active, the worker's list says. They stand below those that
        this monitor has received.
        """
        self.has_past = True
        past: dict[str, Alarm] = {}
        for alarm in events:
            times = self._event_times.setdefault(alarm.alarm_id, {})
            times.setdefault(alarm.phase, alarm.when)
            known = past.get(alarm.alarm_id)
            if known is None or known.end is None or alarm.end is not None:
                past[alarm.alarm_id] = alarm
        self._latest = {**{i: alarm for i, alarm in past.items() if i not in self._latest}, **self._latest}
        for alarm_id in list(self._latest)[: max(len(self._latest) - MAX_ALARMS, 0)]:
            if alarm_id in past and alarm_id not in self._active:
                del self._latest[alarm_id], self._event_times[alarm_id]
        self.revision += 1

    def set_active(self, message: ActiveAlarms | None) -> None:
        """Process the worker's list of active alarms; alarms not in it are no longer active."""
        self.settings = message
        alarms = message.alarms if message else ()
        advisory = message.advisory if message else None
        if advisory is not None:
            alarms = (*alarms, advisory.latest)
            if advisory != self._advisory:
                self._advisory = advisory
                self.revision += 1
        for alarm in alarms:
            known = self._latest.get(alarm.alarm_id)
            if known is None or known.end is None or alarm.end is not None:
                self._store(alarm)
        listed = {alarm.alarm_id for alarm in alarms}
        self._set_active({i for i in listed if i in self._latest and _is_listed(self._latest[i])})

    def _set_active(self, active: set[str]) -> None:
        if active != self._active:
            self._active = active
            self.revision += 1

    def _store(self, alarm: Alarm) -> None:
        if self._latest.get(alarm.alarm_id) == alarm:
            return
        self._latest[alarm.alarm_id] = alarm
        self._event_times.setdefault(alarm.alarm_id, {})[alarm.phase] = alarm.when
        self.revision += 1
        alike = [i for i, a in self._latest.items() if (a.kind in ADVISORIES) == (alarm.kind in ADVISORIES)]
        # Inactive ones first; a worker lists no more than one of each kind, so active ones are dropped in a flood only.
        others = sorted((i for i in alike if i != alarm.alarm_id), key=self._active.__contains__)
        for alarm_id in others[: max(len(alike) - MAX_ALARMS, 0)]:
            del self._latest[alarm_id], self._event_times[alarm_id]
            self._active.discard(alarm_id)

    def find(self, alarm_id: str) -> Alarm | None:
        """Return the latest event of an alarm; None if it is unknown or dropped."""
        return self._latest.get(alarm_id)

    def event_time(self, alarm_id: str, phase: str) -> str:
        """Return when an alarm was raised, cleared or acknowledged, RFC 3339; empty if not received."""
        return self._event_times.get(alarm_id, {}).get(phase, "")

    def alarm_span(self, alarm: Alarm) -> AlarmSpan:
        """Return the span of an alarm, in samples of its own session."""
        return AlarmSpan(alarm.onset, self._stop(alarm), alarm.priority)

    @property
    def listed(self) -> bool:
        """Whether the worker's list has been received, without which nothing is known of active alarms."""
        return self.settings is not None

    @property
    def limits(self) -> Limits | None:
        """The current limits; None if the worker has not reported them."""
        return None if self.settings is None else self.settings.limits

    def pauses(self, now_ns: int) -> Pauses:
        """Return the remaining pauses of tone and alarms at a Unix time in ns, in s.

        After a step of this machine's clock the ends are wrong until the worker moves them; no pause is longer than one
        that can be requested.
        """
        if self.settings is None:
            return Pauses()
        audio_s, alarms_s = (
            0 if until is None else min(max(-((now_ns - unix_ns(until)) // 1_000_000_000), 0), MAX_PAUSE_S)
            for until in (self.settings.audio_paused_until, self.settings.alarms_paused_until)
        )
        return Pauses(audio_s, alarms_s)

    def ongoing_priority(self) -> str | None:
        """Return the priority of the most urgent alarm whose condition persists."""
        ongoing = [alarm.priority for alarm in self._active_alarms() if alarm.end is None]
        return min(ongoing, key=PRIORITIES.index, default=None)

    def alarm_spans(self, session: str, first: int, cursor: int) -> tuple[AlarmSpan, ...]:
        """Return the spans on the ECG that overlap ``first`` to ``cursor - 1``, in order of rising urgency."""
        return _overlapping(self._spans(session).get(None, ()), first, cursor)

    def wave_spans(self, session: str, first: int, cursor: int) -> dict[Signal, tuple[AlarmSpan, ...]]:
        """Return the same of the other waves, for each that has any."""
        found = {s: _overlapping(spans, first, cursor) for s, spans in self._spans(session).items() if s is not None}
        return {signal: spans for signal, spans in found.items() if spans}

    def _spans(self, session: str) -> dict[Signal | None, tuple[AlarmSpan, ...]]:
        """Return the spans of a session by the wave that they mark, None for the ECG, in order of rising urgency."""
        if self._alarm_spans_key != (self.revision, session):
            self._alarm_spans_key = (self.revision, session)
            spans: dict[Signal | None, list[AlarmSpan]] = {}
            own = (alarm for alarm in self._latest.values() if alarm.session == session)
            for alarm in sorted(own, key=lambda alarm: -PRIORITIES.index(alarm.priority)):
                for signal in WAVES.get(alarm.kind, (None,)):
                    spans.setdefault(signal, []).append(self.alarm_span(alarm))
            self._alarm_spans = {signal: tuple(members) for signal, members in spans.items()}
        return self._alarm_spans

    def _stop(self, alarm: Alarm) -> int | None:
        if alarm.end is not None:
            return alarm.end
        if alarm.alarm_id in self._active:
            return None
        # It has ended, but the end was not received: use the last known duration.
        return alarm.onset + round(alarm.duration_s * FS)

    def highest_priority(self) -> str | None:
        """Return the priority of the most urgent active or latched alarm."""
        return min((alarm.priority for alarm in self._active_alarms()), key=PRIORITIES.index, default=None)

    def red_line(self) -> AlarmLine | None:
        """Return the unacknowledged alarm of high priority, an active one rather than an ended one; None if none."""
        red = [a for a in self._active_alarms() if a.priority == "high" and a.acknowledged_by is None]
        alarm = min(red, key=lambda alarm: (alarm.end is not None, alarm.alarm_id), default=None)
        return None if alarm is None else self._line(alarm, None, None)

    def _active_alarms(self) -> list[Alarm]:
        return [alarm for i in self._active if (alarm := self._latest[i]).kind not in ADVISORIES]

    def active(self, session: str | None, cursor: int | None) -> tuple[AlarmLine, ...]:
        """Return active and latched alarms, by urgency, then the latest first."""
        self.history(session, cursor)
        return self._active_lines

    def history(self, session: str | None, cursor: int | None) -> tuple[AlarmLine, ...]:
        """Return the line of the advisories, and all alarms, the latest first; active ones extend to the cursor."""
        # Called 60 times per second; the lines change with an event, and each second while one of them counts.
        counting = self._active or self._advisory is not None
        now = cursor // FS if cursor is not None and counting else None
        if self._lines_key != (self.revision, session, now):
            self._lines_key = (self.revision, session, now)
            lines = [self._line(alarm, session, now) for alarm in self._listed()]
            active = [line for line in lines if line.active]
            self._active_lines = tuple(sorted(active, key=lambda line: PRIORITIES.index(line.alarm.priority)))
            first = [] if self._advisory is None else [_advisory_line(self._advisory, session, now)]
            self._lines = (*first, *lines)
        return self._lines

    def _listed(self) -> list[Alarm]:
        """Return the alarms of the list, the latest first: a technical alarm stands for those that it counts."""
        listed = []
        counted: Counter[AlarmKind] = Counter()
        for alarm in reversed(self._latest.values()):
            if alarm.kind in ADVISORIES:
                continue
            if alarm.kind in TECHNICAL and counted[alarm.kind]:
                counted[alarm.kind] -= 1
                continue
            counted[alarm.kind] = alarm.repeats
            listed.append(alarm)
        return listed

    def _line(self, alarm: Alarm, session: str | None, now: int | None) -> AlarmLine:
        active = alarm.alarm_id in self._active
        duration_s = alarm.duration_s
        if active and alarm.end is None and alarm.session == session and now is not None:
            duration_s = float(max(now - alarm.onset // FS, 0))
        return AlarmLine(alarm, _clock(alarm.when), duration_s, active)


def _advisory_line(advisory: Advisory, session: str | None, now: int | None) -> AlarmLine:
    latest = advisory.latest
    here = latest.session == session and now is not None
    recent = sum(onset // FS > now - WINDOW_S for onset in advisory.onsets) if here and now is not None else 0
    counted = AdvisoryCount(recent, advisory.count, _clock(advisory.since), _clock(advisory.last))
    return AlarmLine(latest, counted.last, latest.duration_s, recent > 0, counted)


def _overlapping(spans: tuple[AlarmSpan, ...], first: int, cursor: int) -> tuple[AlarmSpan, ...]:
    return tuple(s for s in spans if s.first < cursor and (s.stop is None or s.stop > first))


def _is_listed(alarm: Alarm) -> bool:
    """Return whether an alarm is listed after this event: it is active or latched."""
    return alarm.end is None or alarm.latched


def _clock(when: str) -> str:
    """Return a time as local ``HH:MM:SS``; empty if the text is not a time."""
    try:
        return f"{datetime.fromisoformat(when).astimezone():%H:%M:%S}"
    except (ValueError, OverflowError):
        return ""
