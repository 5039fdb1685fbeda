"""The MQTT messages, except alarms and commands (`stream.wire.alarm_messages`).

Sample indices count from the start of a session and never decrease. ``t0_ns`` is the Unix time at which the first
sample of a chunk is due; within the chunk, sample i is due at ``t0_ns + i / (fs * speed)`` seconds. A chunk is sent
when its last sample is due. Amplitudes are millivolts, ``mV = (adu - zero) / gain``.

Structs only. Field constraints are checked when a message is created and again when it is decoded.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal, get_args

import msgspec
import numpy as np
import numpy.typing as npt

from stream.wire.injection_kinds import MAX_INJECTIONS, Disturbable, InjectedSignal, InjectionKind
from stream.wire.scenario_status import ScenarioStatus
from stream.wire.shard import MAX_SHARDS

INVALID = -32768
"""The adu value of an invalid sample."""

MAX_LEADS = 12
"""Leads of a bed's ECG."""

ANALYSED_LEADS = 2
"""Leads that forecast and alarms use, at most: the first ones of the ECG."""

MIN_SPEED, MAX_SPEED = 0.01, 1000.0
MAX_NUMERICS_SPEED = 7200.0
"""Largest replay speed of a record of numerics alone: an hour of the patient in half a second."""

MIN_GAIN, MAX_GAIN = 1e-3, 1e9
"""Accepted gains, in adu/mV; beyond, amplitudes are not physiological and forecasts would exceed float32."""

MAX_INDEX = 2**53
"""Largest sample index; JSON numbers represent it exactly in every language."""

MAX_OFFERS = 256
"""Records that a publisher may offer."""

MAX_RESULTS = 8
"""Results of commands that the status of a bed contains."""

MAX_RHYTHMS = 64
"""Rhythms of which a publisher may offer episodes."""

RhythmName = Annotated[str, msgspec.Meta(min_length=1, max_length=16)]
"""Code of a WFDB rhythm annotation."""

MAX_REASON = 500
"""Characters of the reason why a command is refused."""

MAX_OFFSETS = 360
"""Largest number of predicted samples per bed in a message."""

MAX_LEASE = 10**9
Lease = Annotated[int, msgspec.Meta(ge=0, le=MAX_LEASE)]
"""Number of a worker's turn at a bed, see `stream.wire.lease`; 0: of an older sender."""

Index = Annotated[int, msgspec.Meta(ge=0, le=MAX_INDEX)]
Offsets = Annotated[
    tuple[Annotated[int, msgspec.Meta(ge=1, le=100_000)], ...], msgspec.Meta(min_length=1, max_length=MAX_OFFSETS)
]
"""Which samples after the origin of a forecast are predicted, ascending."""

Nanoseconds = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
BedName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}\Z")]
Hex128 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
Text = Annotated[str, msgspec.Meta(max_length=200)]
LeadName = Annotated[str, msgspec.Meta(min_length=1, max_length=16)]
InjectionId = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"\S")]
"""Id of an injection; not blank."""

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
MAX_FINITE = 1e9
"""Largest absolute value of a measured or computed value in a message."""

MAX_REFUSED = 64
"""Largest number of beds that a status names as refused."""

Finite = Annotated[float, msgspec.Meta(ge=-MAX_FINITE, le=MAX_FINITE)]

BeatType = Literal["N", "S", "V", "Q"]
Rhythm = Literal[
    "sinus",
    "atrial fibrillation",
    "bigeminy",
    "trigeminy",
    "paced",
    "ventricular tachycardia",
    "ventricular fibrillation",
    "asystole",
    "unknown",
]


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="v", tag=1):
    """Base of all messages: immutable, with the version ``v`` of the layout."""


