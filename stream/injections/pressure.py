"""A damped or disconnected line of an invasive pressure.

Catheter, tube and transducer are a second-order system of a natural frequency and a damping coefficient; clots, bubbles
and kinks lower the first and raise the second, and then systolic pressure reads too low, diastolic too high, and the
mean stays (Gardner RM. Direct blood pressure measurement: dynamic response requirements. Anesthesiology
1981;54:227-236). A line that is disconnected and open to the air shows 0 mmHg, without pulse.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stream.injections.noise import Samples

_MAX_SHARE = 0.4
"""Largest natural frequency as a share of the sampling rate; above, the wave contains nothing to be damped."""


class LineState(NamedTuple):
    """The last two samples at both ends of the line, newest first, mmHg."""

    input: tuple[float, float]
    output: tuple[float, float]


def damp(
    mmhg: Samples, fs: float, natural_hz: float, damping: float, state: LineState | None
) -> tuple[Samples, LineState]:
    """Return a pressure as it comes through the line, and the state of the line after it.

    Parameters
    ----------
    mmhg : ndarray, shape (n,)
        NaN where invalid: it stays invalid, and the line keeps its last pressure.
    fs, natural_hz : float
        Hz.
    damping : float
        Damping coefficient; 0.7 is the best one, below the line rings, above it is slow.
    state : LineState or None
        None at the start: the line rests at the first valid pressure.
    """
    # H(s) = ω² / (s² + 2ζωs + ω²) by the bilinear transformation, with the natural frequency kept.
    k = math.tan(math.pi * min(natural_hz / fs, _MAX_SHARE))
    gain = 1 / (1 + 2 * damping * k + k * k)
    b, a1, a2 = k * k * gain, 2 * (k * k - 1) * gain, (1 - 2 * damping * k + k * k) * gain
    valid = ~np.isnan(mmhg)
    if state is None:
        rest = float(mmhg[valid][0]) if valid.any() else 0.0
        state = LineState((rest, rest), (rest, rest))
    (x1, x2), (y1, y2) = state
    damped = np.full(mmhg.size, np.nan)
    for i, (value, known) in enumerate(zip(mmhg.tolist(), valid.tolist(), strict=True)):
        x = value if known else x1
        y = b * (x + 2 * x1 + x2) - a1 * y1 - a2 * y2
        x1, x2, y1, y2 = x, x1, y, y1
        if known:
            damped[i] = y
    return damped, LineState((x1, x2), (y1, y2))


def pulse_share(mmhg: Samples, fs: float, natural_hz: float, damping: float) -> float:
    """Return how much of the pulse of a pressure comes through the line, as a share of its height."""
    height, damped = (
        np.ptp(np.nanpercentile(values, (5, 95))) if np.isfinite(values).any() else 0.0
        for values in (mmhg, damp(mmhg, fs, natural_hz, damping, None)[0])
    )
    return float(damped / height) if height > 0 else 1.0


def disconnect(mmhg: Samples) -> Samples:
    """Return 0 mmHg, static."""
    return np.zeros_like(mmhg)
