"""What happened to a bed, what the monitor said, what people did, and how fast: pure functions of a stored session.

Delays of alarms are seconds of signal, from the begin of what happened to the sample at which the alarm was raised.
Reaction times are wall time, from the moment that the alarm (or the instruction) could be seen to the command.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from monitor.alarm_log.class_reader import ClassSession, first_ns, last_ns
from monitor.debriefing.expected_alarms import ALARMS_OF, expected_alarms
from stream.clock import unix_ns
from stream.timebase import FS
from stream.wire.alarm_messages import (
    ADVISORIES,
    Acknowledge,
    Alarm,
    AlarmKind,
    Command,
    PauseAlarms,
    PauseAudio,
    Priority,
    SetLimits,
)
from stream.wire.answer import Answer, is_same
from stream.wire.truth_message import Truth

RHYTHMS = frozenset({"rhythm", "episode", "reference"})
"""What names the rhythm of the heart."""

OF_RHYTHMS: frozenset[AlarmKind] = frozenset(
    {"asystole", "ventricular_fibrillation", "ventricular_tachycardia", "atrial_fibrillation"}
)
"""Alarms that name a rhythm, so that truth can contradict them."""

NORMAL = frozenset({"N", "NSR"})
NOISES = frozenset({"electrode_motion", "muscle_noise", "baseline_wander", "mains", "lead_off", "flat_line"})
"""Injections of which the answer ``NOISE`` is right."""

BEFORE, AFTER = FS, 10 * FS
"""Samples by which an alarm may begin before what causes it, and after its end."""

REACTION_S = 60.0
"""Longest time from an alarm to what counts as a reaction, s."""

Verdict = Literal["done", "late", "wrong", "missed"]

_ANSWER = "answer"

STUDENT = (Acknowledge, PauseAudio, PauseAlarms, SetLimits, Answer)
"""Actions of people at the bed; all others steer the simulation."""


@dataclass(frozen=True, slots=True)
class AlarmLife:
    """An alarm from its begin to its end; times in Unix ns, samples of the session.

    ``delay`` counts samples from the onset to the moment at which it was raised.
    """

    first: Alarm
    raised_ns: int
    delay: int
    end: int | None
    cleared_ns: int | None
    acknowledged_ns: int | None
    acknowledged_by: str | None

    @property
    def kind(self) -> AlarmKind:
        """Kind of the alarm."""
        return self.first.kind

    @property
    def priority(self) -> Priority:
        """Its priority."""
        return self.first.priority


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that was done to the bed, or that is known about it, with what followed.

    Attributes
    ----------
    truth : Truth
        Its begin.
    begin_ns : int
    end : int or None
        Sample; None if it lasted until the end of the session.
    alarms : tuple of (AlarmLife, float)
        The first alarm of each kind that is expected of it, and the seconds of signal from its begin to this alarm.
    missed : bool
        An alarm was expected and none came.
    answer : Given or None
        The first answer while it lasted.
    reaction : tuple of (Command, float) or None
        The first action of a person after the alarm, or without one after the begin, and after how many seconds.
    """

    truth: Truth
    begin_ns: int
    end: int | None
    alarms: tuple[tuple[AlarmLife, float], ...]
    missed: bool
    answer: Given | None
    reaction: tuple[Command, float] | None

    @property
    def alarm(self) -> AlarmLife | None:
        """The first of the alarms."""
        return self.alarms[0][0] if self.alarms else None


@dataclass(frozen=True, slots=True)
class Given:
    """An answer of a student: who, when (Unix ns), which rhythm, which it was (None: unknown), whether it is right."""

    who: str
    when_ns: int
    rhythm: str
    true: str | None
    right: bool | None


@dataclass(frozen=True, slots=True)
class Expected:
    """An expected action with its verdict; ``seconds`` until it was done, ``instead`` what was done in its place."""

    truth: Truth
    verdict: Verdict
    seconds: float | None
    within_s: float | None
    instead: Command | None


@dataclass(frozen=True, slots=True)
class Assessment:
    """All of a session: see the parts."""

    begin_ns: int
    end_ns: int
    happenings: tuple[Happening, ...]
    alarms: tuple[AlarmLife, ...]
    unfounded: tuple[AlarmLife, ...]
    answers: tuple[Given, ...]
    expected: tuple[Expected, ...]
    actions: tuple[Command, ...]
    notes: tuple[Truth, ...]

    @property
    def missed(self) -> int:
        """Number of happenings without the alarm that is expected of them."""
        return sum(one.missed for one in self.happenings)


