"""The messages of alarms: events, active alarms, commands, and requests for events.

An alarm is *raised*, and *cleared* when its condition ends; it may be *acknowledged* before or after that. An alarm of
high priority that clears unacknowledged is *latched*: it stays in the list of active alarms until acknowledged.

An *advisory* is an event of the same form that asks for no action: each is sent and stored, but the list of active
alarms contains them as one entry that counts, `Advisory`.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec

from stream.wire.answer import Answer
from stream.wire.detail import SetDetail
from stream.wire.fields import MAX_FINITE, BedName, Finite, Hex128, Index, LeadName, Lease, Text
from stream.wire.limit_ranges import BELOW, Apnoea, Pressure, Rate, Respiration, Saturation
from stream.wire.messages import ANALYSED_LEADS, Message
from stream.wire.replay_actions import (
    ChooseRecord,
    Inject,
    Note,
    Seek,
    SetLoop,
    SetPlaying,
    SetRhythm,
    SetScenario,
    SetSpeed,
    SetVitals,
    ShowEpisode,
    StopInjection,
)

AlarmKind = Literal[
    "asystole",
    "ventricular_fibrillation",
    "ventricular_tachycardia",
    "extreme_tachycardia",
    "extreme_bradycardia",
    "apnoea",
    "desaturation",
    "abp_disconnected",
    "pvc_run",
    "heart_rate_high",
    "heart_rate_low",
    "abp_mean_low",
    "abp_mean_high",
    "abp_systolic_low",
    "abp_systolic_high",
    "abp_diastolic_low",
    "abp_diastolic_high",
    "spo2_low",
    "respiration_low",
    "respiration_high",
    "pulse_mismatch",
    "atrial_fibrillation",
    "unusual_complexes",
    "residual",
    "early_warning",
    "no_data",
    "two_publishers",
    "lead_off",
    "saturation",
    "noise",
    "pleth_off",
    "abp_fault",
    "resp_fault",
]
"""Alarm conditions, most severe first."""

KINDS: tuple[AlarmKind, ...] = get_args(AlarmKind)
TECHNICAL: frozenset[AlarmKind] = frozenset(
    {"no_data", "two_publishers", "lead_off", "saturation", "noise", "pleth_off", "abp_fault", "resp_fault"}
)
"""Technical alarms (INOP): they concern the signal, not the patient."""

ADVISORIES: frozenset[AlarmKind] = frozenset({"residual", "early_warning"})
"""Kinds whose events are advisories."""

Priority = Literal["high", "medium", "low", "technical"]
PRIORITIES: tuple[Priority, ...] = get_args(Priority)
"""Most urgent first."""

RaisedReason = Literal["rule_met", "sustained", "bed_silent", "samples_lost", "two_sources"]
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
"""Why an alarm was raised or cleared; docs/topics.md explains each code."""

REASONS: tuple[Reason, ...] = tuple(dict.fromkeys((*get_args(RaisedReason), *get_args(ClearedReason))))
ReasonCode = Annotated[
    str, msgspec.Meta(max_length=32, pattern=r"^[a-z][a-z_]*\Z", extra_json_schema={"examples": list(REASONS)})
]
"""One of `REASONS`. Other codes, of a newer sender, are valid: its alarms must be shown."""

Who = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"\S")]
"""Name of a person or program; not blank."""

MAX_PAUSE_S = 180
Seconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_PAUSE_S)]
"""Duration of a pause, in s; 0 ends the pause."""


class Alarm(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """One event in the life of an alarm.

    Attributes
    ----------
    event_id : str
        ``{alarm_id}-{phase}``; unchanged if the event is sent again.
    alarm_id : str
        ``{session}-{kind}-{onset}``.
    bed, session, record
    kind : str
    priority : str
        ``high``, ``medium``, ``low`` or ``technical``.
    phase : str
        ``raised``, ``cleared`` or ``acknowledged``.
    onset : int
        Index of the first sample of the condition.
    end : int or None
        Index after the last sample of the condition; None while it is active.
    when : str
        Wall time of the event, UTC, RFC 3339.
    text : str
        Description in English, rendered from the other fields by `stream.wire.alarm_texts`.
    duration_s : float
        Seconds of signal from onset to end, or to the latest sample.
    acknowledged_by : str or None
        Name of the person who acknowledged the alarm.
    latched : bool
        True if cleared, of high priority, and not acknowledged.
    repeats : int
        Number of earlier alarms of this kind that this one stands for: since one was last acknowledged, or, if it is
        technical, that each returned within two minutes.
    reason : str or None
        Why it was raised or, once it has an end, why it was cleared: one of `REASONS`. For an unknown code, and for
        None (older senders), receivers show the kind alone.
    value, limit : float or None
        Measured value and violated limit: 1/min for rates, s for asystole and apnoea, % for SpO2, mmHg for pressures;
        for ``early_warning`` the risk of a mean pressure below 65 mmHg within 6 h, and its threshold, %;
        for ``pulse_mismatch`` the difference of pulse and heart rate, and the largest that is allowed, 1/min; for
        ``no_data`` s without data; for ``unusual_complexes`` their number in the last minute. Once cleared: the worst
        value, and for ``unusual_complexes`` their number from onset to end.
    beats : int or None
        Number of beats over which the rate was measured, or length of the run.
    leads : tuple of str
        Affected leads, for ``lead_off``, ``saturation`` and ``noise``; otherwise the lead of ``observed``.
    replaced_by : str or None
        Kind of the more severe condition, if the reason is ``replaced``.
    switched_off_by : str or None
        Name of the person who switched the kind off, if the reason is ``switched_off``.
    observed, predicted : float or None
        ``residual`` and ``unusual_complexes``: mV at the sample with the largest deviation, relative to the predicted
        standard deviation.
    horizon_ms : float or None
        For the same kinds: forecast horizon of that sample, in ms.
    score, threshold : float or None
        For the same kinds: highest anomaly score so far, and the score from which a complex is unusual.
    at : int or None
        Last sample observed when the event happened: when the rule was met, the end found, the alarm acknowledged.
        None: of an older sender.
    lease : int
        See `stream.wire.lease`; that of the worker that sends the event, also if an earlier one raised the alarm.
    resent : bool
        True if the worker has sent this event before and sends it again for a store that may have missed it: no news.
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
    duration_s: Annotated[float, msgspec.Meta(ge=0, le=MAX_FINITE)]
    acknowledged_by: Who | None = None
    latched: bool = False
    repeats: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0
    reason: ReasonCode | None = None
    value: Finite | None = None
    limit: Finite | None = None
    beats: Annotated[int, msgspec.Meta(ge=0, le=10**9)] | None = None
    leads: Annotated[tuple[LeadName, ...], msgspec.Meta(max_length=ANALYSED_LEADS)] = ()
    replaced_by: AlarmKind | None = None
    switched_off_by: Who | None = None
    observed: Finite | None = None
    predicted: Finite | None = None
    horizon_ms: Finite | None = None
    score: Finite | None = None
    threshold: Finite | None = None
    at: Index | None = None
    lease: Lease = 0
    resent: bool = False


