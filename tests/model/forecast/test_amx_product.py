"""Products in bfloat16 by the matrix unit, where there is one, and the rounding."""

from __future__ import annotations

import numpy as np
import pytest

from model.forecast.amx_product import COLUMNS, DEPTH, available, bits, panels, product, rounded

with_matrix_unit = pytest.mark.skipif(not available(), reason="this processor has no AMX")


@with_matrix_unit
@pytest.mark.parametrize("rows", [1, 2, 6, 12, 16])
def test_product_of_adjacent_inputs_plus_start(rows: int) -> None:
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((rows, 5 * DEPTH)).astype(np.float32)
    matrix = rng.standard_normal((2 * DEPTH, 3 * COLUMNS)).astype(np.float32)
    weights = panels(matrix, depth=3 * DEPTH)
    assert weights.shape == (4, 3, DEPTH // 2, 2 * COLUMNS)
    start = rng.standard_normal((rows, 4 * COLUMNS)).astype(np.float32)
    expected = rounded(inputs)[:, DEPTH : 3 * DEPTH].astype(float) @ rounded(matrix)
    for apart in (0, 1):
        out = np.empty_like(start)
        product(bits(inputs), DEPTH, 2 * DEPTH, weights, start, apart, out)
        begun = start if apart else start[:1]
        np.testing.assert_allclose(out[:, : 3 * COLUMNS] - begun[:, : 3 * COLUMNS], expected, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(out[:, 3 * COLUMNS :], np.broadcast_to(begun, out.shape)[:, 3 * COLUMNS :])


@with_matrix_unit
def test_a_row_has_the_same_bits_alone_and_among_others() -> None:
    rng = np.random.default_rng(1)
    inputs = bits(rng.standard_normal((16, 320)).astype(np.float32))
    weights = panels(rng.standard_normal((320, 640)).astype(np.float32), 320)
    start = np.zeros((1, 640), np.float32)
    together, alone = np.empty((16, 640), np.float32), np.empty((1, 640), np.float32)
    product(inputs, 0, 320, weights, start, 0, together)
    for i in range(16):
        product(inputs[i : i + 1], 0, 320, weights, start, 0, alone)
        np.testing.assert_array_equal(alone[0], together[i])


def test_rounding_to_the_nearest_and_to_even() -> None:
    step = 2.0**-7  # of bfloat16 between 1 and 2
    values = np.array([0, 1, -1.5, 1 + step, 1 + 0.4 * step, 1 + 0.6 * step, 1 + 0.5 * step, 1 + 1.5 * step])
    expected = np.array([0, 1, -1.5, 1 + step, 1, 1 + step, 1, 1 + 2 * step])
    np.testing.assert_array_equal(rounded(values.astype(np.float32)), expected)