def assess(session: ClassSession) -> Assessment:
    """Return what happened in a session, and how monitor and people did."""
    alarms = _lives(session.events)
    actions = tuple(one for one in session.commands if isinstance(one.action, STUDENT))
    spans = list(_spans(session.truths))
    answers = tuple(_given(one, one.action, spans) for one in actions if isinstance(one.action, Answer))
    happenings = tuple(
        _happening(truth, end, alarms, actions, answers)
        for truth, end in sorted(spans, key=lambda span: span[0].index)
        if _is_listed(truth) or any(_is_of(one.action, truth, end) for one in actions)
    )
    explained = {id(life) for one in happenings for life, _ in one.alarms}
    known = any(truth.what in RHYTHMS for truth, _ in spans)
    unfounded = tuple(
        one
        for one in alarms
        if known and one.kind in OF_RHYTHMS and id(one) not in explained and not _founded(one, spans)
    )
    return Assessment(
        begin_ns=first_ns(session),
        end_ns=max([last_ns(session), *(unix_ns(one.when) for one in actions)]),
        happenings=happenings,
        alarms=tuple(one for one in alarms if one.kind not in ADVISORIES),
        unfounded=unfounded,
        answers=answers,
        expected=tuple(
            _expected(one, actions, answers)
            for one in session.truths
            if one.what == "expected_action" and one.phase != "end"
        ),
        actions=actions,
        notes=tuple(one for one in session.truths if one.what in ("note", "scenario") and one.phase != "end"),
    )


def _lives(events: Iterable[Alarm]) -> list[AlarmLife]:
    """Return the alarms whose begin is stored, oldest first."""
    by_id: dict[str, dict[str, Alarm]] = {}
    for event in events:
        by_id.setdefault(event.alarm_id, {})[event.phase] = event
    lives = []
    for phases in by_id.values():
        raised, cleared, acknowledged = (phases.get(name) for name in ("raised", "cleared", "acknowledged"))
        if raised is None:
            continue
        lives.append(
            AlarmLife(
                first=raised,
                raised_ns=unix_ns(raised.when),
                delay=round(raised.duration_s * FS),
                end=cleared.end if cleared is not None else None,
                cleared_ns=unix_ns(cleared.when) if cleared is not None else None,
                acknowledged_ns=unix_ns(acknowledged.when) if acknowledged is not None else None,
                acknowledged_by=acknowledged.acknowledged_by if acknowledged is not None else None,
            )
        )
    return sorted(lives, key=lambda one: one.raised_ns)


def _spans(truths: Sequence[Truth]) -> Iterable[tuple[Truth, int | None]]:
    """Yield what lasts, each with its end: of its own message, or the next rhythm, or the next target of a value."""
    ends = {(one.what, one.truth_id): one.index for one in truths if one.phase == "end"}
    for one in truths:
        if one.what in ("injection", "wire_fault") and one.phase != "end":
            yield one, ends.get((one.what, one.truth_id))
    vitals = sorted((one for one in truths if one.what == "vitals" and one.phase != "end"), key=lambda one: one.index)
    for place, one in enumerate(vitals):
        yield one, next((later.index for later in vitals[place + 1 :] if later.name == one.name), None)
    rhythms = sorted((one for one in truths if one.what in RHYTHMS and one.phase != "end"), key=lambda one: one.index)
    follows = [one.index for one in rhythms[1:]]
    for one, after in zip_longest(rhythms, follows):
        own = ends.get((one.what, one.truth_id)) if one.phase == "begin" else None
        yield one, min((end for end in (own, after) if end is not None), default=None)


def _is_listed(truth: Truth) -> bool:
    """Return whether something is listed even if nobody reacted to it: all but normal rhythms and normal values."""
    if truth.what == "vitals":
        return bool(expected_alarms(truth))
    return truth.name not in NORMAL or bool(expected_alarms(truth))


