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
from typing import NamedTuple

import numpy as np

from model.forecast.config import PATCH
from model.signal.arrays import BoolArray, Float32Array, FloatArray, IntArray
from model.signal.compiled import compiled, compiled_part, wide_vectors
from stream.timebase import FS, STRIDE

POINTS = STRIDE // PATCH
"""Points of a stride."""

STRIDES = 120 * FS // STRIDE
"""Strides that are kept: two minutes."""

FOLLOWED = FS // STRIDE + 1
"""Strides that follow a moment: one second, and what is needed to place it."""

PRECEDING = 11
"""Strides before a moment that its windows reach into."""

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
"""Points of a window that are multiplied in one pass; a window has a multiple of them."""

TILE = 1800
"""Points whose products are summed before the next ones, so that they stay in the nearest cache."""

RECENT = 8
"""Latest points at which the present is compared with the moments."""

FOLD = 10
"""Sums in one group; groups of them are searched in place of all."""

_FAR = np.float32(1e30)


class RetrievalState(NamedTuple):
    """What is kept of each stream.

    Attributes
    ----------
    past : ndarray of float32, shape (streams, STRIDES, POINTS)
        The last strides in mV, as a ring.
    usable : ndarray of bool, shape (streams, STRIDES)
        Strides that have been received, and contain no invalid sample.
    strides : ndarray of int64, shape (streams,)
        Strides received.
    """

    past: Float32Array
    usable: BoolArray
    strides: IntArray


class Scratch(NamedTuple):
    """Memory of a search over n points.

    Attributes
    ----------
    sums, energy, distance, pairs, fours : ndarray of float32, shape (n,)
    groups, supergroups : ndarray of float32, shape (n / FOLD,) and (n / FOLD²,)
    window : ndarray of float32, shape (window,)
    """

    sums: Float32Array
    energy: Float32Array
    distance: Float32Array
    pairs: Float32Array
    fours: Float32Array
    groups: Float32Array
    supergroups: Float32Array
    window: Float32Array


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
        np.zeros((streams, STRIDES, POINTS), np.float32),
        np.zeros((streams, STRIDES), np.bool_),
        np.zeros(streams, np.int64),
    )


def after_gap(state: RetrievalState) -> RetrievalState:
    """Return the state after lost samples: no window crosses the place of the gap."""
    usable, strides = state.usable.copy(), state.strides + 1
    usable[np.arange(len(strides)), state.strides % STRIDES] = False
    return RetrievalState(state.past, usable, strides)


