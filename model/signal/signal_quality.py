"""Signal quality index and technical conditions, per lead.

From features of the strides (`model.signal.quality_features`) of the last 2 s three conditions are detected:

- *lead off*: the signal has not changed for 1.5 s by more than half a count of a typical recorder, or most samples are
  invalid. During asystole a connected lead still shows body and amplifier noise (8 µV or more within 1.5 s in the true
  asystoles of the PhysioNet Challenge 2015); an open lead does not.
- *saturation*: the signal is constant far from zero, or constant at an extreme of a large swing.
- *noise*: muscle artefact between the complexes is too strong, relative to them, for QRS detection, or the baseline
  jumps by more than an ECG can. QRS complexes also have power in the noise band, for about 100 ms each. The noise level
  is therefore the value below which the quietest two fifths of the strides lie.

No condition requires beats: a flat but connected lead has good quality, so asystole is not masked. The index is 1
without noise, 0.5 where a QRS cannot be detected, and 0 without a signal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model.conditions.changes import Change
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.blocks import BLOCK, STRIDES_PER_BLOCK, BlockRows, Blocks, rows_of
from model.signal.columns import copied
from model.signal.compiled import compiled, compiled_part
from model.signal.quality_features import (
    BASELINE,
    FEATURES,
    HIGH,
    INVALID,
    LOW,
    MEAN,
    MUSCLE_SOS,
    POWER,
    WINDOW_STRIDES,
    highest,
    lowest,
    push_stride,
)
from model.signal.small_arrays import kth_smallest
from model.signal.technical_conditions import FLAT_STRIDES, KINDS, LEAD_OFF, NOISE, SATURATION, confirm, describe
from stream.timebase import STRIDE

FLAT_MV = 0.0025
"""Largest peak-to-peak value of a flat signal, mV: half a count of a recorder with 200 adu/mV. The smallest value
within 1.5 s of a true asystole was 0.0076 mV."""

RAIL_MV = 4.5
"""Absolute mean, mV, from which a signal that does not change is saturated; monitor amplifiers end at about 5 mV."""

STUCK_MV = 0.02
"""Largest peak-to-peak value within a stride, mV, of a saturated amplifier followed by filters; an ECG changes more."""

CLIPPED_SWING_MV = 2.0
"""Peak-to-peak value within the window, mV, from which a flat stride at an extreme is clipped, whatever the rail."""

NOISE_RANK = 8
"""Rank of the stride, among those of the window sorted by power, whose power is the noise between the complexes."""

RECORDER_NOISE_MV = 0.012
"""RMS noise of the recorder between 30 and 100 Hz, mV (MIT-BIH: 0.008 to 0.012). It is subtracted."""

MIN_QRS_MV = 0.3
"""Lower bound of the QRS height that noise is compared with, mV, so that small noise on a flat lead is not reported."""

NOISE_RATIO = 0.08
"""Ratio of noise to QRS height at which a QRS cannot be detected; white noise alone reaches 0.11. In MIT-BIH DS1
without 201 and 208 the index is below 0.5 for 0.02 % of the time without annotated noise, and for 1.8 % of the time
with annotated noise: most of that noise does not prevent QRS detection."""

BASELINE_JUMP_MV, WAVE_JUMP_MV = 2.5, 3.0
"""Change of the baseline (mean over half a second) within 2 s, mV, at which a QRS cannot be detected, and at which the
waveform cannot be measured at all. The first is that of an amplifier recovering from an overload. Ventricular beats of
+4 and -5 mV (svdb 884) exceed 2.0 mV 114 times in half an hour, 2.5 mV 8 times. Coarse fibrillation exceeds it, too."""

MIN_REPETITION = 0.75
"""Mean repetition of the beats (`model.beats.repetition`) at which they may be artefacts."""

ATTACHED_MV = 0.1
"""Peak-to-peak value within 2 s, mV, that an attached lead exceeds at the first beat; until then it is off."""

NOISE_ONSET_INDEX, NOISE_END_INDEX = 0.5, 0.6
"""The noise condition begins below the first index and ends above the second."""


class QualityState(NamedTuple):
    """State carried from step to step; columns over beds.

    Attributes
    ----------
    start : ndarray of int64, shape (beds,)
        Index of the first sample of the epoch.
    filter : ndarray, shape (beds, leads, sections, 2)
    features : ndarray, shape (beds, leads, FEATURES, WINDOW_STRIDES)
        Features of the last strides.
    attached : ndarray of bool, shape (beds, leads)
        Leads that have exceeded `ATTACHED_MV`.
    repetition : ndarray, shape (beds,)
        Mean repetition at the end of the last block, 1 where it says nothing.
    active : ndarray of bool, shape (beds, len(KINDS), leads)
        Whether each technical condition holds.
    contradicting : ndarray of int64, shape (beds, len(KINDS), leads)
        Consecutive strides that contradict ``active``.
    onset : ndarray of int64, shape (beds, len(KINDS))
        First sample of the last condition of each kind.
    """

    start: IntArray
    filter: FloatArray
    features: FloatArray
    attached: BoolArray
    repetition: FloatArray
    active: BoolArray
    contradicting: IntArray
    onset: IntArray


class QualityRows(NamedTuple):
    """Signal quality of some beds in the strides of their blocks; undefined from the last block of a bed on.

    Attributes
    ----------
    quality : ndarray, shape (beds, strides, leads)
        Signal quality, 0 to 1.
    usable : ndarray of bool, shape (beds, strides, leads)
        True where no technical condition holds.
    measurable : ndarray of bool, shape (beds, strides, leads)
        True where the waveform can be measured, even if the beats do not repeat: nor does fibrillation.
    active : ndarray of bool, shape (beds, 1 + strides, len(KINDS), leads)
        Whether each technical condition holds before the blocks, and at the end of each stride.
    changed : ndarray of bool, shape (beds,)
        Whether a technical condition begins or ends.
    """

    quality: FloatArray
    usable: BoolArray
    measurable: BoolArray
    active: BoolArray
    changed: BoolArray


def begin(start: int, leads: int) -> QualityState:
    """Return the state of one bed at the start of an epoch whose first sample has index ``start``."""
    return QualityState(
        start=np.array([start]),
        filter=np.zeros((1, leads, len(MUSCLE_SOS), 2)),
        features=np.zeros((1, leads, FEATURES, WINDOW_STRIDES)),
        attached=np.zeros((1, leads), np.bool_),
        repetition=np.ones(1),
        active=np.zeros((1, len(KINDS), leads), np.bool_),
        contradicting=np.zeros((1, len(KINDS), leads), np.int64),
        onset=np.zeros((1, len(KINDS)), np.int64),
    )


def after_gap(state: QualityState, start: int) -> QualityState:
    """Return the state after lost samples, before sample ``start``: leads that were attached are known to be."""
    return begin(start, state.attached.shape[1])._replace(attached=state.attached)


def step(
    state: QualityState, leads: tuple[str, ...], blocks: Blocks, repetition: FloatArray
) -> tuple[QualityRows, tuple[Change, ...], QualityState]:
    """Push the next blocks of one bed, possibly none; as `advance`, with ``repetition`` of the shape (blocks,)."""
    state = copied(state)
    rows, changes = advance(state, np.zeros(1, np.int64), [leads], rows_of(blocks), repetition[None])
    return rows, tuple(change for _, change in changes), state


def advance(
    columns: QualityState,
    slots: IntArray,
    leads: Sequence[tuple[str, ...]],
    blocks: BlockRows,
    repetition: FloatArray,
) -> tuple[QualityRows, list[tuple[int, Change]]]:
    """Push the next blocks of some beds, and change their slots of ``columns``.

    Parameters
    ----------
    columns : QualityState
    slots : ndarray of int64, shape (beds,)
        Slot of each bed.
    leads : sequence of tuple of str
        Leads of each bed.
    blocks : BlockRows
    repetition : ndarray, shape (beds, most)
        Mean repetition of the beats at the end of each block (`model.beats.repetition`); NaN where it says nothing.

    Returns
    -------
    rows : QualityRows
    changes : list of (int, Began or Ended)
        Beds, and the technical conditions that begin or end; of each bed in order. One condition of a kind covers all
        affected leads and lists them.
    """
    beds, strides, n = len(slots), blocks.mv.shape[1] * STRIDES_PER_BLOCK, blocks.mv.shape[3]
    usable, measurable = np.empty((2, beds, strides, n), np.bool_)
    rows = QualityRows(
        quality=np.empty((beds, strides, n)),
        usable=usable,
        measurable=measurable,
        active=np.empty((beds, 1 + strides, len(KINDS), n), np.bool_),
        changed=np.zeros(beds, np.bool_),
    )
    rows.active[:, 0] = columns.active[slots]
    _advance(columns, slots, blocks, repetition, rows)
    changes: list[tuple[int, Change]] = []
    for bed in np.flatnonzero(rows.changed).tolist():
        active = rows.active[bed, : 1 + blocks.count[bed] * STRIDES_PER_BLOCK]
        first, slot = int(blocks.start[bed]) + STRIDE - 1, slots[bed]
        found = describe(leads[bed], active, columns.onset[slot], first, int(columns.start[slot]))
        changes += [(bed, change) for change in found]
    return rows, changes


def leads_back(blocks: BlockRows, rows: QualityRows) -> list[tuple[int, int]]:
    """Return when leads were back that had been off or saturated: beds, and the last sample of the block.

    Parameters
    ----------
    blocks : BlockRows
    rows : QualityRows
        Of these blocks.
    """
    if not rows.changed.any():
        return []
    active = rows.active[:, ::STRIDES_PER_BLOCK]
    lost = active[:, :, LEAD_OFF] | active[:, :, SATURATION]
    back = (lost[:, :-1] & ~lost[:, 1:]).any(axis=2)
    return [
        (bed, int(blocks.start[bed]) + (block + 1) * BLOCK - 1)
        for bed, block in np.argwhere(back).tolist()
        if block < blocks.count[bed]
    ]


@compiled
def _advance(
    state: QualityState, slots: IntArray, blocks: BlockRows, repetition: FloatArray, rows: QualityRows
) -> None:
    """Push the next blocks of some beds, in place, and fill ``rows`` but for what held before."""
    for bed in range(len(slots)):
        slot = slots[bed]
        earlier = (blocks.start[bed] - state.start[slot]) // STRIDE
        for stride in range(blocks.count[bed] * STRIDES_PER_BLOCK):
            block, place = stride // STRIDES_PER_BLOCK, stride % STRIDES_PER_BLOCK
            # The last stride of a block ends when its repetition is known; those before use that of the last block.
            if place == STRIDES_PER_BLOCK - 1:
                known = repetition[bed, block]
                state.repetition[slot] = 1.0 if np.isnan(known) else known
            samples = slice(place * STRIDE, (place + 1) * STRIDE)
            mv, invalid = blocks.mv[bed, block, samples], blocks.invalid[bed, block, samples]
            number = earlier + stride + 1
            for lead in range(mv.shape[1]):
                push_stride(state.features[slot, lead], state.filter[slot, lead], mv, invalid, lead, number == 1)
                if _grade(state, slot, lead, number, blocks.offset[bed, lead], rows, bed, stride):
                    rows.changed[bed] = True


@compiled_part
def _grade(
    state: QualityState, slot: int, lead: int, number: int, offset: float, rows: QualityRows, bed: int, stride: int
) -> bool:
    """Evaluate a lead after the epoch's stride ``number``, from 1; return whether a technical condition changes."""
    features = state.features[slot, lead]
    mostly_invalid = features[INVALID, -1] > STRIDE / 2
    swing = highest(features[HIGH], 0) - lowest(features[LOW], 0)
    if swing >= ATTACHED_MV:
        state.attached[slot, lead] = True
    at_rail = abs(features[MEAN, -1] + (0.0 if np.isnan(offset) else offset)) >= RAIL_MV
    off = _is_off(features, state.attached[slot, lead], at_rail, number)
    saturated = _is_saturated(features, swing, at_rail) and not mostly_invalid
    no_signal = off or saturated

    power = kth_smallest(features[POWER].copy(), NOISE_RANK)
    muscle = np.sqrt(max(power - RECORDER_NOISE_MV**2, 0.0)) / max(swing, MIN_QRS_MV) / NOISE_RATIO
    jump = highest(features[BASELINE], 0) - lowest(features[BASELINE], 0)
    motion = max(jump / BASELINE_JUMP_MV, (1 - state.repetition[slot]) / (1 - MIN_REPETITION))
    index = _index(max(muscle, motion))
    without_noise = _index(max(muscle, jump / WAVE_JUMP_MV)) > NOISE_ONSET_INDEX

    active, contradicting = state.active[slot, :, lead], state.contradicting[slot, :, lead]
    onset_met = off, saturated, index < NOISE_ONSET_INDEX and not no_signal
    end_met = not off, not saturated, index > NOISE_END_INDEX or no_signal
    changed = confirm(active, contradicting, onset_met, end_met)
    for kind in range(len(KINDS)):
        rows.active[bed, stride + 1, kind, lead] = active[kind]
    lost, noisy = active[LEAD_OFF] or active[SATURATION], active[NOISE]
    rows.quality[bed, stride, lead] = 0.0 if no_signal or mostly_invalid else index
    rows.usable[bed, stride, lead] = not (lost or noisy)
    rows.measurable[bed, stride, lead] = not lost and (without_noise or not noisy)
    return changed


@compiled_part
def _is_off(features: FloatArray, attached: bool, at_rail: bool, number: int) -> bool:
    """Return whether a lead is off after the epoch's stride ``number``, from 1."""
    if not attached and number >= WINDOW_STRIDES:
        return True
    if number < FLAT_STRIDES:
        return False
    first = WINDOW_STRIDES - FLAT_STRIDES
    if features[INVALID, first:].sum() > FLAT_STRIDES * STRIDE / 2:
        return True
    return highest(features[HIGH], first) - lowest(features[LOW], first) <= FLAT_MV and not at_rail


@compiled_part
def _is_saturated(features: FloatArray, swing: float, at_rail: bool) -> bool:
    """Return whether a lead is saturated in the last stride."""
    high, low = features[HIGH], features[LOW]
    if high[-1] - low[-1] <= STUCK_MV and at_rail:
        return True
    at_end = high[-1] >= highest(high, 0) - FLAT_MV or low[-1] <= lowest(low, 0) + FLAT_MV
    return bool(high[-1] - low[-1] <= FLAT_MV and at_end and swing >= CLIPPED_SWING_MV)


@compiled_part
def _index(noise: float) -> float:
    """Return the index of a noise level relative to its limit."""
    return 1 / (1 + noise * noise)
