"""What a publisher sends of its beds: the interval of a bed that is due, or the tick of a whole shard. No socket.

Of an interval: other waves, the chunk of ECG, numerics, reference annotations, and what is true of it. What is sent is
also written to the ledger.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from stream.clock import Clock, monotonic_ns, rfc3339, unix_ns
from stream.errors import UsageError
from stream.records.record import Annotations
from stream.replay.bed import Bed
from stream.replay.bed_statuses import BedStatuses
from stream.replay.descriptions import MAX_NAMED, description
from stream.replay.disturbances import Disturbances, Interval
from stream.replay.episode_truth import left, passed
from stream.replay.ledger import Write, discard
from stream.replay.playhead import Playhead
from stream.replay.replayed_beds import ReplayedBeds
from stream.timebase import FS
from stream.wire.detail import IN_FULL, DetailLeases
from stream.wire.messages import Annotation, Message, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.topics import Kind, Topic
from stream.wire.ward_batches import ShardBatch, ward_ecg
from stream.wire.ward_messages import Beds, WardEcg
from stream.wire.wave_message import Wave

log = logging.getLogger("bedside.publisher")

LEDGER = ("bed", "session", "seq", "start", "n", "due_ns", "sent_ns", "signal")
"""Columns of the ledger."""

MIN_LOGGED_LOOP_S = 1.0
"""The end of a looping record is logged if the record lasts at least this long in wall time."""


class BedOutput:
    """Sends what is due.

    Parameters
    ----------
    beds : ReplayedBeds
    statuses : BedStatuses
    disturbances : Disturbances
    send, remove : callable
        Sends a message, or removes the retained message of a topic, without blocking.
    write : callable
        Writes a row of the ledger, see `LEDGER`.
    clock : Clock
    annotations : bool
        Also send the reference annotations of each chunk.
    in_shards : bool
        Send the ECG of all beds in the messages of their shards, and of those that somebody asks for on their own
        topics as well; see `stream.wire.detail`. Without it, of all on their own topics.
    """

    def __init__(
        self,
        beds: ReplayedBeds,
        statuses: BedStatuses,
        disturbances: Disturbances,
        *,
        send: Callable[[Message], None],
        remove: Callable[[Topic], None],
        write: Write,
        clock: Clock,
        annotations: bool,
        in_shards: bool,
    ) -> None:
        self._beds = beds
        self._statuses = statuses
        self._disturbances = disturbances
        self._send = send
        self._remove = remove
        self._write = write
        self._clock = clock
        self._annotations = annotations
        self._shards = ShardBatch(ward_ecg, send) if in_shards else None
        self._in_full = DetailLeases()

    def send_in_full(self, name: str) -> None:
        """Send a bed on its own topics for a while, if not all are.

        Raises
        ------
        UsageError
            Too many others are.
        """
        if self._shards is not None and not self._in_full.renew(name, self._monotonic_s()):
            raise UsageError(f"bed {name} cannot be sent in full: {IN_FULL} others are; look at fewer")

    def publish_tick(self, message: WardEcg) -> None:
        """Send the next tick of a run, and the chunks of its beds that somebody asks for."""
        self._send(message)
        if self._in_full or self._write is not discard:
            wanted: Beds = self._in_full if self._write is discard else self._beds.by_name
            for chunk in message.chunks(wanted):
                if chunk.bed in self._in_full:
                    self._send(chunk)
                self._write_chunk(chunk)

    def publish(self, bed: Bed) -> None:
        """Send the next interval of a bed, and move the bed."""
        before, record = bed.own_head, bed.own_head.record
        if record.alone:
            self._publish_alone(bed)
            return
        waves, numerics = before.next_waves(), before.next_numerics()
        chunk, head = before.next_chunk()
        waves, chunk, numerics = self._disturbances.disturb(record, Interval(waves, chunk, numerics))
        send = partial(self._disturbances.carry, chunk)
        for wave in waves:
            send(wave)
            self._write_chunk(wave, wave.signal)
        self._beds.move(bed, head)
        if self._shards is not None:
            self._shards.add(chunk.bed, chunk, len(chunk.samples))
        self._beds.find_run(head)
        if self._shards is None or chunk.bed in self._in_full:
            send(chunk)
        if numerics is not None:
            send(numerics)
            self._write_numerics(numerics)
            bed.numerics = True
        self._write_chunk(chunk)
        for truth in passed(before, chunk.n, rfc3339(self._clock.now_ns())) if before.visit is not None else ():
            self._send(truth)
        if head.visit is not before.visit:
            self._end_visit(bed)
        else:
            self._log_end(head, chunk.epoch)
        if self._annotations and record.annotations is not None:
            for annotation in annotations_of(chunk, record.annotations):
                send(annotation)
        if self._disturbances.finish(chunk, head, self._clock.now_ns()):
            self._statuses.publish(bed)

    def flush(self) -> None:
        """Send the messages of shards to which chunks were added."""
        if self._shards is not None:
            self._shards.flush()

    def advance_time(self, now_ns: int) -> None:
        """Send what faults of the wire hold back no longer; end what somebody asked for; Unix time in ns."""
        if self._in_full:
            self._in_full.expire(self._monotonic_s())
        self._disturbances.release(now_ns)

    def remove_numerics(self, bed: Bed) -> None:
        """Remove the retained numerics of a bed: its record has ended, or another one is chosen."""
        self._disturbances.release_all(bed.own_head.bed)
        if bed.numerics:
            self._remove(Topic(Kind.NUMERICS, bed.own_head.bed))
            bed.numerics = False

    def leave_episode(self, bed: Bed) -> None:
        """Tell the end of the episode that a bed shows, before it is over."""
        for truth in left(bed.head, rfc3339(self._clock.now_ns())):
            self._send(truth)

    def _publish_alone(self, bed: Bed) -> None:
        """Send the next numerics of a bed that has nothing else."""
        before = bed.own_head
        numerics, head = before.next_alone()
        self._beds.move(bed, head)
        if numerics is not None:
            self._send(numerics)
            self._write_numerics(numerics)
            bed.numerics = True
            if head.seq == 1:
                self._statuses.publish(bed)  # the next one may be an hour away
        self._log_end(head, before.epoch)

    def _end_visit(self, bed: Bed) -> None:
        """Go on after an episode, in its record or in the one before."""
        self.remove_numerics(bed)
        log.info("%s", description(bed.own_head))
        self._statuses.publish(bed)

    def _monotonic_s(self) -> float:
        return monotonic_ns(self._clock) / 1e9

    def _write_chunk(self, chunk: Waveform | Wave, signal: str = "ecg") -> None:
        due_ns, now_ns = chunk.due_ns, self._clock.now_ns()
        self._write(chunk.bed, chunk.session, chunk.seq, chunk.start, chunk.n, due_ns, now_ns, signal)

    def _write_numerics(self, message: Numerics) -> None:
        due_ns, now_ns = unix_ns(message.when), self._clock.now_ns()
        n = len(message.values)
        self._write(message.bed, message.session, "", message.index, n, due_ns, now_ns, "numerics")

    def _log_end(self, head: Playhead, epoch: int) -> None:
        """Log that the record has ended with the last message, of an epoch."""
        if head.ended:
            log.info("%s: record %s has ended", head.bed, head.record.name)
        elif head.epoch > epoch and self._logs_loop(head):
            log.info("%s: record %s has ended and is restarted", head.bed, head.record.name)

    def _logs_loop(self, head: Playhead) -> bool:
        """Return whether the restart of a record is logged: in a large ward, some record ends all the time."""
        return len(self._beds.by_name) <= MAX_NAMED and head.record.n / (FS * head.speed) >= MIN_LOGGED_LOOP_S


def annotations_of(chunk: Waveform, reference: Annotations) -> Iterator[Annotation]:
    """Yield the reference annotations of the samples in a chunk."""
    first, stop = np.searchsorted(reference.sample, [chunk.position, chunk.position + chunk.n])
    for i in range(int(first), int(stop)):
        yield Annotation(
            bed=chunk.bed,
            session=chunk.session,
            index=chunk.start + int(reference.sample[i]) - chunk.position,
            symbol=reference.symbol[i],
            aux=reference.aux[i],
        )
