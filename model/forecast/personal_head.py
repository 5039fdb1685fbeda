"""A linear correction that follows one patient: ridge regression on the last two minutes, older moments weighing less.

The sums of the normal equations fade by a constant share per stride, and the ridge does not fade, so the equations stay
well conditioned whatever the signal does. They are solved every two seconds, by elimination. Until then the new moments
wait: the sums of many beds lie far away in memory, and so they are read and written once for all moments.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from model.signal.arrays import Float32Array, FloatArray, IntArray
from model.signal.compiled import compiled, compiled_fused, compiled_part
from stream.timebase import FS, STRIDE

KEPT = math.exp(-STRIDE / (120 * FS))
"""Share of the sums that is kept from stride to stride."""

WAITING = 20
"""Most moments that wait for the next solution; with more, the sums are updated earlier."""

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
    features : ndarray of float32, shape (streams, WAITING, features)
        The moments that wait to be added to the sums, in order, and
    targets : ndarray of float32, shape (streams, WAITING, horizons)
        what followed them.
    waiting : ndarray of int64, shape (streams,)
        Their number.
    """

    gram: Float32Array
    cross: Float32Array
    weights: Float32Array
    features: Float32Array
    targets: Float32Array
    waiting: IntArray


def begin(streams: int, features: int, horizons: int) -> HeadState:
    """Return the state before the first target: nothing is corrected."""
    return HeadState(
        np.zeros((streams, features, features), np.float32),
        np.zeros((streams, features, horizons), np.float32),
        np.zeros((streams, features, horizons), np.float32),
        np.zeros((streams, WAITING, features), np.float32),
        np.zeros((streams, WAITING, horizons), np.float32),
        np.zeros(streams, np.int64),
    )


@compiled
def learn(state: HeadState, i: int, features: Float32Array, target: Float32Array) -> None:
    """Keep one moment of stream `i` for the sums; shapes (features,) and (horizons,)."""
    if state.waiting[i] == WAITING:
        _add(state, i)
    kept, targets = state.features[i, state.waiting[i]], state.targets[i, state.waiting[i]]
    for j in range(len(features)):
        kept[j] = features[j]
    for k in range(len(target)):
        targets[k] = target[k]
    state.waiting[i] += 1


@compiled_part
def _add(state: HeadState, i: int) -> None:
    """Add the moments of stream `i` that wait to its sums."""
    gram, cross, kept = state.gram[i], state.cross[i], np.float32(KEPT)
    for moment in range(state.waiting[i]):
        features, target = state.features[i, moment], state.targets[i, moment]
        for j in range(len(features)):
            products, targets = gram[j], cross[j]
            for k in range(len(features)):
                products[k] = kept * products[k] + features[j] * features[k]
            for k in range(len(target)):
                targets[k] = kept * targets[k] + features[j] * target[k]
    state.waiting[i] = 0


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
    _add(state, i)
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
