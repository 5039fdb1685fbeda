"""Central station without a window: its grid, the enlarged bed, and the audible alarms."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from monitor.view.view_model import Frame, Pauses
from stream.wire.alarm_messages import PRIORITIES

MAX_BEDS = 16
"""Largest number of tiles; smaller tiles could not be read."""

ENLARGING_PRIORITIES = frozenset({"high", "medium"})
"""Priorities of alarms that enlarge the tile of a bed; the others only colour it."""

HOLD_S = 8.0
"""How long a tile stays enlarged after its alarm was acknowledged or ended, s; it prevents a jumping layout."""


@dataclass(frozen=True, slots=True)
class EnlargedBed:
    """The bed whose tile is enlarged, and the Unix time in ns until which it stays enlarged."""

    bed: str
    until_ns: int


def grid_columns(beds: int) -> int:
    """Return the number of columns of the grid; never more than rows, because a trace needs width."""
    rows = max(math.ceil(math.sqrt(beds)), 1)
    return max(math.ceil(beds / rows), 1)


def choose_enlarged(before: EnlargedBed | None, frames: Iterable[Frame], now_ns: int) -> EnlargedBed | None:
    """Return the bed to enlarge.

    The bed with the most urgent unacknowledged alarm whose worker is online is enlarged. The current one stays enlarged
    until another bed has a more urgent alarm, or has an alarm and this one no longer has.

    Parameters
    ----------
    before : EnlargedBed or None
    frames : iterable of Frame
        Frames of all beds shown.
    now_ns : int
        Unix time.
    """
    urgency: dict[str, int] = {}
    present = False
    for frame in frames:
        present |= before is not None and frame.bed == before.bed
        if frame.bed is None or not frame.worker or frame.pauses.alarms_s > 0:
            continue
        ranks = [
            PRIORITIES.index(a.alarm.priority)
            for a in frame.active
            if a.unacknowledged and a.alarm.priority in ENLARGING_PRIORITIES
        ]
        if ranks:
            urgency[frame.bed] = min(ranks)
    hold_ns = round(HOLD_S * 1e9)
    until_ns = now_ns + hold_ns
    if urgency:
        most = min(urgency.values())
        if before is not None and urgency.get(before.bed) == most:
            return EnlargedBed(before.bed, until_ns)
        return EnlargedBed(next(bed for bed in sorted(urgency) if urgency[bed] == most), until_ns)
    # The upper limit ends it if the clock was set back.
    return before if before is not None and present and 0 < before.until_ns - now_ns <= hold_ns else None


def audible_frame(selected: Frame, frames: Iterable[Frame]) -> Frame:
    """Return a frame for the sounds: the beats of the selected bed, and the audible alarms of all beds."""
    audible = [f for f in frames if f.worker and not f.pauses.audio_s and not f.pauses.alarms_s]
    return replace(selected, active=tuple(a for f in audible for a in f.active), worker=bool(audible), pauses=Pauses())
