"""What lasted how long, from the messages of truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from stream.clock import unix_ns
from stream.wire.truth_message import Truth

RHYTHMS = frozenset({"rhythm", "episode", "reference"})
"""What names the rhythm of the heart."""


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted: its start, and what ended it.

    Attributes
    ----------
    truth : Truth
        Its begin.
    ended_by : Truth or None
        The message of its end, or what follows it; None if it lasted until the end of the session.
    """

    truth: Truth
    ended_by: Truth | None

    @property
    def begin(self) -> int:
        """First sample."""
        return self.truth.index

    @property
    def end(self) -> int | None:
        """Sample after the last one; None if it lasted until the end of the session."""
        return None if self.ended_by is None else self.ended_by.index

    @property
    def begin_ns(self) -> int:
        """Unix time in ns."""
        return unix_ns(self.truth.when)

    def covers(self, index: int) -> bool:
        """Return whether it lasted at a sample."""
        return self.begin <= index and (self.end is None or index < self.end)


def spans_of(truths: Sequence[Truth]) -> list[Span]:
    """Return what lasted, by its start.

    It ends with its own message; a rhythm also with the next one, and a value with the next target of the same name.

    Parameters
    ----------
    truths : sequence of Truth
        In the order in which they were sent: an id may be used again, once what had it is over.
    """
    ends = ends_of(truths)
    begun = sorted((one for one in truths if one.phase != "end"), key=lambda one: one.index)
    spans = [Span(one, ends.get(id(one))) for one in begun if one.what in ("injection", "wire_fault")]
    vitals = [one for one in begun if one.what == "vitals"]
    for place, one in enumerate(vitals):
        spans.append(Span(one, next((later for later in vitals[place + 1 :] if later.name == one.name), None)))
    rhythms = [one for one in begun if one.what in RHYTHMS]
    for one, after in zip_longest(rhythms, rhythms[1:]):
        found = [end for end in (ends.get(id(one)), after) if end is not None]
        spans.append(Span(one, min(found, key=lambda end: end.index, default=None)))
    return sorted(spans, key=lambda span: span.begin)


def ends_of(truths: Sequence[Truth]) -> dict[int, Truth]:
    """Return the message that ends each start, by the identity of the start."""
    lasting: dict[tuple[str, str], Truth] = {}
    ends: dict[int, Truth] = {}
    for one in truths:
        key = one.what, one.truth_id
        if one.phase == "begin":
            lasting[key] = one
        elif one.phase == "end" and key in lasting:
            ends[id(lasting.pop(key))] = one
    return ends
