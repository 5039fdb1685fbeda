"""The utility of the Challenge 2019, by its published definition.

Reyna MA, Josef CS, Jeter R, et al. Early prediction of sepsis from clinical data. Crit Care Med 48(2):210-217, 2020.
The label begins 6 h before the onset of sepsis. An alarm earns most 6 h before the onset, less from 12 h before and
until 3 h after it; silence costs from 6 h before to 3 h after; an alarm costs 0.05 in every other hour.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from model.signal.arrays import BoolArray, FloatArray

EARLY_H, OPTIMAL_H, LATE_H = -12, -6, 3
"""Hours from the onset: where an alarm begins to earn, earns most, and where nothing counts any more."""

BEST, MISSED, FALSE_ALARM = 1.0, -2.0, -0.05
_LATE_WIDTH: Final = LATE_H - OPTIMAL_H


def hourly(label: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Return what an alarm and what silence is worth in each hour of one patient, shape (n,) each.

    Parameters
    ----------
    label : ndarray of bool, shape (n,)
    """
    n = len(label)
    if not label.any():
        return np.full(n, FALSE_ALARM), np.zeros(n)
    after = np.arange(n) - (int(np.argmax(label)) - OPTIMAL_H)
    rising = np.maximum(BEST * (after - EARLY_H) / (OPTIMAL_H - EARLY_H), FALSE_ALARM)
    alarm = np.where(after <= OPTIMAL_H, rising, BEST * (LATE_H - after) / _LATE_WIDTH)
    silence = np.where(after <= OPTIMAL_H, 0.0, MISSED * (after - OPTIMAL_H) / _LATE_WIDTH)
    counts = after <= LATE_H
    return np.where(counts, alarm, 0.0), np.where(counts, silence, 0.0)


def best(label: BoolArray) -> float:
    """Return the utility of the best alarms of one patient."""
    if not label.any():
        return 0.0
    onset = int(np.argmax(label)) - OPTIMAL_H
    alarm, silence = hourly(label)
    chosen = np.zeros(len(label), bool)
    chosen[max(0, onset + EARLY_H) : onset + LATE_H + 1] = True
    return float(np.where(chosen, alarm, silence).sum())


def normalized(gained: float, inaction: float, most: float) -> float:
    """Return sums over patients on the scale of the Challenge: 0 without any alarm, 1 for the best."""
    return (gained - inaction) / (most - inaction) if most > inaction else float("nan")
