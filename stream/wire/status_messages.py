"""Statuses of beds and of processes, retained by the broker: who serves what, in which state, and what it offers."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec

from stream.wire.fields import (
    MAX_NUMERICS_SPEED,
    MIN_SPEED,
    BedName,
    Finite,
    Hex128,
    Index,
    InjectionId,
    LeadName,
    Lease,
    RhythmName,
    Text,
)
from stream.wire.injection_kinds import MAX_INJECTIONS, Disturbable, InjectedSignal, InjectionKind
from stream.wire.messages import Message
from stream.wire.scenario_status import ScenarioStatus
from stream.wire.shard import MAX_SHARDS

MAX_OFFERS = 256
"""Records that a publisher may offer."""

MAX_RESULTS = 8
"""Results of commands that the status of a bed contains."""

MAX_RHYTHMS = 64
"""Rhythms of which a publisher may offer episodes."""

MAX_REASON = 500
"""Characters of the reason why a command is refused."""

MAX_REFUSED = 64
"""Largest number of beds that a status names as refused."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A record that a publisher can replay.

    Attributes
    ----------
    name : str
    seconds : float
        0 if it has no end.
    rhythms : tuple of str
        Annotated rhythms, such as ``AFIB``, longest total duration first; may be empty.
    """

    name: Text
    seconds: Annotated[float, msgspec.Meta(ge=0, le=1e9)]
    rhythms: tuple[Annotated[str, msgspec.Meta(max_length=16)], ...] = ()


class RunningInjection(msgspec.Struct, frozen=True, kw_only=True):
    """An injection, or a fault of the wire, in progress; for its values see `stream.wire.replay_actions.Inject`.

    Attributes
    ----------
    injection_id, kind : str
    signal, lead : str or None
    level, hz : float or None
        Those in effect, also if the command named none.
    begin : int
        First sample of the session, at 360 Hz, that it concerns.
    end : int or None
        The sample after the last one; None: until it is stopped.
    """

    injection_id: InjectionId
    kind: InjectionKind
    signal: InjectedSignal | None
    lead: LeadName | None
    level: Finite | None
    hz: Finite | None
    begin: Index
    end: Index | None


class RhythmOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A rhythm of which a publisher has episodes: its code, such as ``VT``, and how many there are."""

    rhythm: RhythmName
    episodes: Annotated[int, msgspec.Meta(ge=1, le=10**6)]


