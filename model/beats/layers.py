"""What the networks that type beats are made of."""

from __future__ import annotations

import math

from model.signal.arrays import FloatArray
from model.signal.compiled import compiled_part

MAX_DEVIATION = 4.0
"""Limit at which inputs are clipped: features in standard deviations, shapes in heights of the QRS complex."""


@compiled_part
def clipped(value: float) -> float:
    """Return an input within ±MAX_DEVIATION."""
    return max(-MAX_DEVIATION, min(MAX_DEVIATION, value))


@compiled_part
def affine(weight: FloatArray, bias: FloatArray, values: FloatArray) -> FloatArray:
    """Return the outputs of one layer before its activation; ``weight`` has shape (in, out)."""
    outputs = bias.copy()
    for i in range(len(values)):
        for k in range(len(outputs)):
            outputs[k] += values[i] * weight[i, k]
    return outputs


@compiled_part
def rectify(values: FloatArray) -> None:
    """Set negative values to 0, in place."""
    for i in range(len(values)):
        values[i] = max(values[i], 0.0)


@compiled_part
def log_sum_exp(values: FloatArray) -> float:
    """Return the logarithm of the sum of the exponentials."""
    largest, total = values.max(), 0.0
    for value in values:
        total += math.exp(value - largest)
    return float(largest + math.log(total))
