"""The commands to a publisher; part of a `stream.wire.alarm_messages.Command`. All values are absolute."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from stream.wire.fields import MAX_NUMERICS_SPEED, MIN_SPEED, Finite, Index, InjectionId, LeadName, RhythmName, Text
from stream.wire.injection_kinds import InjectedSignal, InjectionKind, check_injection, check_seconds


class SetPlaying(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="set_playing"):
    """Play or pause; continuity is kept."""

    playing: bool


class Seek(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="seek"):
    """Continue at another position of the record, in samples at 360 Hz; starts a new epoch."""

    position: Index


class SetSpeed(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="set_speed"):
    """Set the replay speed; 1 is real time. A record with ECG has at most 1000."""

    speed: Annotated[float, msgspec.Meta(ge=MIN_SPEED, le=MAX_NUMERICS_SPEED)]


class SetLoop(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="set_loop"):
    """Set whether the replay restarts or ends at the end of the record."""

    loop: bool


class ChooseRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="choose_record"):
    """Replay another record from its first sample, one of those in the publisher's status; starts a new epoch."""

    record: Text


VitalName = Literal[
    "heart_rate",
    "pvc_rate",
    "pac_rate",
    "respiration_rate",
    "spo2",
    "abp_systolic",
    "abp_diastolic",
    "abp_mean",
    "cvp_mean",
    "etco2",
    "temperature",
]
"""What of a synthetic patient can be set: numerics in their units, and premature beats per minute."""

RhythmCode = Literal["N", "SBR", "B", "T", "AFIB", "SVTA", "VT", "VFL", "VF", "ASYS"]
"""Rhythms of a synthetic patient, by the codes of the WFDB annotations."""

MAX_RAMP_S = 86_400.0

MAX_NOTE = 2000
"""Longest note, characters."""


class SetVitals(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="set_vitals"):
    """Let values of a synthetic patient run to their targets, linearly, from now on; 0 s: at once."""

    values: Annotated[dict[VitalName, float], msgspec.Meta(min_length=1)]
    seconds: Annotated[float, msgspec.Meta(ge=0, le=MAX_RAMP_S)] = 0.0


class SetRhythm(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="set_rhythm"):
    """Give a synthetic patient another rhythm from now on, with a rate in 1/min; null: the usual one."""

    rhythm: RhythmCode
    rate: Annotated[float, msgspec.Meta(gt=0, le=300)] | None = None


class Inject(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="inject"):
    """Disturb a signal at its source, or the messages of the bed, from the next chunk on.

    Values must be within `stream.wire.injection_kinds.INJECTION_RULES`. A further command with the same id replaces the
    injection, from then on.

    Attributes
    ----------
    injection_id : str
        Chosen by the sender. It is the seed of what is random: the same id gives the same samples of a lead of a bed.
    kind : str
    signal : str or None
        ``ecg`` or a wave; None: the usual one of this kind. A fault of the wire concerns the bed and has none.
    lead : str or None
        None: all leads.
    level : float or None
        In the unit of the kind; None: its usual level.
    hz : float or None
        Frequency of kinds that have one, in Hz; None: the usual one.
    seconds : float or None
        Duration in s of signal; None: until it is stopped, or the usual duration of kinds that have one.
    """

    injection_id: InjectionId
    kind: InjectionKind
    signal: InjectedSignal | None = None
    lead: LeadName | None = None
    level: Finite | None = None
    hz: Finite | None = None
    seconds: Finite | None = None

    def __post_init__(self) -> None:
        check_injection(self.kind, self.signal, self.lead, self.level, self.hz)
        check_seconds(self.kind, self.seconds)


class StopInjection(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="stop_injection"):
    """End an injection; without effect if it is over."""

    injection_id: InjectionId


After = Literal["return", "go_on"]
"""What follows an episode: the place that was left, or what follows in its record."""

Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class ShowEpisode(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="show_episode"):
    """Show an episode of a rhythm, in a new epoch, and return to where the replay was in another, or go on.

    Attributes
    ----------
    rhythm : str or None
        One of the rhythms in the publisher's status, which chooses the episode; None if it is named exactly.
    record : str or None
        A record on disk; with it ``start_s`` and ``end_s``, in s from its first sample.
    start_s, end_s : float or None
    after : str
        ``return`` or ``go_on``.
    """

    rhythm: RhythmName | None = None
    record: Text | None = None
    start_s: Seconds | None = None
    end_s: Seconds | None = None
    after: After = "return"

    def __post_init__(self) -> None:
        if self.record is None:
            if self.rhythm is None or self.start_s is not None or self.end_s is not None:
                raise ValueError("an episode is given by its rhythm alone, or by record, start_s and end_s")
        elif self.start_s is None or self.end_s is None or self.end_s <= self.start_s:
            raise ValueError("an episode of a record needs start_s, and an end_s that is later")


class SetScenario(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="set_scenario"):
    """Let the scenario of all beds of its publisher wait or go on, or continue at another position; null: no change.

    While it waits, the patients go on as they are.
    """

    playing: bool | None = None
    position_s: Annotated[float, msgspec.Meta(ge=0, le=MAX_RAMP_S)] | None = None


class Note(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="note"):
    """Write a teacher's note, at the next sample, for those who may know the truth: it is in the debriefing."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NOTE)]


ReplayAction = SetPlaying | Seek | SetSpeed | SetLoop | ChooseRecord | ShowEpisode
"""What anybody who looks at a monitor can do."""

InjectionAction = Inject | StopInjection
"""What an instructor, a scenario or a script does to the signals of any patient."""

PatientAction = SetVitals | SetRhythm
"""What they do to a synthetic patient that can be steered."""

PublisherAction = ReplayAction | InjectionAction | PatientAction | SetScenario | Note
"""All that a publisher executes."""
