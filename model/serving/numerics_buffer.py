"""Numerics that a worker has received before the ECG of their time; bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Container

from stream.timebase import FS
from stream.wire.messages import Waveform
from stream.wire.numerics_message import Numerics

MAX_WAITING = 64
"""Messages kept per bed: a minute's, twice the longest chunk."""

MAX_LATE = 10 * FS
"""Samples before a chunk of ECG, earlier than which values are too late to be used."""


class NumericsBuffer:
    """Numerics of several beds until the chunk of ECG of their time takes them.

    What does not fit, comes too late, or is of an earlier epoch is dropped.

    Parameters
    ----------
    max_beds : int
        Beds whose numerics are kept.
    """

    def __init__(self, max_beds: int) -> None:
        self._max_beds = max_beds
        self._beds: dict[str, deque[Numerics]] = {}

    def put(self, numerics: Numerics, served: Container[str]) -> list[Numerics]:
        """Keep a message, and return those of its bed that had to give way.

        ``served`` are the beds that have sent ECG: if there are too many, others are dropped first.
        """
        if numerics.bed not in self._beds and len(self._beds) >= self._max_beds:
            other = next((bed for bed in self._beds if bed not in served), None)
            if other is None:
                return [numerics]
            del self._beds[other]
        kept = self._beds.setdefault(numerics.bed, deque())
        kept.append(numerics)
        return [kept.popleft()] if len(kept) > MAX_WAITING else []

    def __bool__(self) -> bool:
        return bool(self._beds)

    def __contains__(self, bed: str) -> bool:
        return bed in self._beds

    def take(self, chunk: Waveform) -> tuple[list[Numerics], list[Numerics]]:
        """Remove and return the messages of a chunk's session and epoch before its end, and those that are dropped.

        Those of a later time or epoch, and of another session, wait for their ECG.
        """
        kept = self._beds.pop(chunk.bed, None)
        taken, dropped, later = list[Numerics](), list[Numerics](), deque[Numerics]()
        if kept is None:
            return taken, dropped
        for numerics in kept:
            if numerics.session != chunk.session or numerics.epoch > chunk.epoch:
                later.append(numerics)
            elif numerics.epoch < chunk.epoch or numerics.index < chunk.start - MAX_LATE:
                dropped.append(numerics)
            elif numerics.index < chunk.end:
                taken.append(numerics)
            else:
                later.append(numerics)
        if later:
            self._beds[chunk.bed] = later
        return taken, dropped
