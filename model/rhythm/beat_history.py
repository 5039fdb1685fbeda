"""History of the last beats: rates, runs of ventricular beats, and time since the last beat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from model.beats.beat import Beat
from model.conditions.settings import MAX_BEATS
from stream.timebase import FS

AVERAGED_RR = 12
"""RR intervals averaged for the heart rate, without the longest and the shortest."""

SLOW_RR = 1.2 * FS
"""RR interval, samples. While the last `MIN_INTERVALS` are all longer, only they are averaged, so that a bradycardia is
detected earlier."""

MIN_RR = 72
"""Shortest RR interval, samples: 200 ms. Of two beats closer together, the first is discarded as a P wave or noise."""

SIMILAR = (0.7, 0.9)
"""Correlation from which a beat repeats the shape of the last one, and of the one before. More is required of the
second: with two to choose from, the beats of an artefact resemble one by chance more often."""

MIN_INTERVALS = 4
"""Smallest number of RR intervals for a heart rate."""


@dataclass(frozen=True, slots=True)
class BeatHistory:
    """Consecutive beats without a missed one in between.

    Attributes
    ----------
    silent_since : int
        Index since which no beat was detected: the last beat, or the sample at which the signal became usable after it.
    indexes : tuple of int
        R peaks of the last beats, at most `MAX_BEATS`.
    types : str
        Type of each of these beats, one letter each.
    repeats : str
        Which earlier shape each of these beats repeats: ``1`` that of the last beat, ``2`` only that of the one before,
        ``-`` neither.
    run : int
        Length of the current run of ventricular beats.
    run_start : int
        R peak of its first beat.
    beats_since_ventricular : int
        Beats since the last ventricular one.
    last_ventricular : int or None
        R peak of the last ventricular beat.
    heart_rate : float or None
        Heart rate at the last beat, 1/min.
    """

    silent_since: int
    indexes: tuple[int, ...] = ()
    types: str = ""
    repeats: str = ""
    run: int = 0
    run_start: int = 0
    beats_since_ventricular: int = 0
    last_ventricular: int | None = None
    heart_rate: float | None = None


def push(history: BeatHistory, beat: Beat) -> BeatHistory:
    """Push the next beat; if its RR interval is unknown, the history restarts with it."""
    connected = beat.rr is not None and bool(history.indexes)
    if connected and beat.index - history.indexes[-1] < MIN_RR:
        history = _remove_last(history)
        connected = bool(history.indexes)
    indexes = (*history.indexes[1 - MAX_BEATS :], beat.index) if connected else (beat.index,)
    types = (history.types[1 - MAX_BEATS :] if connected else "") + beat.type
    repeats = (history.repeats[1 - MAX_BEATS :] if connected else "") + _repeats(beat)
    ventricular = beat.type == "V"
    continues = ventricular and connected and history.run > 0
    return BeatHistory(
        silent_since=beat.index,
        indexes=indexes,
        types=types,
        repeats=repeats,
        run=history.run + 1 if continues else int(ventricular),
        run_start=history.run_start if continues else beat.index,
        beats_since_ventricular=0 if ventricular else history.beats_since_ventricular + 1,
        last_ventricular=beat.index if ventricular else history.last_ventricular,
        heart_rate=heart_rate(indexes),
    )


def _remove_last(history: BeatHistory) -> BeatHistory:
    """Remove the last beat, a false detection."""
    types = history.types[:-1]
    if history.types[-1] == "V":
        last = types.rfind("V")
        history = replace(
            history,
            run=max(history.run - 1, 0),
            beats_since_ventricular=len(types) - 1 - last,
            last_ventricular=history.indexes[last] if last >= 0 else None,
        )
    else:
        history = replace(
            history,
            run=len(types) - len(types.rstrip("V")),
            beats_since_ventricular=max(history.beats_since_ventricular - 1, 0),
        )
    return replace(history, indexes=history.indexes[:-1], types=types, repeats=history.repeats[:-1])


def _repeats(beat: Beat) -> str:
    for ago, (found, limit) in enumerate(zip(beat.resemblance, SIMILAR, strict=False), 1):
        if found >= limit:
            return str(ago)
    return "-"


def interrupt(history: BeatHistory, at: int) -> BeatHistory:
    """Restart the history after sample ``at``, because beats before it may have been missed."""
    return replace(
        BeatHistory(at + 1),
        beats_since_ventricular=history.beats_since_ventricular,
        last_ventricular=history.last_ventricular,
    )


def heart_rate(indexes: tuple[int, ...]) -> float | None:
    """Return the heart rate, 1/min: over the last 12 RR intervals without the longest and the shortest.

    The last 4 are averaged instead while each of them is longer than 1.2 s. With fewer than 12 intervals all are used;
    None with fewer than 4.
    """
    rr = [after - before for before, after in pairwise(indexes[-AVERAGED_RR - 1 :])]
    if len(rr) < MIN_INTERVALS:
        return None
    slow = rr[-MIN_INTERVALS:]
    if min(slow) > SLOW_RR:
        return 60 * FS * MIN_INTERVALS / sum(slow)
    return 60 * FS * (len(rr) - 2) / (sum(rr) - max(rr) - min(rr))


def mean_rate(history: BeatHistory, beats: int, extra_samples: int = 0, beats_ago: int = 0) -> float | None:
    """Return the mean rate over a number of beats, 1/min; None if the history is too short.

    Parameters
    ----------
    history : BeatHistory
    beats : int
        Number of beats.
    extra_samples : int
        Samples added to the time between the first and the last beat.
    beats_ago : int
        Number of latest beats to ignore.
    """
    if len(history.indexes) < beats + beats_ago:
        return None
    return (
        60 * FS * (beats - 1) / (history.indexes[-1 - beats_ago] - history.indexes[-beats - beats_ago] + extra_samples)
    )


def longest_rr(history: BeatHistory, beats: int) -> int:
    """Return the longest RR interval, samples, among the last ``beats`` beats; the history must have at least two."""
    return max(after - before for before, after in pairwise(history.indexes[-beats:]))


def ventricular_run_length(history: BeatHistory, beats: int, longest: float) -> int:
    """Return the length of the latest run of ``beats`` ventricular beats, which may include one beat of another type.

    One other beat is allowed because a beat of a run may be a fusion beat or misclassified. An RR interval above
    ``longest`` samples separates two runs. Returns 0 without such a run.
    """
    if history.run >= beats:
        return beats
    types = history.types[-beats - 1 :]
    broken = len(types) > beats and types[0] == types[-1] == "V" and types.count("V") == beats
    return beats + 1 if broken and longest_rr(history, beats + 1) <= longest else 0


def repeating_share(history: BeatHistory, beats: int, alternating: bool) -> float:
    """Return which share of the last ``beats`` beats, at least two, repeat the shape of the beat before.

    With ``alternating`` also that of the one before it. The first beat is not counted.
    """
    counted = "12" if alternating else "1"
    return sum(repeated in counted for repeated in history.repeats[1 - beats :]) / (beats - 1)


def rr_variability(history: BeatHistory) -> float | None:
    """Return the median absolute change between successive RR intervals over their mean, for the last 12 intervals.

    Intervals next to a ventricular beat are left out; None if fewer than 4 remain.
    """
    kept = [
        history.indexes[i] - history.indexes[i - 1]
        for i in range(max(1, len(history.indexes) - AVERAGED_RR), len(history.indexes))
        if "V" not in history.types[i - 1 : i + 1]
    ]
    if len(kept) < MIN_INTERVALS:
        return None
    changes = [abs(after - before) for before, after in pairwise(kept)]
    return median(changes) * len(kept) / sum(kept)
