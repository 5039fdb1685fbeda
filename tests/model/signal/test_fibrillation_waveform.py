"""Resemblance to ventricular fibrillation, of fibrillation and of other waves."""

from __future__ import annotations

import numpy as np
import pytest

from model.signal import blocks, fibrillation_waveform
from model.signal.arrays import FloatArray
from model.signal.blocks import BLOCK, BlockRows, Blocks
from model.signal.fibrillation_waveform import RECENT, RECENT_BLOCKS, SAMPLES_PER_BLOCK, Waveform
from model.signal.intake import strides_of
from stream.timebase import FS
from tests.model.contracts import ecg_with_events
from tests.model.ecg_waves import beats, fibrillating
from tests.model.slots import assert_equal, joined, taken


def run(mv: FloatArray, start: int = 0) -> list[Waveform]:
    leads = mv.shape[1]
    whole, _ = blocks.step(blocks.begin(leads), strides_of(mv, start))
    measured, _ = fibrillation_waveform.step(fibrillation_waveform.begin(leads), whole)
    return list(measured)


@pytest.mark.parametrize("hz", [3.5, 5.0, 7.0])
@pytest.mark.parametrize("leads", [1, 2])
def test_most_windows_of_fibrillation_resemble_it(hz: float, leads: int) -> None:
    margins = [window.margin for window in run(fibrillating(20, hz)[:, :leads])[6:]]
    assert np.mean(np.array(margins) > 0) > 0.9


@pytest.mark.parametrize("rate", [40, 75, 120, 180, 230])
def test_no_window_of_a_regular_rhythm_resembles_fibrillation(rate: float) -> None:
    assert max(window.margin for window in run(beats(30, rate))) < 0


def test_a_slow_sine_resembles_slow_fibrillation_only() -> None:
    time = np.arange(20 * FS) / FS
    last = run(np.sin(2 * np.pi * 2.2 * time)[:, None])[-1]
    assert last.margin < 0 < last.slow_margin


def test_a_periodic_wave_with_a_long_period_resembles_slow_fibrillation_only() -> None:
    """Its second harmonic raises the mean frequency above 150/min, but it repeats at 84/min."""
    time = np.arange(20 * FS) / FS
    last = run((np.sin(2 * np.pi * 1.4 * time) + 2 * np.sin(2 * np.pi * 2.8 * time))[:, None])[-1]
    assert last.margin < 0 < last.slow_margin


@pytest.mark.parametrize("level", [0.0, 0.005, 0.02, 0.3])
def test_neither_a_flat_signal_nor_white_noise_resembles_fibrillation(level: float) -> None:
    mv = np.random.default_rng(0).normal(0, level, (30 * FS, 2))
    measured = run(mv)
    assert max(max(window.margin, window.slow_margin) for window in measured) < 0


def test_an_invalid_lead_is_not_measured() -> None:
    mv = fibrillating(20)
    mv[:, 0] = np.nan
    assert run(mv)[-1].margin > 0
    mv[12 * FS :, 1] = np.nan
    last = run(mv)[-1]
    assert last.margin < 0
    assert np.isnan(last.slope)


def test_the_slope_of_a_sine() -> None:
    time = np.arange(20 * FS) / FS
    for window in run(0.5 * np.sin(2 * np.pi * 5 * time)[:, None])[4:]:
        assert window.slope == pytest.approx(4 * 0.5 * 5, rel=0.06)


def test_one_measurement_per_half_second() -> None:
    measured = run(beats(8.2), start=70)
    assert [window.at for window in measured] == [70 + BLOCK * i - 1 for i in range(1, 17)]
    assert [len(window.recent) for window in measured] == [
        min(i, RECENT_BLOCKS) * SAMPLES_PER_BLOCK for i in range(1, 17)
    ]


def test_several_beds_with_different_numbers_of_blocks_give_what_each_gives_alone() -> None:
    whole, _ = blocks.step(blocks.begin(2), strides_of(ecg_with_events()))
    slots, size, at = np.array([3, 0, 4]), 5, [0, 9, 26]
    states = [fibrillation_waveform.step(fibrillation_waveform.begin(2), part(whole, 0, first))[1] for first in at]
    columns, untouched = (joined(states, slots.tolist(), size) for _ in range(2))
    for counts in ((1, 0, 1), (0, 0, 0), (7, 6, 7)):
        now = [part(whole, first, first + count) for first, count in zip(at, counts, strict=True)]
        rows = fibrillation_waveform.advance(columns, rows_of(now), slots)
        for bed, own in enumerate(now):
            alone, states[bed] = fibrillation_waveform.step(states[bed], own)
            assert_equal(taken(columns, slots[bed]), states[bed])
            for k, window in enumerate(alone):
                measured = rows.margin[bed, k], rows.slow_margin[bed, k], rows.slope[bed, k]
                np.testing.assert_array_equal(measured, [window.margin, window.slow_margin, window.slope])
                end = RECENT + (k + 1) * SAMPLES_PER_BLOCK
                known = min(rows.known[bed] + (k + 1) * SAMPLES_PER_BLOCK, RECENT)
                np.testing.assert_array_equal(rows.recent[bed, end - known : end], window.recent)
        at = [first + count for first, count in zip(at, counts, strict=True)]
    for slot in {1, 2}:
        assert_equal(taken(columns, slot), taken(untouched, slot))


def part(whole: Blocks, first: int, stop: int) -> Blocks:
    """Return some of the blocks of a bed."""
    return Blocks(whole.start + first * BLOCK, whole.mv[first:stop], whole.invalid[first:stop], whole.offset)


def rows_of(beds: list[Blocks]) -> BlockRows:
    """Return the blocks of some beds as rows, with noise where a bed has no block."""
    count = [len(own.mv) for own in beds]
    mv, invalid = np.full((len(beds), max(count), BLOCK, 2), 9.0), np.ones((len(beds), max(count), BLOCK, 2), np.bool_)
    for bed, own in enumerate(beds):
        mv[bed, : count[bed]], invalid[bed, : count[bed]] = own.mv, own.invalid
    start, offset = np.array([own.start for own in beds]), np.stack([own.offset for own in beds])
    return BlockRows(np.array(count), start, mv, invalid, offset)
