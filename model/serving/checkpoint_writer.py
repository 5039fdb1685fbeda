"""When a checkpoint of a bed is written, and its position and alarms in between; without a store, nothing is."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from model.alarms.state import AlarmState
from model.serving.bed import Bed
from model.serving.checkpoint import Entry
from model.serving.checkpoint_store import CheckpointStore
from model.serving.progress import BedProgress
from stream.clock import Clock, monotonic_ns
from stream.wire.alarm_messages import Alarm

INTERVAL_NS = 1_000_000_000
"""Interval of the checkpoints of a bed in ns."""


class CheckpointWriter:
    """Writes the checkpoints of all beds.

    Parameters
    ----------
    store : CheckpointStore or None
    clock : Clock
    """

    def __init__(self, store: CheckpointStore | None, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def save(self, bed: Bed) -> None:
        """Write a checkpoint of a bed."""
        bed.next_checkpoint_ns = next_checkpoint_ns(bed.name, monotonic_ns(self._clock))
        bed.checkpoint += 1
        if self._store is not None:
            self._store.write(bed.to_checkpoint())

    def save_progress(self, beds: Sequence[Bed], now_ns: int) -> None:
        """Write that the last chunks of some beds are processed; about once per second as a checkpoint.

        ``now_ns`` is the time of the clock.
        """
        elapsed_ns = now_ns - self._clock.stepped_ns
        for bed in beds:
            bed.alive_ns = now_ns
        if self._store is not None:
            saved = [bed for bed in beds if bed.next_checkpoint_ns]
            if saved:
                self._store.append_progress(saved[0].served_by[-1], [_progress(bed) for bed in saved])
        for bed in beds:
            if elapsed_ns >= bed.next_checkpoint_ns:
                self.save(bed)

    def save_alarms(self, name: str, state: AlarmState, events: Sequence[Alarm]) -> None:
        """Write the alarms of a bed and their new events, before these are sent."""
        if self._store is not None:
            self._store.append(name, Entry(state, tuple(events)))

    def leave(self, name: str) -> None:
        """Forget a bed that is not served any more; its files stay until it is saved without ECG."""
        if self._store is not None:
            self._store.leave(name)

    def remove(self, name: str) -> None:
        """Remove what is saved of a bed that has lost its place."""
        if self._store is not None:
            self._store.remove(name)


def _progress(bed: Bed) -> BedProgress:
    chunk = bed.own_chunk
    position = chunk.session, chunk.epoch, bed.seq, bed.end, chunk.leads
    return BedProgress(bed.name, bed.alive_ns, bed.checkpoint, *position, bed.counters)


def next_checkpoint_ns(name: str, now_ns: int) -> int:
    """Return when the next checkpoint of a bed is due, in the monotonic time of ``now_ns``.

    Each bed has its own moment within the interval, so that those of many beds are not written at once.
    """
    phase = zlib.crc32(name.encode()) * 997 % INTERVAL_NS
    return (now_ns - phase) // INTERVAL_NS * INTERVAL_NS + INTERVAL_NS + phase
