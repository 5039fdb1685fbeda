"""Augmentation with intermittent aberrant conduction, as in bundle branch block, from the patient's own signal.

Aberrantly conducted beats have an unusual shape, but occur on time and can persist for minutes: they are not
ventricular ectopic beats. Training records contain almost no intermittent change of shape. Here conducted beats change
for one beat, for seconds or for minutes: the QRS complex is slowed down, a late component is added, and the T wave
changes. The shape is redrawn from time to time. QRS complexes are prolonged by up to 36 of 40 samples, so that most
exceed 120 ms, the criterion of bundle branch block (Surawicz et al., J Am Coll Cardiol 2009;53:976).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from model.datasets.annotated_signal import AnnotatedSignal
from model.datasets.beat_codes import AAMI_CLASS, SUPRAVENTRICULAR
from model.signal.arrays import FloatArray
from stream.timebase import FS

BEFORE, AFTER = 36, 151
"""Extent of a beat in samples: 100 ms before its R peak to 420 ms after it."""

ONSET, END, ST_END = -18, 22, 100
"""Samples from the R peak to the start and end of the QRS complex, and to the end of the ST segment, which is
shortened by as much as the QRS complex is prolonged."""

BEFORE_NEXT, LEAST = 36, 60
"""A beat ends this many samples before the next R peak; shorter beats than the least length stay unchanged."""

NORMAL_S = 40
"""Seconds at the start that stay unchanged."""

DURATIONS = ((0.35, 0.1, 1.5), (0.3, 2.0, 20.0), (0.35, 20.0, 150.0))
"""Duration of an episode: probability, and shortest and longest duration in seconds."""

NORMAL_LONGER = 1.3
"""Factor by which episodes of normal conduction are longer."""

SAME_SHAPE_S = (120.0, 500.0)
"""Seconds after which another shape is drawn."""

FADE, FADE_OUT = 6, 10
"""Samples over which a changed beat is blended with the signal before and after it."""


@dataclass(frozen=True)
class Conduction:
    """Change of the shape of beats.

    Times are in samples from the R peak, amplitudes relative to a typical QRS complex.

    Attributes
    ----------
    slower : float
        Factor by which the QRS complex is prolonged.
    smooth : float
        Standard deviation of the Gaussian filter applied to it, in samples.
    gain : ndarray, shape (leads,)
        Gain of the QRS complex.
    late, t_wave : ndarray, shape (leads,)
        Amplitudes of the late component and of the change of the T wave, both Gaussian.
    late_at, late_width, t_at, t_width : float
        Their centres and standard deviations.
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


def augment(signal: AnnotatedSignal, seed: int) -> AnnotatedSignal:
    """Return the signal with episodes of aberrant conduction; the annotations stay.

    Parameters
    ----------
    signal : AnnotatedSignal
        Not modified.
    seed : int
    """
    rng = np.random.default_rng(seed)
    mv = signal.mv
    which = [i for i, code in enumerate(signal.symbol) if code in AAMI_CLASS]
    at, conducted = signal.sample[which].tolist(), [signal.symbol[i] in SUPRAVENTRICULAR for i in which]
    inside = [r for r, can in zip(at, conducted, strict=True) if can and BEFORE < r < len(mv) - AFTER]
    varied, typical = mv.copy(), typical_height(mv, inside)
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
        beat += share * (conduct(beat, of_this, typical) - beat)
    return replace(signal, mv=varied)


def draw(rng: np.random.Generator, leads: int) -> Conduction:
    """Draw a change of shape: right bundle branch block (a late component), left (slow), or both."""
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


def conduct(beat: FloatArray, conduction: Conduction, typical: FloatArray) -> FloatArray:
    """Apply a change of shape to a beat.

    Parameters
    ----------
    beat : ndarray, shape (BEFORE + AFTER, leads), mV
    conduction : Conduction
    typical : ndarray, shape (leads,), mV
        Peak-to-peak height of a typical QRS complex.
    """
    t = np.arange(-BEFORE, AFTER)
    end = ONSET + (END - ONSET) * conduction.slower
    source = np.interp(t, [-BEFORE, ONSET, end, ST_END, AFTER], [-BEFORE, ONSET, END, ST_END, AFTER])
    slower = np.stack([np.interp(source, t, lead) for lead in beat.T], axis=1)
    within = np.clip(np.minimum((t - ONSET) / 6, (end + 20 - t) / 20), 0, 1)[:, None]
    slower += within * (gaussian_filter1d(slower, conduction.smooth, axis=0) - slower)
    slower += within * (conduction.gain - 1) * (slower - np.median(beat[: BEFORE + ONSET], axis=0))
    late = np.exp(-(((t - conduction.late_at) / conduction.late_width) ** 2) / 2)[:, None] * conduction.late
    t_wave = np.exp(-(((t - conduction.t_at) / conduction.t_width) ** 2) / 2)[:, None] * conduction.t_wave
    return np.asarray(slower + (late + t_wave) * typical)


def _duration(rng: np.random.Generator) -> float:
    """Draw the duration of an episode in seconds."""
    probabilities, shortest, longest = zip(*DURATIONS, strict=True)
    i = rng.choice(len(DURATIONS), p=probabilities)
    return float(rng.uniform(shortest[i], longest[i]))


def typical_height(mv: FloatArray, peaks: Sequence[int]) -> FloatArray:
    """Return the median peak-to-peak height of QRS complexes by lead in mV, shape (leads,); 0 without complexes.

    Parameters
    ----------
    mv : ndarray, shape (n, leads)
    peaks : sequence of int
        Samples of R peaks, none within 120 ms of an end; every tenth is used.
    """
    heights = [np.ptp(mv[r - 29 : r + 43], axis=0) for r in peaks[::10]]
    return np.nan_to_num(np.nanmedian(heights, axis=0)) if heights else np.zeros(mv.shape[1])
