"""Which beds a worker leaves out while it receives more than it can analyse. Pure functions, explicit state.

After a gap rhythm and rates of a bed are measured anew. So it is better to leave a few beds out for a while than to
drop a little of each:

- A chunk may wait 1 s (longer if it lasts longer, or if its bed catches up after an interruption; see `Wait`).
- When chunks have waited longer, some of their beds are put to rest: at least one, an eighth of the late beds, and the
  more the later they are; all of them at one and a half times what is allowed. All chunks of a resting bed are shed.
  Beds without an active alarm of high or medium priority go first; among them, those that have been served longest.
  A bed of which nothing has been analysed yet does not rest: from its first chunk on, what is shed can be counted.
- Resting beds return, those that have rested longest first, once no chunk has waited longer than half of what is
  allowed for 1 s; then each second one in 64 of all beds, at least one. If no bed is left to serve, at once.

So the latency stays bounded, the beds take turns, and everything recovers by itself when the load ends.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace

MAX_WAIT_S = 1.0
"""How long a chunk may wait, in s."""

LATE_SHARE = 0.5
"""Share of the allowed wait above which a chunk is late: no resting bed returns."""

ALL_AT = 1.5
"""Multiple of the allowed wait at which all late beds are put to rest."""

LEAST_SHARE = 1 / 8
"""Smallest share of the late beds that is put to rest at once."""

REST_INTERVAL_NS = 300_000_000
"""Shortest time between two decisions to put beds to rest, in ns: the effect of the last one must show first."""

CALM_NS = 1_000_000_000
"""Time without late chunks after which resting beds return, in ns."""

RETURN_SHARE = 1 / 64
"""Share of all beds that returns at once: after a short stall all are back within about a minute."""

REPORT_NS = 5_000_000_000
"""Time after the last chunk was shed for which a worker still reports that it is overloaded, in ns."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The oldest chunk of a bed that waits.

    Attributes
    ----------
    bed : str
    waited_s, allowed_s : float
        How long it has waited, and may wait, in s.
    """

    bed: str
    waited_s: float
    allowed_s: float

    @property
    def share(self) -> float:
        """The wait as a share of what is allowed."""
        return self.waited_s / self.allowed_s


@dataclass(frozen=True, slots=True)
class Load:
    """What a worker leaves out.

    Attributes
    ----------
    resting : tuple of str
        Beds whose chunks are shed, the one that has rested longest first.
    returned_ns : mapping of str to int
        When beds returned from their last rest.
    rested_ns, late_ns : int or None
        When a bed was last put to rest, and when a chunk was last late by half of what is allowed; None: never.
    """

    resting: tuple[str, ...] = ()
    returned_ns: Mapping[str, int] = field(default_factory=dict)
    rested_ns: int | None = None
    late_ns: int | None = None

    def overloaded(self, now_ns: int) -> bool:
        """Return whether chunks are shed, or were until recently."""
        return bool(self.resting) or (self.rested_ns is not None and now_ns - self.rested_ns < REPORT_NS)


def balance(load: Load, waits: Sequence[Wait], served: Collection[str], urgent: Container[str], now_ns: int) -> Load:
    """Put beds to rest, or let some return.

    Parameters
    ----------
    load : Load
    waits : sequence of Wait
        Of all beds of which chunks wait, resting ones included.
    served : collection of str
        All beds whose ECG the worker analyses, resting ones included.
    urgent : container of str
        Beds with an active alarm of high or medium priority.
    now_ns : int
        Monotonic time in ns.
    """
    load = replace(load, resting=tuple(bed for bed in load.resting if bed in served))
    resting = set(load.resting)
    awake = [wait for wait in waits if wait.bed not in resting]
    late = [wait for wait in awake if wait.share > 1 and wait.bed in served]
    if any(wait.share > LATE_SHARE for wait in awake):
        load = replace(load, late_ns=now_ns)
    if late:
        if load.rested_ns is not None and now_ns - load.rested_ns < REST_INTERVAL_NS:
            return load
        worst = max(wait.share for wait in late)
        share = min(max((worst - 1) / (ALL_AT - 1), LEAST_SHARE), 1)
        late.sort(key=lambda wait: (wait.bed in urgent, load.returned_ns.get(wait.bed, 0)))
        chosen = tuple(wait.bed for wait in late[: math.ceil(share * len(late))])
        return replace(load, resting=(*load.resting, *chosen), rested_ns=now_ns)
    calm = load.late_ns is None or now_ns - load.late_ns >= CALM_NS
    if load.resting and (calm or resting.issuperset(served)):
        count = math.ceil(RETURN_SHARE * len(served))
        first, others = load.resting[:count], load.resting[count:]
        returned = {bed: ns for bed, ns in load.returned_ns.items() if bed in served} | dict.fromkeys(first, now_ns)
        return replace(load, resting=others, returned_ns=returned, late_ns=now_ns)
    return load
