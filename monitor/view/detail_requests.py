"""Which beds of a large ward a window asks for, and when: those that it draws, again and again while it draws them."""

from __future__ import annotations

from collections.abc import Iterable

from stream.wire.detail import RENEW_S

ANSWER_NS = 3_000_000_000
"""Time in ns within which a bed that is drawn sends."""

FRAME_NS = 500_000_000
"""Time in ns after which a bed that was drawn is not any more."""


class DetailRequests:
    """When a window has asked for each bed. Times are Unix times in ns."""

    def __init__(self) -> None:
        self._asked_ns: dict[str, int] = {}

    @property
    def asked(self) -> bool:
        """Whether any bed that was drawn last has been asked for."""
        return bool(self._asked_ns)

    def due(self, drawn: Iterable[str], now_ns: int) -> tuple[str, ...]:
        """Return the beds among those drawn that are to be asked for now, and register that they are."""
        before = self._asked_ns
        drawn = tuple(drawn)
        due = tuple(bed for bed in drawn if not 0 <= now_ns - before.get(bed, -(2**63)) < RENEW_S * 1e9)
        self._asked_ns = {bed: before[bed] for bed in drawn if bed in before} | dict.fromkeys(due, now_ns)
        return due


class DrawnBeds:
    """Since when each bed has been drawn without a break. Times are Unix times in ns."""

    def __init__(self) -> None:
        self._drawn: dict[str, tuple[int, int]] = {}

    def mark(self, bed: str, now_ns: int) -> None:
        """Register that a bed is drawn."""
        since_ns, last_ns = self._drawn.get(bed, (now_ns, now_ns))
        self._drawn[bed] = (since_ns if 0 <= now_ns - last_ns <= FRAME_NS else now_ns, now_ns)

    def forget(self, bed: str) -> None:
        """Remove a bed."""
        self._drawn.pop(bed, None)

    def expected(self, bed: str, now_ns: int) -> bool:
        """Return whether a bed has been drawn for so long that it must send."""
        since_ns, last_ns = self._drawn.get(bed, (now_ns, 0))
        return now_ns - last_ns <= FRAME_NS and now_ns - since_ns > ANSWER_NS
