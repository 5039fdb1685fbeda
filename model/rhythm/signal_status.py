"""Status of the signal of beds at the end of each stride, as the rhythm rules see it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from model.beats.beat import BeatRows
from model.rhythm.ventricular_fibrillation import FibrillationRows
from model.signal.arrays import BoolArray, FloatArray, IntArray
from model.signal.batch import Batch
from model.signal.blocks import BLOCK, STRIDES_PER_BLOCK, BlockRows
from model.signal.compiled import compiled
from model.signal.pulses import PulseRows
from model.signal.signal_quality import QualityRows
from stream.timebase import STRIDE


class StatusState(NamedTuple):
    """Status of the signal at the end of the last whole block; columns over beds.

    Attributes
    ----------
    quality : ndarray, shape (beds,)
    usable, measurable, ecg_seen, fibrillation_suspected : ndarray of bool, shape (beds,)
    fibrillation_since : ndarray of int64, shape (beds,)
        -1 without fibrillation.
    """

    quality: FloatArray
    usable: BoolArray
    measurable: BoolArray
    ecg_seen: BoolArray
    fibrillation_suspected: BoolArray
    fibrillation_since: IntArray


class SignalRows(NamedTuple):
    """Status of the signal of some beds at the end of each stride, see `model.rhythm.rules.SignalStatus`.

    Attributes
    ----------
    at : ndarray of int64, shape (beds, strides)
    quality : ndarray, shape (beds, strides)
    usable, measurable, ecg_seen, fibrillation_suspected : ndarray of bool, shape (beds, strides)
    fibrillation_since : ndarray of int64, shape (beds, strides)
        -1 without fibrillation.
    missed : ndarray of int64, shape (beds, strides)
        R peak of a missed beat that was found in the stride, see `model.beats.repetition`; -1 without one.
    pulse_since : ndarray of int64, shape (beds, strides)
        First pulse of the trusted pulse that goes on; -1 without one.
    pulses : ndarray of int64, shape (beds, strides)
        Number of its last pulses that are known, at most `model.signal.pulses.KEPT`.
    pulse_times : ndarray of int64, shape (beds, strides, KEPT)
        These pulses, oldest first; then -1.
    """

    at: IntArray
    quality: FloatArray
    usable: BoolArray
    measurable: BoolArray
    ecg_seen: BoolArray
    fibrillation_suspected: BoolArray
    fibrillation_since: IntArray
    missed: IntArray
    pulse_since: IntArray
    pulses: IntArray
    pulse_times: IntArray


class BlockStatus(NamedTuple):
    """What the stages found in the blocks of some beds.

    Attributes
    ----------
    quality : QualityRows
    fibrillation : FibrillationRows
    ecg_seen : ndarray of bool, shape (beds, strides)
        At the end of each stride, see `model.beats.repetition`.
    missed : ndarray of int64, shape (beds, strides)
        Missed beats, see there.
    """

    quality: QualityRows
    fibrillation: FibrillationRows
    ecg_seen: BoolArray
    missed: IntArray


def begin() -> StatusState:
    """Return the status of one bed before the first block."""
    return StatusState(
        quality=np.ones(1),
        usable=np.ones(1, np.bool_),
        measurable=np.ones(1, np.bool_),
        ecg_seen=np.zeros(1, np.bool_),
        fibrillation_suspected=np.zeros(1, np.bool_),
        fibrillation_since=np.array([-1]),
    )


def after_gap(state: StatusState) -> StatusState:
    """Return the status of one bed after lost samples: whether an ECG has been observed is kept."""
    return begin()._replace(ecg_seen=state.ecg_seen)


def repetition_at_blocks(
    batch: Batch, blocks: BlockRows, fibrillation: FibrillationRows, repetition: FloatArray
) -> FloatArray:
    """Return the mean repetition of the beats at the end of each block, for the signal quality, shape (beds, most).

    It is NaN with suspected fibrillation, which does not repeat either, and is no noise.

    Parameters
    ----------
    repetition : ndarray, shape (beds, strides)
        At the end of each stride, see `model.beats.repetition`.
    """
    beds, most = fibrillation.since.shape
    if not most:
        return np.empty((beds, 0))
    ends = (blocks.start - batch.start)[:, None] + np.arange(1, most + 1) * BLOCK
    strides = np.minimum(ends // STRIDE, batch.strides) - 1
    organised = (fibrillation.since < 0) & ~fibrillation.suspected
    return np.where(organised, np.take_along_axis(repetition, strides, axis=1), np.nan)


def advance(
    columns: StatusState, batch: Batch, blocks: BlockRows, found: BlockStatus, pulse: PulseRows, beats: BeatRows
) -> tuple[SignalRows, FloatArray]:
    """Return the status of the signal at the end of each stride, and the signal quality of each beat.

    Both are those of the last block that was complete, for a beat when it was reported. The slots of ``columns`` are
    changed.
    """
    ends = batch.last_samples
    usable, measurable, ecg_seen, suspected = np.empty((4, *ends.shape), np.bool_)
    rows = SignalRows(
        at=ends,
        quality=np.empty(ends.shape),
        usable=usable,
        measurable=measurable,
        ecg_seen=ecg_seen,
        fibrillation_suspected=suspected,
        fibrillation_since=np.empty(ends.shape, np.int64),
        missed=found.missed,
        pulse_since=pulse.since,
        pulses=pulse.number,
        pulse_times=pulse.times,
    )
    graded = np.empty(len(beats.r_peak))
    _advance(columns, batch.slots, blocks.start, blocks.count, found, beats.first, beats.at, rows, graded)
    return rows, graded


@compiled
def _advance(
    state: StatusState,
    slots: IntArray,
    start: IntArray,
    count: IntArray,
    found: BlockStatus,
    first: IntArray,
    reported: IntArray,
    rows: SignalRows,
    graded: FloatArray,
) -> None:
    """Fill ``rows`` but for the pulse, and the quality of the beats.

    Start and count are those of `BlockRows`, first beat and the sample at which each was reported those of `BeatRows`.
    """
    quality, fibrillation = found.quality, found.fibrillation
    for bed in range(len(slots)):
        slot, beat, block = slots[bed], first[bed], 0
        for stride in range(rows.at.shape[1]):
            at = rows.at[bed, stride]
            while beat < first[bed + 1] and reported[beat] < at:
                graded[beat] = state.quality[slot]
                beat += 1
            if block < count[bed] and at == start[bed] + (block + 1) * BLOCK - 1:
                end = (block + 1) * STRIDES_PER_BLOCK - 1
                state.quality[slot], state.usable[slot], state.measurable[slot] = 0.0, False, False
                for lead in range(quality.quality.shape[2]):  # that of the best lead
                    state.quality[slot] = max(state.quality[slot], quality.quality[bed, end, lead])
                    state.usable[slot] |= quality.usable[bed, end, lead]
                    state.measurable[slot] |= quality.measurable[bed, end, lead]
                state.ecg_seen[slot] = found.ecg_seen[bed, stride]
                state.fibrillation_suspected[slot] = fibrillation.suspected[bed, block]
                state.fibrillation_since[slot] = fibrillation.since[bed, block]
                block += 1
            rows.quality[bed, stride] = state.quality[slot]
            rows.usable[bed, stride] = state.usable[slot]
            rows.measurable[bed, stride] = state.measurable[slot]
            rows.ecg_seen[bed, stride] = state.ecg_seen[slot]
            rows.fibrillation_suspected[bed, stride] = state.fibrillation_suspected[slot]
            rows.fibrillation_since[bed, stride] = state.fibrillation_since[slot]
        for last in range(beat, first[bed + 1]):
            graded[last] = state.quality[slot]
