"""Respiration rate and pause of breathing from an impedance or CO2 wave, by "advanced counting".

Schäfer and Kratky, "Estimation of breathing rate from respiratory sinus arrhythmia: comparison of various methods", Ann
Biomed Eng 36, 2008: the wave is band-pass filtered; maxima count from a share of the third quartile of all maxima on;
a breath is the interval between two such maxima with a minimum below zero between them. Their share of 0.2 is 0.3 here,
and their band of 0.1 to 0.5 Hz reaches to 0.7 Hz, 42/min: patients of intensive care breathe faster than volunteers.

The share alone would find breaths in any wave, also in what the heart leaves of it while breathing has stopped. So the
threshold has a floor too: a share of the maxima of breaths before, which is forgotten slowly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.signal import butter, sosfiltfilt

from model.physiology.gaps import filled
from model.signal.arrays import BoolArray, FloatArray, IntArray

BAND_HZ = (0.1, 0.7)
"""Pass band of the filter: 6 to 42/min."""

QUARTILE, SHARE = 0.75, 0.3
"""The threshold is this share of this quantile of the maxima."""

FLOOR = 0.2
"""Smallest threshold as a share of the level of the breaths before."""

FORGET_S = 120.0
"""Time in which that level halves, s, while breathing is smaller."""

MIN_S = 8.0
"""Shortest piece of a wave that is analysed, s."""

MIN_BREATHS, MIN_QUALITY = 2, 0.5
"""A rate needs so many breaths, or a slow one: of `PAUSE_S` to `SILENT_S`; and so much quality."""

PAUSE_S = 10.0
"""Time since the last breath from which breathing has paused, s."""

SILENT_S = 20.0
"""Time since the last breath from which there is no rate, s."""

MIN_VALID = 0.8
"""Share of valid samples below which there is no value."""

MIN_RANGE = 1e-3
"""Smallest range of a wave, in its unit: above the rounding of a flat one."""


@dataclass(frozen=True, slots=True)
class Breathing:
    """Breathing at the end of a piece of a wave.

    Attributes
    ----------
    rate : float or None
        1/min; None if it cannot be measured.
    pause_s : float or None
        Time since the last breath while breathing has paused, at most the duration of the piece; None while it goes
        on, or if it is not known.
    quality : float
        Share of the time, 0 to 1, in breaths like the median: between half and one and a half of its duration.
    age_s : float
        Time since the last breath.
    valid : float
        Share of valid samples, 0 to 1: the quality of a pause, in which there are no breaths to compare.
    breaths : ndarray of int64, shape (n,)
        Samples of the maxima of the breaths.
    """

    rate: float | None
    pause_s: float | None
    quality: float
    age_s: float
    valid: float
    breaths: IntArray


def breathing(wave: FloatArray, fs: float, level: float) -> tuple[Breathing | None, float]:
    """Return the breathing at the end of a piece of a wave, and the new level of the breaths.

    Parameters
    ----------
    wave : ndarray, shape (n,)
        The last seconds, NaN where invalid.
    fs : float
        Hz.
    level : float
        That of the second before; 0 at the beginning.

    Returns
    -------
    Breathing or None
        None if the wave is too short or invalid.
    level : float
        Usual maximum of a breath, in the unit of the wave.
    """
    values, invalid = filled(wave)
    valid = 1 - float(invalid.mean()) if len(values) else 0.0
    if len(values) < MIN_S * fs or valid < MIN_VALID:
        return None, level
    level *= 0.5 ** (1 / FORGET_S)
    smooth: FloatArray = sosfiltfilt(_band(fs), values - values.mean())
    at, is_maximum = _extrema(smooth)
    maxima = smooth[at[is_maximum]]
    maxima = maxima[maxima > 0]
    usual = float(np.quantile(maxima, QUARTILE)) if len(maxima) and np.ptp(values) >= MIN_RANGE else 0.0
    threshold = max(SHARE * usual, FLOOR * level)
    breaths = _breaths(smooth, at, is_maximum, threshold) if usual else np.empty(0, np.int64)
    return _described(breaths, len(values), fs, valid, known=level > 0), max(level, usual)


@lru_cache(maxsize=16)
def _band(fs: float) -> FloatArray:
    sos: FloatArray = butter(3, BAND_HZ, "bandpass", fs=fs, output="sos")
    return sos


def _extrema(smooth: FloatArray) -> tuple[IntArray, BoolArray]:
    """Return the samples of the extrema of a wave, in order, and which of them are maxima."""
    rises = np.diff(smooth) > 0
    at = np.flatnonzero(rises[1:] != rises[:-1]) + 1
    return at, rises[at - 1]


def _breaths(smooth: FloatArray, at: IntArray, is_maximum: BoolArray, threshold: float) -> IntArray:
    """Return the maxima above the threshold, of those without a minimum below zero between them the highest."""
    breaths: list[int] = []
    fallen = True
    for sample, maximum in zip(at.tolist(), is_maximum.tolist(), strict=True):
        value = smooth[sample]
        if not maximum:
            fallen = fallen or value < 0
        elif value >= threshold:
            if fallen:
                breaths.append(sample)
            elif value > smooth[breaths[-1]]:
                breaths[-1] = sample
            fallen = False
    return np.array(breaths, np.int64)


def _described(breaths: IntArray, n: int, fs: float, valid: float, *, known: bool) -> Breathing:
    """Return the breathing from the breaths in a piece of ``n`` samples; ``known``: there were breaths before."""
    seconds = n / fs
    age = (n - 1 - int(breaths[-1])) / fs if len(breaths) else seconds
    pause = age if age >= PAUSE_S and (known or len(breaths)) else None
    intervals = np.diff(breaths) / fs
    if not len(intervals):
        return Breathing(None, pause, 0.0, age, valid, breaths)
    median = float(np.median(intervals))
    like = intervals[(intervals >= 0.5 * median) & (intervals <= 1.5 * median)]
    quality = min(float(like.sum()) / max(seconds - median, median), 1.0)
    enough = len(intervals) >= MIN_BREATHS or PAUSE_S <= median < SILENT_S
    measurable = enough and quality >= MIN_QUALITY and age < SILENT_S
    rate = 60 / float(intervals.mean()) if measurable else math.nan
    return Breathing(rate if measurable else None, pause, quality, age, valid, breaths)
