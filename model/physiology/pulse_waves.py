"""The pulses in the last seconds of a plethysmogram or a pressure, and the pulse rate.

A pulse is a maximum of the slope sum, the rise of the wave within a sixth of a second (Zong, Heldt, Moody and Mark,
"An open-source algorithm to detect onset of arterial blood pressure pulses", Computers in Cardiology 30, 2003). Of
maxima that are closer than half of the usual interval the highest counts: so a dicrotic wave is no pulse. The foot of a
pulse is where the tangent of the steepest rise meets the level of the lowest value before it (Gaddum, Alastruey,
Beerbaum, Chowienczyk and Schaeffter, "A technical assessment of pulse wave velocity algorithms", Ann Biomed Eng 41,
2013).

Here all pulses count, also the weak ones of an arrhythmia; `model.signal.pulse_detector` is stricter: it names pulses
that contradict an alarm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.signal import find_peaks

from model.physiology.gaps import filled
from model.signal.arrays import BoolArray, FloatArray, IntArray

SMOOTH_S = 1 / 8
"""Hann window with which a wave is smoothed, s: half of the amplitude at 8 Hz; an upstroke has no power beyond."""

SLOPE_S = 0.17
"""Window of the slope sum, s."""

STRONG, WEAK = 0.6, 0.4
"""A pulse has at least the second share of the usual slope sum. The usual interval is that of pulses with the first."""

MIN_INTERVAL_S = 60 / 220
"""Shortest interval between pulses, s."""

CLOSE = 0.5
"""Share of the usual interval within which only the highest maximum is a pulse."""

MAX_FOOT_S, MAX_PEAK_S = 0.4, 0.25
"""Longest time from the foot to the maximum of the slope sum, and from there to the peak, s."""

PAUSE = 1.5
"""An interval longer than so many medians is a pause or a missed pulse: monitors average the others."""

MIN_INTERVALS, MIN_QUALITY = 4, 0.7
"""A rate needs so many intervals, and so much quality."""

STALE_S = 3.0
"""Time after the last pulse from which there is no rate, s: 20/min."""

MIN_SAMPLES = 32
"""Samples without which nothing is looked for: fewer than the filter needs."""


class Pulses(NamedTuple):
    """The pulses in a piece of a wave, in order.

    Attributes
    ----------
    at : ndarray of int64, shape (n,)
        Sample of the largest slope sum: the end of the upstroke.
    foot_at : ndarray, shape (n,)
        The foot, in samples, between them.
    foot, peak : ndarray, shape (n,)
        Lowest value before the upstroke, and highest value after it, in the unit of the wave.
    rise_share : ndarray, shape (n,)
        Share, 0 to 1, of all that the wave has risen since the pulse before that is this upstroke.
    """

    at: IntArray
    foot_at: FloatArray
    foot: FloatArray
    peak: FloatArray
    rise_share: FloatArray


@dataclass(frozen=True, slots=True)
class PulseRate:
    """A pulse rate.

    Attributes
    ----------
    per_min : float
        1/min.
    quality : float
        Share of the time, 0 to 1, in intervals like the median: between two thirds and one and a half of it.
    age_s : float
        Time since the last pulse.
    """

    per_min: float
    quality: float
    age_s: float


def find_pulses(wave: FloatArray, fs: float, min_height: float) -> Pulses:
    """Return the pulses of a piece of a wave.

    Parameters
    ----------
    wave : ndarray, shape (n,)
        NaN where invalid.
    fs : float
        Hz.
    min_height : float
        Smallest rise of a pulse, in the unit of the wave.
    """
    nothing = Pulses(np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0), np.empty(0))
    values, invalid = filled(wave)
    if len(values) < MIN_SAMPLES or invalid.all():
        return nothing
    smooth = _smoothed(values, fs)
    window = max(round(SLOPE_S * fs), 1)
    risen = np.concatenate([np.zeros(window), np.cumsum(np.maximum(smooth[1:] - smooth[:-1], 0.0)), [0.0]])
    slope_sum = risen[window:-1] - risen[: -1 - window]
    found, _ = find_peaks(slope_sum, distance=max(round(0.75 * MIN_INTERVAL_S * fs), 1))
    found = found[(slope_sum[found] >= min_height) & _valid_around(found, invalid, window)]
    at = _chosen(found.astype(np.int64), slope_sum[found], fs)
    return _described(at, values, smooth, fs, _rise_share(at, risen[window:], slope_sum)) if len(at) else nothing


def _rise_share(at: IntArray, risen: FloatArray, slope_sum: FloatArray) -> FloatArray:
    """Return `Pulses.rise_share`, given all that the wave has risen up to each sample."""
    since = np.diff(risen[at], prepend=risen[0])
    share: FloatArray = np.minimum(slope_sum[at] / np.maximum(since, slope_sum[at]), 1.0)
    return share


def pulse_rate(pulses: Pulses, n: int, fs: float, min_rise_share: float = 0.0) -> PulseRate | None:
    """Return the rate of the pulses of a piece of ``n`` samples; None without a pulse that goes on.

    Parameters
    ----------
    pulses : Pulses
    n : int
    fs : float
        Hz.
    min_rise_share : float
        Smallest median of `Pulses.rise_share`: the "pulses" of a noise have less.
    """
    intervals = np.diff(pulses.at) / fs
    if len(intervals) < MIN_INTERVALS or float(np.median(pulses.rise_share[1:])) < min_rise_share:
        return None
    median = float(np.median(intervals))
    followed = intervals[intervals <= PAUSE * median]
    age = (n - 1 - int(pulses.at[-1])) / fs
    quality = min(float(followed[followed >= median / PAUSE].sum()) / (n / fs - median), 1.0)
    if age > STALE_S or quality < MIN_QUALITY:
        return None
    return PulseRate(60 / float(followed.mean()), quality, age)


def _smoothed(values: FloatArray, fs: float) -> FloatArray:
    kernel = _kernel(fs)
    edge = len(kernel) // 2
    padded = np.concatenate([np.full(edge, values[0]), values, np.full(edge, values[-1])])
    return np.convolve(padded, kernel, mode="valid")


@lru_cache(maxsize=16)
def _kernel(fs: float) -> FloatArray:
    half = max(round(SMOOTH_S * fs / 2), 1)
    window: FloatArray = np.hanning(2 * half + 1)
    kernel: FloatArray = window / window.sum()
    return kernel


def _valid_around(found: IntArray, invalid: BoolArray, window: int) -> BoolArray:
    """Return whether all samples of the upstroke of each maximum are valid."""
    count = np.concatenate([[0], np.cumsum(invalid)])
    first, stop = np.maximum(found - window, 0), np.minimum(found + window // 2, len(invalid))
    result: BoolArray = count[stop] == count[first]
    return result


def _chosen(at: IntArray, height: FloatArray, fs: float) -> IntArray:
    """Return the maxima of the slope sum that are pulses."""
    if len(at) < 2:
        return at
    usual = float(np.median(height[height >= STRONG * np.percentile(height, 90)]))
    strong = at[height >= STRONG * usual]
    interval = float(np.median(np.diff(strong))) if len(strong) > 1 else 0.0
    close = max(MIN_INTERVAL_S * fs, CLOSE * interval)
    pulses: list[int] = []
    for i in np.argsort(-height, kind="stable")[: int((height >= WEAK * usual).sum())]:
        if not pulses or np.abs(at[i] - np.array(pulses)).min() >= close:
            pulses.append(int(at[i]))
    return np.array(sorted(pulses), np.int64)


def _described(at: IntArray, values: FloatArray, smooth: FloatArray, fs: float, rise_share: FloatArray) -> Pulses:
    """Return the pulses with their feet and peaks."""
    slopes = smooth[1:] - smooth[:-1]
    before, after, ends = round(MAX_FOOT_S * fs), round(MAX_PEAK_S * fs) + 1, at.tolist()
    rows = []
    for last, now, following in zip([0, *ends], ends, [*ends[1:], len(values)], strict=False):
        first = max(last, now - before)
        low = first + int(values[first : now + 1].argmin())
        peak = values[now : min(following, now + after)].max()
        rows.append((_foot(smooth, slopes, low, now), values[low], peak))
    foot_at, foot, highest = np.array(rows).T
    return Pulses(at, foot_at, foot, highest, rise_share)


def _foot(smooth: FloatArray, slopes: FloatArray, low: int, now: int) -> float:
    """Return where the tangent of the steepest rise between two samples meets the level of the first."""
    if low == now:
        return float(low)
    steepest = low + int(slopes[low:now].argmax())
    slope = float(slopes[steepest])
    height = float(smooth[steepest] + smooth[steepest + 1]) / 2 - float(smooth[low])
    return max(steepest + 0.5 - height / slope, float(low)) if slope > 0 else float(low)


def cycles(pulses: Pulses) -> list[tuple[int, int, int]]:
    """Return the number of each pulse that another follows without a pause, and first and last sample of its cycle."""
    intervals = np.diff(pulses.at)
    if not len(intervals):
        return []
    longest = PAUSE * float(np.median(intervals))
    feet = [math.floor(foot) for foot in pulses.foot_at.tolist()]
    pairs = enumerate(pairwise(feet))
    return [(i, first, stop) for i, (first, stop) in pairs if intervals[i] <= longest and stop > first]
