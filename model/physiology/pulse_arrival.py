"""Pulse arrival time: from the R peak of the ECG to the foot of the pulse.

It contains the pre-ejection period of the heart and, in a plethysmogram, the delay of the device; its changes mean
more than its value (Mukkamala et al., "Toward ubiquitous blood pressure monitoring via pulse transit time", IEEE Trans
Biomed Eng 62, 2015).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.signal.arrays import FloatArray
from stream.timebase import FS

MIN_MS, MAX_MS = 60.0, 600.0
"""Interval after an R peak in which its pulse begins, ms."""

LIKE_MS = 60.0
"""Greatest distance of a pulse from the median, ms, to be like the others."""

MIN_PULSES, MIN_QUALITY = 5, 0.5
"""Pulses, and quality, that a value needs."""


@dataclass(frozen=True, slots=True)
class PulseArrival:
    """A pulse arrival time.

    Attributes
    ----------
    ms : float
        Median of the last pulses.
    quality : float
        Share of the R peaks, 0 to 1, with a pulse that arrives like the median.
    """

    ms: float
    quality: float


def pulse_arrival(r_peaks: FloatArray, feet: FloatArray) -> PulseArrival | None:
    """Return the pulse arrival time; None if too few R peaks have a pulse.

    Parameters
    ----------
    r_peaks, feet : ndarray, shape (n,) and (m,)
        Times in ascending order, samples of the session at 360 Hz.
    """
    if len(feet) < MIN_PULSES:
        return None
    earliest, latest = MIN_MS * FS / 1000, MAX_MS * FS / 1000
    beats = r_peaks[(r_peaks >= feet[0] - latest) & (r_peaks <= feet[-1] - earliest)]
    following = np.minimum(np.searchsorted(feet, beats + earliest), len(feet) - 1)
    delays = feet[following] - beats
    delays = delays[(delays >= earliest) & (delays <= latest)] * 1000 / FS
    if len(delays) < MIN_PULSES:
        return None
    median = float(np.median(delays))
    quality = float((np.abs(delays - median) <= LIKE_MS).sum()) / len(beats)
    return PulseArrival(median, quality) if quality >= MIN_QUALITY else None
