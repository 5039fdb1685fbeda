"""Confirms technical conditions by consecutive strides, and names their changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.conditions.changes import Began, Change, Ended
from model.signal.arrays import BoolArray, IntArray
from model.signal.compiled import compiled
from stream.timebase import STRIDE
from stream.wire.alarm_messages import AlarmKind, ClearedReason

KINDS: tuple[AlarmKind, ...] = ("lead_off", "saturation", "noise")
"""Technical conditions."""

LEAD_OFF, SATURATION, NOISE = range(3)
"""Their indices."""

FLAT_STRIDES = 15
"""Strides without change after which a lead is off: 1.5 s."""

CONFIRM_STRIDES = (1, 3, 10)
"""Consecutive strides that confirm the onset, by kind. A lead that is off has been flat for `FLAT_STRIDES` before."""

RELEASE_STRIDES = (10, 10, 20)
"""Consecutive strides that confirm the end, by kind."""

LAG_STRIDES = (FLAT_STRIDES - 1, 0, 0)
"""Strides between the onset of a condition and the first stride that meets its criterion, by kind."""


@compiled
def confirm(active: BoolArray, contradicting: IntArray, onset_met: tuple[bool, ...], end_met: tuple[bool, ...]) -> bool:
    """Update the conditions of one lead with a stride.

    Parameters
    ----------
    active : ndarray of bool, shape (len(KINDS),)
        Whether each condition holds; changed in place.
    contradicting : ndarray of int64, shape (len(KINDS),)
        Consecutive strides that contradict ``active``; changed in place.
    onset_met, end_met : tuple of bool
        Whether the stride meets the criterion for the onset, and for the end, of each kind.

    Returns
    -------
    bool
        Whether a condition begins or ends.
    """
    changed = False
    for kind in range(len(KINDS)):
        holds = active[kind]
        contradicting[kind] = contradicting[kind] + 1 if (end_met if holds else onset_met)[kind] else 0
        if contradicting[kind] >= (RELEASE_STRIDES if holds else CONFIRM_STRIDES)[kind]:
            active[kind], contradicting[kind] = not holds, 0
            changed = True
    return changed


def describe(leads: tuple[str, ...], active: BoolArray, onset: IntArray, first: int, start: int) -> tuple[Change, ...]:
    """Return the onsets and ends of conditions in the strides of one bed, in order, and update ``onset``.

    One condition of a kind covers all affected leads: when they change, it ends and a new one begins.

    Parameters
    ----------
    leads : tuple of str
    active : ndarray of bool, shape (1 + k, len(KINDS), leads)
        Leads on which each condition holds before the strides, and at the end of each one.
    onset : ndarray of int64, shape (len(KINDS),)
        First sample of the last condition of each kind; changed in place.
    first : int
        Last sample of the first stride.
    start : int
        First sample of the epoch; no condition begins before.
    """
    found: list[Change] = []
    differs = (active[1:] != active[:-1]).any(axis=2)
    for stride, kind in np.argwhere(differs).tolist():
        earlier, later = active[stride, kind], active[stride + 1, kind]
        at = first + stride * STRIDE
        since, stride_start = int(onset[kind]), at + 1 - STRIDE
        if earlier.any():
            end = stride_start if later.any() else at + 1 - RELEASE_STRIDES[kind] * STRIDE
            reason: ClearedReason = "leads_changed" if later.any() else "rule_no_longer_met"
            found.append(Ended(KINDS[kind], since, max(end, since + 1), at, reason, leads=_names(earlier, leads)))
        if later.any():
            lag = (CONFIRM_STRIDES[kind] + LAG_STRIDES[kind]) * STRIDE
            onset[kind] = stride_start if earlier.any() else max(at + 1 - lag, start)
            found.append(Began(KINDS[kind], int(onset[kind]), at, "rule_met", leads=_names(later, leads)))
    return tuple(found)


def _names(affected: BoolArray, leads: Sequence[str]) -> tuple[str, ...]:
    return tuple(lead for lead, is_affected in zip(leads, affected.tolist(), strict=True) if is_affected)
