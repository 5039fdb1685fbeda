"""Where the heart beats: a streaming QRS detector for one or two leads.

Peaks of the leads' combined energy are candidates. 100 ms later, when no much higher one has followed, thresholds
between the patient's usual beats and the usual noise decide, as in Pan and Tompkins (IEEE Trans Biomed Eng 32:230,
1985). A search back would report beats too late; instead the threshold sinks while a beat is overdue.

What was chosen here was chosen on MIT-BIH DS1 without records 201 and 208. Every decision falls at a sample counted
from the start and looks back only: changing the future of a signal changes no output.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from model.beats import qrs_energy
from model.beats.qrs_energy import BAND, BLOCK, POWER, WINDOW, Leads
from model.signal.arrays import BoolArray, FloatArray
from model.signal.iir_filter import sosfilt
from model.signal.intake import Strides

DELAY = 28
"""Samples from an R peak to the peak of its energy: of the filter and of half the window."""

WAIT = 36
"""Samples from the peak of the energy to the decision."""

HUMP = 1.15
"""A peak within the wait is another beat's only if it is so much higher; a wide QRS has several of one height."""

LATEST = 72
"""Samples from the R peak to the decision, at most: 200 ms."""

REACH = 16
"""Samples by which an R peak may come after the middle of its energy; how far before follows from `LATEST`."""

BASELINE = 40
"""Samples on either side whose mean an R peak is measured from."""

PAST = WAIT + DELAY + BASELINE + 1
"""Samples of the leads that a decision may look back on."""

FLOOR = 0.13
"""Lowest threshold, in QRS of the leads."""

SHARE, NOISE_SHARE = 0.3, 0.7
"""Height of the threshold between noise and beats, and weight of the noise: some of what is refused were beats."""

BLIND = 45
"""Samples after a beat in which there is no other: 125 ms."""

REFRACTORY, HIGHER = 72, 1.2
"""Samples after a beat in which only a so much higher peak is another: then the first was a P wave."""

P_WAVE = 86
"""Samples by which a P wave may come before its QRS."""

T_WAVE, T_SHARE = 110, 0.7
"""Samples after a beat in which a T wave may come, and what share of that beat another must reach."""

EARLY, EARLY_FACTOR = 0.85, 1.15
"""Before this share of the usual RR the threshold is so much higher."""

SLOW_RR, SLOW_FACTOR = 400, 0.9
"""The same factor where the usual RR is at least so long: T waves are over before, and low early beats were missed;
lower, blocked P waves become beats."""

OVERDUE, SINK = 1.3, 0.5
"""After so many usual RR the threshold sinks, by this rate for each further one."""

LEAST_SINK, QUIET = 0.8, 0.2
"""It sinks to this share at least while the usual noise is below that share of a usual beat: P waves must not become
beats in a pause. Where there is more noise, what seemed to be usual beats may have been noise."""

LONGEST_RR = 720
"""Samples; a longer RR is a pause or a gap, and not usual."""

RR_MEMORY = 8

WEAK, STEEPER = 0.9, 1.15
"""A peak below this share of a usual beat is a P wave if a so much steeper slope follows within the wait."""

LEARN_BEAT, LEARN_OVERDUE = 0.125, 0.4
"""Share by which a beat moves what is usual, and one that was overdue: the amplitude may have changed."""

LEARN_NOISE, LEARN_MISTAKE = 0.04, 0.3
"""The same for what was refused, and for a beat that turned out to be a P wave."""


