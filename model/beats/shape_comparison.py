"""Comparison of a beat with a reference beat of the same patient, by lead."""

from __future__ import annotations

import numpy as np

from model.beats.templates import BEFORE
from model.signal.arrays import FloatArray

P_WINDOW = slice(BEFORE - 84, BEFORE - 24)
"""Window of the P wave: −233 to −67 ms."""

QRS_WINDOW = slice(BEFORE - 26, BEFORE + 32)
"""Window of the QRS complex: −72 to +89 ms."""

PR_WINDOW = slice(BEFORE - 40, BEFORE - 22)
"""Window of the isoelectric level, from which heights are measured: −111 to −61 ms."""

P_BIN = 6
"""Samples averaged when P waves are compared."""

ONSET_WINDOW = slice(BEFORE - 22, BEFORE + 4)
"""Window of the onset of the QRS complex: −61 to +11 ms. An aberrant beat begins like a normal one."""

MIN_QRS_MV = 0.02
"""Lower bound of the QRS height, mV."""


def compare(pair: FloatArray, by_lead: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Compare a beat with the normal beat.

    Parameters
    ----------
    pair : ndarray, shape (2, leads, CORE), mV
        The beat and the normal beat.
    by_lead : ndarray, shape (leads,)
        Their correlation.

    Returns
    -------
    shape : ndarray, shape (10, leads)
        The features of SHAPE except the last four.
    differences : ndarray, shape (4, leads)
        Logarithms of the differences in correlation, QRS, ST and P.
    width : ndarray, shape (leads,)
        Width of the beat's QRS complex: effective number of samples with slope.
    """
    qrs, around = pair[:, :, QRS_WINDOW], pair[:, :, BEFORE - 50 :]
    qrs_height = np.maximum(qrs.max(axis=2) - qrs.min(axis=2), MIN_QRS_MV)
    scale = qrs_height[1]
    slope = np.abs(around[:, :, 1:] - around[:, :, :-1])
    steepest = slope.max(axis=2) + 0.005
    width = slope.sum(axis=2) ** 2 / ((slope * slope).sum(axis=2) + 1e-6) + 1
    height = np.abs(around - pair[:, :, PR_WINDOW].sum(axis=2, keepdims=True) / (PR_WINDOW.stop - PR_WINDOW.start))
    extent = (height > 0.3 * height.max(axis=2, keepdims=True)).sum(axis=2) + 1
    p = pair[:, :, P_WINDOW].reshape(2, pair.shape[1], -1, P_BIN).sum(axis=3) / P_BIN
    difference = pair[0] - pair[1]
    ends = np.abs(difference[:, :20].sum(axis=1) / 20 - difference[:, -12:].sum(axis=1) / 12)
    amplitude, qrs_off, st_off, p_off, sloped, widened, extended, trend, likeness_off = np.log(
        np.stack(
            [
                qrs_height[0] / scale,
                rms(difference[:, QRS_WINDOW]) / scale + 0.01,
                rms(difference[:, QRS_WINDOW.start :]) / scale + 0.01,
                rms(p[0] - p[1]) / scale + 0.003,
                steepest[0] / steepest[1],
                width[0] / width[1],
                extent[0] / extent[1],
                ends / scale + 0.02,
                1.01 - np.minimum(by_lead, 1.0),
            ]
        )
    )
    shape = [amplitude, correlation(qrs), qrs_off, st_off, p_off, correlation(p), sloped, widened, extended, trend]
    return np.stack(shape), np.stack([likeness_off, qrs_off, st_off, p_off]), width[0]


def correlation(pair: FloatArray) -> FloatArray:
    """Return the correlation of two segments, by lead."""
    pair = pair - pair.sum(axis=2, keepdims=True) / pair.shape[2]
    power = (pair * pair).sum(axis=2)
    return np.asarray((pair[0] * pair[1]).sum(axis=1) / np.sqrt(power[0] * power[1] + 1e-9))


def rms(segment: FloatArray) -> FloatArray:
    """Return the root mean square about the mean, by lead."""
    n = segment.shape[1]
    mean = segment.sum(axis=1) / n
    return np.asarray(np.sqrt((segment * segment).sum(axis=1) / n - mean * mean + 1e-9))
