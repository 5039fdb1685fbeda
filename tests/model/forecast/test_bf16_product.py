"""Products in bfloat16, by each kind of instructions that this processor has, and the rounding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from model.forecast import amx_product, avx512_product, bf16_product
from model.forecast.bf16_product import COLUMNS, DEPTH, bits, panels, rounded
from model.forecast.matrix_product import ROWS

Product = Callable[..., None]

each_product = pytest.mark.parametrize(
    "product",
    [
        pytest.param(
            bf16_product.product,
            id="chosen",
            marks=pytest.mark.skipif(
                not bf16_product.available(), reason="this processor has no instructions for bfloat16"
            ),
        ),
        pytest.param(
            amx_product.product,
            id="amx",
            marks=pytest.mark.skipif(not amx_product.available(), reason="this processor has no AMX"),
        ),
        pytest.param(
            avx512_product.product,
            id="avx512",
            marks=pytest.mark.skipif(not avx512_product.AVAILABLE, reason="this processor has no AVX512-BF16"),
        ),
    ],
)


@each_product
@pytest.mark.parametrize("rows", ROWS)
def test_product_of_adjacent_inputs_plus_start(product: Product, rows: int) -> None:
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


@each_product
def test_a_row_has_the_same_bits_alone_and_among_others(product: Product) -> None:
    rng = np.random.default_rng(1)
    inputs = bits(rng.standard_normal((ROWS[-1], 320)).astype(np.float32))
    weights = panels(rng.standard_normal((320, 640)).astype(np.float32), 320)
    start = np.zeros((1, 640), np.float32)
    together = np.empty((ROWS[-1], 640), np.float32)
    product(inputs, 0, 320, weights, start, 0, together)
    for rows in ROWS:
        some = np.empty((rows, 640), np.float32)
        for first in range(0, ROWS[-1], rows):
            product(inputs[first : first + rows], 0, 320, weights, start, 0, some)
            np.testing.assert_array_equal(some, together[first : first + rows])


@each_product
def test_denormal_numbers_count_as_zero(product: Product) -> None:
    inputs = bits(np.full((1, DEPTH), 1e-39, np.float32))
    assert inputs.all()
    out = np.empty((1, 4 * COLUMNS), np.float32)
    product(inputs, 0, DEPTH, panels(np.full((DEPTH, COLUMNS), 1e38, np.float32), DEPTH), np.zeros_like(out), 0, out)
    assert (out == 0).all()


def test_rounding_to_the_nearest_and_to_even() -> None:
    step = 2.0**-7  # of bfloat16 between 1 and 2
    values = np.array([0, 1, -1.5, 1 + step, 1 + 0.4 * step, 1 + 0.6 * step, 1 + 0.5 * step, 1 + 1.5 * step])
    expected = np.array([0, 1, -1.5, 1 + step, 1, 1 + step, 1, 1 + 2 * step])
    np.testing.assert_array_equal(rounded(values.astype(np.float32)), expected)
