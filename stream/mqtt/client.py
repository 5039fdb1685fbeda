"""The MQTT client of a process: sends and receives messages, and publishes the status of the process.

Sent messages stay in an `Outbox` until the broker has acknowledged them; received messages stay in an `Inbox` until
they are processed. Both persist across reconnects, which are the business of its `Link`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import math
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import Literal, Self

from stream.clock import rfc3339
from stream.mqtt import packets
from stream.mqtt.address import BrokerAddress
from stream.mqtt.bounded_queue import Durations
from stream.mqtt.connection import KEEPALIVE_S, OBSERVER_KEEPALIVE_S, covers, finish_pending_connections
from stream.mqtt.inbox import REPORT_INTERVAL_S, Inbox, Received
from stream.mqtt.link import Link
from stream.mqtt.outbox import Outbox
from stream.mqtt.ownership import OwnedTopics
from stream.wire import codec
from stream.wire.bed_places import BedPlaces
from stream.wire.messages import Message, Waveform
from stream.wire.shard import ALL_BEDS, WARD_SHARDS, Shard
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import OF_WARD, RETAINED, ROOT, Kind, Role, Topic
from stream.wire.ward_messages import WardEcg

__all__ = ["Client", "Received", "Watch", "finish_pending_connections", "watch_nothing"]

log = logging.getLogger("bedside.client")

BUFFER_S = 30.0
"""Duration of each topic that is queued for the broker, or for a slow consumer, before the oldest items are dropped."""

STATUS_INTERVAL_S = 2.0
"""Time between two status messages of a process."""

CONNECT_TIMEOUT_S = 5.0
"""Default time limit for the first connection."""

DISCONNECT_TIMEOUT_S = 1.0
"""Maximum wait for outstanding acknowledgements before disconnecting."""

SIGN_OFF_TIMEOUT_S = 0.2
"""Maximum wait for the acknowledgement of the last status if other messages were not delivered in time."""

_OF_PROCESSES = f"{ROOT}/_/"
"""Beginning of the topics that are not of a bed."""


class Client:
    """A connection to the broker that is restored after each loss; open inside its context.

    Parameters
    ----------
    address : BrokerAddress
    role : Role or None
        None for a passive observer, which publishes no status.
    subscriptions : sequence of str
        Topic filters, see `stream.wire.topics.pattern`.
    persistent_id : str or None
        MQTT client id of a persistent session. The broker then keeps subscriptions and messages while the client is
        disconnected, and each received message must be passed to `acknowledge` once it is stored. The broker stops
        delivery at twenty unacknowledged messages.
    connect_timeout_s : float
        Time limit for the first connection.
    resume_delay_s : float
        Delay after a reconnect before queued messages are sent.
    paced : bool
        Send queued chunks at a pace that leaves nothing behind in the broker's queues; see `stream.mqtt.pacing`.
    places : int or None
        Beds whose messages are taken; None: as configured, see `stream.wire.bed_places`.
    shard : Shard
        The beds whose messages are received; part of the status.

    Attributes
    ----------
    instance : str
        Random id of this process in its status topic.
    counters : Counter of str
        ``received``, ``rejected``, ``inbox_dropped``, ``reconnects``, ``intrusions``: payloads that another client
        published on a retained topic of this process. They are replaced if `subscriptions` includes the topic.
        ``beds_refused``: messages of beds beyond `places`, not with `persistent_id`.
    beds : tuple of str
        Beds that this process serves; part of its status.
    lateness : Lateness
        Of the chunks of ECG that this process has sent or received.
    overloaded : bool
        Part of the status of this process; see `report_overload`.
    on_connected : callable or None
        Called after each further connect, once subscribed; may send messages.
    mqtt_session : str
        Digest of `persistent_id`, part of the status; empty without one.

    Raises
    ------
    UsageError
        A certificate or key of the address cannot be used.
    BrokerError
        On entering the context: the broker did not answer within `connect_timeout_s`, or refused this client.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        role: Role | None,
        subscriptions: Sequence[str] = (),
        persistent_id: str | None = None,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        resume_delay_s: float = 0.0,
        paced: bool = False,
        places: int | None = None,
        shard: Shard = ALL_BEDS,
    ) -> None:
        self.address = address
        self.role = role
        self.shard = shard
        self.instance = secrets.token_hex(6)
        self.counters: Counter[str] = Counter(received=0, rejected=0, inbox_dropped=0, reconnects=0, intrusions=0)
        self.beds: tuple[str, ...] = ()
        self.overloaded = False
        self.on_connected: Callable[[], None] | None = None
        self.mqtt_session = hashlib.sha256(persistent_id.encode()).hexdigest()[:16] if persistent_id else ""
        self._bed_statuses: dict[str, BedStatus] = {}
        self._subscriptions = tuple(subscriptions)
        self._persistent_id = persistent_id
        # With a persistent session, the broker bounds what is not acknowledged yet, and nothing may be ignored.
        self._inbox = Inbox(BUFFER_S, self.counters, None if persistent_id else BedPlaces(places), shard)
        self.lateness = self._inbox.lateness
        self._outbox = Outbox(BUFFER_S, paced=paced)
        self._durations = Durations()
        self._owned = OwnedTopics()
        self._own_status = self._own_status_filter()
        self._next_report_s = -math.inf
        self._link = Link(
            address,
            (*self._subscriptions, *self._own_status),
            self._outbox,
            client_id=persistent_id or f"bedside-{role or 'observer'}-{self.instance}",
            clean_session=persistent_id is None,
            keepalive_s=KEEPALIVE_S if role is not None else OBSERVER_KEEPALIVE_S,
            max_packet=packets.MAX_WARD_PACKET if self._receives_wards else packets.MAX_PACKET,
            on_message=self._on_message,
            will=self._will,
            on_connected=self._begin_connection,
            while_connected=self._publish_status_periodically,
            counters=self.counters,
            connect_timeout_s=connect_timeout_s,
            resume_delay_s=resume_delay_s,
        )
        self._task: asyncio.Task[None] | None = None
        self._leaving = False

    @property
    def connected(self) -> bool:
        """Whether there is a connection to the broker."""
        return self._link.connected

    # --- context ------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._stay_connected(ready))
        try:
            await asyncio.wait({ready, self._task}, return_when=asyncio.FIRST_COMPLETED)
            self._check()
        except BaseException:
            await self._cancel()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._leaving = True
        self._outbox.hurry()
        try:
            if not self._task.done() and not await self._flush_and_sign_off():
                log.warning("%d messages were not delivered", len(self._outbox))
        finally:
            await self._cancel()

    async def _stay_connected(self, ready: asyncio.Future[None]) -> None:
        try:
            await self._link.run(ready)
        finally:
            # Waiting tasks must end: no message will be received or delivered.
            self._inbox.wake()
            self._outbox.release_waiters()

    def _begin_connection(self) -> None:
        """Queue what each connection begins with."""
        self._outbox.put_retained()
        if self.role is not None:
            self._publish_status("online")
        if self.on_connected is not None:
            self.on_connected()

    async def _flush_and_sign_off(self) -> bool:
        """Deliver what is queued, then the status offline; return False if that takes longer than the limit.

        The status is sent even if the queue is not delivered in time: it precedes other messages in the outbox.
        """
        if not self.connected:
            return len(self._outbox) == 0
        flushed = await self.flush(DISCONNECT_TIMEOUT_S)
        if self.role is not None:
            self._publish_status("offline")
            flushed = await self.flush(DISCONNECT_TIMEOUT_S if flushed else SIGN_OFF_TIMEOUT_S)
        return flushed

    async def _cancel(self) -> None:
        assert self._task is not None
        while not self._task.done():
            # Before Python 3.12, asyncio.wait_for in aiomqtt loses a cancellation at the moment the broker answers.
            self._task.cancel()
            await asyncio.wait([self._task], timeout=0.2)
        if not self._task.cancelled():
            self._task.exception()  # mark as retrieved: __aenter__ or _check has raised it

    def _check(self) -> None:
        """Raise the error that ended reconnecting, if there is one."""
        assert self._task is not None
        if self._task.done():
            self._task.result()

    # --- sending ------------------------------------------------------------------------------------------------

    def send(self, message: Message) -> None:
        """Queue a message for sending; never blocks.

        Retained messages are published again after every reconnect.

        Raises
        ------
        BrokerError
            The broker refused this client after a reconnect (for example because its password has changed).
        """
        self._check()
        topic = codec.topic_of(message)
        payload = codec.encode(message)
        match message:
            case Waveform():
                self.lateness.add((time.time_ns() - message.due_ns) / 1e9)
            case WardEcg():
                self.lateness.add_all((time.time_ns() - message.due_ns()) / 1e9)
            case BedStatus():
                self._bed_statuses[message.bed] = message
        if topic.kind in RETAINED:
            self._owned.sent(topic, payload)
            self._outbox.retain(topic, payload)
        else:
            self._outbox.put(topic, payload, self._durations.seconds(message))

    def remove(self, topic: Topic) -> None:
        """Remove the retained message of a topic."""
        self.release(topic)
        self._outbox.remove(topic)

    def release(self, topic: Topic) -> None:
        """Give a retained topic up, for another process: it is neither restored nor published after a reconnect."""
        self._owned.release(topic)
        self._outbox.release(topic)
        if topic.kind is Kind.STATUS and topic.bed is not None:
            self._bed_statuses.pop(topic.bed, None)

    def dropped(self, topic: Topic) -> int:
        """Return the number of messages of a topic dropped because the broker was unavailable for over `BUFFER_S`."""
        return self._outbox.dropped(topic)

    def dropped_of_ward(self, bed: str) -> int:
        """Return the number of chunks of a bed in the messages of its shard that were dropped for the same reason."""
        return self._outbox.dropped_of_ward(bed)

    @property
    def _receives_wards(self) -> bool:
        """Whether the subscriptions include the messages of a ward, which may be larger than all others."""
        wards = [str(Topic(kind, shard=shard)) for kind in OF_WARD for shard in range(WARD_SHARDS)]
        return any(covers(text, topic) for text in self._subscriptions for topic in wards)

    @property
    def bed_statuses(self) -> tuple[BedStatus, ...]:
        """The last status that this process has sent of each of its beds."""
        return tuple(self._bed_statuses.values())

    @property
    def refused(self) -> tuple[str, ...]:
        """Beds that send ECG and that this process does not serve, because all places are taken."""
        return self._inbox.refused.current(time.monotonic())

    def refuse(self, bed: str) -> None:
        """Register that this process has no place for a bed of which it has received a chunk."""
        self._inbox.refused.add(bed, time.monotonic())

    @property
    def unsent(self) -> int:
        """Number of sent messages that are not acknowledged yet."""
        return len(self._outbox)

    @property
    def sent(self) -> tuple[int, int]:
        """Number of messages, and bytes of their payload, that were passed to the broker."""
        return self._outbox.sent, self._outbox.sent_bytes

    async def flush_to(self, count: int, timeout_s: float) -> None:
        """Let the connection work until at most `count` messages are unsent, at most for `timeout_s`.

        Returns at once while the broker is not connected: the outbox is bounded, and nothing else would go on.
        """
        if self.connected and self.unsent > count:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._outbox.wait_at_most(count)

    def discard(self) -> None:
        """Drop all messages that wait to be sent: another process has taken over, and they would mislead."""
        self._outbox.discard()

    def report_overload(self, overloaded: bool) -> None:
        """Set `overloaded` and publish the status of this process if it has changed."""
        if overloaded != self.overloaded:
            self.overloaded = overloaded
            if self.connected and self.role is not None:
                self._publish_status("online")

    async def flush(self, timeout_s: float) -> bool:
        """Wait until all sent messages are acknowledged; return False after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._outbox.wait_empty()
        except TimeoutError:
            return False
        self._check()
        return True

    # --- receiving ----------------------------------------------------------------------------------------------

    async def receive(self) -> Received:
        """Return the oldest queued message; wait for one if there is none.

        Raises
        ------
        BrokerError
            The broker refused this client after a reconnect (for example because its password has changed).
        """
        while (received := self.receive_nowait()) is None:
            self._check()
            await self._inbox.wait()
        return received

    def receive_nowait(self) -> Received | None:
        """Return the oldest queued message; None if there is none."""
        return self._inbox.pop()

    async def __aiter__(self) -> AsyncIterator[Received]:
        while True:
            yield await self.receive()

    def acknowledge(self, received: Received) -> None:
        """Acknowledge a stored message to the broker; only with `persistent_id`.

        A message of an earlier connection is ignored: the broker sends it again under another id.
        """
        if received._connection == self._link.number:
            self._link.acknowledge(received._mid)

    def _on_message(self, topic: str, payload: bytes, retained: bool, mid: int) -> None:
        origin = "other" if retained else self._owned.received(topic, payload)
        if origin == "intruder":
            self._count_intrusion(topic, payload)
            self._restore_topics()
        # What this process has sent of its beds is news to nobody here; its own status, to those that wait for it.
        ignored = topic in self._own_status or (origin == "own" and not topic.startswith(_OF_PROCESSES))
        accepted = not ignored and self._inbox.put(
            topic, payload, retained=retained, mid=mid, connection=self._link.number
        )
        if not (accepted and self._persistent_id):
            self._link.acknowledge(mid)

    # --- retained topics of this process ------------------------------------------------------------------------

    def _own_status_filter(self) -> tuple[str, ...]:
        """Return the subscription to the status of this process, if it is needed to detect intrusions.

        A persistent session would keep it, with the instance of each earlier process.
        """
        if self.role is None or self._persistent_id is not None:
            return ()
        own = str(Topic(Kind.PROCESS, role=self.role, instance=self.instance))
        return () if any(covers(text, own) for text in self._subscriptions) else (own,)

    def _count_intrusion(self, topic: str, payload: bytes) -> None:
        self.counters["intrusions"] += 1
        if time.monotonic() >= self._next_report_s:
            self._next_report_s = time.monotonic() + REPORT_INTERVAL_S
            log.warning(
                "another client has %s %s, which this process owns (%d so far): it is restored",
                "overwritten" if payload else "removed",
                topic,
                self.counters["intrusions"],
            )

    def _restore_topics(self) -> None:
        for topic, payload in self._owned.restore(time.monotonic()):
            self._outbox.put(topic, payload)

    # --- status of this process ---------------------------------------------------------------------------------

    async def _publish_status_periodically(self) -> None:
        while self.role is not None:
            await asyncio.sleep(STATUS_INTERVAL_S)
            if not self._leaving:
                self._publish_status("online")
                self._restore_topics()

    def _publish_status(self, state: Literal["online", "offline"]) -> None:
        # `put`, not `retain`: after a reconnect the current status is published, not an earlier one.
        topic, payload = self._status(state)
        self._owned.sent(topic, payload)
        self._outbox.put(topic, payload)

    def _will(self) -> tuple[Topic, bytes] | None:
        """Return the last will of the next connection: this process is offline."""
        if self.role is None:
            return None
        will = self._status("offline")
        self._owned.will(*will)
        return will

    def _status(self, state: Literal["online", "offline"]) -> tuple[Topic, bytes]:
        assert self.role is not None
        status = ProcessStatus(
            role=self.role.value,
            instance=self.instance,
            state=state,
            when=rfc3339(time.time_ns()),
            beds=self.beds,
            overloaded=self.overloaded,
            refused=self.refused,
            shard=self.shard.index,
            shards=self.shard.count,
            counters=dict(self.counters),
            mqtt_session=self.mqtt_session,
        )
        return codec.topic_of(status), codec.encode(status)


Watch = Callable[[Client], None]
"""Names the client whose figures are shown from now on; see `stream.mqtt.metrics`."""


def watch_nothing(client: Client) -> None:
    """Show no figures."""
