"""What the residual score must beat: an AR(180) residual, an amplitude rule, and chance.

Each gives one score for each patch of 4 samples, known at the patch's last sample, from the samples up to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from model.evaluation.baseline_forecasts import AR
from model.forecast import normalization
from model.forecast.config import PATCH, ScalingConfig
from model.signal.arrays import FloatArray
from stream.timebase import FS

AHEAD = 18
"""Samples ahead of which the AR model's error is taken: 50 ms, where its residual tells most."""

USUAL_S = 60.0
"""Time constant, in seconds, of what is usual for the patient, by which the AR residual is divided."""

AR_SMOOTH, AMPLITUDE_SMOOTH = 36, 27
"""Patches over which the rivals' scores are averaged: 400 and 300 ms. All of this was chosen in the rivals' favour on
MIT-BIH DS1 without 201 and 208: 111 ms, as in our own score, gave the AR residual an AUROC of .776 instead of .912,
squares instead of roots .852, one lead without the patient's usual .659; a beat's height alone gave .56 at most."""

LEAST_ROOT = 1e-3
"""Smallest usual root of an error, so that a flat line does not divide by zero; an error of 1e-6 mV."""


def patch_ends(n: int) -> npt.NDArray[np.int64]:
    """Return the last sample of each whole patch of n samples: when its score is known."""
    return np.arange(PATCH - 1, n, PATCH, dtype=np.int64)


def ar_residual(mv: FloatArray, ar: AR) -> FloatArray:
    """Return the root of the absolute error 50 ms ahead, averaged, relative to the patient's last minute.

    Parameters
    ----------
    mv : ndarray of float64, shape (n, leads)
        Finite.
    ar : AR
        Fitted for the one horizon `AHEAD`.

    Returns
    -------
    ndarray, shape (n // 4,)
        Mean over the leads; NaN before the first forecasts came true.
    """
    n = len(mv)
    origins = np.arange(ar.order - 1, n - AHEAD, dtype=np.int64)
    keep = np.exp(-PATCH / (FS * USUAL_S))
    scores = []
    for x in mv.T:
        opinion = np.zeros(n)
        opinion[origins + AHEAD] = np.sqrt(np.abs(x[origins + AHEAD] - ar.forecast(x, origins)[:, 0]))
        by_patch = opinion[: n // PATCH * PATCH].reshape(-1, PATCH).mean(axis=1)
        age = np.arange(1, len(by_patch) + 1)
        usual = lfilter([1 - keep], [1, -keep], by_patch) / (1 - keep**age)
        scores.append(_averaged(by_patch, AR_SMOOTH) / np.maximum(usual, LEAST_ROOT))
    score = np.mean(scores, axis=0)
    score[: (ar.order + AHEAD) // PATCH + AR_SMOOTH] = np.nan
    return np.asarray(score)


def amplitude(mv: FloatArray) -> FloatArray:
    """Return the mean distance from the running baseline, in running root mean squares: tall and wide scores high.

    Baseline and scale are those that the network is given: both follow the patient and know the past only.

    Parameters
    ----------
    mv : ndarray of float64, shape (n, leads)
        Finite.

    Returns
    -------
    ndarray, shape (n // 4,)
        Mean over the leads; NaN before the average is whole.
    """
    config = ScalingConfig()
    leads = mv.shape[1]
    patches = np.ascontiguousarray(mv[: len(mv) // PATCH * PATCH].T).reshape(leads, -1, PATCH)
    baseline, scale, _ = normalization.advance(normalization.begin(leads, config), patches, config)
    distance = np.abs(patches - baseline[:, :, None]).mean(axis=2) / scale
    return _averaged(distance.mean(axis=0), AMPLITUDE_SMOOTH)


def _averaged(values: FloatArray, over: int) -> FloatArray:
    """Return the mean of the last values at each place; NaN before there are enough."""
    out = np.full(len(values), np.nan)
    if len(values) >= over:
        out[over - 1 :] = np.lib.stride_tricks.sliding_window_view(values, over).mean(axis=1)
    return out


def chance(n: int, seed: int) -> FloatArray:
    """Return a random score between 0 and 1 for each patch of n samples."""
    return np.random.default_rng(seed).random(n // PATCH)


@dataclass(frozen=True, slots=True)
class Rival:
    """A way to score a record.

    Attributes
    ----------
    score : callable
        From the record's name and its samples, mV of shape (n, leads), to a score for each patch.
    looks_back : int
        Samples that a score averages over, by which the onset of its alarms is set back.
    """

    score: Callable[[str, FloatArray], FloatArray]
    looks_back: int


def rivals(ar: AR) -> dict[str, Rival]:
    """Return the rivals by name; the random scores of a record are always the same."""
    return {
        "residual_ar180": Rival(lambda _, mv: ar_residual(mv, ar), AR_SMOOTH * PATCH),
        "residual_amplitude": Rival(lambda _, mv: amplitude(mv), AMPLITUDE_SMOOTH * PATCH),
        "residual_random": Rival(lambda name, mv: chance(len(mv), int.from_bytes(name.encode())), PATCH),
    }
