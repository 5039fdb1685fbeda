"""Send each chunk when it is due, for any number of beds in one loop."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from stream.clock import Clock, rfc3339
from stream.errors import BedsideError, UsageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.records.library import Library
from stream.records.record import Annotations, Record
from stream.replay.ledger import Write, ledger
from stream.replay.playhead import Playhead, ReplayConfig, begin, choose, first_sample, obey, postpone
from stream.wire.alarm_messages import Command
from stream.wire.command_filter import check
from stream.wire.messages import Annotation, BedStatus, Message, Offer, Waveform
from stream.wire.replay_actions import ChooseRecord, ReplayAction
from stream.wire.topics import Kind, Role, pattern

log = logging.getLogger("bedside.publisher")

STATUS_EVERY_NS = 2_000_000_000
LONGEST_SLEEP_NS = 100_000_000
NEVER_NS = 2**63
REMEMBERED = 64
LAST_WORDS_S = 0.5
"""How long a publisher that ends waits for its last messages to be acknowledged."""


@dataclass
class Bed:
    """A bed on the air.

    Attributes
    ----------
    head : Playhead
        Where its replay stands.
    last : Waveform or None
        The last chunk sent.
    obeyed : deque of str
        Ids of the last commands.
    """

    head: Playhead
    last: Waveform | None = None
    obeyed: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    counters: Counter[str] = field(default_factory=lambda: Counter(samples_published=0, chunks_published=0))


class Publisher:
    """Paces the replays of several beds on their absolute deadlines, and obeys commands.

    Parameters
    ----------
    heads : sequence of Playhead
        One for each bed.
    send : callable
        Takes a message and never blocks, such as `stream.mqtt.client.Client.send`.
    dropped : callable
        Returns how many chunks of a bed gave way before the broker took them.
    instance : str
        Names this process in the status of its beds.
    clock : Clock
    write : callable
        Line of the ledger: bed, session, seq, start, n, due_ns, sent_ns.
    annotations : bool
        Also send the reference annotations of each chunk.
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
        self._leapt_ns = clock.leapt_ns
        self._next_status_ns = 0

    async def run(self) -> None:
        """Send every chunk of every bed at its deadline; return when all records have ended."""
        while not all(bed.head.ended for bed in self.beds.values()):
            now = self._now_ns()
            while (due := self._next_due())[0] <= now:
                bed = due[1]
                self._publish(bed)
                if bed.head.ended:
                    self.announce(bed)
            if now >= self._next_status_ns:
                self._next_status_ns = now + STATUS_EVERY_NS
                for bed in self.beds.values():
                    if not bed.head.ended:
                        self.announce(bed)
            # A command may bring a deadline forward: whoever sleeps for long would miss it.
            await self._clock.sleep_until(min(due[0], now + LONGEST_SLEEP_NS))

    def _now_ns(self) -> int:
        """Return what is now; where the clock has leapt, all deadlines leap with it first."""
        now = self._clock.now_ns()
        leap_ns = self._clock.leapt_ns - self._leapt_ns
        if leap_ns:
            # Where the machine has slept, nobody wants the hours in between sent all at once.
            log.warning("the clock leapt by %.1f s: the replay goes on from where it was", leap_ns / 1e9)
            self._leapt_ns += leap_ns
            self._next_status_ns = 0
            for bed in self.beds.values():
                bed.head = postpone(bed.head, leap_ns)
        return now

    def obey(self, command: Command) -> None:
        """Carry out a command, and say how the bed stands then; to choose a record, see `choose`.

        Raises
        ------
        MessageError
            It is old or repeated.
        UsageError
            It asks for what cannot be.
        """
        if not isinstance(command.action, ReplayAction):
            return  # for the worker
        bed = self.take(command)
        bed.head = obey(bed.head, command.action, self._now_ns())
        self.announce(bed)

    def take(self, command: Command) -> Bed:
        """Return the bed of a command that is to be obeyed, and remember the command.

        Raises
        ------
        MessageError
            It is old or repeated.
        """
        bed = self.beds[command.bed]
        check(command, self._clock.now_ns(), bed.obeyed)
        bed.obeyed.append(command.command_id)
        return bed

    def choose(self, bed: Bed, record: Record) -> None:
        """Go on with another record."""
        bed.head = choose(bed.head, record, self._now_ns())
        self.announce(bed)

    def stop(self) -> None:
        """Announce the end of the beds that still play."""
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
        chunk, bed.head = bed.head.cut()
        self._send(chunk)
        self._write(chunk.bed, chunk.session, chunk.seq, chunk.start, chunk.n, chunk.due_ns, self._clock.now_ns())
        bed.last = chunk
        bed.counters["samples_published"] += chunk.n
        bed.counters["chunks_published"] += 1
        if self._annotations and record.annotations is not None:
            for annotation in annotations_of(chunk, record.annotations):
                self._send(annotation)

    def _count_dropped(self, bed: Bed) -> None:
        dropped = self._dropped(bed.head.bed)
        if dropped > bed.counters["chunks_dropped"]:
            log.warning("bed %s: the broker is away too long, %d chunks lost so far", bed.head.bed, dropped)
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


