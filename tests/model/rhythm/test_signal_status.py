"""The status of the signal at each stride is that of the last whole block."""

from __future__ import annotations

import itertools

import numpy as np

from model.beats.beat import Beat, to_rows
from model.rhythm import signal_status
from model.rhythm.signal_status import BlockStatus, SignalRows, StatusState
from model.rhythm.ventricular_fibrillation import FibrillationRows
from model.signal.arrays import FloatArray
from model.signal.batch import Batch
from model.signal.blocks import BLOCK, STRIDES_PER_BLOCK, BlockRows
from model.signal.pulses import KEPT, PulseRows
from model.signal.signal_quality import QualityRows
from model.signal.technical_conditions import KINDS
from stream.timebase import STRIDE
from tests.model.slots import assert_equal, joined, taken

BLOCKS, LEADS = 4, 2
STRIDES = BLOCKS * STRIDES_PER_BLOCK
QUALITY = np.array([0.2, 0.4, 0.6, 0.8])
"""Of the blocks, in the better lead."""


def advance(
    columns: StatusState, slots: list[int], starts: list[int], first: int, stop: int, beats: list[list[Beat]]
) -> tuple[SignalRows, FloatArray]:
    """Push some strides of beds whose first block begins with the sample of ``starts``."""
    n, beds = stop - first, len(slots)
    batch = Batch(
        np.array(slots),
        np.array(starts) + first * STRIDE,
        np.zeros((beds, n * STRIDE, LEADS)),
        np.zeros((beds, n * STRIDE, LEADS), np.bool_),
    )
    begin, end = first // STRIDES_PER_BLOCK, stop // STRIDES_PER_BLOCK
    most = end - begin
    blocks = BlockRows(
        np.full(beds, most),
        np.array(starts) + begin * BLOCK,
        np.zeros((beds, most, BLOCK, LEADS)),
        np.zeros((beds, most, BLOCK, LEADS), np.bool_),
        np.zeros((beds, LEADS)),
    )
    quality = np.zeros((beds, most * STRIDES_PER_BLOCK, LEADS))
    quality[:, STRIDES_PER_BLOCK - 1 :: STRIDES_PER_BLOCK, 1] = QUALITY[begin:end]
    good = quality > 0.5
    active = np.zeros((beds, 1 + most * STRIDES_PER_BLOCK, len(KINDS), LEADS), np.bool_)
    since = np.tile(np.array([-1, 100, 100, -1])[begin:end], (beds, 1))
    suspected = np.tile(np.array([True, True, True, False])[begin:end], (beds, 1))
    found = BlockStatus(
        QualityRows(quality, good, good, active, np.zeros(beds, np.bool_)),
        FibrillationRows(since, suspected),
        np.tile(np.arange(first, stop) >= 9, (beds, 1)),
        np.tile(np.where(np.arange(first, stop) == 9, 1234, -1), (beds, 1)),
    )
    pulse = PulseRows(*np.full((2, beds, n), -1), np.zeros((beds, n), np.int64), np.full((beds, n, KEPT), -1))
    return signal_status.advance(columns, batch, blocks, found, pulse, to_rows(beats))


def test_the_status_is_that_of_the_best_lead_at_the_end_of_the_last_block() -> None:
    rows, _ = advance(signal_status.begin(), [0], [1000], 0, STRIDES, [[]])
    assert rows.at[0].tolist() == list(range(1000 + STRIDE - 1, 1000 + STRIDES * STRIDE, STRIDE))
    known = [1.0] * 4 + [0.2] * 5 + [0.4] * 5 + [0.6] * 5 + [0.8]
    assert rows.quality[0].tolist() == known
    assert rows.usable[0].tolist() == rows.measurable[0].tolist() == [quality > 0.5 for quality in known]
    assert rows.fibrillation_since[0].tolist() == [-1] * 9 + [100] * 10 + [-1]
    assert rows.fibrillation_suspected[0].tolist() == [False] * 4 + [True] * 15 + [False]
    assert rows.ecg_seen[0].tolist() == [False] * 9 + [True] * 11
    assert rows.missed[0].tolist() == [-1] * 9 + [1234] + [-1] * 10


def test_a_beat_has_the_quality_that_was_known_when_it_was_reported() -> None:
    reports = [1000, 1000 + BLOCK - 2, 1000 + BLOCK - 1, 1000 + BLOCK, 1000 + 2 * BLOCK - 1, 1000 + 4 * BLOCK - 1]
    beats = [Beat(at - 70, at, "N", None) for at in reports]
    _, graded = advance(signal_status.begin(), [0], [1000], 0, STRIDES, [beats])
    assert graded.tolist() == [1.0, 1.0, 0.2, 0.2, 0.4, 0.8]


def test_after_a_gap_only_the_ecg_is_known() -> None:
    state = signal_status.begin()
    advance(state, [0], [0], 0, STRIDES, [[]])
    after = signal_status.after_gap(state)
    assert_equal(after, signal_status.begin()._replace(ecg_seen=np.array([True])))


def test_beds_that_step_together_have_the_status_of_beds_alone() -> None:
    slots, starts = [3, 0], [0, 7 * BLOCK]
    beats = [[Beat(start + n * 100, start + n * 100 + 70, "N", None) for n in range(6)] for start in starts]
    columns, untouched = (joined([signal_status.begin()], [0], 5) for _ in range(2))
    quality, graded = [], [[], []]  # type: ignore[var-annotated]
    for first, stop in itertools.pairwise([0, 1, 4, 5, 12, STRIDES]):
        now = [
            [beat for beat in own if first * STRIDE <= beat.at - start < stop * STRIDE]
            for own, start in zip(beats, starts, strict=True)
        ]
        rows, values = advance(columns, slots, starts, first, stop, now)
        quality.append(rows.quality)
        for bed, own in enumerate(np.split(values, [len(now[0])])):
            graded[bed] += own.tolist()
    for bed, start in enumerate(starts):
        alone, values = advance(signal_status.begin(), [0], [start], 0, STRIDES, [beats[bed]])
        np.testing.assert_array_equal(np.concatenate(quality, axis=1)[bed], alone.quality[0])
        assert graded[bed] == values.tolist()
    for slot in (1, 2, 4):
        assert_equal(taken(columns, slot), taken(untouched, slot))


def test_suspected_fibrillation_says_nothing_about_the_repetition_of_beats() -> None:
    """Of the second bed the first block has begun before the strides."""
    batch = Batch(
        np.arange(2), np.array([0, 3 * STRIDE]), np.zeros((2, 10 * STRIDE, 1)), np.zeros((2, 10 * STRIDE, 1), np.bool_)
    )
    no_samples = np.zeros((2, 2, BLOCK, 1))
    blocks = BlockRows(np.array([2, 2]), np.zeros(2, np.int64), no_samples, no_samples > 0, np.zeros((2, 1)))
    fibrillation = FibrillationRows(np.array([[-1, 5], [-1, -1]]), np.array([[False, True], [False, False]]))
    repetition = np.arange(20.0).reshape(2, 10)
    found = signal_status.repetition_at_blocks(batch, blocks, fibrillation, repetition)
    np.testing.assert_array_equal(found, [[4, np.nan], [11, 16]])
