"""The thread between network and window: it owns the asyncio loop; the window takes what has come and never waits.

Messages wait in two places. A short hand-over list is emptied by the window once per frame. When the window does not
come, the list fills, and they wait in the client's inbox, which is bounded and gives way by its own rules.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading

from stream.errors import BrokerError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client, Received, finish_pending_connections
from stream.wire.messages import Message
from stream.wire.phrases import Phrase, phrase
from stream.wire.topics import Kind, Role, pattern

HANDOVER = 2000
"""Messages handed over at most between two frames."""

TRY_S = 2.0
"""How long one attempt to reach the broker lasts before its reason is shown; attempts go on until `stop`."""

RETRY_S = 1.0
_FAREWELL_S = 1.3

KINDS = tuple(kind for kind in Kind if kind is not Kind.COMMAND)


class Feed:
    """A connection to the broker on a thread of its own.

    Parameters
    ----------
    address : BrokerAddress
    """

    def __init__(self, address: BrokerAddress) -> None:
        self.address = address
        self._lock = threading.Lock()
        self._ready: list[Received] = []
        self._client: Client | None = None
        self._problem: Phrase | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._room: asyncio.Event | None = None
        self._running = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bedside-feed", daemon=True)

    # --- the window's side --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread; connecting goes on in the background."""
        self._thread.start()
        self._running.wait()

    def drain(self) -> list[Received]:
        """Return the messages that have come since the last call, in order. Never waits for the network."""
        with self._lock:
            taken, self._ready = self._ready, []
        if len(taken) >= HANDOVER and self._loop is not None and self._room is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._room.set)
        return taken

    def send(self, message: Message) -> bool:
        """Hand a message to the connection; False, and nothing is sent, where the broker is away. Never waits.

        A command is meant for this moment: kept until the broker comes back, it would come too late.
        """
        client, loop = self._client, self._loop
        if client is None or loop is None or not self.connected:
            return False
        try:
            loop.call_soon_threadsafe(client.send, message)
        except RuntimeError:  # the loop closed in this moment
            return False
        return True

    @property
    def connected(self) -> bool:
        """True while the broker is there."""
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
        """What the present connection has counted: received, rejected, inbox_dropped, reconnects."""
        client = self._client
        return dict(client.counters) if client is not None else {}

    def stop(self) -> None:
        """End the connection and the thread, in some ms as a rule, in 4 s at most."""
        # Before Python 3.12 asyncio.wait_for() loses a cancellation that comes together with its result, as when the
        # broker has just answered; so it is repeated, later than a farewell to the broker may take.
        for _ in range(3):
            if self._loop is None or self._task is None or not self._thread.is_alive():
                return
            with contextlib.suppress(RuntimeError):  # the loop closed in this moment
                self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join(_FAREWELL_S)

    # --- the thread's side --------------------------------------------------------------------------------------

    def _run(self) -> None:
        # aiomqtt watches sockets, which not every system's default loop can.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            with contextlib.suppress(asyncio.CancelledError):
                runner.run(self._keep_receiving())
            runner.run(finish_pending_connections())

    async def _keep_receiving(self) -> None:
        self._loop, self._task, self._room = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()
        self._running.set()
        while True:
            try:
                await self._receive()
            except BrokerError as error:
                code = "broker.refused" if error.refused else "broker.unreachable"
                self._problem = phrase(code, address=str(self.address), problem=error.problem)
            await asyncio.sleep(RETRY_S)

    async def _receive(self) -> None:
        client = Client(
            self.address,
            role=Role.MONITOR,
            subscriptions=[pattern(kind) for kind in KINDS],
            connect_timeout_s=TRY_S,
        )
        async with client:
            self._client = client
            self._problem = phrase("broker.lost", address=str(self.address))
            async for received in client:
                await self._hand_over(received)

    async def _hand_over(self, received: Received) -> None:
        assert self._room is not None
        with self._lock:
            self._ready.append(received)
            full = len(self._ready) >= HANDOVER
        if full:
            # drain() replaces the list and sets the event, in this order; a drain in between has set it already.
            await self._room.wait()
            self._room.clear()
