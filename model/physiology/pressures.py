"""Pressures of the last pulses of an arterial wave, and the mean of any pressure.

Systolic pressure is the highest value of a pulse, diastolic the lowest before its upstroke, mean the average of the
wave over the whole cycle, from foot to foot. Each is the median of the last beats, so that one extrasystole or a
touched line does not change it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.physiology.pulse_waves import STALE_S, Pulses, cycles
from model.signal.arrays import FloatArray

BEATS = 8
"""Beats of which each value is the median."""

MIN_BEATS = 3
"""With fewer there are no systolic and diastolic pressures."""

MIN_PULSE_PRESSURE = {"abp": 10.0, "pap": 4.0}
"""Smallest pulse of a wave with beats, mmHg: below, the line is damped, flushed or disconnected."""

MIN_MMHG, MAX_MMHG = -50.0, 320.0
"""Range of a pressure transducer, mmHg; values outside are no pressures."""

MEAN_S = 4.0
"""Time over which the mean of a wave without beats is taken, s."""

MIN_VALID = 0.5
"""Share of valid samples below which there is no mean."""


@dataclass(frozen=True, slots=True)
class PulsePressure:
    """Pressures of the last beats.

    Attributes
    ----------
    systolic, diastolic, mean : float
        mmHg.
    quality : float
        Share of the last pulses, 0 to 1, whose pressures are plausible and like the median, within a quarter of the
        pulse pressure.
    age_s : float
        Time since the end of the last beat.
    """

    systolic: float
    diastolic: float
    mean: float
    quality: float
    age_s: float


@dataclass(frozen=True, slots=True)
class MeanPressure:
    """The mean of a pressure without regard to beats.

    Attributes
    ----------
    mean : float
        mmHg.
    quality : float
        Share of valid samples, 0 to 1.
    """

    mean: float
    quality: float


def pulse_pressure(wave: FloatArray, pulses: Pulses, fs: float, min_pulse: float) -> PulsePressure | None:
    """Return the pressures of the last beats; None without beats.

    Parameters
    ----------
    wave : ndarray, shape (n,), mmHg
        NaN where invalid.
    pulses : Pulses
        Its pulses.
    fs : float
        Hz.
    min_pulse : float
        Smallest pulse pressure of a beat, mmHg.
    """
    beats = cycles(pulses)[-BEATS:]
    plausible = []
    for number, first, stop in beats:
        low, high, mean = pulses.foot[number], pulses.peak[number], np.mean(wave[first:stop])
        if high - low >= min_pulse and low >= MIN_MMHG and high <= MAX_MMHG and np.isfinite(mean):
            plausible.append((high, low, mean))
    age = (len(wave) - beats[-1][2]) / fs if beats else np.inf
    if len(plausible) < MIN_BEATS or age > STALE_S:
        return None
    values = np.array(plausible)
    systolic, diastolic, mean = np.median(values, axis=0).tolist()
    like = np.abs(values[:, :2] - (systolic, diastolic)).max(axis=1) <= 0.25 * (systolic - diastolic)
    return PulsePressure(systolic, diastolic, mean, float(like.sum()) / len(beats), age)


def mean_pressure(wave: FloatArray, fs: float) -> MeanPressure | None:
    """Return the mean of the last seconds of a pressure, shape (n,), mmHg; None without enough valid samples."""
    n = round(MEAN_S * fs)
    last = wave[-n:]
    valid = last[(last >= MIN_MMHG) & (last <= MAX_MMHG)]
    if len(valid) < MIN_VALID * n:
        return None
    return MeanPressure(float(valid.mean()), len(valid) / n)
