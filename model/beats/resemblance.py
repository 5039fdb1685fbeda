"""Resemblance of successive complexes, which tells a run of ectopic beats from an artefact.

The complexes of a tachycardia resemble each other, in an alternating run every second one; those that a detector finds
in an electrode artefact do not. Each complex, its QRS and the beginning of its T wave, is correlated with the last two.
The leads are averaged at one common shift, because an artefact rarely repeats in two leads at once.
"""

from __future__ import annotations

import numpy as np

from model.beats import templates
from model.beats.templates import MAX_SHIFT
from model.signal.arrays import BoolArray, FloatArray

EARLIER_BEATS = 2
"""Number of earlier complexes that a complex is compared with."""

BEFORE, AFTER = 36, 52
"""Extent of a compared shape before and after the R peak, samples: 100 and 144 ms, so no other beat at 250/min."""

LENGTH = BEFORE + 1 + AFTER
"""Samples in a compared shape."""

FIRST = templates.BEFORE + MAX_SHIFT - BEFORE
"""First sample of the shape in a smoothed piece."""

MIN_MV = 0.05
"""Peak-to-peak value, mV, below which a lead shows no complex and is not compared."""


def begin(leads: int) -> FloatArray:
    """Return the shapes before the first beat, shape (0, leads, LENGTH)."""
    return np.zeros((0, leads, LENGTH))


def step(shapes: FloatArray, piece: FloatArray, valid: BoolArray) -> tuple[tuple[float, ...], FloatArray]:
    """Compare a beat with the last ones.

    Parameters
    ----------
    shapes : ndarray, shape (up to EARLIER_BEATS, leads, LENGTH), mV
        Shapes of the last beats, latest first.
    piece : ndarray, shape (PIECE_BEFORE + 1 + PIECE_AFTER, leads), mV
        Samples around the R peak, as `model.beats.beat_detector.cut_piece` returns them.
    valid : ndarray of bool, shape (leads,)

    Returns
    -------
    resemblance : tuple of float
        Correlation with each of ``shapes``, -1 to 1: mean over the leads in which both are shown and one has a complex,
        at the best common shift of up to `MAX_SHIFT` samples; 0 without such a lead.
    shapes : ndarray
        Including that of this beat.
    """
    smoothed = np.where(valid[:, None], templates.smooth(piece), 0.0)
    around = smoothed[:, FIRST - MAX_SHIFT : FIRST + LENGTH + MAX_SHIFT]
    windows = np.lib.stride_tricks.sliding_window_view(around, LENGTH, axis=1)
    windows = windows - windows.mean(axis=2, keepdims=True)
    norm = np.sqrt((windows * windows).sum(axis=2))
    shape = smoothed[:, FIRST : FIRST + LENGTH]
    resemblance = tuple(_correlation(windows, norm, shape, earlier) for earlier in shapes)
    return resemblance, np.concatenate([shape[None], shapes])[:EARLIER_BEATS]


def _correlation(windows: FloatArray, norm: FloatArray, shape: FloatArray, earlier: FloatArray) -> float:
    """Return the mean correlation of the leads at the best shift; the windows have zero mean."""
    height, earlier_height = np.ptp(shape, axis=1), np.ptp(earlier, axis=1)
    compared = (np.maximum(height, earlier_height) >= MIN_MV) & (np.minimum(height, earlier_height) > 0)
    if not compared.any():
        return 0.0
    centred = earlier - earlier.mean(axis=1, keepdims=True)
    product = (windows @ centred[:, :, None])[:, :, 0]
    by_lead = product / np.maximum(norm * np.sqrt((centred * centred).sum(axis=1))[:, None], 1e-9)
    return float(by_lead[compared].mean(axis=0).max())
