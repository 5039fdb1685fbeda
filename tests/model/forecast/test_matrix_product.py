"""Products of a few rows: the sums, and their independence of other rows."""

from __future__ import annotations

import numpy as np
import pytest

from model.forecast.matrix_product import PANEL, ROWS, panels, product


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("columns", [1, PANEL, 3 * PANEL + 5])
def test_product_of_adjacent_inputs_plus_start(rows: int, columns: int) -> None:
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((30, rows)).astype(np.float32)
    matrix = rng.standard_normal((19, columns)).astype(np.float32)
    start = rng.standard_normal((rows, columns)).astype(np.float32)
    weights = panels(matrix, depth=25)
    assert weights.shape[1:] == (25, PANEL)
    filled = np.zeros((rows, len(weights) * PANEL), np.float32)
    filled[:, :columns] = start
    for apart in (0, 1):
        out = np.empty_like(filled)
        product(inputs, 7, 19, weights, filled, apart, out)
        expected = inputs[7:26].T @ matrix + (start if apart else start[:1])
        np.testing.assert_allclose(out[:, :columns], expected, rtol=0, atol=1e-5)
        assert (out[:, columns:] == 0).all()


def test_a_row_has_the_same_bits_alone_and_among_others() -> None:
    rng = np.random.default_rng(1)
    inputs = rng.standard_normal((320, ROWS[-1])).astype(np.float32)
    weights, bias = panels(rng.standard_normal((320, 640)).astype(np.float32)), np.zeros((1, 640), np.float32)
    results = []
    for rows in ROWS:
        out = np.empty((rows, 640), np.float32)
        product(np.ascontiguousarray(inputs[:, :rows]), 0, 320, weights, bias, 0, out)
        results.append(out)
    for out in results:
        np.testing.assert_array_equal(out, results[-1][: len(out)])
