"""The message of truth: what a scenario or a teacher does to a bed, for those who may know it.

Instructors and scorers receive it; monitors, loggers and observers may not, where the broker has an access list
(docs/topics.md).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from stream.wire.fields import BedName, Finite, Hex128, Index, InjectionId, LeadName, Text
from stream.wire.injection_kinds import InjectedSignal
from stream.wire.messages import Message
from stream.wire.replay_actions import MAX_NOTE

TruthWhat = Literal[
    "injection",
    "rhythm",
    "episode",
    "vitals",
    "wire_fault",
    "note",
    "expected_action",
    "scenario",
    "reference",
]
"""What a message of truth is about."""

TruthPhase = Literal["begin", "end", "at"]

MAX_TRUTH_VALUES = 64
"""Largest number of values in a message."""


class Truth(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """Something that was done to a bed, or that is known about it.

    Attributes
    ----------
    bed, session, epoch
        As in `Waveform`.
    index : int
        Sample of the session, at 360 Hz, at which it takes effect.
    when : str
        Wall time at which the message is made, UTC, RFC 3339.
    truth_id : str
        The same for begin and end; of an injection its ``injection_id``.
    what : str
        One of `TruthWhat`.
    phase : str
        ``begin``, ``end``, or ``at`` for what has no duration.
    name : str
        Kind of the injection or fault, WFDB code of the rhythm, name of the vital sign, of the scenario, of the action.
    signal : str or None
        ``ecg`` or a wave; None if it does not concern one signal.
    lead : str or None
        None if it concerns all leads, or none.
    level : float or None
    unit : str or None
        Unit of the level.
    values : dict of str to float
        Further values by name, such as ``hz``, ``seconds``, or targets of vital signs.
    text : str
        For people; may be empty.
    scenario : str or None
        The running scenario.
    synthetic : bool
        As in `Waveform`.
    """

    bed: BedName
    session: Hex128
    epoch: Index
    index: Index
    when: Text
    truth_id: InjectionId
    what: TruthWhat
    phase: TruthPhase
    name: Text
    signal: InjectedSignal | None = None
    lead: LeadName | None = None
    level: Finite | None = None
    unit: Annotated[str, msgspec.Meta(max_length=16)] | None = None
    values: Annotated[
        dict[Annotated[str, msgspec.Meta(min_length=1, max_length=64)], Finite],
        msgspec.Meta(max_length=MAX_TRUTH_VALUES),
    ] = msgspec.field(default_factory=dict)
    text: Annotated[str, msgspec.Meta(max_length=MAX_NOTE)] = ""
    scenario: Text | None = None
    synthetic: bool
