"""The messages of alarms: what was raised, what lasts, and what people ask for.

The life of an alarm: *raised*, then *cleared* when its condition is over, with *acknowledged* between or after. One of
high priority that nobody has acknowledged stays in the list after it has cleared: it is *latched*.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec

from stream.wire.messages import MAX_LEADS, BedName, Finite, Hex128, Index, LeadName, Message, Text
from stream.wire.replay_actions import ChooseRecord, Seek, SetLoop, SetPlaying, SetSpeed

AlarmKind = Literal[
    "asystole",
    "ventricular_fibrillation",
    "ventricular_tachycardia",
    "extreme_tachycardia",
    "extreme_bradycardia",
    "pvc_run",
    "heart_rate_high",
    "heart_rate_low",
    "atrial_fibrillation",
    "residual",
    "no_data",
    "lead_off",
    "saturation",
    "noise",
]
"""What an alarm may be about, the gravest first."""

KINDS: tuple[AlarmKind, ...] = get_args(AlarmKind)
TECHNICAL: frozenset[AlarmKind] = frozenset({"no_data", "lead_off", "saturation", "noise"})
"""Kinds that concern the signal and not the patient (INOP)."""

Priority = Literal["high", "medium", "low", "technical"]
PRIORITIES: tuple[Priority, ...] = get_args(Priority)
"""The most urgent first."""

RaisedReason = Literal["rule_met", "bed_silent", "samples_lost"]
ClearedReason = Literal[
    "rule_no_longer_met",
    "samples_lost",
    "data_resumed",
    "leads_changed",
    "replaced",
    "signal_unusable",
    "signal_interrupted",
    "switched_off",
    "new_session",
    "record_ended",
    "not_confirmed",
]
Reason = RaisedReason | ClearedReason
"""Why an alarm was raised or cleared. docs/topics.md says what each code means."""

REASONS: tuple[Reason, ...] = tuple(dict.fromkeys((*get_args(RaisedReason), *get_args(ClearedReason))))
ReasonCode = Annotated[
    str, msgspec.Meta(max_length=32, pattern=r"^[a-z][a-z_]*\Z", extra_json_schema={"examples": list(REASONS)})
]
"""One of `REASONS`; a newer sender may have others, and its alarms must still be shown."""

Who = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"\S")]
"""Somebody: not blank."""
Rate = Annotated[int, msgspec.Meta(ge=20, le=300)]
MAX_PAUSE_S = 180
Seconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_PAUSE_S)]
"""How long a pause may last; 0 ends it."""


class Alarm(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """One event in the life of an alarm.

    Attributes
    ----------
    event_id : str
        ``{alarm_id}-{phase}``: the same event always has the same id, however often it is sent.
    alarm_id : str
        ``{session}-{kind}-{onset}``.
    bed, session, record
    kind : str
    priority : str
        ``high``, ``medium``, ``low`` or ``technical``.
    phase : str
        ``raised``, ``cleared`` or ``acknowledged``.
    onset : int
        Index of the first sample of the stretch.
    end : int or None
        Index after its last sample; None while it lasts.
    when : str
        Wall time of the event, UTC, RFC 3339.
    text : str
        What happened, in English, made from the other fields by `stream.wire.phrases`.
    duration_s : float
        Seconds of signal from onset to end, or until now.
    acknowledged_by : str or None
        Who acknowledged it.
    latched : bool
        Cleared, of high priority, and not acknowledged yet.
    repeats : int
        How often an alarm of this kind was raised before, since one was last acknowledged.
    reason : str or None
        Why it was raised or, once it has an end, why it was cleared: one of `REASONS`. A code that a receiver does not
        know, and None (of a sender that has no codes), are shown by kind alone.
    value, limit : float or None
        What was measured, and the limit that it broke: 1/min for rates, s for asystole. Of ``no_data``: s without
        data. Once it is cleared: the worst value.
    beats : int or None
        Number of beats that the rate was measured over, or the length of the run.
    leads : tuple of str
        Leads concerned: of ``lead_off``, ``saturation`` and ``noise``; of ``residual`` the one of ``observed``.
    replaced_by : str or None
        Kind of the graver condition, where the reason is ``replaced``.
    switched_off_by : str or None
        Who switched the kind off, where the reason is ``switched_off``.
    observed, predicted : float or None
        Residual alarms: mV at the sample where the two were furthest apart, measured in predicted scales.
    horizon_ms : float or None
        Residual alarms: how far ahead that sample was predicted.
    score, threshold : float or None
        Residual alarms: the highest score so far, and the score at which the alarm is raised.
    """

    event_id: Text
    alarm_id: Text
    bed: BedName
    session: Hex128
    record: Text
    kind: AlarmKind
    priority: Priority
    phase: Literal["raised", "cleared", "acknowledged"]
    onset: Index
    end: Index | None
    when: Text
    text: Text
    duration_s: Annotated[float, msgspec.Meta(ge=0, le=1e9)]
    acknowledged_by: Who | None = None
    latched: bool = False
    repeats: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0
    reason: ReasonCode | None = None
    value: Finite | None = None
    limit: Finite | None = None
    beats: Annotated[int, msgspec.Meta(ge=0, le=10**9)] | None = None
    leads: Annotated[tuple[LeadName, ...], msgspec.Meta(max_length=MAX_LEADS)] = ()
    replaced_by: AlarmKind | None = None
    switched_off_by: Who | None = None
    observed: Finite | None = None
    predicted: Finite | None = None
    horizon_ms: Finite | None = None
    score: Finite | None = None
    threshold: Finite | None = None


ALWAYS_ENABLED: frozenset[AlarmKind] = frozenset({"asystole", "ventricular_fibrillation"})


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a user sets for one bed.

    Attributes
    ----------
    heart_rate_low, heart_rate_high : int
        1/min, 20 to 300, low below high.
    off : tuple of str
        Kinds of alarm that are switched off; never asystole, never ventricular fibrillation.
    """

    heart_rate_low: Rate = 50
    heart_rate_high: Rate = 120
    off: Annotated[tuple[AlarmKind, ...], msgspec.Meta(max_length=len(KINDS))] = ()

    def __post_init__(self) -> None:
        if self.heart_rate_low >= self.heart_rate_high:
            raise ValueError(
                f"heart_rate_low {self.heart_rate_low} is not below heart_rate_high {self.heart_rate_high}"
            )
        kept = ALWAYS_ENABLED & set(self.off)
        if kept:
            raise ValueError(f"{min(kept)} cannot be switched off")


