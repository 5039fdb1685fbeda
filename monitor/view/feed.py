"""Thread between network and window: it runs the asyncio loop; the window reads received messages without waiting.

Messages are queued in two places. The window empties a short hand-over list once per frame. If the window is slow, that
list fills up, and messages remain in the client's inbox, which is bounded and drops messages by its own rules.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Sequence

from stream.errors import BrokerError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client, Received, Watch, finish_pending_connections, watch_nothing
from stream.wire.alarm_texts import Phrase, phrase
from stream.wire.messages import Message
from stream.wire.topics import OF_WARD, Kind, Role, pattern

MAX_HANDOVER = 2000
"""Largest number of messages handed over between two frames."""

CONNECT_TIMEOUT_S = 2.0
"""Timeout of one connection attempt, s; then the reason is shown and the next attempt follows."""

RETRY_DELAY_S = 1.0
_DISCONNECT_TIMEOUT_S = 1.3

_NOT_SHOWN = (Kind.COMMAND, Kind.EVENTS_REQUEST, Kind.TRUTH, *OF_WARD)

SUBSCRIBED_KINDS = tuple(kind for kind in Kind if kind not in _NOT_SHOWN)
"""What a window receives: of a large ward the beds that it asks for, not all of them; never the truth, which would tell
the student what a teacher does."""

QUIZ_KINDS = tuple(kind for kind in SUBSCRIBED_KINDS if kind not in (Kind.ANNOTATIONS, Kind.SCORE))
"""What the window of a quiz receives: no reference either."""


class Feed:
    """Connection to the broker, in a thread of its own.

    Parameters
    ----------
    address : BrokerAddress
    watch : callable
        Called with each client; see `stream.mqtt.metrics`.
    kinds : sequence of Kind
        What it receives.
    """

    def __init__(
        self, address: BrokerAddress, watch: Watch = watch_nothing, kinds: Sequence[Kind] = SUBSCRIBED_KINDS
    ) -> None:
        self.address = address
        self._kinds = kinds
        self._watch = watch
        self._lock = threading.Lock()
        self._ready: list[Received] = []
        self._client: Client | None = None
        self._problem: Phrase | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._space_available: asyncio.Event | None = None
        self._running = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bedside-feed", daemon=True)

    # --- called by the window -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread; it connects in the background."""
        self._thread.start()
        self._running.wait()

    def drain(self) -> list[Received]:
        """Return the messages received since the last call, in order, without waiting."""
        with self._lock:
            messages, self._ready = self._ready, []
        if (
            len(messages) >= MAX_HANDOVER
            and self._loop is not None
            and self._space_available is not None
            and self._thread.is_alive()
        ):
            self._loop.call_soon_threadsafe(self._space_available.set)
        return messages

    def send(self, message: Message) -> bool:
        """Send a message without waiting; return False, and send nothing, if the broker is not connected.

        Commands are not queued: after a reconnect they would be executed too late.
        """
        client, loop = self._client, self._loop
        if client is None or loop is None or not self.connected:
            return False
        try:
            loop.call_soon_threadsafe(client.send, message)
        except RuntimeError:  # the loop has just been closed
            return False
        return True

    @property
    def connected(self) -> bool:
        """True while the broker is connected."""
        client = self._client
        return client is not None and client.connected and self._thread.is_alive()

    @property
    def phrase(self) -> Phrase:
        """The state of the connection."""
        if self.connected:
            return phrase("broker.connected", address=str(self.address))
        return self._problem or phrase("broker.connecting", address=str(self.address))

    @property
    def counters(self) -> dict[str, int]:
        """Counters of the current connection: received, rejected, inbox_dropped, reconnects."""
        client = self._client
        return dict(client.counters) if client is not None else {}

    def stop(self) -> None:
        """Close the connection and stop the thread; this takes some ms, at most 4 s."""
        # Before Python 3.12 asyncio.wait_for() loses a cancellation that arrives together with its result, as when the
        # broker has just answered. So it is repeated, after the time that disconnecting may take.
        for _ in range(3):
            if self._loop is None or self._task is None or not self._thread.is_alive():
                return
            with contextlib.suppress(RuntimeError):  # the loop has just been closed
                self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join(_DISCONNECT_TIMEOUT_S)

    # --- in the thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        # aiomqtt uses loop.add_reader(), which the default loop of Windows lacks.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            with contextlib.suppress(asyncio.CancelledError):
                runner.run(self._keep_receiving())
            runner.run(finish_pending_connections())

    async def _keep_receiving(self) -> None:
        self._loop, self._task, self._space_available = (
            asyncio.get_running_loop(),
            asyncio.current_task(),
            asyncio.Event(),
        )
        self._running.set()
        while True:
            try:
                await self._receive()
            except BrokerError as error:
                code = "broker.refused" if error.refused else "broker.unreachable"
                self._problem = phrase(code, address=str(self.address), problem=error.problem)
            await asyncio.sleep(RETRY_DELAY_S)

    async def _receive(self) -> None:
        client = Client(
            self.address,
            role=Role.MONITOR,
            subscriptions=[pattern(kind) for kind in self._kinds],
            connect_timeout_s=CONNECT_TIMEOUT_S,
        )
        async with client:
            self._client = client
            self._watch(client)
            self._problem = phrase("broker.lost", address=str(self.address))
            async for received in client:
                await self._hand_over(received)

    async def _hand_over(self, received: Received) -> None:
        assert self._space_available is not None
        with self._lock:
            self._ready.append(received)
            full = len(self._ready) >= MAX_HANDOVER
        if full:
            # drain() replaces the list, then sets the event; if it ran in between, the event is already set.
            await self._space_available.wait()
            self._space_available.clear()
