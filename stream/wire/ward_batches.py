"""Makes the messages of a ward: from the chunks of its beds, from their forecasts, and those of one moment by shard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stream.timebase import FS
from stream.wire.messages import Message, Waveform
from stream.wire.shard import ward_shard
from stream.wire.ward_messages import MAX_WARD_BYTES, Source, WardEcg, WardForecast

BED_BYTES = 1024
"""Most that a bed adds to a message beside its samples."""


def ward_ecg(chunks: Sequence[Waveform]) -> WardEcg:
    """Return the message of the chunks of several beds of one shard, one chunk each."""
    sources: dict[tuple[object, ...], int] = {}
    place = [sources.setdefault((c.record, c.leads, c.gain, c.zero, c.synthetic), len(sources)) for c in chunks]

    return WardEcg(
        shard=ward_shard(chunks[0].bed),
        beds=" ".join([c.bed for c in chunks]),
        session=bytes.fromhex("".join([c.session for c in chunks])),
        epoch=_integers([c.epoch for c in chunks]),
        seq=_integers([c.seq for c in chunks]),
        start=_integers([c.start for c in chunks]),
        epoch_start=_integers([c.epoch_start for c in chunks]),
        t0_ns=_integers([c.t0_ns for c in chunks]),
        position=_integers([c.position for c in chunks]),
        speed=np.array([c.speed for c in chunks], "<f8").tobytes(),
        fs=FS,
        sources=tuple(
            Source(record=record, leads=leads, gain=gain, zero=zero, synthetic=synthetic)  # type: ignore[arg-type]
            for record, leads, gain, zero, synthetic in sources
        ),
        source=np.array(place, "<u2").tobytes(),
        n=np.array([c.n for c in chunks], "<u2").tobytes(),
        samples=b"".join([c.samples for c in chunks]),
    )


class ForecastRows(NamedTuple):
    """One forecast of each of some beds of a shard, with equally many leads.

    Attributes
    ----------
    beds, sessions : list of str
    epoch, seq, lease : list of int
    leads : list of tuple of str
    origin : ndarray of int64, shape (beds,)
    mean, scale : ndarray of float32, shape (beds, offsets, leads), mV
    score : ndarray, shape (beds,)
        NaN while learning.
    """

    beds: list[str]
    sessions: list[str]
    epoch: list[int]
    seq: list[int]
    leads: list[tuple[str, ...]]
    lease: list[int]
    origin: npt.NDArray[np.int64]
    mean: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    score: npt.NDArray[np.float64]


def ward_forecast(
    shard: int, rows: Sequence[ForecastRows], offsets: tuple[int, ...], threshold: float, published_ns: int
) -> WardForecast:
    """Return the message of the forecasts of several beds of a shard, one each, at ``offsets`` after their origins."""
    beds, sessions, epoch, seq, leads_of_bed, lease = (
        list(chain.from_iterable(parts)) for parts in zip(*(part[:6] for part in rows), strict=True)
    )
    lead_sets: dict[tuple[str, ...], int] = {}
    lead_set = [lead_sets.setdefault(leads, len(lead_sets)) for leads in leads_of_bed]

    score = np.concatenate([part.score for part in rows])
    return WardForecast(
        shard=shard,
        beds=" ".join(beds),
        session=bytes.fromhex("".join(sessions)),
        epoch=_integers(epoch),
        seq=_integers(seq),
        origin=b"".join([part.origin.astype("<i8", copy=False).tobytes() for part in rows]),
        lease=_integers(lease),
        lead_sets=tuple(lead_sets),
        lead_set=np.array(lead_set, "<u2").tobytes(),
        offsets=offsets,
        mean=b"".join([part.mean.astype("<f4", copy=False).tobytes() for part in rows]),
        scale=b"".join([part.scale.astype("<f4", copy=False).tobytes() for part in rows]),
        score=np.where(np.isnan(score), np.nan, score).astype("<f8", copy=False).tobytes(),
        threshold=threshold,
        published_ns=published_ns,
    )


class ShardBatch:
    """Collects what beds send at the same moment, and sends one message per shard.

    Parameters
    ----------
    make : callable
        Makes the message of items of one shard, of one bed each.
    send : callable
        Sends a message without blocking.
    """

    def __init__(self, make: Callable[[Sequence[Any]], Message], send: Callable[[Message], None]) -> None:
        self._make = make
        self._send = send
        self._shards: dict[int, dict[str, Any]] = {}
        self._bytes: dict[int, int] = {}

    def add(self, bed: str, item: Any, size: int) -> None:
        """Add what a bed sends, with ``size`` bytes of samples; the message before it leaves if it has no room."""
        shard, size = ward_shard(bed), size + BED_BYTES
        items = self._shards.setdefault(shard, {})
        if items and (bed in items or self._bytes[shard] + size > MAX_WARD_BYTES):
            self._send(self._make(list(items.values())))
            items.clear()
        if not items:
            self._bytes[shard] = 0
        items[bed] = item
        self._bytes[shard] += size

    def flush(self) -> None:
        """Send what was added."""
        for items in self._shards.values():
            self._send(self._make(list(items.values())))
        self._shards.clear()


def _integers(column: list[int]) -> bytes:
    return np.array(column, "<i8").tobytes()
