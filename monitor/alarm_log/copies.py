"""Two loggers with copies of one store: they have one MQTT client id, so each connection ends that of the other.

Each logger sends a digest of the client id in its status. Of two that are alive, the one that was started last ends. It
knows that it is the last because it received the status of the other one as a retained message; if both or neither did,
as with a broker that was restarted, the greater instance is the last. A status that the broker retained is no proof
that its sender is alive: the logger of this store may have been killed a moment ago. And a status alone, which anyone
can send, ends no logger: its connection must have been ended in the meantime.
"""

from __future__ import annotations

from stream.wire.status_messages import ProcessStatus

ALIVE_NS = 1_500_000_000
"""Time between two live messages after which their sender counts as alive: a burst may be from a buffer."""

UNDECIDED_NS = 10_000_000_000
"""The same if the other logger was not there at the start: the other one should have ended by then."""


class CopyDetector:
    """Decides from the status messages of all loggers whether this one must end; see the module.

    Parameters
    ----------
    mqtt_session, instance : str
        Those of the own process, as in its status.
    """

    def __init__(self, mqtt_session: str, instance: str) -> None:
        self._mqtt_session = mqtt_session
        self._instance = instance
        self._earlier: set[str] = set()
        self._first: dict[str, tuple[int, int]] = {}

    def update(self, status: ProcessStatus, now_ns: int, *, retained: bool, reconnects: int) -> bool:
        """Return whether this logger must end.

        Parameters
        ----------
        status : ProcessStatus
        now_ns : int
            Monotonic time of arrival.
        retained : bool
            True if the status predates the subscription.
        reconnects : int
            How often the own connection has been restored so far.
        """
        other = status.instance
        if status.mqtt_session != self._mqtt_session or other == self._instance or status.state != "online":
            return False
        if retained:
            self._earlier.add(other)
            return False
        first_ns, reconnects_before = self._first.setdefault(other, (now_ns, reconnects))
        alive_ns = now_ns - first_ns
        if reconnects == reconnects_before:
            return False
        if other in self._earlier:
            return alive_ns >= ALIVE_NS
        return alive_ns >= UNDECIDED_NS and other < self._instance