ALWAYS_ENABLED: frozenset[AlarmKind] = frozenset({"asystole", "ventricular_fibrillation"})
"""Kinds that a user cannot switch off."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Alarm limits of one bed, set by a user; whole numbers within `stream.wire.limit_ranges`.

    A limit is violated beyond it, not at it. The defaults are those of manuals (``model/conditions/alarms.toml``); a
    message of an older sender has them, too.

    Attributes
    ----------
    heart_rate_low, heart_rate_high : int
        1/min; low must be less than high, as for all pairs.
    spo2_low, desaturation : int
        SpO2, %; desaturation, of high priority, must be the lower one.
    abp_systolic_low, abp_systolic_high, abp_mean_low, abp_mean_high, abp_diastolic_low, abp_diastolic_high : int
        Arterial pressure, mmHg.
    respiration_low, respiration_high : int
        1/min.
    apnoea : int
        Time without a breath, s.
    off : tuple of str
        Kinds of alarm that are switched off; asystole and ventricular fibrillation cannot be.
    """

    heart_rate_low: Rate = 50
    heart_rate_high: Rate = 120
    spo2_low: Saturation = 90
    desaturation: Saturation = 80
    abp_systolic_low: Pressure = 90
    abp_systolic_high: Pressure = 160
    abp_mean_low: Pressure = 60
    abp_mean_high: Pressure = 110
    abp_diastolic_low: Pressure = 50
    abp_diastolic_high: Pressure = 90
    respiration_low: Respiration = 8
    respiration_high: Respiration = 30
    apnoea: Apnoea = 20
    off: Annotated[tuple[AlarmKind, ...], msgspec.Meta(max_length=len(KINDS))] = ()

    def __post_init__(self) -> None:
        for low, high in BELOW:
            if getattr(self, low) >= getattr(self, high):
                raise ValueError(f"{low} {getattr(self, low)} is not below {high} {getattr(self, high)}")
        invalid = ALWAYS_ENABLED & set(self.off)
        if invalid:
            raise ValueError(f"{min(invalid)} cannot be switched off")


