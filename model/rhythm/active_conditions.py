"""Conditions that hold on each bed: onset, end, delay and precedence, from the results of the rules.

Compiled code writes the changes of a step as records; `described` makes `Began` and `Ended` of them.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from model.conditions.changes import Began, Change, Ended
from model.conditions.precedence import (
    ASYSTOLE,
    EXTREME_BRADYCARDIA,
    HEART_RATE_HIGH,
    HEART_RATE_LOW,
    RHYTHM_KINDS,
    SUPPRESSES,
)
from model.signal.arrays import BoolArray, IntArray
from model.signal.compiled import compiled, compiled_part
from stream.timebase import FS
from stream.wire.alarm_messages import ClearedReason

MAX_UNKNOWN = 10 * FS
"""Longest time for which a condition continues while its rule cannot be evaluated, samples."""

END_DELAY: IntArray = np.array([90 * FS if kind == "atrial_fibrillation" else 0 for kind in RHYTHM_KINDS])
"""Time after a rule was first contradicted at which its condition ends, unless it is met again, samples, by kind. So
atrial fibrillation that returns within it is the same. Bedside monitors have such a delay, too."""

REASONS = ("rule_met", "rule_no_longer_met", "replaced", "signal_unusable", "signal_interrupted", "switched_off")
"""Reason of a change: the first of an onset, the others of an end."""

RULE_MET, RULE_NO_LONGER_MET, REPLACED, SIGNAL_UNUSABLE, SIGNAL_INTERRUPTED, SWITCHED_OFF = range(6)
"""Their codes."""


CONDITION: Final = np.dtype(
    [
        ("holds", "?"),
        ("onset", "i8"),
        ("last_evaluated", "i8"),
        ("value", "f8"),
        ("limit", "f8"),
        ("beats", "i8"),
        ("met_since", "i8"),
        ("contradicted_at", "i8"),
        ("end", "i8"),
        ("last_end", "i8"),
    ],
    align=True,
)
"""A condition of a bed; those of all kinds (`model.conditions.precedence.RHYTHM_KINDS`) form an array.

holds
    Whether the condition holds; otherwise the next five fields, ``contradicted_at`` and ``end`` are undefined.
onset
    First sample.
last_evaluated
    Last sample of the stride in which its rule was last evaluated.
value, limit
    Worst measured value so far, and the limit; NaN without.
beats
    Largest number of beats so far.
met_since
    While its delay is running, the sample at which the rule was first met; otherwise -1.
contradicted_at, end
    Once its rule is contradicted and until it is met again, the sample at which it first was, and the end then
    measured; otherwise -1, and undefined.
last_end
    End of the last condition of this kind; -1 without one.
"""

CHANGE: Final = np.dtype(
    [
        (name, "f8" if name in ("value", "limit") else "i8")
        for name in ("bed", "kind", "reason", "replaced_by", "onset", "end", "at", "value", "limit", "beats")
    ],
    align=True,
)
"""A change, see `Began` and `Ended`.

bed
    Place of the bed in the batch.
kind
    Index in `model.conditions.precedence.RHYTHM_KINDS`.
reason
    Index in `REASONS`.
replaced_by
    Kind of the more severe condition; -1 without one.
onset, end, at, value, limit, beats
    An onset has no end; NaN or 0 for None.
