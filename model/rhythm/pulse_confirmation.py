"""Whether a pulse that goes on contradicts a condition: then the ECG has missed beats, or shows artefact.

Only conditions without circulation, or with a slow one, are contradicted by beats that the pulse shows. Beats that it
lacks prove nothing: pulses drop out with early beats, movement and cold fingers. So no extreme tachycardia is
contradicted, and a run of ventricular beats only by a pulse that goes through it without any change: five early beats
in a row cannot leave each pulse at its time.

The pulse must go on from before the condition: then it is the patient's own, and no movement that began with it.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from model.signal.compiled import compiled, compiled_part
from model.signal.pulses import KEPT, REPORT_DELAY
from model.signal.small_arrays import median
from stream.timebase import FS

MIN_PULSES = 3
"""Trusted pulses since the onset that are required; one may belong to the last beat before it. Good plethysmograms of
the Challenge 2015, each followed by a disturbed one of another patient, passed for a pulse that goes on 4.25 s after
the change in 13 of 600 trials with three pulses, in 26 with two."""

FIBRILLATION_PULSES = 2
"""The same for fibrillation: it is detected 3 to 4 s after its onset, when fewer pulses are known, and lasts, so that
it is only reported later if the pulse stops."""

STEADY_BEFORE = 4
"""Pulses before the onset of a run that must be known to call a pulse steady."""

STEADY_DEVIATION = 0.1
"""Largest deviation of the intervals of a steady pulse from their median, as a share of it."""


PULSE: Final = np.dtype([("since", "i8"), ("known", "i8"), ("times", "i8", (KEPT,))], align=True)
"""The trusted pulse of a bed that goes on, see `model.signal.pulses.PulseStatus`.

since
    First of its pulses; -1 without a pulse.
known
    Number of its last pulses in the next field, oldest first.
times
    These pulses.
"""


@compiled
def goes_on(pulse: Any, since: int, pulses: int) -> bool:
    """Return whether a trusted pulse has gone on from before sample ``since`` until now, with so many pulses."""
    return 0 <= pulse.since <= since and _pulses_after(pulse, since) >= pulses


@compiled
def rate_since(pulse: Any, since: int) -> float:
    """Return the mean rate of the pulses since a beat, 1/min.

    NaN unless a trusted pulse has gone on from before the beat until now.
    """
    if not goes_on(pulse, since, MIN_PULSES):
        return math.nan
    n = _pulses_after(pulse, since)
    samples = int(pulse.times[pulse.known - 1] - pulse.times[pulse.known - n])
    return 60 * FS * (n - 1) / samples


@compiled
def steady_rate(pulse: Any, since: int, at: int) -> float:
    """Return the rate of a pulse that has not changed since a beat, 1/min.

    NaN if there are too few pulses before the beat, none after it, or one is early, late or overdue.

    Parameters
    ----------
    pulse : record
    since : int
        The beat.
    at : int
        Last sample of the present stride.
    """
    after = _pulses_after(pulse, since)
    first, last = pulse.known - after - STEADY_BEFORE, pulse.known - 1
    if after == 0 or first < 0:
        return math.nan
    intervals = np.empty(last - first)
    for i in range(first, last):
        intervals[i - first] = pulse.times[i + 1] - pulse.times[i]
    usual = median(intervals)
    allowed = STEADY_DEVIATION * usual
    for interval in intervals:
        if abs(interval - usual) > allowed:
            return math.nan
    overdue = at - REPORT_DELAY - pulse.times[last] > usual + allowed
    return math.nan if overdue else 60 * FS / usual


@compiled_part
def _pulses_after(pulse: Any, since: int) -> int:
    """Return the number of pulses after a sample."""
    n = 0
    for i in range(pulse.known):
        n += pulse.times[i] > since
    return n