class Waveform(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """A chunk of ECG.

    Attributes
    ----------
    bed : str
    session : str
        128 random bits in hex, new at each start of the publisher.
    epoch : int
        Incremented at each discontinuity: seek, loop restart, another record.
    seq : int
        Number of the chunk within this bed and session, from 0.
    start : int
        Index of the chunk's first sample since the start of the session.
    epoch_start : int
        Index of the epoch's first sample.
    t0_ns : int
        Unix time in ns at which the first sample is due.
    speed : float
        Replay speed, 0.01 to 1000; 1 is real time.
    fs : int
        Always 360.
    leads : tuple of str
        One to twelve lead names. Forecast and alarms use the first two, so the sender puts the best ones there.
    gain, zero : tuple of float, tuple of int
        adu per mV and the adu of 0 mV, one per lead.
    samples : bytes
        Little-endian int16 of shape (n, leads), C order; −32768 is invalid.
    record : str
        Name of the recording, such as ``mitdb/208``.
    position : int
        Position of the first sample in the recording, in samples at 360 Hz.
    synthetic : bool
        True if the samples are generated, not recorded from a patient.
    """

    bed: BedName
    session: Hex128
    epoch: Index
    seq: Index
    start: Index
    epoch_start: Index
    t0_ns: Nanoseconds
    speed: float
    fs: Literal[360]
    leads: Annotated[tuple[LeadName, ...], msgspec.Meta(min_length=1, max_length=MAX_LEADS)]
    gain: tuple[float, ...]
    zero: tuple[Annotated[int, msgspec.Meta(ge=-32767, le=32767)], ...]
    samples: bytes
    record: Text
    position: Index
    synthetic: bool

    def __post_init__(self) -> None:
        n_leads = len(self.leads)
        if not len(self.gain) == len(self.zero) == n_leads:
            raise ValueError(f"{n_leads} leads need as many gains and zeros")
        for gain in self.gain:
            if not MIN_GAIN <= gain <= MAX_GAIN:
                raise ValueError(f"gain {self.gain} is not within {MIN_GAIN} to {MAX_GAIN}")
        if not MIN_SPEED <= self.speed <= MAX_SPEED:
            raise ValueError(f"speed {self.speed} is not within {MIN_SPEED} to {MAX_SPEED}")
        n, rest = divmod(len(self.samples), 2 * n_leads)
        if rest or not n:
            raise ValueError(f"{len(self.samples)} bytes are not a whole number of int16 samples of {n_leads} leads")
        if self.start + n > MAX_INDEX or self.position + n > MAX_INDEX:
            raise ValueError(f"sample {max(self.start, self.position)} lies beyond {MAX_INDEX}")
        if self.epoch_start > self.start:
            raise ValueError(f"epoch_start {self.epoch_start} lies after start {self.start}")

    @property
    def analysed(self) -> tuple[str, ...]:
        """The leads that forecast and alarms use."""
        return self.leads[:ANALYSED_LEADS]

    @property
    def n(self) -> int:
        """Samples per lead in this chunk."""
        return len(self.samples) // (2 * len(self.leads))

    @property
    def end(self) -> int:
        """Index after the last sample."""
        return self.start + self.n

    @property
    def due_ns(self) -> int:
        """Unix time in ns at which the last sample, and so the chunk, is due."""
        return self.t0_ns + round((self.n - 1) * 1e9 / (self.fs * self.speed))

    def adu(self) -> npt.NDArray[np.int16]:
        """Return the ADC values, shape (n, leads), int16, read-only."""
        return np.frombuffer(self.samples, dtype="<i2").reshape(-1, len(self.leads))

    def mv(self) -> npt.NDArray[np.float64]:
        """Return the samples in mV, shape (n, leads), float64; NaN where invalid."""
        adu = self.adu()
        mv = (adu - np.asarray(self.zero, np.float64)) / np.asarray(self.gain, np.float64)
        mv[adu == INVALID] = np.nan
        return mv


def check_ascending(offsets: tuple[int, ...]) -> None:
    """Refuse the offsets of a forecast that do not ascend.

    Raises
    ------
    ValueError
    """
    if any(later <= earlier for earlier, later in pairwise(offsets)):
        raise ValueError("offsets must ascend")


class Forecast(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """A forecast of the samples after ``origin``, and the anomaly score of the samples up to it.

    Attributes
    ----------
    bed, session, epoch, seq
        Of the chunk that completed this forecast.
    origin : int
        Index of the last observed sample.
    leads : tuple of str
        The leads that were analysed: the first one or two of the ECG.
    offsets : tuple of int
        Ascending; ``mean[k]`` is for sample ``origin + offsets[k]``.
    mean, scale : bytes
        Little-endian float32 of shape (offsets, leads), mV. ``scale`` is the predicted standard deviation.
    score : float or None
        Anomaly score of the last stride for this patient: ``-log10`` of a probability per second; None while learning.
    threshold : float
        The score from which a complex is unusual.
    published_ns : int
        Unix time in ns at which the worker sent the forecast.
    lease : int
        See `stream.wire.lease`.
    """

    bed: BedName
    session: Hex128
    epoch: Index
    seq: Index
    origin: Index
    leads: Annotated[tuple[LeadName, ...], msgspec.Meta(min_length=1, max_length=ANALYSED_LEADS)]
    offsets: Offsets
    mean: bytes
    scale: bytes
    score: float | None
    threshold: float
    published_ns: Nanoseconds
    lease: Lease = 0

    def __post_init__(self) -> None:
        check_ascending(self.offsets)
        if not len(self.mean) == len(self.scale) == 4 * len(self.offsets) * len(self.leads):
            raise ValueError("mean and scale are not float32 arrays of shape (offsets, leads)")
        if not np.isfinite(np.frombuffer(self.mean + self.scale, "<f4")).all():
            raise ValueError("mean and scale must be finite")
        if not math.isfinite(self.threshold) or (self.score is not None and not math.isfinite(self.score)):
            raise ValueError("score must be finite or null, threshold finite")

    def mean_mv(self) -> npt.NDArray[np.float32]:
        """Return the predicted mean in mV, shape (offsets, leads), read-only."""
        return np.frombuffer(self.mean, dtype="<f4").reshape(-1, len(self.leads))

    def scale_mv(self) -> npt.NDArray[np.float32]:
        """Return the predicted standard deviation in mV, shape (offsets, leads), read-only."""
        return np.frombuffer(self.scale, dtype="<f4").reshape(-1, len(self.leads))


class Beat(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """A detected beat, published within 200 ms after its R peak.

    Attributes
    ----------
    bed, session
    index : int
        Sample of the R peak.
    type : str
        ``N`` normal (also bundle branch block and paced), ``S`` supraventricular ectopic, ``V`` ventricular ectopic,
        ``Q`` unclassifiable, for example while the patient's normal beat is being learned.
    rr_ms : float or None
        Time since the previous R peak, in ms; None if unknown, as after a gap.
    quality : float
        Signal quality around the beat, 0 to 1.
    lease : int
        See `stream.wire.lease`.
    """

    bed: BedName
    session: Hex128
    index: Index
    type: BeatType
    rr_ms: Annotated[float, msgspec.Meta(gt=0, le=1e6)] | None
    quality: Share
    lease: Lease = 0


class Vitals(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """Vital signs, once per second of signal; values are None if unreliable.

    Attributes
    ----------
    bed, session
    index : int
        The last sample included.
    when : str
        Wall time, UTC, RFC 3339.
    heart_rate : float or None
        In 1/min: 60 s over the mean of the last 12 RR intervals without the largest and the smallest; over the mean of
        the last 4 while each of them is longer than 1.2 s.
    rr_ms : float or None
        The last RR interval, in ms.
    pvc_per_min : int or None
        Ventricular ectopic beats in the last minute.
    rhythm : str
        ``unknown`` if no other value is certain.
    quality : float or None
        Signal quality, 0 to 1.
    score : float or None
        The highest anomaly score of the last second, ``-log10`` of a probability per second.
    skill : float or None
        Forecast skill: 1 − (mean error of the forecast / mean error of persistence), 100 ms ahead, over the last
        minute.
    inops : tuple of str
        Technical alarms that are the reason for values of None.
    lease : int
        See `stream.wire.lease`.
    """

    bed: BedName
    session: Hex128
    index: Index
    when: Text
    heart_rate: Annotated[float, msgspec.Meta(gt=0, le=600)] | None
    rr_ms: Annotated[float, msgspec.Meta(gt=0, le=1e6)] | None
    pvc_per_min: Annotated[int, msgspec.Meta(ge=0, le=600)] | None
    rhythm: Rhythm
    quality: Share | None
    score: Finite | None
    skill: Finite | None
    inops: tuple[Text, ...] = ()
    lease: Lease = 0


class Annotation(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """A reference annotation of the record, sent after the chunk that contains its sample; optional.

    Attributes
    ----------
    bed, session
    index : int
        Sample index since the start of the session.
    symbol : str
        WFDB annotation symbol: ``N``, ``V``, ``+`` for a rhythm change, …
    aux : str
        Its aux string, such as ``(AFIB``; often empty.
    """

    bed: BedName
    session: Hex128
    index: Index
    symbol: Annotated[str, msgspec.Meta(min_length=1, max_length=4)]
    aux: Text = ""


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
        Publisher: what of the bed injections can change at present; None if it does not say.
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
    speed: float = 1.0
    loop: bool = False
    last_seq: Index | None = None
    synthetic: bool = False
    counters: dict[str, float] = {}
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
    counters: dict[str, float] = {}
    mqtt_session: Text = ""

    def __post_init__(self) -> None:
        if self.shard >= self.shards:
            raise ValueError(f"shard {self.shard} of {self.shards} does not exist")
