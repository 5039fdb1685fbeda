"""Whether a pulse has plausible values, and resembles those before it; see `model.signal.pulse_detector`."""

from __future__ import annotations

import math

import numpy as np

from model.signal.arrays import FloatArray
from model.signal.compiled import compiled_part
from model.signal.small_arrays import median

POINTS = 25
"""Points of the interval around a pulse that are compared."""

TEMPLATE_PULSES, MIN_TEMPLATE_PULSES = 9, 5
"""The template is the median of so many pulses; with fewer than the second number none is trusted."""

MIN_CORRELATION = 0.9
"""Lowest correlation of a trusted pulse with the template. Of 96 plethysmograms of the Challenge 2015, half have it in
87 % of their pulses or more; among movements during asystole it is rare."""

MAX_HEIGHT_RATIO = 2.0
"""Largest ratio, in both directions, of a trusted pulse's slope sum to the median of the pulses before."""

MIN_RANGE = 1e-3
"""Smallest height of a trusted pulse in the wave's unit: above the rounding of a flat signal."""

MIN_PULSE_PRESSURE, MIN_PRESSURE, MAX_PRESSURE = 10.0, 20.0, 300.0
"""Plausible pressures, mmHg."""


@compiled_part
def is_plausible(is_pressure: bool, lowest: float, highest: float) -> bool:
    """Return whether the lowest and the highest value around a pulse can be those of a pulse."""
    if is_pressure:
        return lowest >= MIN_PRESSURE and highest <= MAX_PRESSURE and highest - lowest >= MIN_PULSE_PRESSURE
    return highest - lowest >= MIN_RANGE


@compiled_part
def shape_of(wave: FloatArray) -> FloatArray:
    """Return a wave at equal distances from its first to its last sample, shape (POINTS,), with mean 0 and norm 1."""
    shape = np.empty(POINTS)
    for i in range(POINTS):
        place = i * (len(wave) - 1) / (POINTS - 1)
        left = min(int(place), len(wave) - 2)
        shape[i] = wave[left] + (place - left) * (wave[left + 1] - wave[left])
    _normalize(shape)
    return shape


@compiled_part
def matches(shapes: FloatArray, heights: FloatArray, compared: int, shape: FloatArray, height: float) -> bool:
    """Return whether a pulse has the shape and the height of those before it.

    Parameters
    ----------
    shapes : ndarray, shape (TEMPLATE_PULSES, POINTS)
    heights : ndarray, shape (TEMPLATE_PULSES,)
        Of the pulses before it.
    compared : int
        Number of pulses before it; if they are fewer than TEMPLATE_PULSES, so many of the arrays are known.
    shape : ndarray, shape (POINTS,)
    height : float
    """
    if compared < MIN_TEMPLATE_PULSES:
        return False
    values = np.empty(min(compared, TEMPLATE_PULSES))
    template, correlation = np.empty(POINTS), 0.0
    for i in range(POINTS):
        for pulse in range(len(values)):
            values[pulse] = shapes[pulse, i]
        template[i] = median(values)
    _normalize(template)
    for i in range(POINTS):
        correlation += template[i] * shape[i]
    for pulse in range(len(values)):
        values[pulse] = heights[pulse]
    usual = median(values)
    return correlation >= MIN_CORRELATION and usual / MAX_HEIGHT_RATIO <= height <= usual * MAX_HEIGHT_RATIO


@compiled_part
def _normalize(shape: FloatArray) -> None:
    """Give a shape mean 0 and norm 1, in place."""
    mean = power = 0.0
    for value in shape:
        mean += value / POINTS
    for i in range(POINTS):
        shape[i] -= mean
        power += shape[i] * shape[i]
    norm = max(math.sqrt(power), 1e-12)
    for i in range(POINTS):
        shape[i] /= norm
