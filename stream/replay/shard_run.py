"""The beds of a shard that send together, in columns: a tick costs little more for many beds than for one.

A run lasts while nothing happens to its beds but the next chunk of full length. A command, or the end of a record, ends
it; the publisher then goes on bed by bed, and begins another run once the beds send together again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np
from msgspec.structs import replace

from stream.replay.playhead import Playhead
from stream.timebase import FS
from stream.wire.ward_batches import BED_BYTES, ward_ecg
from stream.wire.ward_messages import MAX_WARD_BYTES, WardEcg

TOGETHER_NS = 1000
"""Largest difference of the due times of beds that send together, ns: they are rounded, each in its own way."""

MIN_BEDS = 2


class ShardRun:
    """A run of ticks.

    Parameters
    ----------
    heads : sequence of Playhead
        Of one shard, from `together`.

    Attributes
    ----------
    left : int
        Ticks that follow before a record ends.
    """

    def __init__(self, heads: Sequence[Playhead]) -> None:
        self._heads = {head.bed: head for head in heads}
        self._last = max(heads, key=lambda head: head.due_ns or 0)
        self._chunk = heads[0].chunk
        self.left = min(_full_chunks(head) for head in heads)
        self._ticks = 0
        self._adu = [head.record.ecg(0, head.record.n).astype("<i2", copy=False) for head in heads]
        self._anchor, self._anchor_ns, self._seq, self._start, self._position = (
            np.array([getattr(head, name) for head in heads], np.int64)
            for name in ("anchor", "anchor_ns", "seq", "start", "position")
        )
        self._speed = heads[0].speed
        self._first = ward_ecg([head.next_chunk()[0] for head in heads])

    @property
    def beds(self) -> Iterable[str]:
        """Names of the beds."""
        return self._heads.keys()

    @property
    def due_ns(self) -> int:
        """Unix time in ns at which the next tick is due."""
        due_ns = _advanced(self._last, self._ticks).due_ns
        assert due_ns is not None, "no record ends within a run"
        return due_ns

    def head(self, bed: str) -> Playhead:
        """Return the playhead of a bed after the ticks so far."""
        return _advanced(self._heads[bed], self._ticks)

    def next_tick(self) -> WardEcg:
        """Return the message of the next tick; `left` must not be 0."""
        n, places = self._chunk, self._position.tolist()
        since_anchor = (self._start - self._anchor) * 1e9 / (FS * self._speed)
        message = replace(
            self._first,
            seq=self._seq.astype("<i8").tobytes(),
            start=self._start.astype("<i8").tobytes(),
            position=self._position.astype("<i8").tobytes(),
            t0_ns=(self._anchor_ns + np.rint(since_anchor).astype(np.int64)).astype("<i8").tobytes(),
            samples=b"".join([adu[at : at + n].tobytes() for adu, at in zip(self._adu, places, strict=True)]),
        )
        self._seq += 1
        self._start += n
        self._position += n
        self._ticks += 1
        self.left -= 1
        return message


def together(heads: Iterable[Playhead]) -> list[Playhead]:
    """Return those of the playheads of a shard, the most, that can make a run; none if no two can."""
    able = [head for head in heads if is_able(head)]
    groups: list[list[Playhead]] = []
    able.sort(key=lambda head: (head.chunk, head.speed, head.due_ns))
    for _, alike in groupby(able, key=lambda head: (head.chunk, head.speed)):
        for head in alike:
            last = groups[-1][0] if groups else None
            if last is None or not _is_together(last, head):
                groups.append([])
            groups[-1].append(head)
    most = max(groups, key=len, default=[])
    if len(most) < MIN_BEDS:
        return []
    per_bed = BED_BYTES + 2 * most[0].chunk * max(len(head.record.leads) for head in most)
    return most[: MAX_WARD_BYTES // per_bed]


def is_able(head: Playhead) -> bool:
    """Return whether the next chunks have their full length, and come alone."""
    able = head.due_ns is not None and head.start % head.chunk == 0
    alone = not head.record.waves and not head.record.numerics and head.visit is None and not head.fast_until
    return able and alone and _full_chunks(head) > 0


def _is_together(one: Playhead, other: Playhead) -> bool:
    same = (one.chunk, one.speed) == (other.chunk, other.speed)
    return same and abs((one.due_ns or 0) - (other.due_ns or 0)) <= TOGETHER_NS


def _full_chunks(head: Playhead) -> int:
    """Return how many chunks of full length follow before the record ends."""
    return (head.record.n - head.position - 1) // head.chunk


def _advanced(head: Playhead, ticks: int) -> Playhead:
    n = ticks * head.chunk
    return replace(head, seq=head.seq + ticks, start=head.start + n, position=head.position + n)