def _happening(
    truth: Truth, end: int | None, alarms: Sequence[AlarmLife], actions: Sequence[Command], answers: Sequence[Given]
) -> Happening:
    kinds = expected_alarms(truth)
    found: dict[AlarmKind, tuple[AlarmLife, float]] = {}
    for one in sorted(alarms, key=lambda one: one.first.onset + one.delay):
        if one.kind in kinds and _overlaps(one, truth.index, end):
            found.setdefault(one.kind, (one, (one.first.onset + one.delay - truth.index) / FS))
    alarm = next(iter(found.values()), (None, 0.0))[0]
    begin_ns = unix_ns(truth.when)
    since_ns = alarm.raised_ns if alarm is not None else begin_ns
    later = (one for one in actions if 0 <= unix_ns(one.when) - since_ns <= REACTION_S * 1e9)
    action = next(later, None)
    place = next((i for i, one in enumerate(_answers(actions)) if _is_of(one, truth, end)), None)
    return Happening(
        truth=truth,
        begin_ns=begin_ns,
        end=end,
        alarms=tuple(found.values()),
        missed=bool(kinds) and alarm is None,
        answer=answers[place] if place is not None else None,
        reaction=(action, (unix_ns(action.when) - since_ns) / 1e9) if action is not None else None,
    )


def _answers(actions: Iterable[Command]) -> list[Answer]:
    return [one.action for one in actions if isinstance(one.action, Answer)]


def _is_of(action: object, truth: Truth, end: int | None) -> bool:
    """Return whether an action is an answer given while something lasted; ``NOISE`` is that of a disturbance."""
    if not isinstance(action, Answer) or action.session != truth.session:
        return False
    asked = truth.name in NOISES if action.rhythm == "NOISE" else truth.what in RHYTHMS
    if not asked:
        return False
    return truth.index <= action.index and (end is None or action.index < end)


def _overlaps(alarm: AlarmLife, begin: int, end: int | None) -> bool:
    starts_in_time = end is None or alarm.first.onset < end + AFTER
    return starts_in_time and (alarm.first.onset >= begin - BEFORE or alarm.end is None or alarm.end > begin)


def _founded(alarm: AlarmLife, spans: Sequence[tuple[Truth, int | None]]) -> bool:
    return any(
        alarm.kind in ALARMS_OF.get(truth.name, ()) and _overlaps(alarm, truth.index, end) for truth, end in spans
    )


def _given(command: Command, answer: Answer, spans: Sequence[tuple[Truth, int | None]]) -> Given:
    """Return an answer with its verdict; noise is right while the signal is disturbed."""
    lasting = [
        truth
        for truth, end in spans
        if truth.index <= answer.index and (end is None or answer.index < end) and truth.session == answer.session
    ]
    rhythms = [truth for truth in lasting if truth.what in RHYTHMS]
    noises = [truth for truth in lasting if truth.what == "injection" and truth.name in NOISES]
    true = rhythms[-1].name if rhythms else None
    right = None if true is None else is_same(answer.rhythm, true)
    if noises and (answer.rhythm == "NOISE" or true is None):
        true, right = "NOISE", answer.rhythm == "NOISE"
    return Given(command.who, unix_ns(command.when), answer.rhythm, true, right)


def _expected(truth: Truth, actions: Sequence[Command], answers: Sequence[Given]) -> Expected:
    """Return the verdict on an expected action: the first of its kind after the message counts."""
    begin_ns = unix_ns(truth.when)
    within_s = truth.values.get("within_s")
    later = [one for one in actions if unix_ns(one.when) >= begin_ns]
    wrong_answers = {one.when_ns for one in answers if one.right is False}
    done = next((one for one in later if _does(one, truth.name) and unix_ns(one.when) not in wrong_answers), None)
    if done is not None:
        seconds = (unix_ns(done.when) - begin_ns) / 1e9
        late = within_s is not None and seconds > within_s
        return Expected(truth, "late" if late else "done", seconds, within_s, None)
    limit_s = within_s if within_s is not None else REACTION_S
    # Who names a rhythm does nothing in place of something else; a wrong answer is one.
    others = (one for one in later if isinstance(one.action, Answer) == (truth.name == _ANSWER))
    instead = next((one for one in others if (unix_ns(one.when) - begin_ns) / 1e9 <= limit_s), None)
    return Expected(truth, "missed" if instead is None else "wrong", None, within_s, instead)


def _does(command: Command, name: str) -> bool:
    """Return whether a command is the action of a name: that of ``action.do``."""
    return name == type(command.action).__struct_config__.tag