class Acknowledge(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="acknowledge"):
    """Acknowledge an alarm."""

    alarm_id: Text


class PauseAudio(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="pause_audio"):
    """Suppress alarm tones for a number of seconds of wall time, or until a new alarm of high or medium priority."""

    seconds: Seconds


class PauseAlarms(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="pause_alarms"):
    """Suppress tone, banner and flashing for a number of seconds, or until a new alarm of high priority."""

    seconds: Seconds


class SetLimits(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="set_limits"):
    """Replace the alarm limits of the bed."""

    limits: Limits


Action = (
    Acknowledge
    | PauseAudio
    | PauseAlarms
    | SetLimits
    | SetPlaying
    | Seek
    | SetSpeed
    | SetLoop
    | ChooseRecord
    | ShowEpisode
    | SetVitals
    | SetRhythm
    | SetScenario
    | SetDetail
    | Answer
    | Inject
    | StopInjection
    | Note
)


class Command(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """A command of a person; all values are absolute, so that repeating it has no further effect.

    Attributes
    ----------
    command_id : str
        128 random bits in hex; a repeated id is ignored.
    bed : str
    who : str
        Role or initials of the person, or the name of the program.
    when : str
        Wall time, UTC, RFC 3339; a command whose time differs by more than 10 s from the receiver's clock is ignored.
    action
        The action, identified by ``do``. `Acknowledge`, `PauseAudio`, `PauseAlarms` and `SetLimits` are for the
        worker; those of `stream.wire.replay_actions` are for the publisher, `Answer` for the alarm log of a class.
    """

    command_id: Hex128
    bed: BedName
    who: Who
    when: Text
    action: Action


MAX_ONSETS = 64
"""Largest number of onsets in an `Advisory`; the oldest are dropped."""


class Advisory(msgspec.Struct, frozen=True, kw_only=True):
    """The advisories of a bed as one entry that counts.

    Attributes
    ----------
    count : int
        Advisories since the last acknowledgement, or since the first of the session; 0 once acknowledged.
    since, last : str
        Wall times at which the first of these and the latest advisory were raised, UTC, RFC 3339; ``since`` is empty
        if the count is 0.
    onsets : tuple of int
        First samples of those in the last minute before ``latest``, oldest first; at most 64.
    latest : Alarm
        The latest event of the latest advisory; acknowledging its ``alarm_id`` acknowledges the entry.
    """

    count: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    since: Text
    last: Text
    onsets: Annotated[tuple[Index, ...], msgspec.Meta(max_length=MAX_ONSETS)]
    latest: Alarm


class ActiveAlarms(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """Active and latched alarms, limits and pauses of a bed; retained for later subscribers.

    Attributes
    ----------
    bed : str
    alarms : tuple of Alarm
        The latest event of each alarm, most severe first; advisories are not among them.
    advisory : Advisory or None
        The entry for the advisories; None before the first, and while their kind is switched off.
    limits : Limits
    audio_paused_until, alarms_paused_until : str or None
        Ends of the pauses: wall time, UTC, RFC 3339.
    commands : tuple of Command
        The last executed commands, newest last, at most 8.
    lease : int
        See `stream.wire.lease`.
    """

    bed: BedName
    alarms: tuple[Alarm, ...] = ()
    advisory: Advisory | None = None
    limits: Limits = Limits()
    audio_paused_until: Text | None = None
    alarms_paused_until: Text | None = None
    commands: Annotated[tuple[Command, ...], msgspec.Meta(max_length=8)] = ()
    lease: Lease = 0


class EventsRequest(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """A request to send the recent alarm events of all beds again; a logger sends it after each connect.

    Attributes
    ----------
    instance : str
        The process that asks.
    """

    instance: Text