async def serve(
    address: BrokerAddress,
    replays: Sequence[tuple[Record, ReplayConfig]],
    *,
    library: Library,
    ledger_path: Path | None,
    clock: Clock,
    annotations: bool = False,
) -> None:
    """Publish records until they end or the task is cancelled; obey commands meanwhile.

    Parameters
    ----------
    address : BrokerAddress
    replays : sequence of (Record, ReplayConfig)
    library : Library
        The records that may be chosen by command.
    ledger_path : Path or None
    clock : Clock
    annotations : bool
        Also send the reference annotations.

    Raises
    ------
    UsageError
        A record ends before its replay would begin.
    BrokerError
        The broker cannot be reached.
    StorageError
        The ledger cannot be written.
    """
    for record, config in replays:
        first_sample(record, config)
    commands = [pattern(Kind.COMMAND, config.bed) for _, config in replays]
    with ledger(ledger_path, *Publisher.LEDGER) as write:
        async with Client(address, role=Role.PUBLISHER, subscriptions=commands) as client:
            client.beds = tuple(config.bed for _, config in replays)
            begin_ns = clock.now_ns()
            publisher = Publisher(
                [begin(record, config, begin_ns) for record, config in replays],
                send=client.send,
                dropped=client.send_dropped,
                instance=client.instance,
                clock=clock,
                write=write,
                annotations=annotations,
            )
            obeying = asyncio.create_task(_obey(client, publisher, library))
            playing = asyncio.create_task(publisher.run())
            try:
                await asyncio.wait({obeying, playing}, return_when=asyncio.FIRST_COMPLETED)
                if obeying.done():
                    await obeying
                await playing
                while not await client.flush(LAST_WORDS_S):
                    log.info("waiting for the broker to take the last chunks; Ctrl-C gives up")
            finally:
                for task in (obeying, playing):
                    task.cancel()
                await asyncio.gather(obeying, playing, return_exceptions=True)
                publisher.stop()
                await client.flush(LAST_WORDS_S)


async def _obey(client: Client, publisher: Publisher, library: Library) -> None:
    """Carry out the commands that come; what cannot be is counted and logged. Reading records takes a thread."""
    publisher.offers = await asyncio.to_thread(library.offers)
    client.counters["commands_refused"] = 0
    async for received in client:
        command = received.message
        if not isinstance(command, Command):
            continue
        try:
            if isinstance(command.action, ChooseRecord):
                name = command.action.record
                if all(offer.name != name for offer in publisher.offers):
                    raise UsageError(f"record {name!r} is not offered")
                bed = publisher.take(command)
                publisher.choose(bed, await asyncio.to_thread(library.load, name))
            else:
                publisher.obey(command)
        except BedsideError as error:
            client.counters["commands_refused"] += 1
            log.warning("%s", error)
