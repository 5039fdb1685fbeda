"""A linear correction that follows one patient: ridge regression on the last two minutes, older moments weighing less.

The sums of the normal equations fade by a constant share per stride, and the ridge does not fade, so the equations stay
well conditioned whatever the signal does. They are solved every two seconds, by elimination.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from model.signal.arrays import Float32Array, FloatArray
from model.signal.compiled import compiled, compiled_fused
from stream.timebase import FS, STRIDE

KEPT = math.exp(-STRIDE / (120 * FS))
"""Share of the sums that is kept from stride to stride."""

RIDGE = 30.0
"""Added to the diagonal of the normal equations; the features are of the order of 1."""


class HeadState(NamedTuple):
    """State of each stream.

    Attributes
    ----------
    gram : ndarray of float32, shape (streams, features, features)
        Fading sum of the products of features.
    cross : ndarray of float32, shape (streams, features, horizons)
        Fading sum of the products of features and targets.
    weights : ndarray of float32, shape (streams, features, horizons)
        The last solution.
    """

    gram: Float32Array
    cross: Float32Array
    weights: Float32Array


def begin(streams: int, features: int, horizons: int) -> HeadState:
    """Return the state before the first target: nothing is corrected."""
    return HeadState(
        np.zeros((streams, features, features), np.float32),
        np.zeros((streams, features, horizons), np.float32),
        np.zeros((streams, features, horizons), np.float32),
    )


@compiled
def learn(state: HeadState, i: int, features: Float32Array, target: Float32Array, weight: float) -> None:
    """Add one moment to the sums of stream `i`; shapes (features,) and (horizons,)."""
    gram, cross, kept = state.gram[i], state.cross[i], np.float32(KEPT)
    for j in range(len(features)):
        own = np.float32(weight * features[j])
        products, targets = gram[j], cross[j]
        for k in range(len(features)):
            products[k] = kept * products[k] + own * features[k]
        for k in range(len(target)):
            targets[k] = kept * targets[k] + own * target[k]


@compiled
def solve(state: HeadState, i: int, equations: FloatArray, solution: FloatArray) -> None:
    """Solve the normal equations of stream `i`.

    Parameters
    ----------
    state : HeadState
    i : int
    equations : ndarray of float64, shape (features, features)
        Overwritten.
    solution : ndarray of float64, shape (features, horizons)
        Overwritten.
    """
    equations[:], solution[:] = state.gram[i], state.cross[i]
    for j in range(len(equations)):
        equations[j, j] += RIDGE
    _eliminate(equations, solution)
    state.weights[i] = solution


@compiled_fused
def _eliminate(equations: FloatArray, solution: FloatArray) -> None:
    """Solve symmetric, positive definite equations in place: ``solution`` has the right-hand sides before."""
    n = len(equations)
    for j in range(n):
        row, values = equations[j], solution[j]
        for below in range(j + 1, n):
            share = row[below] / row[j]  # symmetric: the entry of the lower row
            other, other_values = equations[below], solution[below]
            for k in range(below, n):
                other[k] -= share * row[k]
            for k in range(len(values)):
                other_values[k] -= share * values[k]
    for j in range(n - 1, -1, -1):
        values = solution[j]
        for later in range(j + 1, n):
            share, other_values = equations[j, later], solution[later]
            for k in range(len(values)):
                values[k] -= share * other_values[k]
        for k in range(len(values)):
            values[k] /= equations[j, j]


@compiled
def correct(state: HeadState, i: int, features: Float32Array, values: FloatArray) -> None:
    """Add the correction of stream `i` to values, shape (horizons,)."""
    for j in range(len(features)):
        own, weights = features[j], state.weights[i, j]
        for k in range(len(values)):
            values[k] += own * weights[k]
