"""Sends each chunk when it is due, for any number of beds in one loop, and executes commands. No socket.

What a person or a consumer must know is logged: commands executed, the end of a record, chunks that were dropped.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from stream.clock import Clock, rfc3339
from stream.records.record import Annotations, Record
from stream.replay.ledger import Write
from stream.replay.playhead import Playhead, choose_record, execute, shift_deadlines
from stream.timebase import FS
from stream.wire.alarm_messages import Command
from stream.wire.command_filter import check
from stream.wire.messages import Annotation, BedStatus, Message, Offer, Waveform
from stream.wire.replay_actions import ReplayAction, Seek, SetLoop, SetPlaying, SetSpeed

log = logging.getLogger("bedside.publisher")

STATUS_EVERY_NS = 2_000_000_000
MAX_SLEEP_NS = 100_000_000
NEVER_NS = 2**63
MAX_EXECUTED_IDS = 64
"""Commands of a bed whose ids are kept, to execute none twice."""

MIN_LOGGED_LOOP_S = 1.0
"""The end of a record that loops is logged where the record lasts at least so long in wall time."""


@dataclass
class Bed:
    """A bed that is replayed.

    Attributes
    ----------
    head : Playhead
        The state of its replay.
    last : Waveform or None
        The last chunk sent.
    executed : deque of str
        Ids of the last commands.
    counters : Counter of str
        ``samples_published``, ``chunks_published``, ``chunks_dropped``.
    """

    head: Playhead
    last: Waveform | None = None
    executed: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_EXECUTED_IDS))
    counters: Counter[str] = field(
        default_factory=lambda: Counter(samples_published=0, chunks_published=0, chunks_dropped=0)
    )


class Publisher:
    """Paces the replays of several beds on their absolute deadlines, and executes commands.

    Parameters
    ----------
    heads : sequence of Playhead
        One for each bed.
    send : callable
        Accepts a message and never blocks, such as `stream.mqtt.client.Client.send`.
    dropped : callable
        Returns how many chunks of a bed were dropped because the broker was away.
    instance : str
        Names this process in the status of its beds.
    clock : Clock
    write : callable
        Writes a line of the ledger: bed, session, seq, start, n, due_ns, sent_ns.
    annotations : bool
        Also send the reference annotations of each chunk.

    Attributes
    ----------
    beds : dict of str to Bed
    offers : tuple of Offer
        The records that may be chosen by command, part of each bed's status.
    """

    LEDGER = ("bed", "session", "seq", "start", "n", "due_ns", "sent_ns")

    def __init__(
        self,
        heads: Sequence[Playhead],
        *,
        send: Callable[[Message], None],
        dropped: Callable[[str], int],
        instance: str,
        clock: Clock,
        write: Write,
        annotations: bool = False,
    ) -> None:
        self.beds = {head.bed: Bed(head) for head in heads}
        self.offers: tuple[Offer, ...] = ()
        self._send = send
        self._dropped = dropped
        self._instance = instance
        self._clock = clock
        self._write = write
        self._annotations = annotations
        self._stepped_ns = clock.stepped_ns
        self._next_status_ns = 0

    async def run(self) -> None:
        """Send every chunk of every bed at its deadline; return when all records have ended."""
        while not all(bed.head.ended for bed in self.beds.values()):
            now = self._now_ns()
            while (due := self._next_due())[0] <= now:
                bed = due[1]
                self._publish(bed)
                self._log_end(bed)
                if bed.head.ended:
                    self.announce(bed)
            if now >= self._next_status_ns:
                self._next_status_ns = now + STATUS_EVERY_NS
                for bed in self.beds.values():
                    if not bed.head.ended:
                        self.announce(bed)
            # A command may bring a deadline forward: a long sleep would miss it.
            await self._clock.sleep_until(min(due[0], now + MAX_SLEEP_NS))

    def _now_ns(self) -> int:
        """Return the Unix time in ns; where the clock has leapt, all deadlines are moved with it first."""
        now = self._clock.now_ns()
        leap_ns = self._clock.stepped_ns - self._stepped_ns
        if leap_ns:
            # After the machine has slept, the hours in between must not be sent all at once.
            log.warning("the clock leapt by %.1f s: the replay continues where it was", leap_ns / 1e9)
            self._stepped_ns += leap_ns
            self._next_status_ns = 0
            for bed in self.beds.values():
                bed.head = shift_deadlines(bed.head, leap_ns)
        return now

    def execute(self, command: Command) -> None:
        """Execute a command, and announce how the bed stands then; to choose a record, see `choose_record`.

        Raises
        ------
        MessageError
            It is old or repeated.
        UsageError
            It is not possible, such as a seek beyond the record's end.
        """
        if not isinstance(command.action, ReplayAction):
            return  # for the worker
        bed = self.accept(command)
        bed.head = execute(bed.head, command.action, self._now_ns())
        log.info("%s: %s, by %r", command.bed, _effect(command.action, bed.head), command.who)
        self.announce(bed)

    def accept(self, command: Command) -> Bed:
        """Return the bed of a command that may be executed, and remember the command.

        Raises
        ------
        MessageError
            It is old or repeated.
        """
        bed = self.beds[command.bed]
        check(command, self._clock.now_ns(), bed.executed)
        bed.executed.append(command.command_id)
        return bed

    def choose_record(self, bed: Bed, record: Record) -> None:
        """Continue with another record."""
        bed.head = choose_record(bed.head, record, self._now_ns())
        log.info("%s", description(bed.head))
        self.announce(bed)

    def summary(self) -> str:
        """Return in one line what was published so far."""
        for bed in self.beds.values():
            self._count_dropped(bed)
        total: Counter[str] = Counter()
        for bed in self.beds.values():
            total.update(bed.counters)
        return (
            f"{', '.join(self.beds)}: published {total['samples_published'] / FS:.1f} s of signal "
            f"in {total['chunks_published']} chunks, {total['chunks_dropped']} dropped"
        )

    def stop(self) -> None:
        """Announce the end of the beds that have not ended."""
        for bed in self.beds.values():
            if not bed.head.ended:
                self.announce(bed, ended=True)

    def announce(self, bed: Bed, *, ended: bool = False) -> None:
        """Publish the status of a bed; nothing before its first chunk."""
        if bed.last is None:
            return
        self._count_dropped(bed)
        head = bed.head
        self._send(
            BedStatus(
                bed=head.bed,
                role="publisher",
                instance=self._instance,
                state="ended" if ended or head.ended else "playing" if head.playing else "paused",
                when=rfc3339(self._clock.now_ns()),
                record=head.record.name,
                session=head.session,
                position=head.position,
                duration=head.record.n,
                speed=head.speed,
                loop=head.loop,
                last_seq=bed.last.seq,
                synthetic=head.record.synthetic,
                counters=dict(bed.counters),
                records=self.offers,
            )
        )

    def _next_due(self) -> tuple[int, Bed]:
        dues = ((NEVER_NS if bed.head.due_ns is None else bed.head.due_ns, bed) for bed in self.beds.values())
        return min(dues, key=lambda due: due[0])

    def _publish(self, bed: Bed) -> None:
        record = bed.head.record
        chunk, bed.head = bed.head.next_chunk()
        self._send(chunk)
        self._write(chunk.bed, chunk.session, chunk.seq, chunk.start, chunk.n, chunk.due_ns, self._clock.now_ns())
        bed.last = chunk
        bed.counters["samples_published"] += chunk.n
        bed.counters["chunks_published"] += 1
        if self._annotations and record.annotations is not None:
            for annotation in annotations_of(chunk, record.annotations):
                self._send(annotation)

    def _log_end(self, bed: Bed) -> None:
        head, last = bed.head, bed.last
        if head.ended:
            log.info("%s: record %s has ended", head.bed, head.record.name)
        elif last is not None and head.epoch > last.epoch and head.record.n / (FS * head.speed) >= MIN_LOGGED_LOOP_S:
            log.info("%s: record %s has ended and starts again", head.bed, head.record.name)

    def _count_dropped(self, bed: Bed) -> None:
        dropped = self._dropped(bed.head.bed)
        if dropped > bed.counters["chunks_dropped"]:
            log.warning("%s: the broker was away for too long, %d chunks dropped so far", bed.head.bed, dropped)
        bed.counters["chunks_dropped"] = dropped


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


def description(head: Playhead) -> str:
    """Return in one line what is replayed."""
    record = head.record
    parts = [
        f"{head.bed}: {record.name} ({', '.join(record.leads)}; {FS} Hz; {record.n / FS:.1f} s)",
        f"from {head.position / FS:.1f} s" if head.position else "",
        f"at {head.speed:g} times real time",
        "in a loop" if head.loop else "",
        "SYNTHETIC" if record.synthetic else "",
    ]
    return ", ".join(part for part in parts if part)


def _effect(action: ReplayAction, head: Playhead) -> str:
    match action:
        case SetPlaying(playing=playing):
            return f"{'playing from' if playing else 'paused at'} {head.position / FS:.1f} s"
        case SetSpeed(speed=speed):
            return f"{speed:g} times real time"
        case SetLoop(loop=loop):
            return f"loop {'on' if loop else 'off'}"
        case Seek(position=position):
            return f"moved to {position / FS:.1f} s"
    return type(action).__name__
