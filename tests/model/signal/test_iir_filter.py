"""Filtering in pieces."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter
from scipy.signal import sosfilt as whole

from model.signal.iir_filter import sosfilt


def test_pieces_give_what_scipy_gives_for_all() -> None:
    sos = butter(2, (7, 22), "bandpass", fs=360, output="sos")
    x = np.random.default_rng(0).normal(size=(400, 2))
    state, parts = np.zeros((len(sos), 2, 2)), []
    for piece in np.split(x, [1, 37, 37, 200]):
        part, state = sosfilt(sos, piece, state)
        parts.append(part)
    np.testing.assert_allclose(np.concatenate(parts), whole(sos, x, axis=0), rtol=0, atol=1e-12)


def test_cutting_changes_no_bit() -> None:
    sos = butter(2, (7, 22), "bandpass", fs=360, output="sos")
    x = np.random.default_rng(0).normal(size=(100, 2))
    state = np.zeros((len(sos), 2, 2))
    first, middle = sosfilt(sos, x[:33], state)
    second, end = sosfilt(sos, x[33:], middle)
    together, expected = sosfilt(sos, x, state)
    np.testing.assert_array_equal(np.concatenate([first, second]), together)
    np.testing.assert_array_equal(end, expected)
