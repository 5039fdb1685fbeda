"""Baseline wander and mains: a sine is added, one of less than 1 Hz as by breathing, or one of 50 or 60 Hz as by mains.

Breathing moves the baseline at 0.05 to 1 Hz, mostly below 0.5 Hz; mains couple into the leads at 50 or 60 Hz (Sörnmo L,
Laguna P. Bioelectrical Signal Processing in Cardiac and Neurological Applications. Academic Press 2005, 7.1 and 7.2).
"""

from __future__ import annotations

import numpy as np

from stream.injections.noise import Samples


def add(mv: Samples, since: int, fs: float, amplitude: float, hz: float) -> Samples:
    """Return one lead with a sine, which begins at zero.

    Parameters
    ----------
    mv : ndarray, shape (n,)
    since : int
        Samples from the start of the injection to the first one.
    fs : float
    amplitude : float
        Half of peak to peak, mV.
    hz : float
    """
    sine: Samples = mv + amplitude * np.sin(2 * np.pi * hz / fs * (since + np.arange(mv.size)))
    return sine
