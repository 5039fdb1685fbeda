"""The messages of a ward: one tick of many beds in one payload, in columns.

The beds of a message belong to one of `WARD_SHARDS` shards (`stream.wire.shard`). The i-th entry of each column belongs
to the i-th bed. A message can be decoded on its own: what hardly changes, such as a lead's gain, is small enough to be
in each. Columns are checked as a whole, without an object per bed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from stream.timebase import FS
from stream.wire.fields import (
    MAX_FINITE,
    MAX_GAIN,
    MAX_INDEX,
    MAX_LEADS,
    MAX_LEASE,
    MAX_SPEED,
    MIN_GAIN,
    MIN_SPEED,
    LeadName,
    Nanoseconds,
    Text,
)
from stream.wire.messages import ANALYSED_LEADS, Message, Offsets, Waveform, check_ascending
from stream.wire.shard import WARD_SHARDS, ward_shard
from stream.wire.topics import check_bed

MAX_WARD_BEDS = 4096
"""Largest number of beds in one message."""

MAX_TIME_NS = 2**63 - 1 - 10**18
"""Largest time in ns, so that that of the last sample is one, too."""

MAX_SAMPLES = 2**16 - 1
"""Largest number of samples per lead of one bed in a message."""

MAX_WARD_BYTES = 1024 * 1024
"""Maximum payload size of the topics of a ward; larger ones are rejected unread."""

Leads = Annotated[tuple[LeadName, ...], msgspec.Meta(min_length=1, max_length=MAX_LEADS)]
AnalysedLeads = Annotated[tuple[LeadName, ...], msgspec.Meta(min_length=1, max_length=ANALYSED_LEADS)]


class Beds(Protocol):
    """Some beds: a collection of names, or a `stream.wire.shard.Shard`."""

    def __contains__(self, bed: str, /) -> bool:
        """Return whether a bed is one of them."""
        ...


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where the samples of some beds come from; several beds may replay one record.

    Attributes
    ----------
    record : str
    leads : tuple of str
    gain, zero : tuple of float, tuple of int
        adu per mV and the adu of 0 mV, one per lead.
    synthetic : bool
    """

    record: Text
    leads: Leads
    gain: tuple[float, ...]
    zero: tuple[Annotated[int, msgspec.Meta(ge=-32767, le=32767)], ...]
    synthetic: bool

    def __post_init__(self) -> None:
        if not len(self.gain) == len(self.zero) == len(self.leads):
            raise ValueError(f"{len(self.leads)} leads need as many gains and zeros")
        if not all(MIN_GAIN <= g <= MAX_GAIN for g in self.gain):
            raise ValueError(f"gain {self.gain} is not within {MIN_GAIN} to {MAX_GAIN}")


