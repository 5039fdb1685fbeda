"""Messages of the ECG of a bed, and of what is computed from it: chunks, forecasts, beats, vital signs, annotations.

Sample indices count from the start of a session and never decrease. ``t0_ns`` is the Unix time at which the first
sample of a chunk is due; within the chunk, sample i is due at ``t0_ns + i / (fs * speed)`` seconds. A chunk is sent
when its last sample is due. Amplitudes are millivolts, ``mV = (adu - zero) / gain``.

Structs only. Each other subject has a module of its own: statuses in `stream.wire.status_messages`, alarms and commands
in `stream.wire.alarm_messages`, other waves in `stream.wire.wave_message`, and so on.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from stream.wire.fields import (
    MAX_GAIN,
    MAX_INDEX,
    MAX_LEADS,
    MAX_SPEED,
    MIN_GAIN,
    MIN_SPEED,
    BedName,
    Finite,
    Hex128,
    Index,
    LeadName,
    Lease,
    Nanoseconds,
    Share,
    Text,
)

INVALID = -32768
"""The adu value of an invalid sample."""

ANALYSED_LEADS = 2
"""Leads that forecast and alarms use, at most: the first ones of the ECG."""

MAX_OFFSETS = 360
"""Largest number of predicted samples per bed in a message."""

Offsets = Annotated[
    tuple[Annotated[int, msgspec.Meta(ge=1, le=100_000)], ...], msgspec.Meta(min_length=1, max_length=MAX_OFFSETS)
]
"""Which samples after the origin of a forecast are predicted, ascending."""

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
        Ventricular ectopic beats in the last minute; None if a tenth of it could not be used, or was fibrillation.
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
