"""Augmentation with noise bursts: muscle noise, electrode motion and baseline wander.

Training records contain little noise, so there are too few examples of artefacts. Bursts of 0.3 to 15 s are added,
scaled by the height of the patient's QRS complexes: muscle noise (15 to 110 Hz), single slow deflections as from a
touched electrode, baseline wander (0.3 to 3 Hz), and decaying steps. The kinds are those of the MIT-BIH Noise Stress
Test Database (Moody, Muldrow and Mark, Computers in Cardiology 1984;11:381); the waveforms are random.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.signal import butter, sosfilt

from model.datasets.annotated_signal import AnnotatedSignal
from model.datasets.beat_codes import AAMI_CLASS
from model.signal.arrays import FloatArray
from model.training.augment_conduction import typical_height
from stream.timebase import FS

CLEAN_S = 40
"""Seconds at the start that stay unchanged."""

PAUSE_S = 12.0
"""Mean time between bursts in seconds, in addition to one second."""

SHORTEST_S, LONGEST_S = 0.3, 15.0
"""Duration of a burst in seconds, log-uniform."""

FADE = 30
"""Samples of the linear rise and fall of a burst."""

ON_LEAD = 0.75
"""Probability that a lead is affected by a burst; at least one lead is."""

SETTLED = 2_000
"""Samples after which the transient of the filters has decayed."""

MUSCLE = butter(2, (15, 110), "bandpass", fs=FS, output="sos")
WANDER = butter(2, (0.3, 3), "bandpass", fs=FS, output="sos")


def augment(signal: AnnotatedSignal, seed: int) -> AnnotatedSignal:
    """Return the signal with noise on about a quarter of it; the annotations stay.

    Parameters
    ----------
    signal : AnnotatedSignal
        Not modified.
    seed : int
    """
    rng = np.random.default_rng(seed)
    mv = signal.mv
    noisy, leads = mv.copy(), mv.shape[1]
    marks = zip(signal.sample.tolist(), signal.symbol, strict=True)
    peaks = [r for r, code in marks if code in AAMI_CLASS and FS < r < len(mv) - FS]
    typical = typical_height(mv, peaks)
    begins = CLEAN_S * FS
    while True:
        begins += FS + int(rng.exponential(PAUSE_S) * FS)
        n = int(math.exp(rng.uniform(math.log(SHORTEST_S), math.log(LONGEST_S))) * FS)
        if begins + n + FS > len(mv):
            return replace(signal, mv=noisy)
        on = (rng.random(leads) < ON_LEAD) | (np.arange(leads) == rng.integers(leads))
        k = np.arange(n)
        fade = np.minimum(1, np.minimum(k + 1, n - k) / FADE)[:, None]
        burst = (muscle, deflections, wander, step)[rng.integers(4)](rng, n, leads)
        noisy[begins : begins + n] += burst * fade * (typical * on * rng.uniform(0.5, 1.5, leads))
        begins += n


def muscle(rng: np.random.Generator, n: int, leads: int) -> FloatArray:
    """Return muscle noise, shape (n, leads), with a standard deviation of 2 to 25 % of a QRS complex."""
    return _filtered(MUSCLE, rng, n, leads) * math.exp(rng.uniform(math.log(0.02), math.log(0.25)))


def deflections(rng: np.random.Generator, n: int, leads: int) -> FloatArray:
    """Return Gaussian deflections of 20 to 150 ms (standard deviation), shape (n, leads), one or two per second."""
    k, found = np.arange(n), np.zeros((n, leads))
    for _ in range(max(1, int(n / FS * rng.uniform(0.5, 2.5)))):
        width = rng.uniform(0.02, 0.15) * FS
        found += np.exp(-(((k - rng.uniform(0, n)) / width) ** 2) / 2)[:, None] * rng.normal(0, 0.5, leads)
    return found


def wander(rng: np.random.Generator, n: int, leads: int) -> FloatArray:
    """Return baseline wander, shape (n, leads)."""
    return _filtered(WANDER, rng, n, leads) * rng.uniform(0.1, 0.6)


def step(rng: np.random.Generator, n: int, leads: int) -> FloatArray:
    """Return a step that decays within seconds, shape (n, leads)."""
    at = int(rng.integers(0, max(n // 2, 1)))
    found = np.zeros((n, leads))
    found[at:] = np.exp(-np.arange(n - at) / (rng.uniform(0.1, 1.0) * FS))[:, None] * rng.normal(0, 0.8, leads)
    return found


def _filtered(sections: FloatArray, rng: np.random.Generator, n: int, leads: int) -> FloatArray:
    """Return filtered white noise of unit standard deviation."""
    found: FloatArray = sosfilt(sections, rng.normal(size=(n + SETTLED, leads)), axis=0)[SETTLED:]
    return np.asarray(found / found.std(axis=0))