class Acknowledge(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="acknowledge"):
    """A person has seen an alarm."""

    alarm_id: Text


class PauseAudio(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="pause_audio"):
    """No tone for so many seconds of wall time, or until a new alarm is raised."""

    seconds: Seconds


class PauseAlarms(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="pause_alarms"):
    """Show alarms without tone, banner and flash for so many seconds; a new one of high priority breaks it."""

    seconds: Seconds


class SetLimits(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="set_limits"):
    """Replace the limits of the bed."""

    limits: Limits


Action = Acknowledge | PauseAudio | PauseAlarms | SetLimits | SetPlaying | Seek | SetSpeed | SetLoop | ChooseRecord


class Command(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """What a person asks for; all values are absolute, so that a repeated command does no harm.

    Attributes
    ----------
    command_id : str
        128 random bits in hex; a repeated one is ignored.
    bed : str
    who : str
        Role or initials of the person, or the name of the program.
    when : str
        Wall time, UTC, RFC 3339; a command older than 10 s is ignored.
    action
        What to do; its ``do`` says which. `Acknowledge`, `PauseAudio`, `PauseAlarms` and `SetLimits` are for the
        worker, those of `stream.wire.replay_actions` for the publisher.
    """

    command_id: Hex128
    bed: BedName
    who: Who
    when: Text
    action: Action


class ActiveAlarms(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """The alarms of a bed that last or are latched, and how the bed is set; retained, so that whoever comes late knows.

    Attributes
    ----------
    bed : str
    alarms : tuple of Alarm
        The latest event of each, the gravest first.
    limits : Limits
    audio_paused_until, alarms_paused_until : str or None
        Wall time, UTC, RFC 3339.
    commands : tuple of Command
        The last ones that took effect, newest last, at most 8: who changed what, and when.
    """

    bed: BedName
    alarms: tuple[Alarm, ...] = ()
    limits: Limits = Limits()
    audio_paused_until: Text | None = None
    alarms_paused_until: Text | None = None
    commands: Annotated[tuple[Command, ...], msgspec.Meta(max_length=8)] = ()
