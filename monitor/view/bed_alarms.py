"""The alarms of one bed as its worker reports them: which last, which are over, and where they lie on the trace."""

from __future__ import annotations

from datetime import datetime

from monitor.view.trace import AlarmSpan
from monitor.view.view_model import AlarmLine, HeartRateLimit, Pauses
from stream.clock import unix_ns
from stream.timebase import FS
from stream.wire.alarm_messages import PRIORITIES, ActiveAlarms, Alarm, Limits

KEPT = 200
"""Alarms remembered; the oldest that is over gives way."""

ABOVE = frozenset({"heart_rate_high", "extreme_tachycardia", "ventricular_tachycardia"})
BELOW = frozenset({"heart_rate_low", "extreme_bradycardia", "asystole"})
"""Alarms in which the heart rate is above or below its limits."""


class BedAlarms:
    """Alarms by id, in the order in which they came.

    Attributes
    ----------
    revision : int
        Grows whenever an alarm, and with it perhaps an alarm span on the trace, has changed.
    settings : ActiveAlarms or None
        The worker's last list: it also says how the limits are set, and what is paused.
    """

    def __init__(self) -> None:
        self.revision = 0
        self.settings: ActiveAlarms | None = None
        self._latest: dict[str, Alarm] = {}
        self._active: set[str] = set()
        self._told: dict[str, dict[str, str]] = {}
        self._lines: tuple[AlarmLine, ...] = ()
        self._active_lines: tuple[AlarmLine, ...] = ()
        self._lines_of: tuple[object, ...] = ()
        self._alarm_spans: tuple[AlarmSpan, ...] = ()
        self._alarm_spans_of: tuple[object, ...] = ()

    def add_event(self, alarm: Alarm) -> None:
        """Process one event; an alarm that is over is not raised again under the same id."""
        known = self._latest.get(alarm.alarm_id)
        if known is not None and known.end is not None and alarm.end is None:
            return
        self._remember(alarm)
        own = {alarm.alarm_id}
        self._set_active(self._active | own if _stays(alarm) else self._active - own)

    def set_active(self, message: ActiveAlarms | None) -> None:
        """Process the worker's whole list: what is not in it no longer lasts."""
        self.settings = message
        alarms = message.alarms if message else ()
        for alarm in alarms:
            known = self._latest.get(alarm.alarm_id)
            if known is None or known.end is None or alarm.end is not None:
                self._remember(alarm)
        listed = {alarm.alarm_id for alarm in alarms}
        self._set_active({i for i in listed if i in self._latest and _stays(self._latest[i])})

    def _set_active(self, active: set[str]) -> None:
        if active != self._active:
            self._active = active
            self.revision += 1

    def _remember(self, alarm: Alarm) -> None:
        if self._latest.get(alarm.alarm_id) == alarm:
            return
        self._latest[alarm.alarm_id] = alarm
        self._told.setdefault(alarm.alarm_id, {})[alarm.phase] = alarm.when
        self.revision += 1
        over = [i for i in self._latest if i not in self._active and i != alarm.alarm_id]
        for alarm_id in over[: max(len(self._latest) - KEPT, 0)]:
            del self._latest[alarm_id], self._told[alarm_id]

    def find(self, alarm_id: str) -> Alarm | None:
        """Return the latest event of an alarm; None where it is not known, or no longer."""
        return self._latest.get(alarm_id)

    def told(self, alarm_id: str, phase: str) -> str:
        """Return when an alarm was raised, cleared or acknowledged, RFC 3339; empty where that was not received."""
        return self._told.get(alarm_id, {}).get(phase, "")

    def alarm_span(self, alarm: Alarm) -> AlarmSpan:
        """Return the span of an alarm, in samples of its own session."""
        return AlarmSpan(alarm.onset, self._stop(alarm), alarm.priority)

    @property
    def limits(self) -> Limits | None:
        """The limits that are set; None where the worker has not reported them."""
        return None if self.settings is None else self.settings.limits

    def broken_limit(self) -> HeartRateLimit | None:
        """Return which limit of the heart rate is broken, by the alarms that last."""
        lasting = {alarm.kind for alarm in self.settings.alarms if alarm.end is None} if self.settings else set()
        return "low" if lasting & BELOW else "high" if lasting & ABOVE else None

    def pauses(self, now_ns: int) -> Pauses:
        """Return how long tone and alarms stay paused after a moment, Unix time in ns."""
        if self.settings is None:
            return Pauses()
        audio_s, alarms_s = (
            0 if until is None else max(-((now_ns - unix_ns(until)) // 1_000_000_000), 0)
            for until in (self.settings.audio_paused_until, self.settings.alarms_paused_until)
        )
        return Pauses(audio_s, alarms_s)

    def lasting(self) -> str | None:
        """Return the priority of the most urgent alarm whose condition is not over."""
        priorities = [self._latest[i].priority for i in self._active if self._latest[i].end is None]
        return min(priorities, key=PRIORITIES.index, default=None)

    def alarm_spans(self, session: str, first: int, cursor: int) -> tuple[AlarmSpan, ...]:
        """Return the spans that touch the samples ``first`` to ``cursor - 1``, the least urgent first."""
        if self._alarm_spans_of != (self.revision, session):
            self._alarm_spans_of = (self.revision, session)
            found = [self.alarm_span(alarm) for alarm in self._latest.values() if alarm.session == session]
            self._alarm_spans = tuple(sorted(found, key=lambda s: -PRIORITIES.index(s.priority)))
        return tuple(s for s in self._alarm_spans if s.first < cursor and (s.stop is None or s.stop > first))

    def _stop(self, alarm: Alarm) -> int | None:
        if alarm.end is not None:
            return alarm.end
        if alarm.alarm_id in self._active:
            return None
        # Over, but its end was never received: as far as it was known to last.
        return alarm.onset + round(alarm.duration_s * FS)

    def most_urgent(self) -> str | None:
        """Return the priority of the most urgent alarm that lasts or is latched."""
        return min((self._latest[i].priority for i in self._active), key=PRIORITIES.index, default=None)

    def active(self, session: str | None, cursor: int | None) -> tuple[AlarmLine, ...]:
        """Return the alarms that last or are latched, the most urgent first, then the latest first."""
        self.history(session, cursor)
        return self._active_lines

    def history(self, session: str | None, cursor: int | None) -> tuple[AlarmLine, ...]:
        """Return all alarms, the latest first; an open one of this session lasts until the cursor."""
        # A frame asks 60 times per second; the lines change with an event, or each second while one is open.
        now = cursor // FS if cursor is not None and self._active else None
        if self._lines_of != (self.revision, session, now):
            self._lines_of = (self.revision, session, now)
            self._lines = tuple(self._line(alarm, session, now) for alarm in reversed(self._latest.values()))
            lasting = [line for line in self._lines if line.active]
            self._active_lines = tuple(sorted(lasting, key=lambda line: PRIORITIES.index(line.alarm.priority)))
        return self._lines

    def _line(self, alarm: Alarm, session: str | None, now: int | None) -> AlarmLine:
        active = alarm.alarm_id in self._active
        duration_s = alarm.duration_s
        if active and alarm.end is None and alarm.session == session and now is not None:
            duration_s = float(max(now - alarm.onset // FS, 0))
        return AlarmLine(alarm, _clock(alarm.when), duration_s, active)


def _stays(alarm: Alarm) -> bool:
    """Return whether an alarm is in the list after this event: it lasts, or is latched."""
    return alarm.end is None or alarm.latched


def _clock(when: str) -> str:
    """Return local wall time, as the clock on the wall shows it; nothing where the text is no time."""
    try:
        return f"{datetime.fromisoformat(when).astimezone():%H:%M:%S}"
    except (ValueError, OverflowError):
        return ""
