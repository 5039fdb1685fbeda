"""The plethysmogram of a cold or shocked patient, and of an arm whose cuff is inflated.

*Poor perfusion*: the pulse becomes a small share of the light, the perfusion index falls as much, and what is left of
other light and motion shows (Lima A, Bakker J. Noninvasive monitoring of peripheral perfusion. Intensive Care Med
2005;31:1316-1326). SpO2 stays: a device reports it as long as it finds a pulse.

*Cuff inflation*: a cuff on the arm of the sensor takes the pulse away, from when it exceeds systolic pressure until it
is deflated, about 30 s (Ramsey M. Blood pressure monitoring: automated oscillometric devices. J Clin Monit
1991;7:56-67).
"""

from __future__ import annotations

import numpy as np

from stream.injections.noise import Samples, Spectrum, noise

NOISE: Spectrum = ((0.5, 0.0), (10.0, 0.0))
"""Flat in the band of a pulse oximeter, 0.5 to 10 Hz."""

NOISE_SHARE = 0.01
"""Root mean square of what is not pulse, as a share of the undisturbed peak-to-peak pulse: little at a normal one, half
of what is left at 2 % of it."""

RISE_S, FALL_S = 3.0, 5.0
"""Time in which an inflating cuff takes the pulse away, and in which a deflating one gives it back, s."""


def poor_perfusion(
    values: Samples, first: int, fs: float, factor: float, centre: float, amplitude: float, seed: int
) -> Samples:
    """Return a plethysmogram with a weaker pulse.

    Parameters
    ----------
    values : ndarray, shape (n,)
    first : int
        Index of its first sample.
    fs : float
    factor : float
        Of the pulse, 0 to 1.
    centre, amplitude : float
        About which it is weakened, and the undisturbed peak-to-peak pulse, in the unit of the wave.
    seed : int
    """
    light = NOISE_SHARE * amplitude * noise(NOISE, seed, first, values.size, fs)
    return centre + factor * (values - centre) + light


def cuff_inflation(values: Samples, since: int, fs: float, seconds: float, centre: float) -> Samples:
    """Return a plethysmogram while a cuff is inflated and deflated.

    Parameters
    ----------
    values : ndarray, shape (n,)
    since : int
        Samples from the start of the inflation to the first one.
    fs : float
    seconds : float
        From the start of the inflation to the end of the deflation.
    centre : float
        What is left without pulse.
    """
    time_s = (since + np.arange(values.size)) / fs
    passing = np.maximum(1 - time_s / RISE_S, (time_s - (seconds - FALL_S)) / FALL_S)
    return centre + np.clip(passing, 0, 1) * (values - centre)
