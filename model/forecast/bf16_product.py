"""Products in bfloat16 with sums in float32: one layout of the operands, and the instructions that the processor has.

Numbers are the upper halves of float32. Weights are cut into panels of 16 columns and blocks of 32 inputs, the tiles of
the matrix unit (`amx_product`). In memory, each row of a block holds pairs of adjacent inputs for the 16 columns, so a
panel is also what the vector instructions take (`avx512_product`): one vector of pairs after the other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.forecast import amx_product, avx512_product
from model.forecast.matrix_product import aligned
from model.signal.arrays import Float32Array
from model.signal.compiled import compiled

Uint16Array = npt.NDArray[np.uint16]

DEPTH, COLUMNS = amx_product.DEPTH, amx_product.COLUMNS
"""Inputs of a block, and columns of a panel."""

_AMX, _AVX512 = amx_product.COMPILED, avx512_product.AVAILABLE and not amx_product.COMPILED
"""Which instructions are compiled."""


def available() -> bool:
    """Return whether the processor has instructions for bfloat16 that this process may use."""
    return _AVX512 or (_AMX and amx_product.available())


@compiled
def product(
    inputs: Uint16Array,
    first: int,
    depth: int,
    weights: Uint16Array,
    start: Float32Array,
    apart: int,
    out: Float32Array,
) -> None:
    """Set ``out`` to its start plus the product of inputs and weights; it does nothing unless `available`.

    Denormal numbers count as zero.

    Parameters
    ----------
    inputs : ndarray of uint16, shape (rows, any)
        `matrix_product.ROWS` are possible. The product takes `depth` columns, a multiple of `DEPTH`, from `first` on.
    weights : ndarray of uint16, shape (panels, at least depth / DEPTH, DEPTH / 2, 2 * COLUMNS)
        Of `panels`.
    start : ndarray of float32, shape (1 or rows, panels * COLUMNS)
    apart : int
        0: all rows start from the only row of `start`. 1: each from its own; `start` may be ``out``.
    out : ndarray of float32, shape (at least rows, panels * COLUMNS)
    """
    if _AMX:
        amx_product.product(inputs, first, depth, weights, start, apart, out)
    if _AVX512:
        avx512_product.product(inputs, first, depth, weights, start, apart, out)


def panels(matrix: Float32Array, depth: int) -> Uint16Array:
    """Return a matrix, shape (inputs, columns), as a multiple of four panels with up to `depth` inputs, in bfloat16."""
    count = 4 * -(-matrix.shape[1] // (4 * COLUMNS))
    filled = np.zeros((depth, count * COLUMNS), np.float32)
    filled[: matrix.shape[0], : matrix.shape[1]] = matrix
    pairs = bits(filled).reshape(-1, DEPTH // 2, 2, count, COLUMNS)
    return aligned(pairs.transpose(3, 0, 1, 4, 2)).reshape(count, -1, DEPTH // 2, 2 * COLUMNS)


def bits(values: Float32Array) -> Uint16Array:
    """Return finite values as bfloat16, the upper half of a float32, rounded to nearest even."""
    whole = values.view(np.uint32)
    return ((whole + np.uint32(0x7FFF) + ((whole >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)).astype(np.uint16)


def rounded(values: Float32Array) -> Float32Array:
    """Return finite values rounded to bfloat16, as float32."""
    return (bits(values).astype(np.uint32) << np.uint32(16)).view(np.float32)
