"""Send each chunk when it is due, for any number of beds in one loop."""

from __future__ import annotations

import heapq
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stream.address import BrokerAddress
from stream.client import Client
from stream.clock import Clock, rfc3339
from stream.ledger import Write, ledger
from stream.messages import BedStatus, Message, Waveform
from stream.record import Record
from stream.replay import ReplayConfig, first_sample, replay
from stream.topics import Role

log = logging.getLogger("bedside.publisher")

STATUS_EVERY_NS = 2_000_000_000
LAST_WORDS_S = 0.5
"""How long a publisher that ends waits for its last messages to be acknowledged."""


@dataclass
class Bed:
    """A bed on the air.

    Attributes
    ----------
    config : ReplayConfig
    chunks : iterator of Waveform
        From `stream.replay.replay`.
    """

    config: ReplayConfig
    chunks: Iterator[Waveform]
    last: Waveform | None = None
    ended: bool = False
    counters: Counter[str] = field(default_factory=lambda: Counter(samples_published=0, chunks_published=0))


class Publisher:
    """Paces the replays of several beds on their absolute deadlines.

    Parameters
    ----------
    beds : sequence of Bed
    send : callable
        Takes a message and never blocks, such as `stream.client.Client.send`.
    dropped : callable
        Returns how many chunks of a bed gave way before the broker took them.
    instance : str
        Names this process in the status of its beds.
    clock : Clock
    write : callable
        Line of the ledger: bed, session, seq, start, n, due_ns, sent_ns.
    """

    LEDGER = ("bed", "session", "seq", "start", "n", "due_ns", "sent_ns")

    def __init__(
        self,
        beds: Sequence[Bed],
        *,
        send: Callable[[Message], None],
        dropped: Callable[[str], int],
        instance: str,
        clock: Clock,
        write: Write,
    ) -> None:
        self.beds = tuple(beds)
        self._send = send
        self._dropped = dropped
        self._instance = instance
        self._clock = clock
        self._write = write

    async def run(self) -> None:
        """Send every chunk of every bed at its deadline; return when all records have ended."""
        due: list[tuple[int, int, Waveform]] = []
        for number, bed in enumerate(self.beds):
            self._push(due, number, bed)
        next_status_ns = 0
        while due:
            await self._clock.sleep_until(due[0][0])
            now = self._clock.now_ns()
            while due and due[0][0] <= now:
                _, number, chunk = heapq.heappop(due)
                bed = self.beds[number]
                self._publish(bed, chunk)
                bed.ended = not self._push(due, number, bed)
                if bed.ended:
                    self.announce(bed)
            if now >= next_status_ns:
                next_status_ns = now + STATUS_EVERY_NS
                for _, number, _ in due:
                    self.announce(self.beds[number])

    def stop(self) -> None:
        """Announce the end of the beds that still play."""
        for bed in self.beds:
            if not bed.ended:
                bed.ended = True
                self.announce(bed)

    def announce(self, bed: Bed) -> None:
        """Publish the status of a bed; nothing before its first chunk."""
        if bed.last is None:
            return
        self._count_dropped(bed)
        self._send(
            BedStatus(
                bed=bed.config.bed,
                role="publisher",
                instance=self._instance,
                state="ended" if bed.ended else "playing",
                when=rfc3339(self._clock.now_ns()),
                record=bed.last.record,
                session=bed.last.session,
                position=bed.last.position + bed.last.n,
                speed=bed.last.speed,
                loop=bed.config.loop,
                last_seq=bed.last.seq,
                synthetic=bed.last.synthetic,
                counters=dict(bed.counters),
            )
        )

    def _push(self, due: list[tuple[int, int, Waveform]], number: int, bed: Bed) -> bool:
        chunk = next(bed.chunks, None)
        if chunk is not None:
            heapq.heappush(due, (chunk.due_ns, number, chunk))
        return chunk is not None

    def _publish(self, bed: Bed, chunk: Waveform) -> None:
        self._send(chunk)
        self._write(chunk.bed, chunk.session, chunk.seq, chunk.start, chunk.n, chunk.due_ns, self._clock.now_ns())
        bed.last = chunk
        bed.counters["samples_published"] += chunk.n
        bed.counters["chunks_published"] += 1

    def _count_dropped(self, bed: Bed) -> None:
        dropped = self._dropped(bed.config.bed)
        if dropped > bed.counters["chunks_dropped"]:
            log.warning("bed %s: the broker is away too long, %d chunks lost so far", bed.config.bed, dropped)
        bed.counters["chunks_dropped"] = dropped


async def serve(
    address: BrokerAddress,
    replays: Sequence[tuple[Record, ReplayConfig]],
    *,
    ledger_path: Path | None,
    clock: Clock,
) -> None:
    """Publish records until they end or the task is cancelled.

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
    with ledger(ledger_path, *Publisher.LEDGER) as write:
        async with Client(address, role=Role.PUBLISHER) as client:
            client.beds = tuple(config.bed for _, config in replays)
            begin_ns = clock.now_ns()
            publisher = Publisher(
                [Bed(config, replay(record, config, begin_ns)) for record, config in replays],
                send=client.send,
                dropped=client.send_dropped,
                instance=client.instance,
                clock=clock,
                write=write,
            )
            try:
                await publisher.run()
                while not await client.flush(LAST_WORDS_S):
                    log.info("waiting for the broker to take the last chunks; Ctrl-C gives up")
            finally:
                publisher.stop()
                await client.flush(LAST_WORDS_S)