"""


class Changes(NamedTuple):
    """Changes of the conditions of some beds, bed by bed, in order.

    Attributes
    ----------
    n : ndarray of int64, shape (1,)
        Number of changes.
    rows : ndarray of CHANGE, shape (most,)
        The changes; then undefined.
    """

    n: IntArray
    rows: npt.NDArray[Any]


def begin(conditions: Any) -> None:
    """Begin records of zeros, shape (kinds,), at the start of an epoch: no condition holds."""
    conditions["met_since"], conditions["last_end"] = -1, -1


def no_changes(most: int) -> Changes:
    """Return no changes, with room for so many."""
    return Changes(np.zeros(1, np.int64), np.empty(most, CHANGE))


def described(found: Changes) -> list[tuple[int, Change]]:
    """Return each change with the place of its bed in the batch."""
    return [(bed, _described(*values)) for bed, *values in found.rows[: found.n[0]].tolist()]


def _described(
    kind: int,
    reason: int,
    replaced_by: int,
    onset: int,
    end: int,
    at: int,
    value: float,
    limit: float,
    beats: int,
) -> Change:
    name, measured = RHYTHM_KINDS[kind], None if math.isnan(value) else value
    exceeded = None if math.isnan(limit) else limit
    if exceeded is not None and kind in (HEART_RATE_LOW, HEART_RATE_HIGH):
        exceeded = int(exceeded)
    if reason == RULE_MET:
        return Began(name, onset, at, "rule_met", measured, exceeded, beats or None)
    cleared = cast(ClearedReason, REASONS[reason])
    more_severe = RHYTHM_KINDS[replaced_by] if replaced_by >= 0 else None
    return Ended(name, onset, end, at, cleared, measured, exceeded, beats or None, replaced_by=more_severe)


def close(conditions: npt.NDArray[Any], at: int) -> tuple[Ended, ...]:
    """Return the ends of all conditions of one bed, because the signal is interrupted after sample ``at``."""
    found = no_changes(len(RHYTHM_KINDS))
    end_all(conditions.copy(), at, found)
    return tuple(change for _, change in described(found) if isinstance(change, Ended))


@compiled
def end_all(conditions: Any, at: int, found: Changes) -> None:
    """End all conditions of one bed that hold, after sample ``at``."""
    for kind in range(len(RHYTHM_KINDS)):
        if conditions[kind].holds:
            _end(conditions[kind], kind, at + 1, at, SIGNAL_INTERRUPTED, -1, found, 0)


@compiled_part
def update(
    settings: Any, conditions: Any, start: int, disabled: BoolArray, results: Any, at: int, found: Changes, bed: int
) -> None:
    """Update the conditions of one bed with the results of the rules.

    Parameters
    ----------
    settings : record
        Of the rules.
    conditions : array of CONDITION, shape (kinds,)
    start : int
        First sample of the epoch; no condition begins before.
    disabled : ndarray of bool, shape (kinds,)
    results : array of RULE_RESULT, shape (kinds,)
    at : int
        Last sample of the stride.
    found : Changes
        Receives the changes, ends before onsets.
    bed : int
        Place of the bed in the batch.
    """
    begun = 0
    for kind in range(len(RHYTHM_KINDS)):
        condition, result = conditions[kind], results[kind]
        met_since = condition.met_since if condition.met_since >= 0 else at
        condition.met_since = -1
        if condition.holds:
            _continue(conditions, kind, disabled[kind], result, at, found, bed)
        elif result.met and not disabled[kind] and _suppressing(conditions, kind) < 0:
            if at - met_since >= settings.delay_s[kind] * FS:
                _begin(conditions, kind, start, result, at)
                begun |= 1 << kind
            else:
                condition.met_since = met_since
    if begun:
        _write_begun(conditions, begun, at, found, bed)


@compiled_part
def report_pause(
    settings: Any, asystole: Any, start: int, first: int, end: int, at: int, found: Changes, bed: int
) -> None:
    """Report an asystole of one bed that is over already: from the beat at ``first`` to that at ``end``.

    ``asystole`` is the condition; the other parameters are those of `update`.
    """
    onset, limit = max(first, asystole.last_end if asystole.last_end >= 0 else start), settings.asystole_s
    _write(found, bed, ASYSTOLE, RULE_MET, -1, onset, -1, at, (end - first) / FS, limit, 0)
    end = max(min(end, at + 1), onset + 1)
    _write(found, bed, ASYSTOLE, RULE_NO_LONGER_MET, -1, onset, end, at, (end - onset) / FS, limit, 0)
    asystole.last_end = end


@compiled_part
def _continue(conditions: Any, kind: int, disabled: bool, result: Any, at: int, found: Changes, bed: int) -> None:
    """Update a condition that holds, and end it where it must."""
    condition, suppressing, end, reason = conditions[kind], _suppressing(conditions, kind), at + 1, RULE_MET
    if result.evaluated:
        _keep_worst(condition, kind, result, at)
        if result.met:
            condition.contradicted_at = -1
        elif not result.persists and condition.contradicted_at < 0:
            condition.contradicted_at, condition.end = at, result.end
    if disabled:
        reason = SWITCHED_OFF
    elif suppressing >= 0:
        reason = REPLACED
    elif condition.contradicted_at >= 0 and at - condition.contradicted_at >= END_DELAY[kind]:
        reason, end = RULE_NO_LONGER_MET, condition.end
    elif at - condition.last_evaluated > MAX_UNKNOWN:
        reason, end = SIGNAL_UNUSABLE, condition.last_evaluated + 1
    if reason != RULE_MET:
        _end(condition, kind, end, at, reason, suppressing if reason == REPLACED else -1, found, bed)


@compiled_part
def _keep_worst(condition: Any, kind: int, result: Any, at: int) -> None:
    """Update the worst measured value so far."""
    sign = -1.0 if kind in (EXTREME_BRADYCARDIA, HEART_RATE_LOW) else 1.0
    if math.isnan(condition.value) or sign * result.value > sign * condition.value:
        condition.value = result.value
    if not math.isnan(result.limit):
        condition.limit = result.limit
    condition.beats = max(condition.beats, result.beats)
    condition.last_evaluated = at


@compiled_part
def _suppressing(conditions: Any, kind: int) -> int:
    """Return the most severe condition that holds and suppresses a kind; -1 without one."""
    for other in range(kind):
        if SUPPRESSES[other, kind] and conditions[other].holds:
            return other
    return -1


@compiled_part
def _begin(conditions: Any, kind: int, start: int, result: Any, at: int) -> None:
    """Begin a condition: at the onset of its rule, but after all that it follows or that suppressed it."""
    condition = conditions[kind]
    earliest = condition.last_end
    for other in range(kind):
        if SUPPRESSES[other, kind]:
            earliest = max(earliest, conditions[other].last_end)
    condition.holds, condition.contradicted_at = True, -1
    condition.onset = min(max(result.onset, earliest if earliest >= 0 else start), at)
    condition.last_evaluated = at
    condition.value, condition.limit, condition.beats = result.value, result.limit, result.beats


@compiled_part
def _write_begun(conditions: Any, begun: int, at: int, found: Changes, bed: int) -> None:
    """Write the onsets of the kinds whose bits are set."""
    for kind in range(len(RHYTHM_KINDS)):
        if begun >> kind & 1:
            own = conditions[kind]
            _write(found, bed, kind, RULE_MET, -1, own.onset, -1, at, own.value, own.limit, own.beats)


@compiled_part
def _end(condition: Any, kind: int, end: int, at: int, reason: int, replaced_by: int, found: Changes, bed: int) -> None:
    """End a condition before sample ``end``, at least one sample after its onset."""
    onset, value = condition.onset, condition.value
    end = max(min(end, at + 1), onset + 1)
    if kind == ASYSTOLE:
        value = (end - onset) / FS
    condition.holds, condition.last_end = False, end
    _write(found, bed, kind, reason, replaced_by, onset, end, at, value, condition.limit, condition.beats)


@compiled_part
def _write(
    found: Changes,
    bed: int,
    kind: int,
    reason: int,
    replaced_by: int,
    onset: int,
    end: int,
    at: int,
    value: float,
    limit: float,
    beats: int,
) -> None:
    row = found.rows[found.n[0]]
    row.bed, row.kind, row.reason, row.replaced_by = bed, kind, reason, replaced_by
    row.onset, row.end, row.at = onset, end, at
    row.value, row.limit, row.beats = value, limit, beats
    found.n[0] += 1
