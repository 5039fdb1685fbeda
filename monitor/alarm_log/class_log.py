"""What the log of a class stores beside alarms, for a debriefing: truth and commands. No sockets, no database.

The truth is not for monitors and ordinary loggers: with an access list, this takes the account of an instructor
(docs/topics.md). Reference rhythms of a replay with annotations are truth, too, and are stored as such.

Truth comes over the connection without a persistent session: what is sent while the logger is away is not stored.
Memory is bounded: 1000 messages of truth that wait for the disk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from stream.clock import rfc3339
from stream.wire.messages import Annotation
from stream.wire.topics import Kind
from stream.wire.truth_message import Truth

OF_CLASS = (Kind.TRUTH, Kind.COMMAND, Kind.ANNOTATIONS)
"""Topics that only the log of a class reads."""

MAX_TRUTHS = 1000
"""Messages of truth that wait for the disk; the oldest are dropped."""

WITH_STRIP = frozenset({"injection", "rhythm", "episode", "reference"})
"""What changes the ECG: its beginning is stored as a strip."""


@dataclass(frozen=True, slots=True)
class TruthEvent:
    """An event of truth whose strip is to be stored; see `monitor.alarm_log.strips.Event`."""

    alarm_id: str
    bed: str
    session: str
    onset: int
    priority: str = "low"


class ClassLog:
    """Collects what is to be stored.

    Attributes
    ----------
    truths : deque of (Truth, int)
        Messages that wait for the disk, with the Unix time in ns at which they were received.
    """

    def __init__(self) -> None:
        self.truths: deque[tuple[Truth, int]] = deque(maxlen=MAX_TRUTHS)

    def receive(self, message: Truth | Annotation, received_ns: int) -> TruthEvent | None:
        """Process a message; return the event of which a strip is to be stored, if there is one."""
        if isinstance(message, Annotation):
            truth = _of_reference(message, received_ns)
            if truth is None:
                return None
            message = truth
        self.truths.append((message, received_ns))
        if message.what not in WITH_STRIP or message.phase == "end":
            return None
        return TruthEvent(strip_id(message), message.bed, message.session, message.index)

    def stored(self, some: Sequence[tuple[Truth, int]]) -> None:
        """Forget messages of truth that are on the disk; others may have taken the place of the oldest meanwhile."""
        on_disk = set(map(id, some))
        while self.truths and id(self.truths[0]) in on_disk:
            self.truths.popleft()


def strip_id(truth: Truth) -> str:
    """Return the key under which the strip of an event of truth is stored; alarms have other keys."""
    return f"truth {truth.bed} {truth.session[:8]} {truth.truth_id} {truth.index}"


def _of_reference(annotation: Annotation, received_ns: int) -> Truth | None:
    """Return a reference rhythm as truth; None if the annotation is none."""
    name = annotation.aux[1:].strip()
    if annotation.aux[:1] != "(" or not name:
        return None
    return Truth(
        bed=annotation.bed,
        session=annotation.session,
        epoch=0,
        index=annotation.index,
        when=rfc3339(received_ns),
        truth_id="reference",
        what="reference",
        phase="at",
        name=name,
        synthetic=False,
    )
