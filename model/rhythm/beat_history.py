"""History of the last beats: rates, runs of ventricular beats, and time since the last beat."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from model.beats.beat import VENTRICULAR
from model.conditions.settings import MAX_BEATS
from model.signal import columns
from model.signal.arrays import FloatArray
from model.signal.compiled import compiled, compiled_part
from model.signal.small_arrays import median
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

PAUSE_RR = 4 * FS
"""RR interval from which it is a pause and no rate, samples: as long as an asystole."""

MISSED_BEATS = 8
"""Missed beats that are kept."""

BEAT_HISTORY: Final = np.dtype(
    [
        ("silent_since", "i8"),
        ("known", "i8"),
        ("r_peaks", "i8", (MAX_BEATS,)),
        ("kinds", "i8", (MAX_BEATS,)),
        ("repeats", "i8", (MAX_BEATS,)),
        ("run", "i8"),
        ("run_start", "i8"),
        ("beats_since_ventricular", "i8"),
        ("last_ventricular", "i8"),
        ("heart_rate", "f8"),
        ("missed", "i8", (MISSED_BEATS,)),
        ("known_missed", "i8"),
    ],
    align=True,
)
"""Consecutive beats of a bed without a missed one in between.

silent_since
    Index since which no beat was detected: the last beat, or the sample at which the signal became usable after it.
known
    Number of beats in the next three fields, oldest first.
r_peaks
    R peaks of the last beats.
kinds
    Type of each of these beats, index in `model.beats.beat.KINDS`.
repeats
    Which earlier shape each of these beats repeats: 1 that of the last beat, 2 only that of the one before, 0 neither.
run
    Length of the current run of ventricular beats.
run_start
    R peak of its first beat.
beats_since_ventricular
    Beats since the last ventricular one.
last_ventricular
    R peak of the last ventricular beat; -1 without one.
heart_rate
    Heart rate at the last beat, 1/min; NaN if unknown.
missed
    R peaks of the last missed beats, ``known_missed`` of them, oldest first; they are no beats of the history.