@dataclass(frozen=True, slots=True)
class Qrs:
    """A heartbeat.

    Attributes
    ----------
    index : int
        Sample of the R peak, counted since the session began.
    at : int
        The sample with which it became known, at most 72 (200 ms) after ``index``.
    strength : float
        Height of its energy over the threshold, at least 1.
    """

    index: int
    at: int
    strength: float


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What the decisions remember; heights are in QRS of the leads.

    Attributes
    ----------
    beat, noise : float
        Usual height of beats, and of the peaks between them.
    last : int or None
        Where the energy of the last beat peaked.
    height : float
        Of the last beat.
    rr, rr_before : tuple of int
        The last RR in samples, oldest first, with and without that of the last beat.
    """

    beat: float = 1.0
    noise: float = 0.1
    last: int | None = None
    height: float = 1.0
    rr: tuple[int, ...] = (300,) * RR_MEMORY
    rr_before: tuple[int, ...] = (300,) * RR_MEMORY


@dataclass(frozen=True, slots=True)
class QrsState:
    """All that is carried from step to step.

    Attributes
    ----------
    end : int
        Index after the last sample.
    gap : tuple of bool
        Leads whose last sample was invalid; all of them before the first.
    shift : ndarray, shape (leads,)
        mV to add, so that the leads begin at 0 and go on after invalid samples without a step.
    past : ndarray, shape (PAST, leads)
        The last samples, shifted, in mV.
    band : ndarray, shape (sections, 2, leads)
        State of the filter.
    squares : ndarray, shape (WINDOW - 1, leads)
        The last squares of the band.
    block : ndarray, shape (k, leads)
        Energy in the block that is being filled.
    invalid : ndarray, shape (leads,)
        Number of invalid samples in it.
    heights : ndarray, shape (WAIT + 1,)
        The last combined energies, to the power `POWER`.
    leads : Leads
    rhythm : Rhythm
    """

    end: int
    gap: tuple[bool, ...]
    shift: FloatArray
    past: FloatArray
    band: FloatArray
    squares: FloatArray
    block: FloatArray
    invalid: FloatArray
    heights: FloatArray
    leads: Leads
    rhythm: Rhythm


def begin(start: int, leads: int) -> QrsState:
    """Return the state before the first sample, whose index is ``start``."""
    return QrsState(
        end=start,
        gap=(True,) * leads,
        shift=np.zeros(leads),
        past=np.zeros((PAST, leads)),
        band=np.zeros((len(BAND), 2, leads)),
        squares=np.zeros((WINDOW - 1, leads)),
        block=np.empty((0, leads)),
        invalid=np.zeros(leads),
        heights=np.zeros(WAIT + 1),
        leads=qrs_energy.initial_leads(leads),
        rhythm=Rhythm(),
    )


def step(state: QrsState, strides: Strides) -> tuple[tuple[Qrs, ...], QrsState]:
    """Push the next strides of one bed.

    Parameters
    ----------
    state : QrsState
    strides : Strides

    Returns
    -------
    tuple of Qrs
        The beats that became known, in order.
    state : QrsState
    """
    found: list[Qrs] = []
    first = 0
    while first < len(strides.mv):
        stop = first + BLOCK - len(state.block)
        state = _advance(state, strides.mv[first:stop], strides.invalid[first:stop], found)
        first = stop
    return tuple(found), state


def _advance(state: QrsState, mv: FloatArray, invalid: BoolArray, found: list[Qrs]) -> QrsState:
    """Push samples up to the end of the block at most, and append the beats that become known."""
    n = len(mv)
    gap, shift, samples = state.gap, state.shift, mv + state.shift
    if any(gap) or invalid.any():
        gap, shift, samples = qrs_energy.bridge(gap, state.past[-1], shift, mv, invalid)
    past = np.concatenate([state.past, samples])
    band, carried = sosfilt(BAND, samples, state.band)
    squares = np.concatenate([state.squares, band * band])
    energy = np.sqrt(qrs_energy.window_sum(squares) / WINDOW)

    leads, rhythm = state.leads, state.rhythm
    heights = np.concatenate([state.heights, qrs_energy.combine(energy, leads)])
    now, least = heights[1 : n + 1], (0.75 * FLOOR) ** POWER
    rising = (now > heights[:n]) & (now >= heights[2 : n + 2]) & (now > least)
    for i in (np.flatnonzero(rising) + 1).tolist():
        highest = heights[i : i + WAIT + 1].max()
        if highest <= HUMP**POWER * heights[i]:
            peak = state.end - WAIT - 1 + i
            height = float(highest) ** (1 / POWER)
            before = past[i : i + PAST]  # up to the sample peak + WAIT
            strength, rhythm = _decide(rhythm, peak, height, before, leads)
            if strength >= 1:
                found.append(Qrs(peak - DELAY + _r_peak(before, leads), peak + WAIT, strength))

    block, missing = np.concatenate([state.block, energy]), state.invalid + invalid.sum(axis=0)
    if len(block) == BLOCK:
        leads = qrs_energy.judge(leads, block, missing)
        block, missing = block[:0], np.zeros_like(missing)
    return QrsState(
        end=state.end + n,
        gap=gap,
        shift=shift,
        past=past[n:].copy(),
        band=carried,
        squares=squares[n:].copy(),
        block=block.copy(),
        invalid=missing,
        heights=heights[n:].copy(),
        leads=leads,
        rhythm=rhythm,
    )


def _decide(rhythm: Rhythm, peak: int, height: float, past: FloatArray, leads: Leads) -> tuple[float, Rhythm]:
    """Return the strength of a candidate, below 1 where it is no beat, and what is remembered of it.

    ``past`` are the samples up to the decision, shape (PAST, leads).
    """
    usual = sorted(rhythm.rr)[RR_MEMORY // 2]
    rr = LONGEST_RR if rhythm.last is None else peak - rhythm.last
    if rr < BLIND or (rr < REFRACTORY and height < HIGHER * rhythm.height):
        return 0.0, rhythm
    noise = NOISE_SHARE * rhythm.noise
    threshold = noise + SHARE * max(rhythm.beat - noise, 0.0)
    if rr < T_WAVE:
        threshold = max(threshold, T_SHARE * rhythm.height)
    elif rr < EARLY * usual:
        threshold *= EARLY_FACTOR if usual < SLOW_RR else SLOW_FACTOR
    elif rr > OVERDUE * usual:
        least = LEAST_SINK if rhythm.noise < QUIET * rhythm.beat else 0.0
        threshold *= max(math.exp(-SINK * (rr / usual - OVERDUE)), least)
    strength = height / max(threshold, rhythm.noise, FLOOR)
    if height < WEAK * rhythm.beat and strength >= 1 and _steeper_follows(past, leads):
        return 0.0, rhythm
    if strength < 1:
        return strength, replace(rhythm, noise=rhythm.noise + LEARN_NOISE * (min(height, rhythm.beat) - rhythm.noise))
    share = LEARN_OVERDUE if rr > OVERDUE * usual else LEARN_BEAT
    before, learnt = rhythm.rr, rhythm.noise
    if rr < P_WAVE and height > HIGHER * rhythm.height:
        # The last beat was the P wave of this one.
        learnt += LEARN_MISTAKE * (min(rhythm.height, rhythm.beat) - learnt)
        before = rhythm.rr_before
        rr += rhythm.rr[-1]
    return strength, Rhythm(
        beat=rhythm.beat + share * (min(height, 2 * rhythm.beat) - rhythm.beat),
        noise=learnt,
        last=peak,
        height=height,
        rr=(*before[1:], rr) if rr < LONGEST_RR else before,
        rr_before=before,
    )


def _steeper_follows(past: FloatArray, leads: Leads) -> bool:
    """Tell whether the slope late in the wait is steeper than that of the candidate, which then is a P wave."""
    candidate = PAST - WAIT - DELAY - 1
    recent = past[candidate - 28 :]
    smooth = recent[:-3] + recent[1:-2] + recent[2:-1] + recent[3:]
    slope = (((smooth[8:] - smooth[:-8]) / leads.size) ** 2 * leads.weight).sum(axis=1)
    # Slope i spans 12 samples, the last of which is candidate - 17 + i.
    return bool(slope[54:].max() > STEEPER**2 * slope[:40].max())


def _r_peak(past: FloatArray, leads: Leads) -> int:
    """Return how far the R peak lies after the middle of the energy: the extreme of the first lead that is clear."""
    lead = 0 if leads.weight[0] >= 0.05 else int(np.argmax(leads.weight))
    middle = PAST - WAIT - DELAY - 1
    x = past[middle - BASELINE : middle + BASELINE + 1, lead]
    before = LATEST - WAIT - DELAY
    near = np.abs(x[BASELINE - before : BASELINE + REACH + 1] - x.mean())
    return int(near.argmax()) - before
