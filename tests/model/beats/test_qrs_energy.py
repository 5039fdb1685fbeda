"""Energies of the leads, their statistics and their weights."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import sosfilt

from model.beats import qrs_detector
from model.beats.qrs_energy import BAND_SOS, BLOCK, ENERGY_WINDOW, MEMORY_BLOCKS, append_energies, update_leads
from model.beats.qrs_state import QrsState
from model.signal.arrays import BoolArray, FloatArray
from stream.timebase import STRIDE


def energies_of(mv: FloatArray, invalid: BoolArray | None = None) -> tuple[FloatArray, QrsState]:
    """Return the energies of whole blocks, shape (leads, n), and the state; the statistics are not updated."""
    state = qrs_detector.begin(0, mv.shape[1])
    invalid = np.zeros(mv.shape, np.bool_) if invalid is None else invalid
    blocks = []
    for first in range(0, len(mv), STRIDE):
        append_energies(state, 0, mv[first : first + STRIDE], invalid[first : first + STRIDE])
        state.block_samples[0] = (first + STRIDE) % BLOCK
        if not state.block_samples[0]:
            blocks.append(state.energies[0].copy())
    return np.concatenate(blocks, axis=1), state


def push_block(state: QrsState, energies: FloatArray, invalid: int = 0) -> None:
    """End a block with the given energies, shape (leads, BLOCK), and number of invalid samples in the first lead."""
    state.energies[0] = energies
    state.invalid[0, 0] = invalid
    update_leads(state, 0)


def block(peak: float, noise: float) -> FloatArray:
    """Return the energies of a block with one QRS complex."""
    energies = np.full(BLOCK, noise)
    energies[80:100] = peak
    return energies


def test_the_energy_is_the_rms_of_the_band_over_the_window() -> None:
    mv = np.random.default_rng(0).normal(0, 1, (4 * BLOCK, 2)) * [1.0, 0.3]
    mv[100] += 1000.0  # an artefact leaves no rounding error behind
    energies, _ = energies_of(mv)
    squares = sosfilt(BAND_SOS, mv - mv[0], axis=0) ** 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(squares, ((ENERGY_WINDOW - 1, 0), (0, 0))), 24, axis=0)
    np.testing.assert_allclose(energies.T, np.sqrt(windows.mean(axis=2)), rtol=1e-9, atol=1e-12)


def test_the_signal_continues_after_a_gap_without_a_step() -> None:
    mv = np.zeros((2 * BLOCK, 1))
    mv[150:] = 5.0
    invalid = np.zeros(mv.shape, np.bool_)
    assert energies_of(mv)[0].max() > 1
    invalid[120:150] = True
    energies, state = energies_of(mv, invalid)
    assert energies.max() == 0
    assert state.invalid[0, 0] == 30


def test_the_lead_with_the_clearer_complexes_has_the_larger_weight() -> None:
    state = qrs_detector.begin(0, 2)
    for _ in range(5):
        push_block(state, np.stack([block(1.0, 0.4), block(0.5, 0.02)]))
    np.testing.assert_allclose(state.size[0], [1.0, 0.5])
    assert state.weight[0, 1] > 0.9
    assert state.weight.sum() == pytest.approx(1)


def test_the_statistics_cover_eight_seconds() -> None:
    state = qrs_detector.begin(0, 1)
    for number in range(MEMORY_BLOCKS + 3):
        push_block(state, block(1.0 + number, 0.1)[None])
        assert state.blocks[0, 0] == min(number + 1, MEMORY_BLOCKS)
    np.testing.assert_array_equal(state.peaks[0, 0], np.arange(4.0, 4.0 + MEMORY_BLOCKS))


def test_a_mostly_invalid_block_is_left_out_and_its_lead_has_almost_no_weight() -> None:
    state = qrs_detector.begin(0, 2)
    for _ in range(5):
        push_block(state, np.stack([block(1.0, 0.02), block(1.0, 0.02)]))
    peaks = state.peaks.copy()
    push_block(state, np.stack([block(9.0, 0.02), block(1.0, 0.02)]), invalid=BLOCK // 2 + 1)
    np.testing.assert_array_equal(state.peaks[0, 0], peaks[0, 0])
    assert state.size[0, 0] == 1.0
    assert state.weight[0, 0] < 0.01
