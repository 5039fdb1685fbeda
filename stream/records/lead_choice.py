"""The order of a record's ECG leads: first the two that forecast and alarms use, then the others.

The models were trained with II (MLII) and a chest lead, mostly V1 (`model.training`), and two limb leads show the heart
from nearly the same direction. So II comes first, and then a chest lead; without such names, the order of the file.
With more than two leads, one that is off or flat in much of the record comes after those that are not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stream.timebase import FS
from stream.wire.messages import INVALID

FIRST, SECOND = ("MLII", "II"), ("V1", "MCL1", "V", "V5", "V2", "V4", "V3", "V6")
"""Names of the leads to analyse, the best first."""

MIN_MV = 0.1
"""Smallest range within a second of a lead that is not flat, mV."""

MAX_WORSE = 0.1
"""Share of the seconds by which an analysed lead may have less signal than the best one."""

_SECONDS = 600
"""Seconds of a record that are looked at, spread over all of it."""


def main_lead(name: str) -> int:
    """Return the rank of a lead as the first of a record: MLII, then II, then all others."""
    words = re.split(r"[\s_-]+", name.upper())
    return next((rank for rank, known in enumerate(FIRST) if known in words), len(FIRST))


def analysed_first(names: Sequence[str], adu: npt.NDArray[np.int16], gain: Sequence[float]) -> list[int]:
    """Return the places of leads in the order in which they are sent.

    Parameters
    ----------
    names : sequence of str
        In the order of `main_lead`. Of one or two leads the order stays.
    adu : ndarray of int16, shape (n, leads)
        −32768 is invalid.
    gain : sequence of float
        adu per mV.
    """
    places = list(range(len(names)))
    if len(names) <= 2:
        return places
    share = _signal_share(adu, gain)
    good = [place for place in places if share[place] >= max(share) - MAX_WORSE]
    first = good[0]  # the ranks ascend
    chest = [good[at] for name in SECOND for at in range(1, len(good)) if names[good[at]].upper() == name]
    second = next(iter([*chest, *good[1:], *(place for place in places if place != first)]))
    return [first, second, *(place for place in places if place not in (first, second))]


def _signal_share(adu: npt.NDArray[np.int16], gain: Sequence[float]) -> list[float]:
    """Return the share of seconds in which each lead is valid and not flat, shape (leads,)."""
    count = max(len(adu) // FS, 1)
    seconds = np.unique(np.linspace(0, count - 1, min(count, _SECONDS)).round().astype(int))
    found = np.zeros(adu.shape[1])
    for second in seconds:
        part = adu[second * FS : (second + 1) * FS].astype(np.int32)
        valid = part != INVALID
        low, high = np.where(valid, part, 2**15).min(axis=0), np.where(valid, part, -(2**15)).max(axis=0)
        found += (valid.mean(axis=0) > 0.5) & ((high - low) / np.asarray(gain) >= MIN_MV)
    share: list[float] = (found / len(seconds)).tolist()
    return share
