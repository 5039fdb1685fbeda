"""Rhythm conditions and vital signs of beds, from beats and signal status.

The rules (`model.rhythm.rules`) are evaluated at the end of each stride on the beats reported by then. Of several
conditions with the same cause only the most severe holds: its onset ends the less severe ones
(`model.conditions.precedence`, `model.rhythm.active_conditions`).

While the signal is unusable no condition begins; active conditions continue for up to `MAX_UNKNOWN` samples, but
ventricular fibrillation, whose end is observed on a bad signal, for as long as it is detected. A disabled
kind is not tracked, so it does not suppress others. After a gap in the signal the caller calls `close` and starts again
with `begin`.

`advance` pushes strides of many beds in one compiled call; `step` is the same for one bed and objects.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from model.beats.beat import VENTRICULAR, Beat, BeatRows, to_rows
from model.conditions.changes import Change, Ended
from model.conditions.precedence import ASYSTOLE, RHYTHM_KINDS, VENTRICULAR_FIBRILLATION
from model.conditions.settings import AlarmConfig
from model.rhythm import active_conditions, atrial_fibrillation, beat_history, pulse_confirmation, rules, vitals
from model.rhythm.active_conditions import CONDITION, Changes
from model.rhythm.atrial_fibrillation import IRREGULARITY
from model.rhythm.beat_history import BEAT_HISTORY
from model.rhythm.pulse_confirmation import MIN_PULSES
from model.rhythm.rules import RuleSettings, SignalStatus
from model.rhythm.signal_status import SignalRows
from model.rhythm.vitals import LAST_MINUTE, VitalRows, VitalSigns
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.columns import copied
from model.signal.compiled import compiled, compiled_part
from model.signal.pulses import KEPT
from stream.timebase import FS
from stream.wire.alarm_messages import Limits

BED: Final = np.dtype(
    [
        ("start", "i8"),
        ("processed", "i8"),
        ("last_suspected", "i8"),
        ("history", BEAT_HISTORY),
        ("irregularity", IRREGULARITY),
        ("last_minute", LAST_MINUTE),
        ("conditions", CONDITION, (len(RHYTHM_KINDS),)),
    ],
    align=True,
)
"""State of one bed: all its fields have 8 bytes.

start
    Index of the first sample of the epoch.
processed
    Number of strides processed.
last_suspected
    Last sample of the latest stride with suspected fibrillation; -1 without one.
history, irregularity, last_minute, conditions
    See there.
