"""Baselines of the anomaly score: residual of AR(180), amplitude, and a random score.

Each gives one score per patch of 4 samples, causally, at the last sample of the patch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from model.evaluation.baseline_forecasts import AR
from model.forecast import normalization
from model.forecast.config import PATCH, ScalingConfig
from model.signal.arrays import FloatArray, IntArray
from stream.timebase import FS

AHEAD = 18
"""Horizon of the AR residual in samples: 50 ms, where it discriminates best."""

RUNNING_MEAN_S = 60.0
"""Time constant in seconds of the patient's running mean residual, by which the AR residual is divided."""

AR_SMOOTH, AMPLITUDE_SMOOTH = 36, 27
"""Patches over which the scores are averaged: 400 and 300 ms. All settings of the baselines maximise their AUROC on
MIT-BIH DS1 without 201 and 208. Averaging over 111 ms, as in the anomaly score, reduces the AUROC of the AR residual
from .912 to .776, squared instead of root errors to .852, one lead without division by the running mean to .659. The
height of a beat alone reaches .56 at most."""

LEAST_ROOT = 1e-3
"""Lower bound of the running mean root error, which keeps a flat line from dividing by zero; an error of 1e-6 mV."""


def patch_ends(n: int) -> IntArray:
    """Return the last sample of each whole patch of n samples, at which its score is known."""
    return np.arange(PATCH - 1, n, PATCH, dtype=np.int64)


def ar_residual(mv: FloatArray, ar: AR) -> FloatArray:
    """Return the root absolute error 50 ms ahead, smoothed, relative to its running mean over the last minute.

    Parameters
    ----------
    mv : ndarray of float64, shape (n, leads)
        Finite.
    ar : AR
        Fitted for the single horizon `AHEAD`.

    Returns
    -------
    ndarray, shape (n // 4,)
        Mean over leads; NaN until the first forecasts can be verified.
    """
    n = len(mv)
    origins = np.arange(ar.order - 1, n - AHEAD, dtype=np.int64)
    keep = np.exp(-PATCH / (FS * RUNNING_MEAN_S))
    scores = []
    for x in mv.T:
        root = np.zeros(n)
        root[origins + AHEAD] = np.sqrt(np.abs(x[origins + AHEAD] - ar.forecast(x, origins)[:, 0]))
        by_patch = root[: n // PATCH * PATCH].reshape(-1, PATCH).mean(axis=1)
        age = np.arange(1, len(by_patch) + 1)
        running_mean = lfilter([1 - keep], [1, -keep], by_patch) / (1 - keep**age)
        scores.append(_moving_mean(by_patch, AR_SMOOTH) / np.maximum(running_mean, LEAST_ROOT))
    score = np.mean(scores, axis=0)
    score[: (ar.order + AHEAD) // PATCH + AR_SMOOTH] = np.nan
    return np.asarray(score)


def amplitude(mv: FloatArray) -> FloatArray:
    """Return the mean distance from the running baseline in units of the running scale; high for tall and wide waves.

    Baseline and scale are those of the network's input: causal and adapted to the patient.

    Parameters
    ----------
    mv : ndarray of float64, shape (n, leads)
        Finite.

    Returns
    -------
    ndarray, shape (n // 4,)
        Mean over leads; NaN until the first average is complete.
    """
    config = ScalingConfig()
    leads = mv.shape[1]
    patches = np.ascontiguousarray(mv[: len(mv) // PATCH * PATCH].T).reshape(leads, -1, PATCH)
    baseline, scale, _ = normalization.advance(normalization.begin(leads, config), patches, config)
    distance = np.abs(patches - baseline[:, :, None]).mean(axis=2) / scale
    return _moving_mean(distance.mean(axis=0), AMPLITUDE_SMOOTH)


def _moving_mean(values: FloatArray, over: int) -> FloatArray:
    """Return the mean of the last values; NaN until there are enough."""
    out = np.full(len(values), np.nan)
    if len(values) >= over:
        out[over - 1 :] = np.lib.stride_tricks.sliding_window_view(values, over).mean(axis=1)
    return out


def random_score(n: int, seed: int) -> FloatArray:
    """Return a random score between 0 and 1 for each patch of n samples."""
    return np.random.default_rng(seed).random(n // PATCH)


@dataclass(frozen=True, slots=True)
class BaselineDetector:
    """A baseline score.

    Attributes
    ----------
    score : callable
        Maps a record's name and its samples, mV of shape (n, leads), to a score for each patch.
    window : int
        Samples over which the score averages; the onset of its alarms is set back by them.
    """

    score: Callable[[str, FloatArray], FloatArray]
    window: int


def baseline_detectors(ar: AR | None) -> dict[str, BaselineDetector]:
    """Return the baselines by name, without an AR model the others; a record always has the same random score."""
    others = {
        "residual_amplitude": BaselineDetector(lambda _, mv: amplitude(mv), AMPLITUDE_SMOOTH * PATCH),
        "residual_random": BaselineDetector(
            lambda name, mv: random_score(len(mv), int.from_bytes(name.encode())), PATCH
        ),
    }
    if ar is None:
        return others
    fitted = ar
    return {"residual_ar180": BaselineDetector(lambda _, mv: ar_residual(mv, fitted), AR_SMOOTH * PATCH), **others}
