"""Whether a pulse that goes on contradicts a condition: then the ECG has missed beats, or shows artefact.

Only conditions without circulation, or with a slow one, are contradicted by beats that the pulse shows. Beats that it
lacks prove nothing: pulses drop out with early beats, movement and cold fingers. So no extreme tachycardia is
contradicted, and a run of ventricular beats only by a pulse that goes through it without any change: five early beats
in a row cannot leave each pulse at its time.

The pulse must go on from before the condition: then it is the patient's own, and no movement that began with it.
"""

from __future__ import annotations

from itertools import pairwise
from statistics import median

from model.signal.pulses import REPORT_DELAY, PulseStatus
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


def goes_on(pulse: PulseStatus | None, since: int, pulses: int = MIN_PULSES) -> bool:
    """Return whether a trusted pulse has gone on from before sample ``since`` until now, with so many pulses."""
    return pulse is not None and pulse.since <= since and sum(at > since for at in pulse.times) >= pulses


def rate_since(pulse: PulseStatus | None, since: int) -> float | None:
    """Return the mean rate of the pulses since a beat, 1/min.

    None unless a trusted pulse has gone on from before the beat until now.
    """
    if pulse is None or not goes_on(pulse, since):
        return None
    times = [at for at in pulse.times if at > since]
    return 60 * FS * (len(times) - 1) / (times[-1] - times[0])


def steady_rate(pulse: PulseStatus | None, since: int, at: int) -> float | None:
    """Return the rate of a pulse that has not changed since a beat, 1/min.

    None if there are too few pulses before the beat, none after it, or one is early, late or overdue.

    Parameters
    ----------
    pulse : PulseStatus or None
    since : int
        The beat.
    at : int
        Last sample of the present stride.
    """
    if pulse is None or pulse.times[-1] <= since:
        return None
    after = sum(time > since for time in pulse.times)
    times = pulse.times[-after - STEADY_BEFORE :]
    if len(times) < after + STEADY_BEFORE:
        return None
    intervals = [later - earlier for earlier, later in pairwise(times)]
    usual = median(intervals)
    allowed = STEADY_DEVIATION * usual
    steady = all(abs(interval - usual) <= allowed for interval in intervals)
    overdue = at - REPORT_DELAY - times[-1] > usual + allowed
    return 60 * FS / usual if steady and not overdue else None
