"""Decides which peaks of the QRS energy are beats, as in Pan and Tompkins (IEEE Trans Biomed Eng 32:230, 1985).

A threshold lies between the level of the beats and that of the peaks between them; both follow the signal. Instead of a
search back, which would report beats too late, the threshold decays while a beat is overdue.

All parameters were chosen on MIT-BIH DS1 without records 201 and 208.
"""

from __future__ import annotations

import math

import numpy as np

from model.beats.qrs_energy import COMBINE_POWER
from model.beats.qrs_state import DECISION_DELAY, ENERGY_DELAY, HISTORY, RR_MEMORY, QrsState
from model.signal.arrays import FloatArray, IntArray
from model.signal.compiled import compiled_part
from model.signal.small_arrays import kth_smallest, shift

LATER_PEAK_RATIO = 1.15
"""Ratio above which a later peak within the decision delay rejects a candidate; a wide QRS has several equal peaks."""

MIN_THRESHOLD, MIN_CANDIDATE = 0.13, 0.75 * 0.13
"""Lowest threshold, and lowest height of a candidate, from which the noise level is learnt; in QRS sizes of the
leads."""

MIN_PEAK, MAX_LATER_PEAK = MIN_CANDIDATE**COMBINE_POWER, LATER_PEAK_RATIO**COMBINE_POWER
"""The lowest candidate and the ratio of the later peak, to the power of the heights."""

THRESHOLD_SHARE, NOISE_WEIGHT = 0.3, 0.7
"""Position of the threshold between noise and beat level, and factor of the noise level, which also includes missed
beats."""

BLANKING_PERIOD = 45
"""Samples after a beat in which no other beat is accepted: 125 ms."""

REFRACTORY_PERIOD, REFRACTORY_RATIO = 72, 1.2
"""Samples after a beat in which another is accepted only if it is higher by this ratio: then the first was a P wave."""

MAX_P_QRS = 86
"""Longest time from a P wave to its QRS, samples."""

T_WAVE_WINDOW, T_WAVE_SHARE = 110, 0.7
"""Samples after a beat in which a T wave may occur, and share of the height of that beat that another must reach
there."""

EARLY_RR, EARLY_FACTOR = 0.85, 1.15
"""Share of the usual RR interval before which a beat is early, and factor of the threshold there."""

SLOW_RR, SLOW_FACTOR = 400, 0.9
"""Usual RR interval, samples, from which the second value replaces `EARLY_FACTOR`: T waves end earlier, and low early
beats were missed. A smaller factor would detect blocked P waves as beats."""

OVERDUE_RR, THRESHOLD_DECAY = 1.3, 0.5
"""Number of usual RR intervals after which a beat is overdue, and decay rate of the threshold per further one."""

MIN_DECAY_FACTOR, LOW_NOISE_SHARE = 0.8, 0.2
"""Lower bound of the decay while the noise level is below this share of the beat level, so that P waves in a pause are
not detected as beats. With more noise there is no bound, because the beat level may have been learnt from noise."""

MAX_RR = 720
"""Longest RR interval in the usual RR, samples; a longer one is a pause or a gap."""

P_WAVE_SHARE, P_WAVE_SLOPE_RATIO = 0.9, 1.15
"""Share of the beat level below which a candidate may be a P wave, and ratio by which a steeper slope within the
decision delay confirms that."""

OWN_SLOPES, LATER_SLOPES = (-17, 22), 37
"""Samples from the R peak to the ends of the first and last slope of the candidate, and of the first slope after it."""

BEAT_RATE, OVERDUE_BEAT_RATE = 0.125, 0.4
"""Learning rate of the beat level, and for an overdue beat: the amplitude may have changed."""

NOISE_RATE, P_WAVE_RATE = 0.04, 0.3
"""Learning rate of the noise level, and for a beat that turned out to be a P wave."""


@compiled_part
def candidate(heights: FloatArray, i: int) -> float:
    """Return the height of the energy peak `DECISION_DELAY` before sample ``i`` of the last stride, in QRS sizes.

    It is 0 if there is no peak, or if a much higher one follows.
    """
    k = i + 1
    height = heights[k]
    if not (heights[k - 1] < height >= heights[k + 1] and height > MIN_PEAK):
        return 0.0
    highest = height
    for later in range(k + 1, k + DECISION_DELAY + 1):
        if heights[later] > MAX_LATER_PEAK * height:
            return 0.0
        highest = max(highest, heights[later])
    return float(highest ** (1 / COMBINE_POWER))


