"""The last beats: rates, runs of ventricular beats, and how long it has been quiet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from model.beats.beat_detector import Beat
from model.conditions.settings import MAX_BEATS
from stream.timebase import FS

AVERAGED = 12
"""Intervals whose mean is the heart rate, without the largest and the smallest."""

SLOW = 1.2 * FS
"""Samples; while the last `FEWEST` intervals are all longer, only they are averaged: a bradycardia shows earlier."""

TOO_CLOSE = 72
"""Samples, 200 ms: of two beats closer to each other, the first was none (a P wave, or noise)."""

FEWEST = 4
"""Intervals without which there is no heart rate."""


@dataclass(frozen=True, slots=True)
class Recent:
    """The beats that can be counted on: none is missing between them.

    Attributes
    ----------
    quiet_from : int
        The last beat, or where the signal became usable after it: from there on no beat was observed.
    indexes : tuple of int
        R peaks of the last beats, at most `MOST_BEATS`.
    types : str
        One letter for each of them.
    run : int
        Ventricular beats in a row up to now.
    run_first : int
        R peak of the first of them.
    others : int
        Beats since the last ventricular one.
    last_ventricular : int or None
        Its R peak.
    heart_rate : float or None
        1/min, as of the last beat.
    """

    quiet_from: int
    indexes: tuple[int, ...] = ()
    types: str = ""
    run: int = 0
    run_first: int = 0
    others: int = 0
    last_ventricular: int | None = None
    heart_rate: float | None = None


def push(recent: Recent, beat: Beat) -> Recent:
    """Push the next beat; if no interval before it is known, all counts begin with it."""
    linked = beat.rr is not None and bool(recent.indexes)
    if linked and beat.index - recent.indexes[-1] < TOO_CLOSE:
        recent = _forget_last(recent)
        linked = bool(recent.indexes)
    indexes = (*recent.indexes[1 - MAX_BEATS :], beat.index) if linked else (beat.index,)
    types = (recent.types[1 - MAX_BEATS :] if linked else "") + beat.type
    ventricular = beat.type == "V"
    goes_on = ventricular and linked and recent.run > 0
    return Recent(
        quiet_from=beat.index,
        indexes=indexes,
        types=types,
        run=recent.run + 1 if goes_on else int(ventricular),
        run_first=recent.run_first if goes_on else beat.index,
        others=0 if ventricular else recent.others + 1,
        last_ventricular=beat.index if ventricular else recent.last_ventricular,
        heart_rate=heart_rate(indexes),
    )


def _forget_last(recent: Recent) -> Recent:
    """Remove the last beat, which was none."""
    types = recent.types[:-1]
    if recent.types[-1] == "V":
        last = types.rfind("V")
        recent = replace(
            recent,
            run=max(recent.run - 1, 0),
            others=len(types) - 1 - last,
            last_ventricular=recent.indexes[last] if last >= 0 else None,
        )
    else:
        recent = replace(recent, run=len(types) - len(types.rstrip("V")), others=max(recent.others - 1, 0))
    return replace(recent, indexes=recent.indexes[:-1], types=types)


def interrupt(recent: Recent, at: int) -> Recent:
    """Count anew after sample ``at``: before, beats may have been missed."""
    return replace(Recent(at + 1), others=recent.others, last_ventricular=recent.last_ventricular)


def heart_rate(indexes: tuple[int, ...]) -> float | None:
    """Return the heart rate, 1/min: 60 over the mean of the last 12 RR intervals without the largest and the smallest.

    Of the last 4 alone, all of them, while each is longer than 1.2 s. While there are fewer than 12, of those there
    are; None below 4.
    """
    rr = [after - before for before, after in pairwise(indexes[-AVERAGED - 1 :])]
    if len(rr) < FEWEST:
        return None
    slow = rr[-FEWEST:]
    if min(slow) > SLOW:
        return 60 * FS * FEWEST / sum(slow)
    return 60 * FS * (len(rr) - 2) / (sum(rr) - max(rr) - min(rr))


def rate_over(recent: Recent, beats: int, more: int = 0, ago: int = 0) -> float | None:
    """Return the mean rate over so many beats and ``more`` samples, 1/min, as it was some beats ago.

    None where fewer are known.
    """
    if len(recent.indexes) < beats + ago:
        return None
    return 60 * FS * (beats - 1) / (recent.indexes[-1 - ago] - recent.indexes[-beats - ago] + more)


def longest_rr(recent: Recent, beats: int) -> int:
    """Return the longest RR interval, in samples, among so many of the last beats; at least two must be known."""
    return max(after - before for before, after in pairwise(recent.indexes[-beats:]))


def ventricular_stretch(recent: Recent, beats: int, longest: float) -> int:
    """Return over how many of the last beats so many ventricular ones reach, with one other between them at most.

    0 if there is none. Now and then a beat of a run fuses with a normal one, or is classified wrongly; what follows an
    RR interval above ``longest`` samples is another run.
    """
    if recent.run >= beats:
        return beats
    types = recent.types[-beats - 1 :]
    broken = len(types) > beats and types[0] == types[-1] == "V" and types.count("V") == beats
    return beats + 1 if broken and longest_rr(recent, beats + 1) <= longest else 0


def unevenness(recent: Recent) -> float | None:
    """Return the median change from one RR interval to the next, as a share of their mean, over the last 12 intervals.

    Intervals next to a ventricular beat are left out; None where fewer than 4 are left.
    """
    kept = [
        recent.indexes[i] - recent.indexes[i - 1]
        for i in range(max(1, len(recent.indexes) - AVERAGED), len(recent.indexes))
        if "V" not in recent.types[i - 1 : i + 1]
    ]
    if len(kept) < FEWEST:
        return None
    changes = [abs(after - before) for before, after in pairwise(kept)]
    return median(changes) * len(kept) / sum(kept)
