"""Times of many names, the earliest first: the cost of a change grows with the logarithm of their number."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

NEVER_NS = 2**63
"""Later than any time in ns."""


class Schedule:
    """At most one time per name.

    Parameters
    ----------
    names : iterable of str
        Of two names with the same time, the earlier one here is the first.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._order = {name: number for number, name in enumerate(names)}
        self._at_ns: dict[str, int] = {}
        self._heap: list[tuple[int, int, str]] = []  # also times that were changed since

    def set(self, name: str, at_ns: int | None) -> None:
        """Replace the time of a name; None removes it."""
        if at_ns is None:
            self._at_ns.pop(name, None)
        elif self._at_ns.get(name) != at_ns:
            self._at_ns[name] = at_ns
            heapq.heappush(self._heap, (at_ns, self._order[name], name))
            if len(self._heap) > 4 * len(self._order) + 64:
                self._rebuild()

    def shift(self, by_ns: int) -> None:
        """Add to all times."""
        self._at_ns = {name: at_ns + by_ns for name, at_ns in self._at_ns.items()}
        self._rebuild()

    def first(self) -> tuple[int, str]:
        """Return the earliest time and its name; `NEVER_NS` and an empty name if there is none."""
        while self._heap:
            at_ns, _, name = self._heap[0]
            if self._at_ns.get(name) == at_ns:
                return at_ns, name
            heapq.heappop(self._heap)
        return NEVER_NS, ""

    def _rebuild(self) -> None:
        self._heap = [(at_ns, self._order[name], name) for name, at_ns in self._at_ns.items()]
        heapq.heapify(self._heap)