@compiled
def new_scratch(points: int, window: int) -> Scratch:
    """Return memory for a search over so many points with a window of so many."""
    return Scratch(
        np.empty(points, np.float32),
        np.empty(points, np.float32),
        np.empty(points, np.float32),
        np.empty(points, np.float32),
        np.empty(points, np.float32),
        np.empty(points // FOLD, np.float32),
        np.empty(points // FOLD**2, np.float32),
        np.empty(window, np.float32),
    )


@compiled_part
def push(state: RetrievalState, i: int, stride: FloatArray, invalid: BoolArray) -> None:
    """Keep a stride of stream `i`."""
    at = state.strides[i] % STRIDES
    state.strides[i] += 1
    state.usable[i, at] = not invalid.any()
    for point in range(POINTS):
        state.past[i, at, point] = stride[(point + 1) * PATCH - 1]


@compiled_part
def unroll(state: RetrievalState, i: int, past: Float32Array, whole: BoolArray) -> int:
    """Write what is kept of stream `i` in order of time, and return how many of the latest strides are usable in a row.

    Parameters
    ----------
    state : RetrievalState
    i : int
    past : ndarray of float32, shape (STRIDES * POINTS,)
        mV, the latest point last.
    whole : ndarray of bool, shape (STRIDES,)
        Strides whose windows are usable, and all that followed within the horizon.
    """
    first = state.strides[i] % STRIDES
    older = STRIDES - first
    ring, received = state.past[i].reshape(-1), state.usable[i]
    past[: older * POINTS] = ring[first * POINTS :]
    past[older * POINTS :] = ring[: first * POINTS]
    usable = 0  # in a row
    for stride in range(STRIDES):
        usable = usable + 1 if received[stride + first if stride < older else stride - older] else 0
        if stride >= FOLLOWED:
            whole[stride - FOLLOWED] = usable > PRECEDING + FOLLOWED
    whole[STRIDES - FOLLOWED :] = False
    return usable


@compiled_part
def halved(values: Float32Array, out: Float32Array) -> None:
    """Write the means of pairs of values."""
    half = np.float32(0.5)
    for i in range(len(out)):
        out[i] = half * (values[2 * i] + values[2 * i + 1])


@compiled
def find(past: Float32Array, step: int, whole: BoolArray, scratch: Scratch, found: IntArray) -> int:
    """Find the moments most similar to the present.

    Parameters
    ----------
    past : ndarray of float32, shape (n,)
        mV, the latest point last.
    step : int
        Points of 90 Hz for each of them.
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
    _compare(past, scratch)
    distance, groups, supergroups = scratch.distance, scratch.groups, scratch.supergroups
    for stride in range(STRIDES):
        if not whole[stride]:
            distance[stride * POINTS // step : (stride + 1) * POINTS // step] = _FAR
    _fold(distance, groups)
    _fold(groups, supergroups)
    count, apart = 0, -(-APART // step)
    while count < len(found):
        best = _smallest(distance, groups, supergroups)
        if distance[best] == _FAR:
            break
        found[count] = best * step + step - 1
        count += 1
        low, high = max(best - apart, 0), min(best + apart + 1, len(distance))
        distance[low:high] = _FAR
        for i in range(low, high):
            _fold_again(distance, groups, i % len(groups))
        for i in range(low, high):
            _fold_again(groups, supergroups, i % len(supergroups))
    return count


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
        Points of 90 Hz.
    out : Followed
        Receives the result.
    """
    now, mean, spread, recent = len(past) - 1, out.mean, out.spread, out.recent
    sums, squares = np.empty(SHIFTS, np.float32), np.empty(SHIFTS, np.float32)
    mean[:], spread[:], recent[:] = 0.0, 0.0, 0.0
    total = 0.0
    for moment in found:
        at, level, distance = _placed(past, moment, sums, squares)
        weight = 1 / (distance + floor)
        total += weight
        for h in range(len(ahead)):
            value = past[at + ahead[h]] + level
            mean[h] += weight * value
            spread[h] += weight * value * value
        for j in range(len(recent)):
            recent[j] += weight * (past[now - j] - past[at - j] - level)
    for h in range(len(ahead)):
        mean[h] /= total
        spread[h] = math.sqrt(max(spread[h] / total - mean[h] * mean[h], 0.0))
    for j in range(len(recent)):
        recent[j] /= total


@compiled_part
def _placed(past: Float32Array, moment: int, sums: Float32Array, squares: Float32Array) -> tuple[int, float, float]:
    """Return where the latest points agree best with those near a moment, the shift in level, and the difference."""
    now, share = len(past) - 1, 1 / LEVEL
    sums[:], squares[:] = np.float32(0), np.float32(0)
    for j in range(LEVEL):
        latest, near = past[now - j], past[moment - EARLIER - j : moment - EARLIER - j + SHIFTS]
        for shift in range(SHIFTS):
            difference = latest - near[shift]
            sums[shift] += difference
            squares[shift] += difference * difference
    best, least = 0, np.inf
    for shift in range(SHIFTS):
        distance = squares[shift] - sums[shift] * sums[shift] * share
        if distance < least:
            best, least = shift, distance
    return moment - EARLIER + best, sums[best] * share, max(least, 0.0)


@compiled_part
def _compare(past: Float32Array, scratch: Scratch) -> None:
    """Write the squared distance of the window that ends at each point from the latest one, less their means."""
    points, size = len(past), len(scratch.window)
    share, two = np.float32(1 / size), np.float32(2)
    distance, sums, energy, window = scratch.distance, scratch.sums, scratch.energy, scratch.window
    level = np.float32(0)
    for j in range(size):
        level += past[points - size + j]
    level *= share
    own = np.float32(0)
    for j in range(size):
        window[j] = past[points - size + j] - level
        own += window[j] * window[j]
    for i in range(points):
        energy[i] = past[i] * past[i]
    _window_sums(past, scratch, sums)
    _window_sums(energy, scratch, energy)
    products, n = scratch.pairs, points - size + 1
    _products(past, window, products[:n])
    distance[: size - 1] = _FAR
    own_distance = distance[size - 1 :]
    for i in range(n):
        own_distance[i] = (energy[i] - sums[i] * sums[i] * share + own) - two * products[i]


@compiled_part
def _products(past: Float32Array, window: Float32Array, out: Float32Array) -> None:
    """Write the sum of the products of a window with the points from each one on."""
    wide_vectors()  # type: ignore[call-arg]
    out[:] = 0
    for first in range(0, len(out), TILE):
        tile = out[first : first + TILE]
        for j in range(0, len(window), TAPS):
            a, b, c, d = window[j], window[j + 1], window[j + 2], window[j + 3]
            e, f, g, h = window[j + 4], window[j + 5], window[j + 6], window[j + 7]
            part = past[first + j : first + j + len(tile) + TAPS - 1]
            for i in range(len(tile)):
                tile[i] += ((a * part[i] + b * part[i + 1]) + (c * part[i + 2] + d * part[i + 3])) + (
                    (e * part[i + 4] + f * part[i + 5]) + (g * part[i + 6] + h * part[i + 7])
                )


@compiled_part
def _window_sums(values: Float32Array, scratch: Scratch, out: Float32Array) -> None:
    """Write the sums of the values of a window from each one on; ``out`` may be ``values``."""
    n, size = len(values), len(scratch.window)
    pairs, fours = scratch.pairs, scratch.fours
    for i in range(n - 1):
        pairs[i] = values[i] + values[i + 1]
    for i in range(n - 3):
        fours[i] = pairs[i] + pairs[i + 2]
    for i in range(n - 7):
        pairs[i] = fours[i] + fours[i + 4]
    count = n - size + 1
    out[:count] = pairs[:count]
    for j in range(TAPS, size, TAPS):
        part = pairs[j : j + count]
        for i in range(count):
            out[i] += part[i]


@compiled_part
def _fold(values: Float32Array, least: Float32Array) -> None:
    """Write the least value of each group; members of a group are ``len(least)`` apart."""
    n = len(least)
    least[:] = values[:n]
    for first in range(n, FOLD * n, n):
        part = values[first : first + n]
        for i in range(n):
            least[i] = part[i] if part[i] < least[i] else least[i]


@compiled_part
def _fold_again(values: Float32Array, least: Float32Array, group: int) -> None:
    """Write the least value of one group."""
    lowest = values[group]
    for i in range(group, len(values), len(least)):
        lowest = min(lowest, values[i])
    least[group] = lowest


@compiled_part
def _smallest(values: Float32Array, groups: Float32Array, supergroups: Float32Array) -> int:
    """Return the position of the smallest value."""
    at = 0
    for i in range(len(supergroups)):
        if supergroups[i] < supergroups[at]:
            at = i
    lowest = supergroups[at]
    for i in range(at, len(groups), len(supergroups)):
        if groups[i] == lowest:
            at = i
            break
    for i in range(at, len(values), len(groups)):
        if values[i] == lowest:
            at = i
            break
    return at
