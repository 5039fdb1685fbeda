"""Streaming filters: chunk by chunk, and sample by sample, against the whole signal."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter
from scipy.signal import sosfilt as scipy_sosfilt

from model.signal.iir_filter import filter_sample, sosfilt


def test_chunks_match_scipy_on_the_whole_signal() -> None:
    sos = butter(2, (7, 22), "bandpass", fs=360, output="sos")
    x = np.random.default_rng(0).normal(size=(400, 2))
    state, chunks = np.zeros((len(sos), 2, 2)), []
    for chunk in np.split(x, [1, 37, 37, 200]):
        filtered, state = sosfilt(sos, chunk, state)
        chunks.append(filtered)
    np.testing.assert_allclose(np.concatenate(chunks), scipy_sosfilt(sos, x, axis=0), rtol=0, atol=1e-12)


def test_splitting_gives_identical_bits() -> None:
    sos = butter(2, (7, 22), "bandpass", fs=360, output="sos")
    x = np.random.default_rng(0).normal(size=(100, 2))
    state = np.zeros((len(sos), 2, 2))
    first, middle = sosfilt(sos, x[:33], state)
    second, end = sosfilt(sos, x[33:], middle)
    at_once, expected = sosfilt(sos, x, state)
    np.testing.assert_array_equal(np.concatenate([first, second]), at_once)
    np.testing.assert_array_equal(end, expected)


def test_sample_by_sample_matches_scipy_for_each_lead() -> None:
    sos = butter(2, (30, 100), "bandpass", fs=360, output="sos")
    x = np.random.default_rng(0).normal(size=(400, 2))
    state = np.zeros((2, len(sos), 2))
    filtered = [[filter_sample(sos, state[lead], sample[lead]) for lead in range(2)] for sample in x]
    np.testing.assert_allclose(filtered, scipy_sosfilt(sos, x, axis=0), rtol=0, atol=1e-12)
