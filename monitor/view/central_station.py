"""The central station without a window: how many columns, which bed comes forward, and what sounds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from monitor.view.view_model import Frame, Pauses
from stream.wire.alarm_messages import PRIORITIES

MOST_BEDS = 16
"""Cards on one screen; more could not be read."""

CALLING = frozenset({"high", "medium"})
"""Alarms of these priorities bring a bed forward; the others colour its card."""

LINGER_S = 8.0
"""A bed stays forward so long after its alarm has been answered: a picture that jumps cannot be read."""


@dataclass(frozen=True, slots=True)
class Forward:
    """The bed whose card is larger than the others, and the Unix time in ns until which it stays so."""

    bed: str
    until_ns: int


def columns(beds: int) -> int:
    """Return the columns of the grid: never more than rows, for a trace needs width."""
    rows = max(math.ceil(math.sqrt(beds)), 1)
    return max(math.ceil(beds / rows), 1)


def come_forward(before: Forward | None, frames: Iterable[Frame], now_ns: int) -> Forward | None:
    """Return which bed is forward now.

    The most urgent alarm that calls, and whose worker lives, brings its bed forward. The bed that is there stays until
    a more urgent one calls, or another calls and this one no longer does.

    Parameters
    ----------
    before : Forward or None
    frames : iterable of Frame
        Of all beds shown.
    now_ns : int
        Unix time.
    """
    urgency: dict[str, int] = {}
    there = False
    for frame in frames:
        there |= before is not None and frame.bed == before.bed
        if frame.bed is None or not frame.worker or frame.pauses.alarms_s > 0:
            continue
        calling = [PRIORITIES.index(a.priority) for a in frame.active if a.calls and a.priority in CALLING]
        if calling:
            urgency[frame.bed] = min(calling)
    until_ns = now_ns + round(LINGER_S * 1e9)
    if urgency:
        most = min(urgency.values())
        if before is not None and urgency.get(before.bed) == most:
            return Forward(before.bed, until_ns)
        return Forward(next(bed for bed in sorted(urgency) if urgency[bed] == most), until_ns)
    return before if before is not None and there and now_ns < before.until_ns else None


def heard(chosen: Frame, frames: Iterable[Frame]) -> Frame:
    """Return a frame for the ear: the beats of the bed chosen, and the alarms of all beds that may sound."""
    loud = [f for f in frames if f.worker and not f.pauses.audio_s and not f.pauses.alarms_s]
    return replace(chosen, active=tuple(a for f in loud for a in f.active), worker=bool(loud), pauses=Pauses())
