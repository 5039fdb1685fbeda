"""The beds that send ECG and have no place in this process, for its status."""

from __future__ import annotations

from stream.wire.status_messages import MAX_REFUSED

RECENT_S = 5.0
"""Time in s after the last refused chunk for which a bed counts as refused: chunks are shorter, or it has ended."""


class RefusedBeds:
    """Beds whose chunks were refused, at most `MAX_REFUSED`; while there are so many, further ones are not named."""

    def __init__(self) -> None:
        self._last_s: dict[str, float] = {}

    def add(self, bed: str, now_s: float) -> None:
        """Register that a chunk of a bed was refused, at a monotonic time."""
        if bed not in self._last_s and len(self._last_s) >= MAX_REFUSED:
            for other in set(self._last_s) - set(self.current(now_s)):
                del self._last_s[other]
        if bed in self._last_s or len(self._last_s) < MAX_REFUSED:
            self._last_s[bed] = now_s

    def current(self, now_s: float) -> tuple[str, ...]:
        """Return the beds that were refused recently, sorted by name; any thread may ask."""
        return tuple(sorted(bed for bed, last_s in self._last_s.copy().items() if now_s - last_s <= RECENT_S))
