"""Powers of two and logarithms in float32, as sums and products that the compiler turns into vector instructions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from model.signal.compiled import compiled_fused

_ROUNDING = np.float32(1.5 * 2**23)
"""Added to a float32 of at most 2^22, it leaves the nearest integer in the lowest bits."""

_P0, _P1, _P2, _P3, _P4, _P5, _P6 = (
    np.float32(value)
    for value in (1.0, 0.6931472057, 0.2402264689, 0.0555032878, 0.0096184890, 0.0013399931, 0.0001534581)
)
"""Polynomial for 2^x between -1/2 and 1/2; least maximal relative error, 2e-9, by iterated weighted least squares."""

_LN2 = np.float32(math.log(2))
_THREE_QUARTERS_BITS = int(np.float32(0.75).view(np.int32))
_THIRD, _FIFTH, _SEVENTH, _NINTH = np.float32(1 / 3), np.float32(1 / 5), np.float32(1 / 7), np.float32(1 / 9)
_ONE, _TWO = np.float32(1), np.float32(2)


@compiled_fused
def exp2(x: Any) -> Any:
    """Return 2^x of a float32 between -126 and 127; relative error 2e-7."""
    shifted = x + _ROUNDING
    rest = x - (shifted - _ROUNDING)
    power = _P0 + rest * (_P1 + rest * (_P2 + rest * (_P3 + rest * (_P4 + rest * (_P5 + rest * _P6)))))
    exponent = np.int32(np.float32(shifted).view(np.int32) << 23)
    return np.int32(np.float32(power).view(np.int32) + exponent).view(np.float32)


@compiled_fused
def log(x: Any) -> Any:
    """Return the natural logarithm of a float32 of at least 1.

    The error is at most 1.5e-7 times the larger of 1 and the result. ``x = 2^n m``, with m between 3/4 and 3/2, and
    ``ln m = 2 artanh((m - 1) / (m + 1))``.
    """
    bits = np.float32(x).view(np.int32)
    exponent = np.int32((bits - _THREE_QUARTERS_BITS) >> 23)
    mantissa = np.int32(bits - (exponent << 23)).view(np.float32)
    ratio = (mantissa - _ONE) / (mantissa + _ONE)
    square = ratio * ratio
    series = _ONE + square * (_THIRD + square * (_FIFTH + square * (_SEVENTH + square * _NINTH)))
    return np.float32(exponent) * _LN2 + _TWO * ratio * series