"""


class RhythmState(NamedTuple):
    """State carried from step to step; columns over beds.

    Attributes
    ----------
    records : ndarray of int64, shape (beds, BED.itemsize / 8)
        The bytes of a record `BED` of each bed. The rules read many fields of one bed: with a record they get one
        pointer in place of an array for each field.
    """

    records: IntArray

    @property
    def beds(self) -> Any:
        """The records, shape (beds,); to be changed in place."""
        return self.records.view(BED)[:, 0].view(np.recarray)


class BedLimits(NamedTuple):
    """Current limits of some beds.

    Attributes
    ----------
    heart_rate_low, heart_rate_high : ndarray of float64, shape (beds,)
    disabled : ndarray of bool, shape (beds, kinds)
        Kinds that are disabled in the settings or switched off on the bed.
    """

    heart_rate_low: FloatArray
    heart_rate_high: FloatArray
    disabled: BoolArray


def begin(start: int) -> RhythmState:
    """Return the state of one bed at the start of an epoch whose first sample has index ``start``."""
    state = RhythmState(np.zeros((1, BED.itemsize // 8), np.int64))
    bed = state.beds[0]
    bed.start, bed.last_suspected = start, -1
    beat_history.begin(bed.history, start)
    atrial_fibrillation.begin(bed.irregularity)
    active_conditions.begin(bed.conditions)
    return state


def after_gap(state: RhythmState, start: int) -> RhythmState:
    """Return the state of one bed after lost samples, before sample ``start``: runs and rates begin anew.

    The irregularity of the last beats is kept, and so are the counts of the last minute, in which lost seconds count as
    not usable.
    """
    fresh, before = begin(start), state.beds[0]
    bed = fresh.beds[0]
    bed.history, bed.irregularity, bed.last_minute = before.history, before.irregularity, before.last_minute
    beat_history.interrupt(bed.history, start - 1)
    atrial_fibrillation.interrupt(bed.irregularity)
    lost = (start - int(before.start)) // FS - int(before.processed) // vitals.STRIDES_PER_SECOND
    vitals.after_gap(bed.last_minute, lost)
    return fresh


def bed_limits(config: AlarmConfig, limits: Sequence[Limits]) -> BedLimits:
    """Return the limits of some beds."""
    return BedLimits(
        np.array([float(own.heart_rate_low) for own in limits]),
        np.array([float(own.heart_rate_high) for own in limits]),
        np.array([[kind in config.disabled or kind in own.off for kind in RHYTHM_KINDS] for own in limits], np.bool_),
    )


def signal_rows(signal: Sequence[SignalStatus]) -> SignalRows:
    """Return the status of the signal of one bed in some strides."""
    pulses = [(-1, ()) if now.pulse is None else (now.pulse.since, now.pulse.times) for now in signal]
    since = [-1 if now.fibrillation_since is None else now.fibrillation_since for now in signal]
    times = [[*own, *[-1] * (KEPT - len(own))] for _, own in pulses]
    return SignalRows(
        at=np.array([[now.at for now in signal]], np.int64),
        quality=np.array([[now.quality for now in signal]], np.float64),
        usable=np.array([[now.usable for now in signal]], np.bool_),
        measurable=np.array([[now.measurable for now in signal]], np.bool_),
        ecg_seen=np.array([[now.ecg_seen for now in signal]], np.bool_),
        fibrillation_suspected=np.array([[now.fibrillation_suspected for now in signal]], np.bool_),
        fibrillation_since=np.array([since], np.int64),
        missed=np.array([[-1 if now.missed is None else now.missed for now in signal]], np.int64),
        pulse_since=np.array([[first for first, _ in pulses]], np.int64),
        pulses=np.array([[len(own) for _, own in pulses]], np.int64),
        pulse_times=np.array(times, np.int64).reshape(1, -1, KEPT),
    )


def step(
    config: AlarmConfig,
    limits: Limits,
    state: RhythmState,
    beats: Sequence[Beat],
    signal: Sequence[SignalStatus],
) -> tuple[tuple[Change, ...], tuple[VitalSigns, ...], RhythmState]:
    """Push the next strides of one bed.

    Parameters
    ----------
    config : AlarmConfig
    limits : Limits
        Current limits of the bed.
    state : RhythmState
    beats : sequence of Beat
        Beats reported in these strides, in order.
    signal : sequence of SignalStatus
        One per stride, in order.

    Returns
    -------
    tuple of Began or Ended
        As from `advance`.
    tuple of VitalSigns
        One per second of signal since the start of the epoch.
    state : RhythmState

    Raises
    ------
    ValueError
        A beat was reported after the last stride.
    """
    state, settings, own_limits = copied(state), rules.rule_settings(config), bed_limits(config, [limits])
    slots = np.zeros(1, np.int64)
    found, rows = advance(settings, state, own_limits, slots, to_rows([beats]), signal_rows(signal))
    return tuple(change for _, change in found), tuple(vitals.vital_signs(rows)), state


def advance(
    settings: RuleSettings,
    state: RhythmState,
    limits: BedLimits,
    slots: IntArray,
    beats: BeatRows,
    signal: SignalRows,
) -> tuple[list[tuple[int, Change]], VitalRows]:
    """Push the next strides of some beds, equally many of each.

    Parameters
    ----------
    settings : RuleSettings
    state : RhythmState
        Columns of all beds; changed in place.
    limits : BedLimits
        Of these beds.
    slots : ndarray of int64, shape (beds,)
        Slot of each bed in the columns.
    beats : BeatRows
        Beats of these beds reported in these strides.
    signal : SignalRows

    Returns
    -------
    list of (int, Began or Ended)
        Changes with the place of the bed in ``slots``: bed by bed, in order; when a condition replaces another, the end
        precedes the onset.
    VitalRows
        For each bed one per second of signal since the start of the epoch.

    Raises
    ------
    ValueError
        A beat was reported after the last stride.
    """
    # In a stride each kind changes at most once, and each beat may end a pause.
    found = active_conditions.no_changes(signal.at.size * len(RHYTHM_KINDS) + 2 * len(beats.at))
    most_seconds = len(slots) * (signal.at.shape[1] // vitals.STRIDES_PER_SECOND + 1)
    rows, scratch = np.empty(most_seconds, vitals.VITALS), _scratch(len(beats.at))
    records = state.records.view(BED)[:, 0]
    seconds, late = _push_strides(settings, records, limits, slots, beats, signal, scratch, found, rows)
    if late >= 0:
        raise ValueError(f"beat reported at {late}, after the last stride: pass it with its stride")
    return active_conditions.described(found), vitals.to_rows(rows[:seconds])


def close(state: RhythmState, at: int) -> tuple[Ended, ...]:
    """Return the ends of all active conditions of one bed, because the signal is interrupted after sample ``at``."""
    return active_conditions.close(state.records.view(BED)["conditions"][0, 0], at)


class _Scratch(NamedTuple):
    """Memory for one bed and stride: status, results, R peaks around pauses, conditions that hold or are met."""

    now: npt.NDArray[Any]
    results: npt.NDArray[Any]
    pauses: IntArray
    active: BoolArray


def _scratch(beats: int) -> _Scratch:
    kinds = len(RHYTHM_KINDS)
    results = np.empty(kinds, rules.RULE_RESULT)
    return _Scratch(np.empty(1, rules.NOW), results, np.empty((beats, 2), np.int64), np.empty(kinds, np.bool_))


@compiled
def _push_strides(
    settings: RuleSettings,
    state: npt.NDArray[Any],
    limits: BedLimits,
    slots: IntArray,
    beats: BeatRows,
    signal: SignalRows,
    scratch: _Scratch,
    found: Changes,
    rows: npt.NDArray[Any],
) -> tuple[int, int]:
    """Push strides as `advance`; ``found`` and ``rows`` receive what it returns.

    Returns
    -------
    seconds : int
        Number of rows.
    late : int
        Sample at which a beat was reported after the last stride; -1 without one.
    """
    now, seconds, late = scratch.now[0], 0, -1
    for bed in range(len(slots)):
        own, row, disabled = state[slots[bed]], beats.first[bed], limits.disabled[bed]
        for stride in range(signal.at.shape[1]):
            rules.set_now(now, signal, bed, stride)
            first = row
            while row < beats.first[bed + 1] and beats.at[row] <= now.at:
                row += 1
            pauses = _push_beats(settings[0], own, beats, first, row, now, scratch.pauses)
            low, high = limits.heart_rate_low[bed], limits.heart_rate_high[bed]
            rules.evaluate(settings[0], low, high, own.history, own.irregularity, now, scratch.results)
            _update_conditions(settings[0], own, disabled, now, scratch, pauses, found, bed)
            own.processed += 1
            if own.processed % vitals.STRIDES_PER_SECOND == 0:
                rows[seconds].bed, rows[seconds].quality = bed, signal.quality[bed, stride]
                _end_second(own, now, scratch, rows[seconds])
                seconds += 1
        if row < beats.first[bed + 1]:
            late = beats.at[row]
    return seconds, late


@compiled_part
def _push_beats(settings: Any, own: Any, beats: BeatRows, first: int, stop: int, now: Any, pauses: IntArray) -> int:
    """Push the beats of one stride, from row ``first`` to before ``stop``.

    Beats during fibrillation are unreliable: they only restart the time without beats.

    Returns
    -------
    int
        Number of asystoles that the RR intervals show; ``pauses`` receives the R peaks before and after each.
    """
    paused, history = 0, own.history
    if now.missed >= 0:
        beat_history.push_missed(history, now.missed)
    if now.usable and now.fibrillation_since < 0:  # in fibrillation there are no beats to count
        own.last_minute.usable_now += 1
        for row in range(first, stop):
            own.last_minute.ventricular_now += beats.kind[row] == VENTRICULAR
    if not now.usable or now.fibrillation_since >= 0:
        silent_since = beats.r_peak[stop - 1] if stop > first else history.silent_since
        beat_history.interrupt(history, silent_since - 1 if now.usable else now.at)
        atrial_fibrillation.interrupt(own.irregularity)
        stop = first
    for row in range(first, stop):
        r_peak, kind, rr = beats.r_peak[row], beats.kind[row], beats.rr[row]
        beat_history.push(history, r_peak, kind, rr, beats.resemblance[row])
        atrial_fibrillation.push(own.irregularity, r_peak, kind, rr, beats.p_wave[row])
        if rules.is_pause(settings, history):
            before = beat_history.r_peak(history, 2)
            if own.last_suspected < before and not pulse_confirmation.goes_on(now.pulse, before, MIN_PULSES):
                pauses[paused, 0], pauses[paused, 1] = before, r_peak
                paused += 1
    if now.fibrillation_suspected:
        own.last_suspected = now.at
    return paused


@compiled_part
def _update_conditions(
    settings: Any, own: Any, disabled: BoolArray, now: Any, scratch: _Scratch, pauses: int, found: Changes, bed: int
) -> None:
    """Update the conditions of one bed, and report asystoles that are over already."""
    conditions, at = own.conditions, now.at
    report = not (disabled[ASYSTOLE] or conditions[ASYSTOLE].holds)
    active_conditions.update(settings, conditions, own.start, disabled, scratch.results, at, found, bed)
    for i in range(pauses if report else 0):
        first, end = scratch.pauses[i, 0], scratch.pauses[i, 1]
        active_conditions.report_pause(settings, conditions[ASYSTOLE], own.start, first, end, at, found, bed)


@compiled_part
def _end_second(own: Any, now: Any, scratch: _Scratch, row: Any) -> None:
    """Write the vital signs of one bed.

    The rhythm name also uses conditions that are disabled, but none whose end is only delayed.
    """
    vitals.close_second(own.last_minute)
    history, active = own.history, scratch.active
    for kind in range(len(RHYTHM_KINDS)):
        condition = own.conditions[kind]
        active[kind] = condition.holds and condition.contradicted_at < 0
        active[kind] |= now.usable and scratch.results[kind].met
    beating = now.usable and now.fibrillation_since < 0 and history.known > 0
    beating = beating and now.at - beat_history.r_peak(history, 1) <= rules.MAX_SILENCE
    heart_rate = history.heart_rate if beating else math.nan
    row.at, row.heart_rate = now.at, heart_rate
    row.rr_ms = 1000 * beat_history.rr(history, 0) / FS if beating and history.known > 1 else math.nan
    row.pvc_per_min = vitals.pvc_per_min(own.last_minute) if now.usable else -1
    row.rhythm = vitals.UNKNOWN
    if now.usable or active[VENTRICULAR_FIBRILLATION]:  # it continues on a bad signal
        p_wave_present = atrial_fibrillation.p_wave_present(own.irregularity)
        row.rhythm = vitals.rhythm_name(history, heart_rate, active, p_wave_present)
