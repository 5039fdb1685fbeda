"""Who serves: the status of processes and of beds, and that a retained topic has one writer."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.conformance import rules
from monitor.conformance.findings import Note
from stream.wire.status_messages import BedStatus, ProcessStatus

HEARTBEAT_NS = 5_000_000_000
"""Silence in ns after which a status is missed: it comes every 2 s."""

MAX_PROCESSES, MAX_WRITERS = 4096, 16
"""Processes that are remembered, and those of a bed: strangers may invent names without end."""

STATES = {"publisher": ("playing", "paused", "ended"), "worker": ("learning", "forecasting", "stopped")}


@dataclass(slots=True)
class Heartbeat:
    """When a status came last, monotonic time in ns; whether a further one is due, and was missed."""

    last_ns: int
    note: Note
    due: bool = True
    missed: bool = False

    def check(self, now_ns: int) -> None:
        """Note once that the status does not come."""
        silent_s = (now_ns - self.last_ns) / 1e9
        if self.due and not self.missed and now_ns - self.last_ns > HEARTBEAT_NS:
            self.missed = True
            self.note(rules.HEARTBEAT, f"no status for {silent_s:.1f} s, nor the state offline")


class Processes:
    """The processes on a broker, by their own status; at most `MAX_PROCESSES`, the latest."""

    def __init__(self) -> None:
        self._online: dict[str, bool] = {}
        self._beats: dict[str, Heartbeat] = {}
        self._overloaded: set[str] = set()

    def status(self, status: ProcessStatus, stored: bool, now_ns: int, note: Note) -> None:
        """Process the status of a process; monotonic time in ns."""
        online = status.state == "online"
        self._online.pop(status.instance, None)
        self._online[status.instance] = online
        if len(self._online) > MAX_PROCESSES:
            oldest = next(iter(self._online))
            del self._online[oldest]
            self._beats.pop(oldest, None)
            self._overloaded.discard(oldest)
        if stored:  # may be that of a dead process
            return
        self._beats[status.instance] = Heartbeat(now_ns, note, due=online)
        if online and status.overloaded:
            self._overloaded.add(status.instance)
        else:
            self._overloaded.discard(status.instance)

    @property
    def overloaded(self) -> bool:
        """Whether a worker says that it leaves beds out."""
        return bool(self._overloaded)

    def is_online(self, instance: str) -> bool:
        """Return whether a process has reported that it is online, and not offline since."""
        return self._online.get(instance, False)

    def check(self, now_ns: int) -> None:
        """Check that the processes still publish their status; monotonic time in ns."""
        for beat in self._beats.values():
            beat.check(now_ns)


@dataclass(slots=True)
class BedServers:
    """The latest status of a bed in each role, and who wrote it."""

    latest: dict[str, BedStatus] = field(default_factory=dict)
    _written: dict[tuple[str, str], int] = field(default_factory=dict)
    _unserved: dict[str, tuple[int, Note]] = field(default_factory=dict)
    _beats: dict[str, Heartbeat] = field(default_factory=dict)

    def status(self, status: BedStatus, stored: bool, now_ns: int, note: Note) -> None:
        """Check the status of a bed; monotonic time in ns."""
        if status.state not in STATES[status.role]:
            note(rules.STATE, f"state {status.state} of a {status.role}", f"one of {', '.join(STATES[status.role])}")
        if stored:
            return
        before = self.latest.get(status.role)
        if before is not None and before.instance != status.instance:
            own_ns = self._written.get((status.role, status.instance))
            if own_ns is not None and now_ns - own_ns <= HEARTBEAT_NS:
                note(rules.OWNER, f"{status.instance} and {before.instance} by turns")
        self.latest[status.role] = status
        self._written.pop((status.role, status.instance), None)
        self._written[status.role, status.instance] = now_ns
        if len(self._written) > MAX_WRITERS:
            del self._written[next(iter(self._written))]
        goes_on = status.state not in ("ended", "stopped")
        self._beats[status.role] = Heartbeat(now_ns, note, due=goes_on)
        if before is None or before.instance != status.instance:
            self._unserved[status.role] = (now_ns, note)

    def plays(self) -> bool:
        """Return whether the publisher says that the bed is played."""
        publisher = self.latest.get("publisher")
        return publisher is not None and publisher.state == "playing"

    def is_analysed(self) -> bool:
        """Return whether a worker says that it serves the bed."""
        worker = self.latest.get("worker")
        return worker is not None and worker.state != "stopped"

    def check(self, processes: Processes, now_ns: int) -> None:
        """Check that the processes that serve the bed are online, and still say so; monotonic time in ns."""
        for role, (since_ns, note) in list(self._unserved.items()):
            instance = self.latest[role].instance
            if processes.is_online(instance):
                del self._unserved[role]
            elif now_ns - since_ns > HEARTBEAT_NS and self.latest[role].state not in ("ended", "stopped"):
                del self._unserved[role]
                note(rules.INSTANCE, f"instance {instance}, which is not online")
        publisher = self.latest.get("publisher")
        over = publisher is not None and publisher.state == "ended"  # then the worker's last status stays, too
        for role, beat in self._beats.items():
            if processes.is_online(self.latest[role].instance) and not (role == "worker" and over):
                beat.check(now_ns)