"""


def begin(history: Any, start: int) -> None:
    """Begin a history, of zeros, before the first sample, which has index ``start``."""
    history.silent_since, history.last_ventricular, history.heart_rate = start, -1, math.nan


@compiled_part
def push(history: Any, r_peak: int, kind: int, rr: int, resemblance: FloatArray) -> None:
    """Push the next beat; if its RR interval is unknown, -1, the history restarts with it."""
    connected = rr >= 0 and history.known > 0
    if connected and r_peak - history.r_peaks[history.known - 1] < MIN_RR:
        _remove_last(history)
        connected = history.known > 0
    known = history.known if connected else 0
    columns.push(history.r_peaks, known, r_peak)
    columns.push(history.kinds, known, kind)
    history.known = columns.push(history.repeats, known, _repeats(resemblance))
    history.silent_since = r_peak
    ventricular = kind == VENTRICULAR
    if not (ventricular and connected and history.run > 0):
        history.run, history.run_start = 0, r_peak
    if ventricular:
        history.run += 1
        history.beats_since_ventricular, history.last_ventricular = 0, r_peak
    else:
        history.beats_since_ventricular += 1
    history.heart_rate = heart_rate(history)


@compiled_part
def push_missed(history: Any, r_peak: int) -> None:
    """Push the next missed beat."""
    history.known_missed = columns.push(history.missed, history.known_missed, r_peak)


@compiled_part
def missed_beats(history: Any, since: int) -> int:
    """Return the number of missed beats after a sample; those closer together than `MIN_RR` are one."""
    n, last = 0, since
    for i in range(history.known_missed):
        if history.missed[i] - last >= MIN_RR:
            n, last = n + 1, history.missed[i]
    return n


@compiled_part
def _remove_last(history: Any) -> None:
    """Remove the last beat, a false detection."""
    known, kinds = history.known - 1, history.kinds
    history.known = known
    if kinds[known] == VENTRICULAR:
        last = known - 1
        while last >= 0 and kinds[last] != VENTRICULAR:
            last -= 1
        history.run = max(history.run - 1, 0)
        history.beats_since_ventricular = known - 1 - last
        history.last_ventricular = history.r_peaks[last] if last >= 0 else -1
    else:
        run = 0
        while run < known and kinds[known - 1 - run] == VENTRICULAR:
            run += 1
        history.run = run
        history.beats_since_ventricular = max(history.beats_since_ventricular - 1, 0)


@compiled_part
def _repeats(resemblance: FloatArray) -> int:
    for ago in range(len(SIMILAR)):
        if resemblance[ago] >= SIMILAR[ago]:
            return ago + 1
    return 0


@compiled
def interrupt(history: Any, at: int) -> None:
    """Restart the history after sample ``at``, because beats before it may have been missed."""
    history.silent_since = at + 1
    history.known, history.run, history.run_start = 0, 0, 0
    history.heart_rate = math.nan


@compiled_part
def rr(history: Any, beats_ago: int) -> int:
    """Return the RR interval before the last beat, samples, or before an earlier one."""
    last = history.known - 1 - beats_ago
    return int(history.r_peaks[last] - history.r_peaks[last - 1])


@compiled_part
def r_peak(history: Any, beats: int) -> int:
    """Return the R peak of the first one of the last ``beats`` beats."""
    return int(history.r_peaks[history.known - beats])


@compiled_part
def heart_rate(history: Any) -> float:
    """Return the heart rate, 1/min: over the last 12 RR intervals without the longest and the shortest.

    The last 4 are averaged instead while each of them is longer than 1.2 s. Pauses are left out. With fewer than 12
    intervals all are used; NaN with fewer than 4.
    """
    n, total, longest, shortest, total_of_last, shortest_of_last = 0, 0, 0, PAUSE_RR, 0, 0
    for beats_ago in range(min(history.known - 1, AVERAGED_RR)):
        interval = rr(history, beats_ago)
        if interval >= PAUSE_RR:
            continue
        n, total = n + 1, total + interval
        longest, shortest = max(longest, interval), min(shortest, interval)
        if n == MIN_INTERVALS:
            total_of_last, shortest_of_last = total, shortest
    if n < MIN_INTERVALS:
        return math.nan
    if shortest_of_last > SLOW_RR:
        return float(60 * FS * MIN_INTERVALS / total_of_last)
    return float(60 * FS * (n - 2) / (total - longest - shortest))


@compiled_part
def beats_since_pause(history: Any, pause: float) -> int:
    """Return the number of last beats between which no RR interval reaches ``pause`` samples."""
    known = int(history.known)
    beats = min(known, 1)
    while beats < known and rr(history, beats - 1) < pause:
        beats += 1
    return beats


@compiled_part
def mean_rate(history: Any, beats: int, extra_samples: int, beats_ago: int) -> float:
    """Return the mean rate over a number of beats, 1/min; NaN if the history is too short.

    Parameters
    ----------
    history : record
    beats : int
        Number of beats.
    extra_samples : int
        Samples added to the time between the first and the last beat.
    beats_ago : int
        Number of latest beats to ignore.
    """
    if history.known < beats + beats_ago:
        return math.nan
    samples = r_peak(history, 1 + beats_ago) - r_peak(history, beats + beats_ago)
    return 60 * FS * (beats - 1) / (samples + extra_samples)


@compiled_part
def longest_rr(history: Any, beats: int) -> int:
    """Return the longest RR interval, samples, among the last ``beats`` beats; the history must have so many."""
    longest = 0
    for beats_ago in range(beats - 1):
        longest = max(longest, rr(history, beats_ago))
    return longest


@compiled_part
def ventricular_run_length(history: Any, beats: int, longest: float) -> int:
    """Return the length of the latest run of ``beats`` ventricular beats, which may include one beat of another type.

    One other beat is allowed because a beat of a run may be a fusion beat or misclassified. An RR interval above
    ``longest`` samples separates two runs. Returns 0 without such a run.
    """
    if history.run >= beats:
        return beats
    kinds, first, last = history.kinds, history.known - beats - 1, history.known - 1
    if first < 0 or kinds[first] != VENTRICULAR or kinds[last] != VENTRICULAR:
        return 0
    ventricular = 0
    for i in range(first, last + 1):
        ventricular += kinds[i] == VENTRICULAR
    return beats + 1 if ventricular == beats and longest_rr(history, beats + 1) <= longest else 0


@compiled_part
def repeating_share(history: Any, beats: int, alternating: bool) -> float:
    """Return which share of the last ``beats`` beats, at least two, repeat the shape of the beat before.

    With ``alternating`` also that of the one before it. The first beat is not counted.
    """
    repeating = 0
    for i in range(max(history.known - beats + 1, 0), history.known):
        repeats = history.repeats[i]
        repeating += repeats == 1 or (alternating and repeats == 2)
    return repeating / (beats - 1)


@compiled_part
def rr_variability(history: Any) -> float:
    """Return the median absolute change between successive RR intervals over their mean, for the last 12 intervals.

    Intervals next to a ventricular beat are left out; NaN if fewer than 4 remain.
    """
    changes, kept, total, before, kinds = np.empty(AVERAGED_RR), 0, 0, 0, history.kinds
    for i in range(max(1, history.known - AVERAGED_RR), history.known):
        if kinds[i - 1] != VENTRICULAR and kinds[i] != VENTRICULAR:
            interval = history.r_peaks[i] - history.r_peaks[i - 1]
            if kept:
                changes[kept - 1] = abs(interval - before)
            kept, total, before = kept + 1, total + interval, interval
    return median(changes[: kept - 1]) * kept / total if kept >= MIN_INTERVALS else math.nan
