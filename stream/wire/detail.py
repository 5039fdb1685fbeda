"""Which beds flow in full, each on its own topics: all of a small ward, of a larger one those that somebody asks for.

A publisher of up to `IN_FULL` beds sends each one's ECG on its own topic; so does a worker with forecasts. Above, all
beds flow in the messages of their shards (`stream.wire.ward_messages`), and those for which the command `SetDetail`
has come within the last `LEASE_S` on their own topics as well. Whoever looks at a bed repeats the command.
"""

from __future__ import annotations

import msgspec

IN_FULL = 64
"""Largest ward whose beds all flow in full; and of a larger one, the most that do."""

LEASE_S = 30.0
"""Time in s after the command during which a bed flows in full."""

RENEW_S = 10.0
"""Interval in s at which the command is repeated, so that two may be lost."""


class SetDetail(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="set_detail"):
    """Send the bed in full for the next 30 s, on its own topics."""


class DetailLeases:
    """The beds of a process that somebody asks for. Times are monotonic, in s."""

    def __init__(self) -> None:
        self._until_s: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._until_s)

    def __contains__(self, bed: str) -> bool:
        return bed in self._until_s

    def renew(self, bed: str, now_s: float) -> bool:
        """Begin or extend the lease of a bed; return False if `IN_FULL` others have one."""
        self.expire(now_s)
        if bed not in self._until_s and len(self._until_s) >= IN_FULL:
            return False
        self._until_s[bed] = now_s + LEASE_S
        return True

    def expire(self, now_s: float) -> None:
        """End the leases that are over."""
        for bed in [bed for bed, until_s in self._until_s.items() if until_s <= now_s]:
            del self._until_s[bed]
