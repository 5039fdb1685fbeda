"""Past moments of a stream that resemble the present one, and what followed them.

Of each stream the last two minutes are kept at 90 Hz, in strides of 9 points. The window that ends now is compared with
the windows that ended at each past point: by the sum of squared differences, after both have been shifted to the same
mean. The search uses means of a few points; the most similar moments, each at some distance from the others, are then
placed at the point where the latest quarter of a second agrees best. What followed them, shifted to the present level,
is averaged, with weights that fall as the squared difference grows.

A moment counts only when all that follows it within the horizon has been observed, and when no sample of it is invalid.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from model.forecast.config import PATCH
from model.signal.arrays import BoolArray, ByteArray, Float32Array, FloatArray, IntArray
from model.signal.compiled import compiled, compiled_part, wide_vectors
from stream.timebase import FS, STRIDE

POINTS = STRIDE // PATCH
"""Points of a stride."""

STRIDES = 120 * FS // STRIDE
"""Strides that are kept: two minutes."""

LONG_EVERY = 4
"""Strides from one long search to the next."""

SPARE = 60
"""Strides that are received before what is kept moves to the front of its memory."""

FOLLOWED = FS // STRIDE + 1
"""Strides that follow a moment: one second, and what is needed to place it."""

PRECEDING = 11
"""Strides before a moment that its windows reach into."""

MANY = 255
"""Usable strides in a row beyond which they are not counted: more than precede and follow a moment."""

MOMENTS = 16
"""Moments that are averaged."""

APART = 9
"""Points of 90 Hz within which two moments count as one: 100 ms."""

LEVEL = 24
"""Latest points over which a moment is shifted to the present level: 267 ms."""

EARLIER, SHIFTS = 3, 8
"""A moment is placed at one of 8 points, from 3 before to 4 after where the search found it."""

FLOOR = 0.01
"""Squared difference, in squared deviations of the stream, that counts as none."""

TAPS = 8
"""Points of a window that are compared in one pass; a window has a multiple of them."""

RECENT = 8
"""Latest points at which the present is compared with the moments."""

_FAR = np.float32(1e30)

Taps = tuple[Any, Any, Any, Any, Any, Any, Any, Any]
"""`TAPS` numbers of float32."""


class RetrievalState(NamedTuple):
    """What is kept of each stream.

    Attributes
    ----------
    past : ndarray of float32, shape (streams, STRIDES + SPARE, POINTS)
        Strides in mV; the latest is before ``STRIDES + strides % SPARE``.
    usable : ndarray of uint8, shape (streams, STRIDES + SPARE)
        Strides in a row, up to each one, that have been received and contain no invalid sample; at most `MANY`.
    strides : ndarray of int64, shape (streams,)
        Strides received.
    searched : ndarray of int64, shape (streams,)
        Strides received at the last long search; before all if it did not find enough.
    moments : ndarray of int64, shape (streams, MOMENTS)
        What it found.
    """

    past: Float32Array
    usable: ByteArray
    strides: IntArray
    searched: IntArray
    moments: IntArray


class Scratch(NamedTuple):
    """Memory of a search over n points.

    Attributes
    ----------
    sums : ndarray of float32, shape (n,)
    tree : ndarray of float32, shape (2 * n,)
        The squared distances in its second half; before them, entry i is the lesser of the entries 2 i and 2 i + 1.
    """

    sums: Float32Array
    tree: Float32Array


class Followed(NamedTuple):
    """What followed the moments found, shifted to the present level.

    Attributes
    ----------
    mean, spread : ndarray of float64, shape (horizons,)
        mV; `spread` is the standard deviation over the moments.
    recent : ndarray of float64, shape (RECENT,)
        The latest points less their mean at the moments, mV, latest first.
    """

    mean: FloatArray
    spread: FloatArray
    recent: FloatArray


def begin(streams: int) -> RetrievalState:
    """Return the state before the first stride."""
    return RetrievalState(
        np.zeros((streams, STRIDES + SPARE, POINTS), np.float32),
        np.zeros((streams, STRIDES + SPARE), np.uint8),
        np.zeros(streams, np.int64),
        np.full(streams, -LONG_EVERY, np.int64),
        np.zeros((streams, MOMENTS), np.int64),
    )


def after_gap(state: RetrievalState) -> RetrievalState:
    """Return the state after lost samples: no window crosses the place of the gap."""
    usable = state.usable.copy()
    usable[np.arange(len(usable)), STRIDES + state.strides % SPARE - 1] = 0
    return state._replace(usable=usable)


@compiled
def new_scratch(points: int) -> Scratch:
    """Return memory for a search over so many points."""
    return Scratch(np.empty(points, np.float32), np.empty(2 * points, np.float32))


@compiled_part
def push(state: RetrievalState, i: int, stride: FloatArray, invalid: BoolArray) -> None:
    """Keep a stride of stream `i`."""
    past, usable, at = state.past[i], state.usable[i], STRIDES + state.strides[i] % SPARE
    usable[at] = 0 if invalid.any() else min(np.int64(usable[at - 1]) + 1, MANY)
    for point in range(POINTS):
        past[at, point] = stride[(point + 1) * PATCH - 1]
    state.strides[i] += 1
    if state.strides[i] % SPARE == 0:
        past[:STRIDES], usable[:STRIDES] = past[SPARE:].copy(), usable[SPARE:].copy()


@compiled_part
def latest(state: RetrievalState, i: int) -> tuple[Float32Array, ByteArray]:
    """Return what is kept of stream `i`, in mV, shape (STRIDES * POINTS,), and its usable strides, shape (STRIDES,)."""
    first = state.strides[i] % SPARE
    past = state.past[i].reshape(-1)
    return past[first * POINTS : (first + STRIDES) * POINTS], state.usable[i][first : first + STRIDES]


@compiled_part
def observed(usable: ByteArray, whole: BoolArray) -> None:
    """Write the strides whose windows are usable, and all that followed within the horizon; shape (STRIDES,)."""
    after = usable[FOLLOWED:]
    for stride in range(len(after)):
        whole[stride] = after[stride] > PRECEDING + FOLLOWED
    whole[len(after) :] = False


@compiled_part
def halved(values: Float32Array, out: Float32Array) -> None:
    """Write the means of pairs of values."""
    half, first = np.float32(0.5), 0
    for i in range(len(out)):
        out[i] = half * (values[first] + values[first + 1])
        first += 2


@compiled
def find(past: Float32Array, window: int, whole: BoolArray, scratch: Scratch, found: IntArray) -> int:
    """Find the moments most similar to the present.

    Parameters
    ----------
    past : ndarray of float32, shape (n,)
        mV, the latest point last; means of a few points of 90 Hz.
    window : int
        Points that are compared; a multiple of `TAPS`.
    whole : ndarray of bool, shape (STRIDES,)
        Strides that count.
    scratch : Scratch
    found : ndarray of int64, shape (MOMENTS,)
        Receives their positions among the points of 90 Hz, the most similar first.

    Returns
    -------
    int
        Moments found.
    """
    points, tree = len(past), scratch.tree
    step, distance = STRIDES * POINTS // points, tree[points:]
    distance[: window - 1] = _FAR
    _compare(past, past[points - window :], scratch.sums[window - 1 :], distance[window - 1 :])
    for stride in range(STRIDES):
        if not whole[stride]:  # to divide by a constant takes less time than by the step
            distance[stride * points // STRIDES : (stride + 1) * points // STRIDES] = _FAR
    _grow(tree)
    count, apart = 0, -(-APART // step)
    while count < len(found) and tree[1] < _FAR:
        best = _smallest(tree)
        found[count] = best * step + step - 1
        count += 1
        _remove(tree, max(best - apart, 0), min(best + apart, points - 1))
    return count


@compiled_part
def found_before(state: RetrievalState, i: int, whole: BoolArray) -> bool:
    """Return whether the last long search of stream `i` is recent enough, and the moments found count still.

    Moved on by as many strides as the present has, they have the same positions.
    """
    count = 0
    for moment in state.moments[i]:
        count += whole[moment // POINTS]
    return count == MOMENTS and state.strides[i] < state.searched[i] + LONG_EVERY


@compiled
def follow(past: Float32Array, found: IntArray, floor: float, ahead: IntArray, out: Followed) -> None:
    """Average what followed moments, at so many points after them.

    Parameters
    ----------
    past : ndarray of float32, shape (n,)
        mV, the latest point last.
    found : ndarray of int64, shape (moments,)
        Positions of the moments as the search found them.
    floor : float
        Squared difference that counts as none, mV².
    ahead : ndarray of int64, shape (horizons,)
        Points of 90 Hz, the last the farthest.
    out : Followed
        Receives the result.
    """
    now, mean, spread, recent = len(past) - 1, out.mean, out.spread, out.recent
    sums, distances = np.empty(SHIFTS, np.float32), np.empty(SHIFTS, np.float32)
    values, squares = np.zeros(ahead[-1]), np.zeros(ahead[-1])  # of all points: adjacent ones are added together
    recent[:] = 0.0
    total = 0.0
    for moment in found:
        at, level, distance = _placed(past, moment, sums, distances)
        weight = 1 / (distance + floor)
        total += weight
        after = past[at + 1 : at + 1 + len(values)]
        for point in range(len(values)):
            value = after[point] + level
            values[point] += weight * value
            squares[point] += weight * value * value
        for j in range(len(recent)):
            recent[j] += weight * (past[now - j] - past[at - j] - level)
    for h in range(len(ahead)):
        mean[h] = values[ahead[h] - 1] / total
        spread[h] = math.sqrt(max(squares[ahead[h] - 1] / total - mean[h] * mean[h], 0.0))
    for j in range(len(recent)):
        recent[j] /= total


@compiled_part
def _placed(past: Float32Array, moment: int, sums: Float32Array, distances: Float32Array) -> tuple[int, float, float]:
    """Return where the latest points agree best with those near a moment, the shift in level, and the difference."""
    first, window = moment - EARLIER, past[len(past) - LEVEL :]
    sums[:], distances[:] = 0, 0
    for tap in range(0, LEVEL, TAPS):
        near, taps = past[first - LEVEL + 1 + tap :], _taps(window, tap)
        for shift in range(SHIFTS):  # as many as one vector has, which the compiler must know
            total, square = _differences(near, shift, taps)
            sums[shift] += total
            distances[shift] += square
    for shift in range(SHIFTS):
        distances[shift] -= sums[shift] * sums[shift] * np.float32(1 / LEVEL)
    best = 0
    for shift in range(SHIFTS):
        if distances[shift] < distances[best]:
            best = shift
    return first + best, sums[best] / LEVEL, max(distances[best], 0.0)


@compiled_part
def _compare(past: Float32Array, window: Float32Array, sums: Float32Array, distance: Float32Array) -> None:
    """Compare a window with the points from each one on.

    Parameters
    ----------
    past : ndarray of float32, shape (n,)
    window : ndarray of float32, shape (size,)
    sums : ndarray of float32, shape (n - size + 1,)
        Receives the sums of the differences.
    distance : ndarray of float32, shape (n - size + 1,)
        Receives the sums of the squared differences, after both have been shifted to the same mean.
    """
    n, share = len(distance), np.float32(1 / len(window))
    sums[:], distance[:] = 0, 0
    for first in range(0, len(window), TAPS):
        near, taps = past[first : first + n + TAPS - 1], _taps(window, first)
        for i in range(n):
            total, square = _differences(near, i, taps)
            sums[i] += total
            distance[i] += square
    for i in range(n):
        distance[i] -= sums[i] * sums[i] * share


@compiled_part
def _taps(window: Float32Array, first: int) -> Taps:
    """Return adjacent points of a window."""
    a, b, c, d = window[first], window[first + 1], window[first + 2], window[first + 3]
    e, f, g, h = window[first + 4], window[first + 5], window[first + 6], window[first + 7]
    return a, b, c, d, e, f, g, h


@compiled_part
def _differences(near: Float32Array, i: int, taps: Taps) -> tuple[Any, Any]:
    """Return the sum of the differences between `TAPS` points and those from ``near[i]`` on, and of their squares."""
    a, b, c, d = taps[0] - near[i], taps[1] - near[i + 1], taps[2] - near[i + 2], taps[3] - near[i + 3]
    e, f, g, h = taps[4] - near[i + 4], taps[5] - near[i + 5], taps[6] - near[i + 6], taps[7] - near[i + 7]
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    return total, ((a * a + b * b) + (c * c + d * d)) + ((e * e + f * f) + (g * g + h * h))


@compiled_part
def _grow(tree: Float32Array) -> None:
    """Write the first half of a tree of the lesser values."""
    end = len(tree) // 2
    while end > 1:
        first = (end + 1) // 2
        _lesser(tree[2 * first : 2 * end], tree[first:end])
        end = first


@compiled_part
def _lesser(values: Float32Array, out: Float32Array) -> None:
    """Write the lesser of each pair of values."""
    wide_vectors()  # type: ignore[call-arg]  # not inlined either, where the two halves of a tree would seem to overlap
    for i in range(len(out)):
        left, right = values[2 * i], values[2 * i + 1]
        out[i] = left if left < right else right


@compiled_part
def _smallest(tree: Float32Array) -> int:
    """Return the position of the smallest value."""
    points, at = len(tree) // 2, 1
    while at < points:
        at = 2 * at + (tree[2 * at] > tree[1])
    return at - points


@compiled_part
def _remove(tree: Float32Array, first: int, last: int) -> None:
    """Take the values of some positions out of a tree."""
    first, last = first + len(tree) // 2, last + len(tree) // 2
    for i in range(first, last + 1):
        tree[i] = _FAR
    while last > 1:
        first, last = max(first // 2, 1), last // 2
        for i in range(first, last + 1):
            left, right = tree[2 * i], tree[2 * i + 1]
            tree[i] = left if left < right else right
