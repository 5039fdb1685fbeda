"""The worker as a process: connection to the broker, order of messages, periodic checks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Iterable
from pathlib import Path

from model.pipeline.analysis import Models
from model.serving.backlog import Backlog
from model.serving.bed_output import LEDGER
from model.serving.copied_checkpoints import Copy, copied_checkpoints
from model.serving.shedding import MAX_WAIT_S, Load, balance
from model.serving.takeover import OtherWorkers, begin, superseded
from model.serving.worker import Worker
from stream.clock import SteadyClock
from stream.errors import UsageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import CONNECT_TIMEOUT_S, Client, Received, Watch, watch_nothing
from stream.replay.ledger import ledger
from stream.wire.alarm_messages import ActiveAlarms, Command, EventsRequest
from stream.wire.both_ways import BothWays, WardChunks
from stream.wire.messages import Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.shard import ALL_BEDS, Shard
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import Kind, Role, pattern, ward_patterns
from stream.wire.ward_messages import WardEcg
from stream.wire.wave_message import Wave

log = logging.getLogger("bedside.worker")

MAX_UNSENT = 20
"""Messages that may wait to be sent before more input is processed; the connection has as many in flight."""

SEND_TIMEOUT_S = 0.5
"""Longest wait for that, in s: the checks go on while a broker takes nothing."""

MAX_TURNS = 20
"""Turns of the event loop between two rounds, at most, while each brings more input."""

RESUME_DELAY_S = 0.5
"""Delay after a reconnect before anything is sent: if another worker has taken over, its statuses arrive first."""

GATHER_S = 0.025
"""Shortest time in s between two rounds of chunks in messages of shards: a round takes 1.6 ms more, however many beds
it has. Longer rounds are later: the whole of a round is published at its end."""

CHECK_EVERY_S = 0.5
"""Interval in seconds at which beds are checked for missing data."""


async def serve(
    address: BrokerAddress,
    models: Models,
    *,
    ledger_path: Path | None,
    state: Path | None = None,
    max_wait_s: float = MAX_WAIT_S,
    watch: Watch = watch_nothing,
    shard: Shard = ALL_BEDS,
    connect_timeout_s: float = CONNECT_TIMEOUT_S,
    copy: Copy | None = None,
) -> None:
    """Serve the beds of a broker until the task is cancelled.

    Parameters
    ----------
    address : BrokerAddress
    models : Models
    ledger_path : Path or None
    state : Path, optional
        Folder of checkpoints, from which the beds go on.
    max_wait_s : float
        How long a chunk may wait before beds are left out, in s; see `model.serving.shedding`.
    watch : callable
        Called with the client; see `stream.mqtt.metrics`.
    shard : Shard
        The beds that are served; by default all.
    connect_timeout_s : float
        Time limit for the first connection.
    copy : callable, optional
        Sends the checkpoints to another machine, too; see `model.serving.copied_checkpoints`.

    Raises
    ------
    UsageError
        Another worker serves these beds, or began to while the connection was lost.
    BrokerError
        The broker cannot be reached.
    StorageError
        The ledger or the folder of checkpoints cannot be written.
    """
    subscriptions = [
        pattern(Kind.ECG),
        *ward_patterns(Kind.WARD_ECG, shard),
        pattern(Kind.WAVE),
        pattern(Kind.NUMERICS),
        pattern(Kind.ALARMS_ACTIVE),
        pattern(Kind.COMMAND),
        pattern(Kind.EVENTS_REQUEST),
        pattern(Kind.STATUS, role=Role.PUBLISHER),
        pattern(Kind.STATUS, role=Role.WORKER),
        pattern(Kind.PROCESS, role=Role.PUBLISHER),
        pattern(Kind.PROCESS, role=Role.WORKER),
        # With those of its statuses and lists: its own retained topics, which the client restores when overwritten.
        pattern(Kind.VITALS),
        pattern(Kind.NUMERICS_DERIVED),
        pattern(Kind.OUTLOOK),
    ]
    with ledger(ledger_path, *LEDGER) as write, copied_checkpoints(state, models, copy) as store:
        async with Client(
            address,
            role=Role.WORKER,
            subscriptions=subscriptions,
            connect_timeout_s=connect_timeout_s,
            resume_delay_s=RESUME_DELAY_S,
            shard=shard,
        ) as client:
            watch(client)
            worker = Worker(
                models,
                send=client.send,
                instance=client.instance,
                clock=SteadyClock(),
                write=write,
                release=client.release,
                refuse=client.refuse,
                store=store,
                shards=shard.count,
            )
            others = OtherWorkers(client.instance, shard)
            early, served_by = await begin(client, worker, others)
            if store is not None:
                worker.restore_beds(store.read_all(shard), served_by, shard)
            client.on_connected = worker.resend_events
            log.info("worker is ready on %s%s", address, "" if shard == ALL_BEDS else f" (shard {shard})")
            service = _Service(client, worker, others, Backlog(max_wait_s, 4 * worker.limit))
            try:
                await service.run(early)
            except UsageError:
                client.discard()  # another worker serves: what waits to be sent would mislead
                raise
            finally:
                if not service.superseded:
                    worker.stop()


class _Service:
    """Receives, sheds what is too much, processes, and sends.

    Parameters
    ----------
    client : Client
    worker : Worker
    others : OtherWorkers
    backlog : Backlog

    Attributes
    ----------
    superseded : bool
        Whether another worker has taken over.
    """

    def __init__(self, client: Client, worker: Worker, others: OtherWorkers, backlog: Backlog) -> None:
        self.superseded = False
        self._client = client
        self._worker = worker
        self._others = others
        self._backlog = backlog
        self._both_ways = BothWays()
        self._round_s = -math.inf

    async def run(self, early: Iterable[Received]) -> None:
        """Serve until cancelled; ``early`` has been received already.

        Raises
        ------
        UsageError
            Another worker has taken over.
        """
        client, worker, backlog = self._client, self._worker, self._backlog
        load = Load()
        next_check_ns = 0
        for received in early:
            self._take(received)
        while True:
            if not backlog:
                await self._wait()
            self._receive()
            await self._gather()
            now_ns = time.monotonic_ns()
            load = balance(load, backlog.waiting(now_ns), worker.analysed, worker.urgent, now_ns)
            if load.resting:
                worker.shed(backlog.shed(load.resting))
            client.report_overload(load.overloaded(now_ns))
            self._process()
            if now_ns >= next_check_ns:
                next_check_ns = now_ns + round(CHECK_EVERY_S * 1e9)
                worker.advance_time()
            client.beds = worker.beds
            # Output goes before input: a worker that never finds the time to send is mute.
            await client.flush_to(MAX_UNSENT, SEND_TIMEOUT_S)
            await self._read()

    async def _wait(self) -> None:
        """Wait for a message, at most until the next check."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CHECK_EVERY_S):
                self._take(await self._client.receive())

    async def _gather(self) -> None:
        """Let the messages of further shards come before the next round, unless a chunk waits that came alone."""
        wait_s = self._round_s + GATHER_S - time.monotonic()
        if wait_s > 0 and self._backlog.is_together:
            await asyncio.sleep(wait_s)
            self._receive()
        self._round_s = time.monotonic()

    async def _read(self) -> None:
        """Let the connection read: input waits here, where it is shed by a rule, and not in the broker's queue."""
        for _ in range(MAX_TURNS):
            await asyncio.sleep(0)
            if not self._receive():
                break

    def _receive(self) -> bool:
        """Move all received messages into the backlog; return whether there was one."""
        found = False
        while (received := self._client.receive_nowait()) is not None:
            self._take(received)
            found = True
        return found

    def _take(self, received: Received) -> None:
        """Append a message to the backlog; raise UsageError if it shows that another worker has taken over."""
        message = received.message
        match message:
            case ProcessStatus(role="publisher"):
                for bed in filter(self._client.shard.__contains__, message.beds):
                    self._backlog.put(bed, message, time.monotonic_ns())
            case ProcessStatus() | BedStatus(role="worker"):
                other = self._others.update(received, self._worker.leases)
                if other is not None:
                    self.superseded = True
                    raise superseded(other, self._client)
            case WardEcg():
                rows = self._both_ways.rows(message, self._client.shard)
                self._backlog.put_ward(WardChunks(message, rows), time.monotonic_ns())
            case Waveform() if self._both_ways.is_copy(message):
                pass
            case Numerics(derived=True):
                pass  # a worker's, this one's or another's
            case Waveform() | Wave() | Numerics() | Command() | BedStatus():
                self._backlog.put(message.bed, message, time.monotonic_ns())
            case EventsRequest():
                self._worker.resend_events()
            case ActiveAlarms() if received.retained:
                # After a reconnect, or of a bed that had no place before it sent. Lists published meanwhile have no
                # effect on a running worker: limits change by command only.
                self._worker.restore_alarms(message)

    def _process(self) -> None:
        """Process the next round: what precedes the chunks, and then the chunks of all beds in one tick."""
        following = self._backlog.next_round()
        for message in following.others:
            match message:
                case Wave():
                    self._worker.add_wave(message)
                case Numerics():
                    self._worker.add_numerics(message)
                case Command():
                    self._worker.commands.execute(message)
                case BedStatus() | ProcessStatus():
                    self._worker.statuses.update(message)
        self._worker.tick(following.chunks, following.wards)
