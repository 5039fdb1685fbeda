"""Faults of the wire between a publisher and its broker: messages of a bed are lost, doubled, held back. No socket.

Chunks keep their numbers: what is lost shows as a jump of ``seq``, a double has the same ``seq``. Nothing overtakes
what is held back, as nothing does on a TCP connection. Whether a message is lost or doubled depends on the bed, the
id of the fault, the number of the chunk and the signal alone. What is held back is bounded by the ranges of
`stream.wire.injection_kinds`: at most 30 s and a few delays of signal.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator

from stream.replay.schedule import NEVER_NS
from stream.wire.messages import Annotation, Message, Waveform
from stream.wire.status_messages import RunningInjection
from stream.wire.wave_message import Wave


class HeldBack:
    """The messages of one bed that wait, in order."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Message]] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def due_ns(self) -> int:
        """Unix time in ns at which the next message leaves; `NEVER_NS` while disconnected, or without one."""
        return self._waiting[0][0] if self._waiting else NEVER_NS

    def put(self, message: Message, release_ns: int) -> None:
        """Hold a message back until a time, and until all before it have left."""
        self._waiting.append((max(release_ns, self._waiting[-1][0] if self._waiting else 0), message))

    def take(self, now_ns: int) -> Iterator[Message]:
        """Yield the messages that leave now."""
        while self.due_ns <= now_ns:
            yield self._waiting.popleft()[1]

    def reconnect(self, now_ns: int) -> None:
        """Let leave now what waits for the end of a disconnect."""
        self._waiting = deque((now_ns if at_ns == NEVER_NS else at_ns, message) for at_ns, message in self._waiting)

    def shift(self, by_ns: int) -> None:
        """Shift all times, after a clock step."""
        self._waiting = deque(
            (at_ns if at_ns == NEVER_NS else at_ns + by_ns, message) for at_ns, message in self._waiting
        )

    def take_all(self) -> Iterator[Message]:
        """Yield all messages: the bed has ended."""
        self.reconnect(0)
        return self.take(NEVER_NS - 1)


def copies(message: Message, chunk: Waveform, faults: Iterable[RunningInjection]) -> int:
    """Return how often a message of the interval of a chunk is sent: 0 if it is lost. Annotations come once."""
    if isinstance(message, Annotation):
        return 1
    number = 1
    for fault in faults:
        name = message.signal if isinstance(message, Wave) else type(message).__name__
        if fault.kind in ("loss", "duplicates") and _draw(chunk, fault, name) < (fault.level or 0.0) / 100:
            number = 0 if fault.kind == "loss" or not number else 2
    return number


def release_ns(chunk: Waveform, faults: Iterable[RunningInjection]) -> int:
    """Return the time at which the messages of a chunk leave; `NEVER_NS` while disconnected.

    Delays count signal, like everything that depends on the speed of the replay: at 1 that is time.
    """
    delay_ms = 0.0
    for fault in faults:
        if fault.kind == "disconnect":
            return NEVER_NS
        if fault.kind == "delay":
            delay_ms += fault.level or 0.0
        elif fault.kind == "jitter":
            delay_ms += (fault.level or 0.0) * _draw(chunk, fault, "")
    return chunk.due_ns + round(delay_ms * 1e6 / chunk.speed)


def _draw(chunk: Waveform, fault: RunningInjection, name: str) -> float:
    """Return a number from 0 to 1, uniformly distributed, the same for the same fault and message."""
    digest = hashlib.blake2b(f"{chunk.bed}\0{fault.injection_id}\0{chunk.seq}\0{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64
