"""A heartbeat, and the beats of several beds as arrays for compiled code."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

import numpy as np

from model.signal.arrays import FloatArray, IntArray
from stream.wire.messages import BeatType

KINDS: Final[tuple[BeatType, ...]] = ("N", "S", "V", "Q")
"""Types of beats, in the order of their codes."""

NORMAL, SUPRAVENTRICULAR, VENTRICULAR, UNKNOWN = range(4)
"""Their codes."""


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat.

    Attributes
    ----------
    index : int
        Sample of the R peak, counted from the start of the session.
    at : int
        Last sample observed when the beat was reported, at most 72 (200 ms) after ``index``.
    type : str
        ``N``, ``S``, ``V`` or ``Q``, as in `stream.wire.messages.Beat`.
    rr : int or None
        RR interval before the beat, samples; None for the first beat.
    quality : float
        Signal quality around the beat, 0 to 1; the detector leaves it at 1.
    resemblance : tuple of float
        Correlation with the last beat and with the one before, see `model.beats.resemblance`; shorter after the start.
    p_wave : float or None
        Consistency of the P wave over the last beats, -1 to 1, see `model.beats.p_wave`; None until it is known.
    """

    index: int
    at: int
    type: BeatType
    rr: int | None
    quality: float = 1.0
    resemblance: tuple[float, ...] = ()
    p_wave: float | None = None


class BeatRows(NamedTuple):
    """Beats of some beds in one step, bed by bed, in the order of their reports.

    Attributes
    ----------
    first : ndarray of int64, shape (beds + 1,)
        The beats of bed ``i`` are the rows from ``first[i]`` up to, not including, ``first[i + 1]``.
    r_peak : ndarray of int64, shape (rows,)
        The index of `Beat`.
    at : ndarray of int64, shape (rows,)
    kind : ndarray of int64, shape (rows,)
        Index in `KINDS`.
    rr : ndarray of int64, shape (rows,)
        -1 for None.
    resemblance : ndarray, shape (rows, 2)
        NaN where there is no earlier beat.
    p_wave : ndarray, shape (rows,)
        NaN for None.
    """

    first: IntArray
    r_peak: IntArray
    at: IntArray
    kind: IntArray
    rr: IntArray
    resemblance: FloatArray
    p_wave: FloatArray


def to_rows(beats: Sequence[Sequence[Beat]]) -> BeatRows:
    """Return the beats of some beds as arrays."""
    flat = [beat for own in beats for beat in own]
    resemblance = np.full((len(flat), 2), np.nan)
    for row, beat in zip(resemblance, flat, strict=True):
        row[: len(beat.resemblance)] = beat.resemblance
    return BeatRows(
        first=np.array([0, *accumulate(len(own) for own in beats)], np.int64),
        r_peak=np.array([beat.index for beat in flat], np.int64),
        at=np.array([beat.at for beat in flat], np.int64),
        kind=np.array([KINDS.index(beat.type) for beat in flat], np.int64),
        rr=np.array([-1 if beat.rr is None else beat.rr for beat in flat], np.int64),
        resemblance=resemblance,
        p_wave=np.array([math.nan if beat.p_wave is None else beat.p_wave for beat in flat], np.float64),
    )


def from_rows(rows: BeatRows, quality: FloatArray | None = None) -> list[tuple[Beat, ...]]:
    """Return the beats of each bed, by default with quality 1; the inverse of `to_rows`."""
    graded = [1.0] * len(rows.at) if quality is None else quality.tolist()
    beats = [
        Beat(
            index,
            at,
            KINDS[kind],
            None if rr < 0 else rr,
            own_quality,
            resemblance=tuple(value for value in resemblance if not math.isnan(value)),
            p_wave=None if math.isnan(p_wave) else p_wave,
        )
        for index, at, kind, rr, resemblance, p_wave, own_quality in zip(
            *(column.tolist() for column in rows[1:]), graded, strict=True
        )
    ]
    first = rows.first.tolist()
    return [tuple(beats[begin:end]) for begin, end in pairwise(first)]
