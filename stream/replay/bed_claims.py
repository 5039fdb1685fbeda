"""Whether another publisher sends a bed: found out before the first chunk, from the retained status of publishers.

Each publisher names its beds in the status of its process, and itself in the status of each bed. A retained status may
be that of a dead process, if the broker died with it, so it counts only once it is repeated: a publisher does that
every 2 s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from stream.errors import UsageError
from stream.mqtt.client import STATUS_INTERVAL_S, Client, Received
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import Kind, Role, pattern

CONFIRM_S = 2.5 * STATUS_INTERVAL_S
"""Time in s within which a living publisher repeats its status."""


class BedClaims:
    """The beds that other publishers claim.

    Parameters
    ----------
    beds : collection of str
        The beds of interest.
    instance : str
        This process.
    """

    def __init__(self, beds: Collection[str], instance: str) -> None:
        self._beds = frozenset(beds)
        self._instance = instance
        self._named: dict[str, frozenset[str]] = {}
        self._bed_status: dict[str, BedStatus] = {}
        self._offline: set[str] = set()
        self._alive: set[str] = set()

    def update(self, status: BedStatus | ProcessStatus, *, retained: bool) -> None:
        """Process a publisher's status, or that of a bed."""
        if status.role != "publisher" or status.instance == self._instance:
            return
        if not retained:
            self._alive.add(status.instance)
        if isinstance(status, BedStatus):
            if status.bed in self._beds:
                self._bed_status[status.bed] = status
        elif status.state == "online":
            self._offline.discard(status.instance)
            self._named[status.instance] = self._beds & frozenset(status.beds)
        else:
            self._offline.add(status.instance)

    def claimed(self, *, alive: bool) -> tuple[str, str] | None:
        """Return a claimed bed and the instance that claims it; None if there is none.

        Parameters
        ----------
        alive : bool
            Only processes that have repeated their status.
        """
        claims = [(bed, instance) for instance, beds in self._named.items() for bed in sorted(beds)]
        claims += [(bed, status.instance) for bed, status in self._bed_status.items()]
        for bed, instance in claims:
            last = self._bed_status.get(bed)
            ended = last is not None and last.instance == instance and last.state == "ended"
            if not ended and instance not in self._offline and (instance in self._alive or not alive):
                return bed, instance
        return None


def subscriptions(beds: Collection[str]) -> list[str]:
    """Return the topic filters that `check_free` needs."""
    return [*(pattern(Kind.STATUS, bed, Role.PUBLISHER) for bed in beds), pattern(Kind.PROCESS, role=Role.PUBLISHER)]


async def check_free(client: Client) -> None:
    """Return when no other living publisher sends the beds of a client that has just been opened.

    If it cannot know, because it may not read the status of others, it returns after `CONFIRM_S`.

    Raises
    ------
    UsageError
        Another publisher sends one of them.
    """
    claims = BedClaims(client.beds, client.instance)
    complete = False
    try:
        async with asyncio.timeout(CONFIRM_S):
            while not complete or claims.claimed(alive=False) is not None:
                claim = claims.claimed(alive=True)
                if claim is not None:
                    bed, instance = claim
                    raise UsageError(
                        f"another publisher ({instance}) sends bed {bed} on {client.address} already: "
                        "end it, or give this one another bed with --bed"
                    )
                received: Received | None = await client.receive()
                while received is not None:  # all that has come, before the claims of a whole ward are compared
                    message = received.message
                    if isinstance(message, BedStatus | ProcessStatus):
                        claims.update(message, retained=received.retained)
                        # Our own status arrives after all messages retained before it. Of two publishers that start
                        # together, the later one receives the other's status before its own.
                        complete |= isinstance(message, ProcessStatus) and message.instance == client.instance
                    received = client.receive_nowait()
    except TimeoutError:
        return  # the claiming process is dead, or we may not read its status
