"""Made-up noise: real patients whose electrodes move and whose muscles are tense now and then.

Records to learn from hold little noise, so that what an artefact looks like is learnt from too few patients. Here
bursts of a third of a second to a quarter of a minute are laid over the signal, as high as they are in that patient's
own QRS complexes: muscle (15 to 110 Hz), single slow swings as of an electrode that is touched, a baseline that
wanders (0.3 to 3 Hz), and jumps that fade. The kinds are those of the MIT-BIH Noise Stress Test Database (Moody,
Muldrow and Mark, Computers in Cardiology 1984;11:381); the shapes are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
from scipy.signal import butter, sosfilt

from model.signal.arrays import FloatArray, IntArray
from model.training.augment_conduction import usual_height
from stream.timebase import FS

CLEAN_S = 40
"""Seconds at the start that stay as they are."""

PAUSE_S = 12.0
"""Mean of the time between bursts, beyond a second."""

SHORTEST_S, LONGEST_S = 0.3, 15.0
FADE = 30
"""Samples in which a burst rises and ends."""

ON_LEAD = 0.75
"""Chance that a lead has its part in a burst; one has it for certain."""

SETTLED = 2_000
"""Samples after which a filter has forgotten its start."""

MUSCLE = butter(2, (15, 110), "bandpass", fs=FS, output="sos")
WANDER = butter(2, (0.3, 3), "bandpass", fs=FS, output="sos")


def vary(mv: FloatArray, sample: IntArray, symbol: Sequence[str], beats: Collection[str], seed: int) -> FloatArray:
    """Return a patient's signal with noise on a quarter of it.

    Parameters
    ----------
    mv : ndarray, shape (n, leads)
        NaN where invalid.
    sample : ndarray of int64
        Of the annotations, rising.
    symbol : sequence of str
    beats : collection of str
        Symbols that are beats: the noise is measured by their height.
    seed : int
    """
    rng = np.random.default_rng(seed)
    varied, leads = mv.copy(), mv.shape[1]
    peaks = [r for r, kind in zip(sample.tolist(), symbol, strict=True) if kind in beats and FS < r < len(mv) - FS]
    usual = usual_height(mv, peaks)
    begins = CLEAN_S * FS
    while True:
        begins += FS + int(rng.exponential(PAUSE_S) * FS)
        n = int(math.exp(rng.uniform(math.log(SHORTEST_S), math.log(LONGEST_S))) * FS)
        if begins + n + FS > len(mv):
            return varied
        on = (rng.random(leads) < ON_LEAD) | (np.arange(leads) == rng.integers(leads))
        k = np.arange(n)
        fade = np.minimum(1, np.minimum(k + 1, n - k) / FADE)[:, None]
        burst = (muscle, swings, wander, jump)[rng.integers(4)](rng, n, leads)
        varied[begins : begins + n] += burst * fade * (usual * on * rng.uniform(0.5, 1.5, leads))
        begins += n


def muscle(rng: np.random.Generator, n: int, leads: int) -> FloatArray:
    """Return the noise of tense muscles, shape (n, leads): 2 to 25 % of a QRS complex."""
    return _filtered(MUSCLE, rng, n, leads) * math.exp(rng.uniform(math.log(0.02), math.log(0.25)))


def swings(rng: np.random.Generator, n: int, leads: int) -> FloatArray:
    """Return single swings of 20 to 150 ms (standard deviation), shape (n, leads), one or two a second."""
    k, found = np.arange(n), np.zeros((n, leads))
    for _ in range(max(1, int(n / FS * rng.uniform(0.5, 2.5)))):
        width = rng.uniform(0.02, 0.15) * FS
        found += np.exp(-(((k - rng.uniform(0, n)) / width) ** 2) / 2)[:, None] * rng.normal(0, 0.5, leads)
    return found


def wander(rng: np.random.Generator, n: int, leads: int) -> FloatArray:
    """Return a baseline that wanders, shape (n, leads)."""
    return _filtered(WANDER, rng, n, leads) * rng.uniform(0.1, 0.6)


def jump(rng: np.random.Generator, n: int, leads: int) -> FloatArray:
    """Return a jump that fades within seconds, shape (n, leads)."""
    at = int(rng.integers(0, max(n // 2, 1)))
    found = np.zeros((n, leads))
    found[at:] = np.exp(-np.arange(n - at) / (rng.uniform(0.1, 1.0) * FS))[:, None] * rng.normal(0, 0.8, leads)
    return found


def _filtered(sections: FloatArray, rng: np.random.Generator, n: int, leads: int) -> FloatArray:
    """Return filtered white noise of unit standard deviation."""
    found: FloatArray = sosfilt(sections, rng.normal(size=(n + SETTLED, leads)), axis=0)[SETTLED:]
    return np.asarray(found / found.std(axis=0))
