"""Streaming QRS detector for one or two leads.

Peaks of the combined energy of the leads are candidates. 100 ms after a candidate, if no much higher peak has followed,
adaptive thresholds between signal and noise level decide, as in Pan and Tompkins (IEEE Trans Biomed Eng 32:230, 1985).
Instead of a search back, which would report beats too late, the threshold decays while a beat is overdue.

All parameters were chosen on MIT-BIH DS1 without records 201 and 208. The time of each decision depends only on the
sample count, and the decision only on earlier samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from model.beats import qrs_energy
from model.beats.qrs_energy import BAND_SOS, BLOCK, COMBINE_POWER, ENERGY_WINDOW, Leads
from model.signal.arrays import BoolArray, FloatArray
from model.signal.iir_filter import sosfilt
from model.signal.intake import Strides

ENERGY_DELAY = 28
"""Samples from an R peak to the peak of its energy: delay of the filter and of half the window."""

DECISION_DELAY = 36
"""Samples from the energy peak to the decision: 100 ms."""

LATER_PEAK_RATIO = 1.15
"""Ratio above which a later peak within the decision delay rejects a candidate; a wide QRS has several equal peaks."""

MAX_REPORT_DELAY = 72
"""Longest delay from the R peak to the decision, samples: 200 ms."""

MAX_R_PEAK_LAG = 16
"""Largest delay of an R peak after the centre of its energy, samples. The largest advance follows from
`MAX_REPORT_DELAY`."""

BASELINE_HALF_WIDTH = 40
"""Samples on either side of the candidate whose mean is the baseline of the R peak."""

HISTORY = DECISION_DELAY + ENERGY_DELAY + BASELINE_HALF_WIDTH + 1
"""Samples before a decision that it uses."""

MIN_THRESHOLD = 0.13
"""Lowest threshold, in QRS sizes of the leads."""

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

RR_MEMORY = 8
"""RR intervals whose median is the usual RR."""

P_WAVE_SHARE, P_WAVE_SLOPE_RATIO = 0.9, 1.15
"""Share of the beat level below which a candidate may be a P wave, and ratio by which a steeper slope within the
decision delay confirms that."""

BEAT_RATE, OVERDUE_BEAT_RATE = 0.125, 0.4
"""Learning rate of the beat level, and for an overdue beat: the amplitude may have changed."""

NOISE_RATE, P_WAVE_RATE = 0.04, 0.3
"""Learning rate of the noise level, and for a beat that turned out to be a P wave."""


@dataclass(frozen=True, slots=True)
class Qrs:
    """A heartbeat.

    Attributes
    ----------
    index : int
        Sample of the R peak, counted from the start of the session.
    at : int
        Sample of the decision, at most 72 (200 ms) after ``index``.
    strength : float
        Ratio of its energy to the threshold, at least 1.
    """

    index: int
    at: int
    strength: float


@dataclass(frozen=True, slots=True)
class DecisionState:
    """Levels and RR intervals used by the decisions; heights in QRS sizes of the leads.

    Attributes
    ----------
    beat, noise : float
        Typical height of beats, and of the peaks between them.
    last : int or None
        Energy peak of the last beat.
    height : float
        Height of the last beat.
    rr, rr_before : tuple of int
        Last RR intervals, samples, oldest first, with and without that of the last beat.
    """

    beat: float = 1.0
    noise: float = 0.1
    last: int | None = None
    height: float = 1.0
    rr: tuple[int, ...] = (300,) * RR_MEMORY
    rr_before: tuple[int, ...] = (300,) * RR_MEMORY


@dataclass(frozen=True, slots=True)
class QrsState:
    """State carried from step to step.

    Attributes
    ----------
    end : int
        Index after the last sample.
    gap : tuple of bool
        Leads whose last sample was invalid; all of them before the first sample.
    shift : ndarray, shape (leads,), mV
        Offset added to the samples, so that the leads start at 0 and continue after gaps without a step.
    recent_samples : ndarray, shape (HISTORY, leads), mV
        Last samples, shifted.
    band : ndarray, shape (sections, 2, leads)
        State of the band-pass filter.
    squares : ndarray, shape (ENERGY_WINDOW - 1, leads)
        Last squares of the filtered samples.
    block : ndarray, shape (k, leads), mV
        Energies of the incomplete block.
    invalid : ndarray, shape (leads,)
        Number of invalid samples in the incomplete block.
    heights : ndarray, shape (DECISION_DELAY + 1,)
        Last combined energies, to the power `COMBINE_POWER`.
    leads : Leads
    decision : DecisionState
    """

    end: int
    gap: tuple[bool, ...]
    shift: FloatArray
    recent_samples: FloatArray
    band: FloatArray
    squares: FloatArray
    block: FloatArray
    invalid: FloatArray
    heights: FloatArray
    leads: Leads
    decision: DecisionState


def begin(start: int, leads: int) -> QrsState:
    """Return the state before the first sample, which has index ``start``."""
    return QrsState(
        end=start,
        gap=(True,) * leads,
        shift=np.zeros(leads),
        recent_samples=np.zeros((HISTORY, leads)),
        band=np.zeros((len(BAND_SOS), 2, leads)),
        squares=np.zeros((ENERGY_WINDOW - 1, leads)),
        block=np.empty((0, leads)),
        invalid=np.zeros(leads),
        heights=np.zeros(DECISION_DELAY + 1),
        leads=qrs_energy.initial_leads(leads),
        decision=DecisionState(),
    )


def after_gap(state: QrsState, start: int) -> QrsState:
    """Return the state after lost samples, before sample ``start``: levels, RR intervals and leads are kept."""
    return replace(begin(start, len(state.gap)), leads=state.leads, decision=replace(state.decision, last=None))


def step(state: QrsState, strides: Strides) -> tuple[tuple[Qrs, ...], QrsState]:
    """Push the next strides of one bed.

    Parameters
    ----------
    state : QrsState
    strides : Strides

    Returns
    -------
    tuple of Qrs
        The detected beats, in order.
    state : QrsState
    """
    detected: list[Qrs] = []
    first = 0
    while first < len(strides.mv):
        stop = first + BLOCK - len(state.block)
        state = _advance(state, strides.mv[first:stop], strides.invalid[first:stop], detected)
        first = stop
    return tuple(detected), state


def _advance(state: QrsState, mv: FloatArray, invalid: BoolArray, detected: list[Qrs]) -> QrsState:
    """Push samples up to the end of the block at most, and append the detected beats to ``detected``."""
    n = len(mv)
    gap, shift, samples = state.gap, state.shift, mv + state.shift
    if any(gap) or invalid.any():
        gap, shift, samples = qrs_energy.bridge_gaps(gap, state.recent_samples[-1], shift, mv, invalid)
    recent_samples = np.concatenate([state.recent_samples, samples])
    band, carried = sosfilt(BAND_SOS, samples, state.band)
    squares = np.concatenate([state.squares, band * band])
    energy = np.sqrt(qrs_energy.window_sum(squares) / ENERGY_WINDOW)

    leads, decision = state.leads, state.decision
    heights = np.concatenate([state.heights, qrs_energy.combine(energy, leads)])
    current, minimum = heights[1 : n + 1], (0.75 * MIN_THRESHOLD) ** COMBINE_POWER
    is_peak = (current > heights[:n]) & (current >= heights[2 : n + 2]) & (current > minimum)
    for i in (np.flatnonzero(is_peak) + 1).tolist():
        highest = heights[i : i + DECISION_DELAY + 1].max()
        if highest <= LATER_PEAK_RATIO**COMBINE_POWER * heights[i]:
            peak = state.end - DECISION_DELAY - 1 + i
            height = float(highest) ** (1 / COMBINE_POWER)
            before_decision = recent_samples[i : i + HISTORY]  # up to sample peak + DECISION_DELAY
            strength, decision = _decide(decision, peak, height, before_decision, leads)
            if strength >= 1:
                detected.append(
                    Qrs(peak - ENERGY_DELAY + _r_peak(before_decision, leads), peak + DECISION_DELAY, strength)
                )

    block, missing = np.concatenate([state.block, energy]), state.invalid + invalid.sum(axis=0)
    if len(block) == BLOCK:
        leads = qrs_energy.update_leads(leads, block, missing)
        block, missing = block[:0], np.zeros_like(missing)
    return QrsState(
        end=state.end + n,
        gap=gap,
        shift=shift,
        recent_samples=recent_samples[n:].copy(),
        band=carried,
        squares=squares[n:].copy(),
        block=block.copy(),
        invalid=missing,
        heights=heights[n:].copy(),
        leads=leads,
        decision=decision,
    )


def _decide(
    decision: DecisionState, peak: int, height: float, recent_samples: FloatArray, leads: Leads
) -> tuple[float, DecisionState]:
    """Return the strength of a candidate, below 1 if it is rejected, and the updated state.

    ``recent_samples`` are the samples up to the decision, shape (HISTORY, leads).
    """
    usual_rr = sorted(decision.rr)[RR_MEMORY // 2]
    rr = MAX_RR if decision.last is None else peak - decision.last
    if rr < BLANKING_PERIOD or (rr < REFRACTORY_PERIOD and height < REFRACTORY_RATIO * decision.height):
        return 0.0, decision
    noise = NOISE_WEIGHT * decision.noise
    threshold = noise + THRESHOLD_SHARE * max(decision.beat - noise, 0.0)
    if rr < T_WAVE_WINDOW:
        threshold = max(threshold, T_WAVE_SHARE * decision.height)
    elif rr < EARLY_RR * usual_rr:
        threshold *= EARLY_FACTOR if usual_rr < SLOW_RR else SLOW_FACTOR
    elif rr > OVERDUE_RR * usual_rr:
        minimum = MIN_DECAY_FACTOR if decision.noise < LOW_NOISE_SHARE * decision.beat else 0.0
        threshold *= max(math.exp(-THRESHOLD_DECAY * (rr / usual_rr - OVERDUE_RR)), minimum)
    strength = height / max(threshold, decision.noise, MIN_THRESHOLD)
    if height < P_WAVE_SHARE * decision.beat and strength >= 1 and _steeper_follows(recent_samples, leads):
        return 0.0, decision
    if strength < 1:
        return strength, replace(
            decision, noise=decision.noise + NOISE_RATE * (min(height, decision.beat) - decision.noise)
        )
    rate = OVERDUE_BEAT_RATE if rr > OVERDUE_RR * usual_rr else BEAT_RATE
    rr_before, new_noise = decision.rr, decision.noise
    if rr < MAX_P_QRS and height > REFRACTORY_RATIO * decision.height:
        # The last beat was the P wave of this one.
        new_noise += P_WAVE_RATE * (min(decision.height, decision.beat) - new_noise)
        rr_before = decision.rr_before
        rr += decision.rr[-1]
    return strength, DecisionState(
        beat=decision.beat + rate * (min(height, 2 * decision.beat) - decision.beat),
        noise=new_noise,
        last=peak,
        height=height,
        rr=(*rr_before[1:], rr) if rr < MAX_RR else rr_before,
        rr_before=rr_before,
    )


def _steeper_follows(recent_samples: FloatArray, leads: Leads) -> bool:
    """Return whether a later slope is steeper than that of the candidate, which is then a P wave."""
    candidate = HISTORY - DECISION_DELAY - ENERGY_DELAY - 1
    recent = recent_samples[candidate - 28 :]
    smooth = recent[:-3] + recent[1:-2] + recent[2:-1] + recent[3:]
    slope = (((smooth[8:] - smooth[:-8]) / leads.size) ** 2 * leads.weight).sum(axis=1)
    # Slope i spans 12 samples, the last of which is candidate - 17 + i.
    return bool(slope[54:].max() > P_WAVE_SLOPE_RATIO**2 * slope[:40].max())


def _r_peak(recent_samples: FloatArray, leads: Leads) -> int:
    """Return the offset of the R peak from the centre of the energy: the extreme of the first usable lead."""
    lead = 0 if leads.weight[0] >= 0.05 else int(np.argmax(leads.weight))
    middle = HISTORY - DECISION_DELAY - ENERGY_DELAY - 1
    x = recent_samples[middle - BASELINE_HALF_WIDTH : middle + BASELINE_HALF_WIDTH + 1, lead]
    max_lead = MAX_REPORT_DELAY - DECISION_DELAY - ENERGY_DELAY
    near = np.abs(x[BASELINE_HALF_WIDTH - max_lead : BASELINE_HALF_WIDTH + MAX_R_PEAK_LAG + 1] - x.mean())
    return int(near.argmax()) - max_lead
