"""Perfusion index: the size of the pulses of a plethysmogram as a share of its baseline, %.

That of an oximeter is the ratio of the pulsatile to the constant part of the absorbed light (Lima, Beelen and Bakker,
"Use of a peripheral perfusion index derived from the pulse oximetry signal as a noninvasive indicator of perfusion",
Crit Care Med 30, 2002). Most recordings and displays contain the pulsatile part alone, scaled at will: their ratio is
far above any index, and means nothing.
"""

from __future__ import annotations

import numpy as np

from model.physiology.pulse_waves import Pulses

MAX_PERCENT = 20.0
"""Largest index that an oximeter shows, %; a wave with a greater ratio has no baseline."""

PULSES = 8
"""Pulses of which the index is the median."""


def perfusion_index(pulses: Pulses) -> float | None:
    """Return the perfusion index of the last pulses of a plethysmogram, %; None if the wave has no baseline."""
    foot, peak = pulses.foot[-PULSES:], pulses.peak[-PULSES:]
    if not len(foot) or foot.min() <= 0:
        return None
    index = float(np.median((peak - foot) / foot)) * 100
    return index if index <= MAX_PERCENT else None