class WardMessage(Message, frozen=True, kw_only=True, tag_field="v", tag=1):
    """Base of the messages of a shard.

    Attributes
    ----------
    shard : int
        The shard of the topic.
    beds : str
        Names of the beds, separated by single spaces. Each is in the message once, and belongs to the shard.
    session : bytes
        16 bytes per bed.
    epoch, seq : bytes
        Little-endian int64, one per bed.
    """

    shard: Annotated[int, msgspec.Meta(ge=0, lt=WARD_SHARDS)]
    beds: str
    session: bytes
    epoch: bytes
    seq: bytes

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the beds."""
        return names_of(self.beds, self.shard)

    def integers(self, column: str) -> npt.NDArray[np.int64]:
        """Return a column of indices or times, shape (beds,), int64, read-only."""
        return np.frombuffer(getattr(self, column), "<i8")

    def sessions(self) -> list[str]:
        """Return the session of each bed as 32 hex digits."""
        digits = self.session.hex()
        return [digits[at : at + 32] for at in range(0, len(digits), 32)]

    def _check_columns(self, beds: int, **sizes: int) -> None:
        """Raise ValueError unless each column has so many bytes per bed."""
        for name, size in {"session": 16, "epoch": 8, "seq": 8, **sizes}.items():
            if len(getattr(self, name)) != size * beds:
                raise ValueError(f"{name} does not have {size} bytes for each of {beds} beds")


class _Layout(NamedTuple):
    """What follows from the lengths and speeds of the chunks in a message; arrays of shape (beds,).

    Attributes
    ----------
    ends : ndarray of int64
        Where each bed's samples end, in bytes.
    duration_s : ndarray
        How long each chunk lasts in wall time, in s.
    wait_ns : ndarray of int64
        The same from its first to its last sample, in ns.
    """

    ends: npt.NDArray[np.int64]
    duration_s: npt.NDArray[np.float64]
    wait_ns: npt.NDArray[np.int64]


@lru_cache(256)
def _layout(n: bytes, source: bytes, speed: bytes, leads: tuple[int, ...]) -> _Layout:
    """Return the layout of a message from its columns and the number of leads of each source; it comes with each tick.

    Raises
    ------
    ValueError
        A source does not exist, or a chunk is empty or has a speed that is not allowed.
    """
    counts, place, speeds = np.frombuffer(n, "<u2"), np.frombuffer(source, "<u2"), np.frombuffer(speed, "<f8")
    if place.max() >= len(leads):
        raise ValueError(f"a source is not one of the {len(leads)}")
    if counts.min() < 1:
        raise ValueError("a chunk has no samples")
    if not ((speeds >= MIN_SPEED) & (speeds <= MAX_SPEED)).all():
        raise ValueError(f"a speed is not within {MIN_SPEED} to {MAX_SPEED}")
    wait_ns = np.rint((counts - 1.0) * 1e9 / (FS * speeds)).astype(np.int64)
    found = _Layout(np.cumsum(2 * np.array(leads)[place] * counts), counts / (FS * speeds), wait_ns)
    for column in found:
        column.flags.writeable = False
    return found


class WardEcg(WardMessage, frozen=True, kw_only=True, tag_field="v", tag=1):
    """One chunk of ECG of each of many beds, each as in `stream.wire.messages.Waveform`.

    Attributes
    ----------
    shard, beds, session, epoch, seq
        As in `WardMessage`.
    start, epoch_start, t0_ns, position : bytes
        Little-endian int64, one per bed.
    speed : bytes
        Little-endian float64, one per bed.
    fs : int
        Always 360.
    sources : tuple of Source
        Each used by one or more of the beds.
    source : bytes
        Little-endian uint16, one per bed: its place in `sources`.
    n : bytes
        Little-endian uint16, one per bed: samples per lead.
    samples : bytes
        Little-endian int16: the chunks of all beds one after the other, each of shape (n, leads) in C order; −32768 is
        invalid.
    """

    start: bytes
    epoch_start: bytes
    t0_ns: bytes
    position: bytes
    speed: bytes
    fs: Literal[360]
    sources: Annotated[tuple[Source, ...], msgspec.Meta(min_length=1, max_length=MAX_WARD_BEDS)]
    source: bytes
    n: bytes
    samples: bytes

    def __post_init__(self) -> None:
        beds = len(self.names)
        self._check_columns(beds, start=8, epoch_start=8, t0_ns=8, position=8, speed=8, source=2, n=2)
        if len(self.samples) != self._layout.ends[-1]:
            raise ValueError("n and samples do not agree")
        indices = np.frombuffer(self.epoch + self.seq + self.start + self.epoch_start + self.position, "<i8")
        _check_range("an index", indices, MAX_INDEX - MAX_SAMPLES)
        _check_range("a time", self.integers("t0_ns"), MAX_TIME_NS)
        if (self.integers("epoch_start") > self.integers("start")).any():
            raise ValueError("an epoch starts after a chunk of it")

    def source_of_bed(self) -> npt.NDArray[np.uint16]:
        """Return the place of each bed's source in `sources`, shape (beds,)."""
        return np.frombuffer(self.source, "<u2")

    def sample_counts(self) -> npt.NDArray[np.uint16]:
        """Return the samples per lead of each bed, shape (beds,)."""
        return np.frombuffer(self.n, "<u2")

    def speeds(self) -> npt.NDArray[np.float64]:
        """Return the replay speed of each bed, shape (beds,)."""
        return np.frombuffer(self.speed, "<f8")

    def durations_s(self) -> npt.NDArray[np.float64]:
        """Return how long each bed's chunk lasts in wall time, in s, shape (beds,)."""
        return self._layout.duration_s

    def sample_ends(self) -> npt.NDArray[np.int64]:
        """Return where each bed's samples end, in bytes, shape (beds,)."""
        return self._layout.ends

    def due_ns(self) -> npt.NDArray[np.int64]:
        """Return the Unix time in ns at which each bed's chunk is due, shape (beds,)."""
        return self.integers("t0_ns") + self._layout.wait_ns

    @property
    def _layout(self) -> _Layout:
        return _layout(self.n, self.source, self.speed, tuple([len(source.leads) for source in self.sources]))

    def chunks(self, wanted: Beds) -> Iterator[Waveform]:
        """Yield the chunks of some beds, each as a bed sends it on its own topic."""
        return self.chunks_at([row for row, name in enumerate(self.names) if name in wanted])

    def chunks_at(self, rows: Sequence[int]) -> Iterator[Waveform]:
        """Yield the chunks at some places of the message, each as a bed sends it on its own topic."""
        if not rows:
            return
        names, sessions, ends = self.names, self.session.hex(), self._layout.ends
        columns = [self.integers(name) for name in ("epoch", "seq", "start", "epoch_start", "t0_ns", "position")]
        speeds, places = self.speeds(), self.source_of_bed()
        for row in rows:
            epoch, seq, start, epoch_start, t0_ns, position = [int(column[row]) for column in columns]
            source = self.sources[places[row]]
            yield Waveform(
                bed=names[row],
                session=sessions[32 * row : 32 * row + 32],
                epoch=epoch,
                seq=seq,
                start=start,
                epoch_start=epoch_start,
                t0_ns=t0_ns,
                speed=float(speeds[row]),
                fs=self.fs,
                leads=source.leads,
                gain=source.gain,
                zero=source.zero,
                samples=self.samples[int(ends[row - 1]) if row else 0 : int(ends[row])],
                record=source.record,
                position=position,
                synthetic=source.synthetic,
            )