class ShownEpisode(msgspec.Struct, frozen=True, kw_only=True):
    """The episode that is shown.

    Attributes
    ----------
    rhythm, record : str
    start_s, end_s : float
        In s from the first sample of the record.
    returns : bool
        Whether the replay returns afterwards to where it was.
    """

    rhythm: RhythmName
    record: Text
    start_s: Annotated[float, msgspec.Meta(ge=0, le=1e9)]
    end_s: Annotated[float, msgspec.Meta(ge=0, le=1e9)]
    returns: bool


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command to a publisher.

    Attributes
    ----------
    command_id : str
    refused : str or None
        The reason why it was not executed, in English; None: it was.
    """

    command_id: Hex128
    refused: Annotated[str, msgspec.Meta(max_length=MAX_REASON)] | None = None


class BedStatus(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """Status of a bed in one role; retained. It is valid only while the process of its ``instance`` is online.

    Attributes
    ----------
    bed : str
    role : str
    instance : str
        The process that serves the bed; its own status is at ``bedside/v1/_/status/{role}/{instance}``.
    state : str
        Publisher: ``playing``, ``paused`` or ``ended``. Worker: ``learning``, ``forecasting`` or ``stopped``.
    when : str
        Wall time, UTC, RFC 3339.
    record : str
        The replayed record, such as ``mitdb/208``.
    session : str
    position : int
        Position in the record, in samples at 360 Hz.
    duration : int
        Length of the record, in samples at 360 Hz; 0 if unknown.
    speed : float
        Replay speed, 0.01 to 7200.
    loop : bool
    last_seq : int or None
        The last chunk that was due (publisher) or processed (worker).
    synthetic : bool
    counters : dict of str to float
        Counters since the process began to serve this bed in this session.
    records : tuple of Offer
        Publisher: the records that it can replay.
    lease : int
        Worker: see `stream.wire.lease`.
    steerable : bool
        Publisher: the patient is synthetic and executes `SetVitals` and `SetRhythm`.
    scenario : ScenarioStatus or None
        Publisher: the scenario that is in progress.
    injections : tuple of RunningInjection or None
        Publisher: injections in progress; None if it cannot inject.
    commands : tuple of CommandResult
        Publisher: the last commands to it, newest last, at most 8.
    rhythms : tuple of RhythmOffer
        Publisher: what `ShowEpisode` can show by name; empty if it has no episodes, or the patient is live.
    episode : ShownEpisode or None
        Publisher: the episode that is shown.
    disturbable : tuple of str or None
        Publisher: what of the bed injections can change at present; None if unknown.
    """

    bed: BedName
    role: Literal["publisher", "worker"]
    instance: Text
    state: Literal["playing", "paused", "ended", "learning", "forecasting", "stopped"]
    when: Text
    record: Text
    session: Hex128
    position: Index = 0
    duration: Index = 0
    speed: Annotated[float, msgspec.Meta(ge=MIN_SPEED, le=MAX_NUMERICS_SPEED)] = 1.0
    loop: bool = False
    last_seq: Index | None = None
    synthetic: bool = False
    counters: dict[str, float] = msgspec.field(default_factory=dict)
    records: Annotated[tuple[Offer, ...], msgspec.Meta(max_length=MAX_OFFERS)] = ()
    lease: Lease = 0
    steerable: bool = False
    scenario: ScenarioStatus | None = None
    injections: Annotated[tuple[RunningInjection, ...], msgspec.Meta(max_length=MAX_INJECTIONS)] | None = None
    commands: Annotated[tuple[CommandResult, ...], msgspec.Meta(max_length=MAX_RESULTS)] = ()
    rhythms: Annotated[tuple[RhythmOffer, ...], msgspec.Meta(max_length=MAX_RHYTHMS)] = ()
    episode: ShownEpisode | None = None
    disturbable: Annotated[tuple[Disturbable, ...], msgspec.Meta(max_length=len(get_args(Disturbable)))] | None = None


class ProcessStatus(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """Status of a process; retained, and the last will of its connection.

    Attributes
    ----------
    role : str
    instance : str
        Chosen at random by each process.
    state : str
        ``online`` or ``offline``.
    when : str
        Wall time of this message, UTC, RFC 3339; in a last will, that of the start of the connection.
    beds : tuple of str
        Beds that it serves.
    overloaded : bool
        Worker: it receives more than it can analyse and sheds chunks of some beds; see docs/topics.md.
    refused : tuple of str
        Beds that have sent ECG within the last 5 s and that it does not serve, because all places are taken.
    shard, shards : int
        Worker: it serves the beds of shard ``shard`` of ``shards``, see `stream.wire.shard`; by default all.
    counters : dict of str to float
        Counters since the start of the process.
    mqtt_session : str
        Digest of the MQTT client id of its persistent session; empty if it has none. The id itself would let anyone
        take the session over.
    """

    role: Literal["publisher", "worker", "monitor", "logger"]
    instance: Text
    state: Literal["online", "offline"]
    when: Text
    beds: tuple[BedName, ...] = ()
    overloaded: bool = False
    refused: Annotated[tuple[BedName, ...], msgspec.Meta(max_length=MAX_REFUSED)] = ()
    shard: Annotated[int, msgspec.Meta(ge=0, lt=MAX_SHARDS)] = 0
    shards: Annotated[int, msgspec.Meta(ge=1, le=MAX_SHARDS)] = 1
    counters: dict[str, float] = msgspec.field(default_factory=dict)
    mqtt_session: Text = ""

    def __post_init__(self) -> None:
        if self.shard >= self.shards:
            raise ValueError(f"shard {self.shard} of {self.shards} does not exist")
