"""Whether a pulse that goes on contradicts a condition: then the ECG has missed beats, or shows artefact.

Only conditions without circulation, or with a slow one, can be contradicted. A pulse that stops, or is slower than the
ECG, proves nothing: pulses drop out with early beats, movement and cold fingers. So no tachycardia is contradicted.

The pulse must go on from before the condition: then it is the patient's own, and no movement that began with it.
"""

from __future__ import annotations

from model.signal.pulses import PulseStatus
from stream.timebase import FS

MIN_PULSES = 2
"""Trusted pulses since the onset that are required: one may belong to the last beat before it."""

MIN_RATE_PULSES = 3
"""Fewest pulses for a rate."""


def goes_on(pulse: PulseStatus | None, since: int) -> bool:
    """Return whether a trusted pulse has gone on from before sample ``since`` until now."""
    return pulse is not None and pulse.since <= since and sum(at > since for at in pulse.times) >= MIN_PULSES


def rate_since(pulse: PulseStatus | None, since: int) -> float | None:
    """Return the mean rate of the pulses since a beat, 1/min.

    None unless a trusted pulse has gone on from before the beat until now and at least `MIN_RATE_PULSES` are known.
    """
    if pulse is None or not goes_on(pulse, since):
        return None
    times = [at for at in pulse.times if at > since]
    return 60 * FS * (len(times) - 1) / (times[-1] - times[0]) if len(times) >= MIN_RATE_PULSES else None
