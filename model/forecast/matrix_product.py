"""Products of a few rows with a matrix of weights, at the speed of a BLAS library, as part of compiled functions.

The weights are cut into panels of a few columns, each contiguous. A tile of the result, some rows by the columns of a
panel, stays in the vector registers of the processor while all terms of its sums are added. Each sum is added in the
same order for any number of rows, so a row has bit-identical results alone and among others. Compilers do not find this
form in plain loops (they reach less than half of its speed), so the tile is written in the compiler's own instructions
(`instructions`).
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from model.forecast.instructions import address, adjacent, number, repeat, spread
from model.signal.arrays import Float32Array
from model.signal.compiled import compiled

_HOST = llvmlite.binding.get_host_cpu_features()
_WIDE = _HOST.get("avx512f", False)

LANES = 16 if _WIDE else 8 if _HOST.get("avx2", False) else 4
"""Numbers in one vector register."""

PANEL = 2 * LANES
"""Columns of a panel."""

ROWS = (1, 2, 6, 12) if _WIDE or not _HOST.get("sse2", False) else (1, 2, 6)
"""Numbers of rows for which there are tiles. Twelve rows of two vectors need 24 of 32 registers; x86 has 16 without
AVX-512."""


CACHE_LINE = 64
"""Bytes."""


def _tile(rows: int, panels: int) -> Any:
    """Return a compiler intrinsic for a tile of some rows by the columns of one or two panels.

    ``tile(inputs, first, depth, weights, panel, start, apart, out)`` sets ``out[i, j]`` to ``start[apart * i, j]`` plus
    the sum of ``inputs[first + k, i] * weights[panel, k, j]`` over ``k < depth``, for all rows i and the columns of
    `panel` and of those after it in the tile. All arrays hold float32.
    """

    @intrinsic
    def tile(
        _: Any, inputs: Any, first: Any, depth: Any, weights: Any, panel: Any, start: Any, apart: Any, out: Any
    ) -> Any:
        signature = types.void(*map(types.unliteral, (inputs, first, depth, weights, panel, start, apart, out)))

        def generate(context: Any, build: ir.IRBuilder, _: Any, values: Any) -> Any:
            all_inputs, first, depth, all_weights, panel, starts, apart, results = values
            vector = ir.VectorType(ir.FloatType(), LANES)
            zero, column = number(0), build.mul(panel, number(PANEL))
            top_inputs = address(context, build, inputs, all_inputs, first, zero)
            tops = [
                address(context, build, weights, all_weights, build.add(panel, number(p)), zero, zero)
                for p in range(panels)
            ]
            before, places = [], []
            for i in range(rows):
                source = address(context, build, start, starts, build.mul(apart, number(i)), column)
                before += [build.load(v, align=4) for v in adjacent(build, source, vector, 2 * panels)]
                places += adjacent(build, address(context, build, out, results, number(i), column), vector, 2 * panels)

            def term(k: Any, sums: Any) -> list[Any]:
                row_of_panel, row_of_inputs = build.mul(k, number(PANEL)), build.mul(k, number(rows))
                places = [v for top in tops for v in adjacent(build, build.gep(top, [row_of_panel]), vector, 2)]
                vectors = [build.load(v, align=4) for v in places]
                own = build.gep(top_inputs, [row_of_inputs])
                scalars = [build.load(build.gep(own, [number(i)]), align=4) for i in range(rows)]
                factors = [(spread(build, scalar, LANES), vector) for scalar in scalars for vector in vectors]
                products = [build.fmul(*both, flags=["contract"]) for both in factors]
                return [build.fadd(s, p, flags=["contract"]) for s, p in zip(sums, products, strict=True)]

            for place, total in zip(places, repeat(build, depth, before, term), strict=True):
                build.store(total, place, align=4)
            return context.get_dummy_value()

        return signature, generate

    return tile


_tile_1, _tile_2, _tile_6, _tile_12 = _tile(1, 2), _tile(2, 2), _tile(6, 1), _tile(12, 1)


@compiled
def product(
    inputs: Float32Array,
    first: int,
    depth: int,
    weights: Float32Array,
    start: Float32Array,
    apart: int,
    out: Float32Array,
) -> None:
    """Set ``out`` to its start plus the product of the inputs, transposed, and the weights.

    Parameters
    ----------
    inputs : ndarray, shape (any, rows)
        One column for each row of the result; `ROWS` are possible. The product takes `depth` rows from `first` on.
    weights : ndarray, shape (panels, at least depth, PANEL)
        As `panels` makes it.
    start : ndarray, shape (1 or rows, panels * PANEL)
    apart : int
        0: all rows start from the only row of `start`. 1: each from its own; `start` may be ``out``.
    out : ndarray, shape (at least rows, panels * PANEL)
    """
    rows = inputs.shape[1]
    if rows <= 2:
        for panel in range(0, len(weights), 2):
            if rows == 1:
                _tile_1(inputs, first, depth, weights, panel, start, apart, out)
            else:
                _tile_2(inputs, first, depth, weights, panel, start, apart, out)
    else:
        for panel in range(len(weights)):
            if rows == 6:
                _tile_6(inputs, first, depth, weights, panel, start, apart, out)
            else:
                _tile_12(inputs, first, depth, weights, panel, start, apart, out)


def panels(matrix: Float32Array, depth: int | None = None) -> Float32Array:
    """Return a matrix, shape (rows, columns), as an even number of panels, shape (panels, depth, PANEL).

    It is filled with zeros. ``depth`` is the number of rows by default.
    """
    rows, columns = matrix.shape
    count = 2 * -(-columns // (2 * PANEL))
    filled = np.zeros((depth or rows, count * PANEL), np.float32)
    filled[:rows, :columns] = matrix
    return aligned(filled.reshape(-1, count, PANEL).transpose(1, 0, 2))


def aligned(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a contiguous copy that begins at a cache line: across lines, weights are read at half of the speed."""
    memory = np.empty(array.nbytes + CACHE_LINE, np.uint8)
    first = -memory.ctypes.data % CACHE_LINE
    copy = memory[first : first + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
