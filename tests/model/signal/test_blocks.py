"""Samples are cut into whole half seconds, with gaps filled from the past alone."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.signal import blocks
from model.signal.arrays import BoolArray, FloatArray
from model.signal.blocks import PIECE, Intake
from model.signal.state_codec import pack, unpack
from stream.errors import StorageError


def run(mv: FloatArray, cuts: list[int]) -> tuple[FloatArray, BoolArray, Intake]:
    intake = blocks.begin(100, mv.shape[1])
    filled, missing = [], []
    for first, last in itertools.pairwise([0, *sorted(cuts), len(mv)]):
        samples, invalid, intake = blocks.take(intake, mv[first:last])
        filled.append(samples)
        missing.append(invalid)
    return np.concatenate(filled), np.concatenate(missing), intake


@settings(max_examples=40)
@given(
    cuts=st.lists(st.integers(0, 1000), max_size=20),
    gaps=st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 300), st.integers(0, 1)), max_size=4),
)
def test_any_cutting_gives_the_same(cuts: list[int], gaps: list[tuple[int, int, int]]) -> None:
    mv = np.random.default_rng(0).normal(size=(1000, 2))
    for first, length, lead in gaps:
        mv[first : first + length, lead] = np.nan
    whole, cut = run(mv, []), run(mv, cuts)
    np.testing.assert_array_equal(whole[0], cut[0])
    np.testing.assert_array_equal(whole[1], cut[1])
    assert pack(whole[2]) == pack(cut[2])
    assert whole[2].end == 100 + 1000 // PIECE * PIECE


def test_a_gap_holds_the_last_valid_sample_and_counts_from_the_first() -> None:
    mv = np.arange(360.0)[:, None] + 5
    mv[:10] = mv[40:50] = np.nan
    samples, invalid, intake = run(mv, [])
    flat = samples.reshape(360)
    assert intake.zero == [15]
    assert (flat[:10] == 0).all()
    assert (flat[40:50] == 39 + 5 - 15).all()
    assert flat[50] == 50 + 5 - 15
    np.testing.assert_array_equal(invalid.reshape(360), np.isnan(mv[:, 0]))


def test_a_lead_without_any_valid_sample_stays_at_zero() -> None:
    samples, invalid, intake = run(np.full((380, 1), np.nan), [130])
    assert samples.shape == (2, PIECE, 1)
    assert (samples == 0).all()
    assert invalid.all()
    assert np.isnan(intake.zero).all()


def test_a_saved_state_comes_back_and_a_damaged_one_is_refused() -> None:
    intake = run(np.random.default_rng(1).normal(size=(50, 2)), [])[2]
    data = pack(intake)
    assert pack(unpack(data, Intake)) == data
    for bad in (b"", b"\xc1", b"\x80", data[:-3]):
        with pytest.raises(StorageError, match="damaged"):
            unpack(bad, Intake)
