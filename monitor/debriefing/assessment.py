"""What happened to a bed, which alarms were raised, what people did, and how fast: pure functions of a stored session.

Delays of alarms are seconds of signal, from the start of what happened to the sample at which the alarm was raised.
Reaction times are wall time, from the moment that the alarm (or the instruction) could be seen to the command.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from monitor.alarm_log.class_reader import ClassSession, first_ns, last_ns
from monitor.debriefing.alarm_lives import AlarmLife, alarms_by_span, lives_of
from monitor.debriefing.expected_alarms import alarms_of, expects_alarm
from monitor.debriefing.spans import RHYTHMS, Span, ends_of, spans_of
from stream.clock import unix_ns
from stream.timebase import FS
from stream.wire.alarm_messages import (
    ADVISORIES,
    Acknowledge,
    AlarmKind,
    Command,
    PauseAlarms,
    PauseAudio,
    SetLimits,
)
from stream.wire.answer import Answer, is_same
from stream.wire.truth_message import Truth

OF_RHYTHMS: frozenset[AlarmKind] = frozenset(
    {"asystole", "ventricular_fibrillation", "ventricular_tachycardia", "atrial_fibrillation"}
)
"""Alarms that name a rhythm, so that truth can contradict them."""

NORMAL = frozenset({"N", "NSR"})
NOISES = frozenset({"electrode_motion", "muscle_noise", "baseline_wander", "mains", "lead_off", "flat_line"})
"""Injections of which the answer ``NOISE`` is right."""

REACTION_S = 60.0
"""Longest time from an alarm to what counts as a reaction, s."""

Verdict = Literal["done", "late", "wrong", "missed"]

_ANSWER = "answer"

STUDENT = (Acknowledge, PauseAudio, PauseAlarms, SetLimits, Answer)
"""Actions of people at the bed; all others steer the simulation."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that was done to the bed, or that is known about it, with what followed.

    Attributes
    ----------
    span : Span
    alarms : tuple of (AlarmLife, float)
        The first alarm of each kind that belongs to it, and the seconds of signal from its start to this alarm.
    missed : bool
        An alarm was expected and none came.
    answer : Given or None
        The first answer while it lasted.
    reaction : tuple of (Command, float) or None
        The first action of a person after the alarm, or without one after the start, and after how many seconds.
    """

    span: Span
    alarms: tuple[tuple[AlarmLife, float], ...]
    missed: bool
    answer: Given | None
    reaction: tuple[Command, float] | None

    @property
    def truth(self) -> Truth:
        """Its begin."""
        return self.span.truth

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
    alarms, spans = lives_of(session.events), spans_of(session.truths)
    actions = tuple(one for one in session.commands if isinstance(one.action, STUDENT))
    answers = tuple(_given(one, one.action, spans) for one in actions if isinstance(one.action, Answer))
    by_span = alarms_by_span(alarms, spans)
    analysed = {lead for strip in session.strips.values() for lead in strip.leads} or None
    happenings = tuple(
        _happening(span, by_span[place], actions, answers, analysed)
        for place, span in enumerate(spans)
        if _is_listed(span.truth) or any(_is_of(one.action, span) for one in actions)
    )
    explained = {id(life) for found in by_span.values() for life in found}
    known = any(span.truth.what in RHYTHMS for span in spans)
    unfounded = tuple(one for one in alarms if known and one.kind in OF_RHYTHMS and id(one) not in explained)
    ends = ends_of(session.truths)
    return Assessment(
        begin_ns=first_ns(session),
        end_ns=max([last_ns(session), *(unix_ns(one.when) for one in actions)]),
        happenings=happenings,
        alarms=tuple(one for one in alarms if one.kind not in ADVISORIES),
        unfounded=unfounded,
        answers=answers,
        expected=tuple(
            _expected(one, ends.get(id(one)), actions, answers)
            for one in session.truths
            if one.what == "expected_action" and one.phase != "end"
        ),
        actions=actions,
        notes=tuple(one for one in session.truths if one.what in ("note", "scenario") and one.phase != "end"),
    )


def _is_listed(truth: Truth) -> bool:
    """Return whether something is listed even if nobody reacted to it: all but normal rhythms and normal values."""
    if truth.what == "vitals":
        return bool(alarms_of(truth))
    return truth.name not in NORMAL or bool(alarms_of(truth))


def _happening(
    span: Span,
    alarms: Sequence[AlarmLife],
    actions: Sequence[Command],
    answers: Sequence[Given],
    analysed: Container[str] | None,
) -> Happening:
    found: dict[AlarmKind, tuple[AlarmLife, float]] = {}
    for one in alarms:
        found.setdefault(one.kind, (one, (one.raised_at - span.begin) / FS))
    first = next(iter(found.values()), (None, 0.0))[0]
    since_ns = span.begin_ns if first is None else max(first.raised_ns, span.begin_ns)
    later = (one for one in actions if 0 <= unix_ns(one.when) - since_ns <= REACTION_S * 1e9)
    action = next(later, None)
    place = next((i for i, one in enumerate(_answers(actions)) if _is_of(one, span)), None)
    return Happening(
        span=span,
        alarms=tuple(found.values()),
        missed=expects_alarm(span.truth, analysed) and first is None,
        answer=answers[place] if place is not None else None,
        reaction=(action, (unix_ns(action.when) - since_ns) / 1e9) if action is not None else None,
    )


def _answers(actions: Iterable[Command]) -> list[Answer]:
    return [one.action for one in actions if isinstance(one.action, Answer)]


def _is_of(action: object, span: Span) -> bool:
    """Return whether an action is an answer given while something lasted; ``NOISE`` is that of a disturbance."""
    if not isinstance(action, Answer) or action.session != span.truth.session:
        return False
    asked = span.truth.name in NOISES if action.rhythm == "NOISE" else span.truth.what in RHYTHMS
    return asked and span.covers(action.index)


def _given(command: Command, answer: Answer, spans: Sequence[Span]) -> Given:
    """Return an answer with its verdict; noise is right while the signal is disturbed."""
    lasting = [span.truth for span in spans if span.covers(answer.index) and span.truth.session == answer.session]
    rhythms = [truth for truth in lasting if truth.what in RHYTHMS]
    noises = [truth for truth in lasting if truth.what == "injection" and truth.name in NOISES]
    true = rhythms[-1].name if rhythms else None
    right = None if true is None else is_same(answer.rhythm, true)
    if noises and (answer.rhythm == "NOISE" or true is None):
        true, right = "NOISE", answer.rhythm == "NOISE"
    return Given(command.who, unix_ns(command.when), answer.rhythm, true, right)


def _expected(truth: Truth, outcome: Truth | None, actions: Sequence[Command], answers: Sequence[Given]) -> Expected:
    """Return the verdict on an expected action: the first of its kind after the message counts.

    Limit and times are those of the patient, whose time may pass faster: as fast as up to the message of the outcome.
    """
    begin_ns, pace = unix_ns(truth.when), _pace(truth, outcome)
    within_s = truth.values.get("within_s")

    def after_s(command: Command) -> float:
        return (unix_ns(command.when) - begin_ns) / 1e9 * pace

    later = [one for one in actions if unix_ns(one.when) >= begin_ns]
    wrong_answers = {one.when_ns for one in answers if one.right is False}
    done = next((one for one in later if _does(one, truth.name) and unix_ns(one.when) not in wrong_answers), None)
    if done is not None:
        seconds = after_s(done)
        late = within_s is not None and seconds > within_s
        return Expected(truth, "late" if late else "done", seconds, within_s, None)
    limit_s = within_s if within_s is not None else REACTION_S
    # Who names a rhythm does nothing in place of something else; a wrong answer is one.
    others = (one for one in later if isinstance(one.action, Answer) == (truth.name == _ANSWER))
    instead = next((one for one in others if after_s(one) <= limit_s), None)
    return Expected(truth, "missed" if instead is None else "wrong", None, within_s, instead)


def _pace(begun: Truth, ended: Truth | None) -> float:
    """Return the seconds of the patient in a second of wall time, between two messages; 1 if they do not tell."""
    if ended is None or unix_ns(ended.when) <= unix_ns(begun.when):
        return 1.0
    return max((ended.index - begun.index) / FS * 1e9 / (unix_ns(ended.when) - unix_ns(begun.when)), 0.0)


def _does(command: Command, name: str) -> bool:
    """Return whether a command is the action of a name: that of ``action.do``."""
    return name == type(command.action).__struct_config__.tag