class WardForecast(WardMessage, frozen=True, kw_only=True, tag_field="v", tag=1):
    """One forecast of each of many beds, each as in `stream.wire.messages.Forecast`, at some of its samples.

    Attributes
    ----------
    shard, beds, session, epoch, seq
        As in `WardMessage`.
    origin, lease : bytes
        Little-endian int64, one per bed.
    lead_sets : tuple of tuple of str
        Each used by one or more of the beds.
    lead_set : bytes
        Little-endian uint16, one per bed: its place in `lead_sets`.
    offsets : tuple of int
        Which samples after its origin are predicted, ascending, the same of all beds.
    mean, scale : bytes
        Little-endian float32: those of all beds one after the other, each of shape (offsets, leads) in C order, mV.
    score : bytes
        Little-endian float64, one per bed; NaN while learning.
    threshold : float
    published_ns : int
    """

    origin: bytes
    lease: bytes
    lead_sets: Annotated[tuple[AnalysedLeads, ...], msgspec.Meta(min_length=1, max_length=MAX_WARD_BEDS)]
    lead_set: bytes
    offsets: Offsets
    mean: bytes
    scale: bytes
    score: bytes
    threshold: Annotated[float, msgspec.Meta(ge=-MAX_FINITE, le=MAX_FINITE)]
    published_ns: Nanoseconds

    def __post_init__(self) -> None:
        check_ascending(self.offsets)
        beds = len(self.names)
        self._check_columns(beds, origin=8, lease=8, lead_set=2, score=8)
        lead_set = np.frombuffer(self.lead_set, "<u2")
        if lead_set.max() >= len(self.lead_sets):
            raise ValueError(f"set {lead_set.max()} of {len(self.lead_sets)} does not exist")
        values = len(self.offsets) * sum(map(len, self.lead_names()))
        if not len(self.mean) == len(self.scale) == 4 * values:
            raise ValueError(f"mean and scale do not have the {values} values of all beds")
        _check_range("an index", np.frombuffer(self.epoch + self.seq + self.origin, "<i8"), MAX_INDEX)
        _check_range("a lease", self.integers("lease"), MAX_LEASE)
        if not (np.isfinite(self.means_mv()).all() and np.isfinite(self.scales_mv()).all()):
            raise ValueError("mean and scale must be finite")
        if np.isinf(self.scores()).any():
            raise ValueError("a score is infinite")

    def means_mv(self) -> npt.NDArray[np.float32]:
        """Return the predicted means in mV of all beds, one after the other, read-only."""
        return np.frombuffer(self.mean, "<f4")

    def scales_mv(self) -> npt.NDArray[np.float32]:
        """Return the predicted standard deviations in mV, as `means_mv`."""
        return np.frombuffer(self.scale, "<f4")

    def scores(self) -> npt.NDArray[np.float64]:
        """Return the anomaly score of each bed, shape (beds,); NaN while learning."""
        return np.frombuffer(self.score, "<f8")

    def lead_names(self) -> list[tuple[str, ...]]:
        """Return the leads of each bed."""
        return [self.lead_sets[place] for place in np.frombuffer(self.lead_set, "<u2").tolist()]


@lru_cache(1024)
def names_of(beds: str, shard: int) -> tuple[str, ...]:
    """Return the names in the text of a message; the same text comes with each tick.

    Raises
    ------
    ValueError
        A name is not valid, of another shard, or there twice; or there are too many.
    """
    names = tuple(beds.split(" ", MAX_WARD_BEDS))
    if len(names) > MAX_WARD_BEDS:
        raise ValueError(f"more than {MAX_WARD_BEDS} beds")
    for name in names:
        if ward_shard(check_bed(name)) != shard:
            raise ValueError(f"bed {name} belongs to shard {ward_shard(name)}, not {shard}")
    if len(set(names)) < len(names):
        raise ValueError("a bed is there twice")
    return names


def _check_range(what: str, values: npt.NDArray[np.int64], limit: int) -> None:
    if values.view("<u8").max() > limit:  # a negative number counts as a very large one
        raise ValueError(f"{what} is not within 0 to {limit}")
