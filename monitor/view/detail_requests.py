"""Which beds of a large ward a window asks for, and when: those that it draws, again and again while it draws them."""

from __future__ import annotations

from collections.abc import Iterable

from stream.wire.detail import RENEW_S


class DetailRequests:
    """When a window has asked for each bed. Times are Unix times in ns."""

    def __init__(self) -> None:
        self._asked_ns: dict[str, int] = {}

    def due(self, drawn: Iterable[str], now_ns: int) -> tuple[str, ...]:
        """Return the beds among those drawn that are to be asked for now, and register that they are."""
        before = self._asked_ns
        drawn = tuple(drawn)
        due = tuple(bed for bed in drawn if not 0 <= now_ns - before.get(bed, -(2**63)) < RENEW_S * 1e9)
        self._asked_ns = {bed: before[bed] for bed in drawn if bed in before} | dict.fromkeys(due, now_ns)
        return due
