"""Made-up conduction: real patients whose usual beats are broad now and then, as by a bundle branch block.

Such beats look strange, but they come when a beat was due, and for minutes they may be all there is: nothing
ventricular. Records to learn from hold next to none whose usual beats change their shape. Here they do so for a beat,
for some seconds, or for minutes: the QRS complex runs slower, a late part is added to it, the T wave moves. How, is
drawn anew from time to time. QRS complexes grow by up to 36 of 40 samples, so that most exceed the 120 ms by which
bundle branch blocks are told (Surawicz et al., J Am Coll Cardiol 2009;53:976).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from model.signal.arrays import FloatArray, IntArray
from model.training.augment_rhythm import NORMAL
from stream.timebase import FS

SUPRAVENTRICULAR = NORMAL | frozenset("AaJSejn")
"""Beats that are conducted, so that they can be conducted otherwise."""

BEFORE, AFTER = 36, 151
"""Samples of a beat, from 100 ms before its R peak to 420 ms after it."""

ONSET, END, ST_END = -18, 22, 100
"""Samples from the R peak to the start and the end of the QRS complex, and to where the ST segment has made up for
a slower one."""

BEFORE_NEXT, LEAST = 36, 60
"""A beat ends so many samples before the next R peak, and is left alone if less than this is left of it."""

NORMAL_S = 40
"""Seconds at the start that stay as they are."""

DURATIONS = ((0.35, 0.1, 1.5), (0.3, 2.0, 20.0), (0.35, 20.0, 150.0))
"""How long a conduction lasts: chance, and least and greatest number of seconds."""

NORMAL_LONGER = 1.3
SAME_SHAPE_S = (120.0, 500.0)
"""Seconds after which another broad shape is drawn."""

FADE, FADE_OUT = 6, 10
"""Samples over which a changed beat goes over into what is before and after it."""


@dataclass(frozen=True)
class Conduction:
    """How beats are changed; times in samples from the R peak, amplitudes in those of a usual QRS complex, by lead.

    Attributes
    ----------
    slower : float
        How many times as long the QRS complex takes.
    smooth : float
        Standard deviation of the Gaussian by which it is smoothed.
    gain : ndarray, shape (leads,)
        Of the QRS complex.
    late, t_wave : ndarray, shape (leads,)
        Amplitudes of a late part and of a change of the T wave, both Gaussian.
    late_at, late_width, t_at, t_width : float
    """

    slower: float
    smooth: float
    gain: FloatArray
    late: FloatArray
    late_at: float
    late_width: float
    t_wave: FloatArray
    t_at: float
    t_width: float


def vary(mv: FloatArray, sample: IntArray, symbol: Sequence[str], beats: Collection[str], seed: int) -> FloatArray:
    """Return a patient's signal with another conduction now and then; the beats stay where they are.

    Parameters
    ----------
    mv : ndarray, shape (n, leads)
        NaN where invalid.
    sample : ndarray of int64
        Of the annotations, rising.
    symbol : sequence of str
    beats : collection of str
        Symbols that are beats.
    seed : int
    """
    rng = np.random.default_rng(seed)
    which = [i for i, kind in enumerate(symbol) if kind in beats]
    at, conducted = sample[which].tolist(), [symbol[i] in SUPRAVENTRICULAR for i in which]
    inside = [r for r, can in zip(at, conducted, strict=True) if can and BEFORE < r < len(mv) - AFTER]
    varied, usual = mv.copy(), usual_height(mv, inside)
    conduction = draw(rng, mv.shape[1])
    broad, changes, redrawn = False, NORMAL_S * FS, 0.0
    for r, following, can in zip(at, [*at, len(mv)][1:], conducted, strict=True):
        if r > changes:
            broad = not broad
            changes = r + _duration(rng) * FS * (1 if broad else NORMAL_LONGER)
            if r > redrawn:
                conduction = draw(rng, mv.shape[1])
                redrawn = r + rng.uniform(*SAME_SHAPE_S) * FS
        end = min(AFTER, following - r - BEFORE_NEXT)
        if not (broad and can) or end < LEAST or r < BEFORE or r + AFTER > len(mv):
            continue
        beat = varied[r - BEFORE : r + AFTER]
        of_this = replace(conduction, gain=conduction.gain * rng.uniform(0.95, 1.05))
        of_this = replace(of_this, late=conduction.late * rng.uniform(0.9, 1.1))
        k = np.arange(len(beat))
        share = np.clip(np.minimum(k / FADE, (BEFORE + end - k) / FADE_OUT), 0, 1)[:, None]
        beat += share * (conduct(beat, of_this, usual) - beat)
    return varied


def draw(rng: np.random.Generator, leads: int) -> Conduction:
    """Draw a conduction: as of a right bundle branch block (a late part), a left one (slow), or some of both."""
    right, left = [(True, False), (False, True), (True, True)][rng.integers(3)]
    return Conduction(
        slower=rng.uniform(1.25, 1.9) if left else rng.uniform(1.0, 1.2),
        smooth=rng.uniform(0.004, 0.014) * FS,
        gain=rng.uniform(0.6, 1.3, leads),
        late=rng.choice([-1, 1], leads) * (rng.uniform(0.2, 0.6, leads) if right else rng.uniform(0, 0.2, leads)),
        late_at=rng.uniform(16, 32),
        late_width=rng.uniform(5, 10),
        t_wave=rng.uniform(-0.25, 0.25, leads),
        t_at=rng.uniform(80, 110),
        t_width=rng.uniform(16, 26),
    )


def conduct(beat: FloatArray, conduction: Conduction, usual: FloatArray) -> FloatArray:
    """Return a beat as it would be conducted.

    Parameters
    ----------
    beat : ndarray, shape (BEFORE + AFTER, leads), mV
    conduction : Conduction
    usual : ndarray, shape (leads,), mV
        Peak to peak, of a usual QRS complex.
    """
    t = np.arange(-BEFORE, AFTER)
    end = ONSET + (END - ONSET) * conduction.slower
    moment = np.interp(t, [-BEFORE, ONSET, end, ST_END, AFTER], [-BEFORE, ONSET, END, ST_END, AFTER])
    slower = np.stack([np.interp(moment, t, lead) for lead in beat.T], axis=1)
    within = np.clip(np.minimum((t - ONSET) / 6, (end + 20 - t) / 20), 0, 1)[:, None]
    slower += within * (gaussian_filter1d(slower, conduction.smooth, axis=0) - slower)
    slower += within * (conduction.gain - 1) * (slower - np.median(beat[: BEFORE + ONSET], axis=0))
    late = np.exp(-(((t - conduction.late_at) / conduction.late_width) ** 2) / 2)[:, None] * conduction.late
    t_wave = np.exp(-(((t - conduction.t_at) / conduction.t_width) ** 2) / 2)[:, None] * conduction.t_wave
    return np.asarray(slower + (late + t_wave) * usual)


def _duration(rng: np.random.Generator) -> float:
    chances, least, greatest = zip(*DURATIONS, strict=True)
    i = rng.choice(len(DURATIONS), p=chances)
    return float(rng.uniform(least[i], greatest[i]))


def usual_height(mv: FloatArray, peaks: Sequence[int]) -> FloatArray:
    """Return the usual height of a QRS complex from peak to peak, by lead; 0 where there is none.

    Parameters
    ----------
    mv : ndarray, shape (n, leads)
    peaks : sequence of int
        Samples of R peaks, none within 120 ms of an end; every tenth is looked at.
    """
    heights = [np.ptp(mv[r - 29 : r + 43], axis=0) for r in peaks[::10]]
    return np.nan_to_num(np.nanmedian(heights, axis=0)) if heights else np.zeros(mv.shape[1])