@compiled_part
def decide(state: QrsState, slot: int, i: int, height: float) -> float:
    """Decide about the candidate `DECISION_DELAY` before sample ``i`` of the last stride, and learn from it.

    Returns
    -------
    float
        Strength of the beat there, below 1 if there is none.
    """
    peak = state.end[slot] + i - DECISION_DELAY
    rr = MAX_RR if state.last_peak[slot] < 0 else peak - state.last_peak[slot]
    last_height = state.last_height[slot]
    if rr < BLANKING_PERIOD or (rr < REFRACTORY_PERIOD and height < REFRACTORY_RATIO * last_height):
        return 0.0
    beat, noise = state.beat_level[slot], state.noise_level[slot]
    usual_rr = kth_smallest(state.rr[slot].astype(np.float64), RR_MEMORY // 2)
    strength: float = height / max(_threshold(beat, noise, last_height, rr, usual_rr), noise, MIN_THRESHOLD)
    if strength < 1:
        state.noise_level[slot] += NOISE_RATE * (min(height, beat) - noise)
        return strength
    if height < P_WAVE_SHARE * beat and _steeper_follows(state.samples[slot], i, state.size[slot], state.weight[slot]):
        return 0.0
    last_was_p_wave = rr < MAX_P_QRS and height > REFRACTORY_RATIO * last_height
    if last_was_p_wave:
        state.noise_level[slot] += P_WAVE_RATE * (min(last_height, beat) - noise)
    _learn_rr(state.rr[slot], state.rr_before[slot], rr, last_was_p_wave)
    rate = OVERDUE_BEAT_RATE if rr > OVERDUE_RR * usual_rr else BEAT_RATE
    state.beat_level[slot] += rate * (min(height, 2 * beat) - beat)
    state.last_peak[slot], state.last_height[slot] = peak, height
    return strength


@compiled_part
def _learn_rr(rr: IntArray, rr_before: IntArray, new: int, last_was_p_wave: bool) -> None:
    """Append an RR interval, in place; if the last beat was the P wave of this one, it replaces that of the last."""
    if last_was_p_wave:
        new += rr[-1]
    for k in range(RR_MEMORY):
        if last_was_p_wave:
            rr[k] = rr_before[k]
        else:
            rr_before[k] = rr[k]
    if new < MAX_RR:
        shift(rr, 1)
        rr[-1] = new


@compiled_part
def _threshold(beat: float, noise: float, last_height: float, rr: int, usual_rr: float) -> float:
    """Return the threshold between noise and beat level, ``rr`` samples after the last beat."""
    floor = NOISE_WEIGHT * noise
    threshold = floor + THRESHOLD_SHARE * max(beat - floor, 0.0)
    if rr < T_WAVE_WINDOW:
        return max(threshold, T_WAVE_SHARE * last_height)
    if rr < EARLY_RR * usual_rr:
        return threshold * (EARLY_FACTOR if usual_rr < SLOW_RR else SLOW_FACTOR)
    if rr > OVERDUE_RR * usual_rr:
        minimum = MIN_DECAY_FACTOR if noise < LOW_NOISE_SHARE * beat else 0.0
        return threshold * max(math.exp(-THRESHOLD_DECAY * (rr / usual_rr - OVERDUE_RR)), minimum)
    return threshold


@compiled_part
def _steeper_follows(samples: FloatArray, i: int, size: FloatArray, weight: FloatArray) -> bool:
    """Return whether a later slope is steeper than that of the candidate, which is then a P wave."""
    centre = HISTORY + i - DECISION_DELAY - ENERGY_DELAY
    own = later = 0.0
    for last in range(centre + OWN_SLOPES[0], centre + OWN_SLOPES[1] + 1):
        own = max(own, _slope(samples, last, size, weight))
    for last in range(centre + LATER_SLOPES, HISTORY + i + 1):
        later = max(later, _slope(samples, last, size, weight))
    return later > P_WAVE_SLOPE_RATIO**2 * own


@compiled_part
def _slope(samples: FloatArray, last: int, size: FloatArray, weight: FloatArray) -> float:
    """Return the squared slope over 8 samples of the averages of 4, up to sample ``last``; mean of the leads."""
    slope = 0.0
    for lead in range(len(size)):
        x = samples[lead, last - 11 : last + 1]
        rise = (x[8] + x[9] + x[10] + x[11]) - (x[0] + x[1] + x[2] + x[3])
        slope += (rise / size[lead]) ** 2 * weight[lead]
    return slope
