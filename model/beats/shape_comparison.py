"""Comparison of a beat with a reference beat of the same patient, in one lead."""

from __future__ import annotations

import math

import numpy as np

from model.beats.templates import BEFORE, CORE
from model.signal.arrays import FloatArray
from model.signal.compiled import compiled, compiled_part

P_WINDOW = slice(BEFORE - 84, BEFORE - 24)
"""Window of the P wave: −233 to −67 ms."""

QRS_WINDOW = slice(BEFORE - 26, BEFORE + 32)
"""Window of the QRS complex: −72 to +89 ms."""

AROUND_QRS = slice(BEFORE - 50, None)
"""Part of a shape in which the width of the QRS complex is measured: from −139 ms on."""

PR_WINDOW = slice(BEFORE - 40, BEFORE - 22)
"""Window of the isoelectric level, from which heights are measured: −111 to −61 ms."""

P_BIN = 6
"""Samples averaged when P waves are compared."""

ONSET_WINDOW = slice(BEFORE - 22, BEFORE + 4)
"""Window of the onset of the QRS complex: −61 to +11 ms. An aberrant beat begins like a normal one."""

MIN_QRS_MV = 0.02
"""Lower bound of the QRS height, mV."""

MEASURES = 10
"""Number of measures of a beat, see `compare`."""

DIFFERENCES = 4
"""Number of differences of a beat, see `compare`."""


@compiled
def compare(
    beat: FloatArray, reference: FloatArray, likeness: float, measures: FloatArray, differences: FloatArray
) -> float:
    """Compare a beat with the normal beat in one lead.

    Parameters
    ----------
    beat, reference : ndarray of float64, shape (CORE,), mV
    likeness : float
        Their correlation.
    measures : ndarray of float64, shape (MEASURES,)
        Receives: amplitude, correlation of the QRS complex, differences of QRS, ST and P, correlation of the P wave,
        slope, width and extent of the QRS complex, trend. All but the correlations are logarithms; sizes are relative
        to the reference, differences to its QRS height.
    differences : ndarray of float64, shape (DIFFERENCES,)
        Receives the logarithms of the differences in correlation, QRS, ST and P.

    Returns
    -------
    float
        Width of the beat's QRS complex, see `qrs_width`.
    """
    qrs, reference_qrs = beat[QRS_WINDOW], reference[QRS_WINDOW]
    p, reference_p = bin_means(beat[P_WINDOW], P_BIN), bin_means(reference[P_WINDOW], P_BIN)
    difference, p_difference = np.empty(CORE), np.empty(len(p))
    for i in range(CORE):
        difference[i] = beat[i] - reference[i]
    for i in range(len(p)):
        p_difference[i] = p[i] - reference_p[i]
    ends = abs(difference[:20].mean() - difference[-12:].mean())
    width, reference_width = qrs_width(beat), qrs_width(reference)
    scale = qrs_height(reference)
    differences[0] = math.log(1.01 - min(likeness, 1.0))
    differences[1] = math.log(rms(difference[QRS_WINDOW]) / scale + 0.01)
    differences[2] = math.log(rms(difference[QRS_WINDOW.start :]) / scale + 0.01)
    differences[3] = math.log(rms(p_difference) / scale + 0.003)
    measures[0] = math.log(qrs_height(beat) / scale)
    measures[1] = correlation(qrs, reference_qrs)
    measures[2], measures[3], measures[4] = differences[1], differences[2], differences[3]
    measures[5] = correlation(p, reference_p)
    measures[6] = math.log(steepest(beat) / steepest(reference))
    measures[7] = math.log(width / reference_width)
    measures[8] = math.log(extent(beat) / extent(reference))
    measures[9] = math.log(ends / scale + 0.02)
    return width


@compiled_part
def qrs_height(beat: FloatArray) -> float:
    """Return the height of the QRS complex, mV."""
    qrs = beat[QRS_WINDOW]
    return max(float(qrs.max() - qrs.min()), MIN_QRS_MV)


@compiled_part
def steepest(beat: FloatArray) -> float:
    """Return the steepest slope around the QRS complex, mV per sample, plus a small amount."""
    around = beat[AROUND_QRS]
    steepest = 0.0
    for i in range(len(around) - 1):
        steepest = max(steepest, abs(around[i + 1] - around[i]))
    return steepest + 0.005


@compiled_part
def qrs_width(beat: FloatArray) -> float:
    """Return the width of the QRS complex: effective number of samples with slope, plus 1."""
    around = beat[AROUND_QRS]
    total, square = 0.0, 0.0
    for i in range(len(around) - 1):
        slope = abs(around[i + 1] - around[i])
        total += slope
        square += slope * slope
    return total * total / (square + 1e-6) + 1


@compiled_part
def extent(beat: FloatArray) -> int:
    """Return the number of samples that are far from the isoelectric level, plus 1."""
    around, level = beat[AROUND_QRS], beat[PR_WINDOW].mean()
    highest, extent = 0.0, 1
    for sample in around:
        highest = max(highest, abs(sample - level))
    for sample in around:
        extent += abs(sample - level) > 0.3 * highest
    return extent


@compiled_part
def correlation(a: FloatArray, b: FloatArray) -> float:
    """Return the correlation of two segments; 0 if one is flat."""
    mean_a, mean_b = a.mean(), b.mean()
    product, power_a, power_b = 0.0, 0.0, 0.0
    for i in range(len(a)):
        product += (a[i] - mean_a) * (b[i] - mean_b)
        power_a += (a[i] - mean_a) * (a[i] - mean_a)
        power_b += (b[i] - mean_b) * (b[i] - mean_b)
    return product / math.sqrt(power_a * power_b + 1e-9)


@compiled_part
def rms(segment: FloatArray) -> float:
    """Return the root mean square about the mean."""
    mean = segment.mean()
    square = 0.0
    for sample in segment:
        square += sample * sample
    return math.sqrt(square / len(segment) - mean * mean + 1e-9)


@compiled_part
def bin_means(segment: FloatArray, size: int) -> FloatArray:
    """Return the means of bins of some samples, the last bin being whole."""
    means = np.zeros(len(segment) // size)
    for i in range(len(means)):
        means[i] = segment[i * size : (i + 1) * size].mean()
    return means


@compiled
def subtract_trend(values: FloatArray) -> None:
    """Subtract the linear trend from values, in place."""
    mean, middle = values.mean(), (len(values) - 1) / 2
    product, power = 0.0, 0.0
    for i in range(len(values)):
        product += (i - middle) * (values[i] - mean)
        power += (i - middle) * (i - middle)
    for i in range(len(values)):
        values[i] -= mean + product / power * (i - middle)
