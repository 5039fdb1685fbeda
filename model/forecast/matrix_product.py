"""Products of a few rows with a matrix of weights, at the speed of a BLAS library, as part of compiled functions.

The weights are cut into panels of a few columns, each contiguous. A tile of the result, some rows by the columns of a
panel, stays in the vector registers of the processor while all terms of its sums are added. Each sum is added in the
same order for any number of rows, so a row has bit-identical results alone and among others. Compilers do not find this
form in plain loops (they reach less than half of its speed), so the tile is written in the compiler's own instructions.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

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
        arguments = (inputs, first, depth, weights, panel, start, apart, out)
        signature = types.void(inputs, types.intp, types.intp, weights, types.intp, start, types.intp, out)

        def generate(context: Any, build: ir.IRBuilder, _: Any, values: Any) -> Any:
            inputs, first, depth, weights, panel, start, apart, out = values
            vector, index = ir.VectorType(ir.FloatType(), LANES), context.get_value_type(types.intp)

            def number(value: int) -> ir.Constant:
                return ir.Constant(index, value)

            def address(kind: Any, array: Any, *indices: Any) -> Any:
                parts = context.make_array(kind)(context, build, array)
                return cgutils.get_item_pointer(context, build, kind, parts, indices)  # type: ignore[no-untyped-call]

            def vectors(pointer: Any, count: int) -> list[tuple[Any, Any]]:
                """Return the addresses of adjacent vectors."""
                first = build.bitcast(pointer, vector.as_pointer())
                return [build.gep(first, [number(j)]) for j in range(count)]

            zero, column = number(0), build.mul(panel, number(PANEL))
            tops = [address(arguments[3], weights, build.add(panel, number(p)), zero, zero) for p in range(panels)]
            top_inputs = address(arguments[0], inputs, first, zero)
            columns = range(2 * panels)
            before_sums = []
            for i in range(rows):
                source = address(arguments[5], start, build.mul(apart, number(i)), column)
                before_sums.append([build.load(v, align=4) for v in vectors(source, 2 * panels)])

            before, loop, after = build.block, build.append_basic_block("term"), build.append_basic_block("done")
            build.branch(loop)
            build.position_at_end(loop)
            k = build.phi(index)
            sums = [[build.phi(vector) for _ in columns] for _ in range(rows)]
            row_of_panel = build.mul(k, number(PANEL))
            terms = [build.load(v, align=4) for top in tops for v in vectors(build.gep(top, [row_of_panel]), 2)]
            row_of_inputs = build.gep(top_inputs, [build.mul(k, number(rows))])
            added = []
            for i in range(rows):
                scalar = build.load(build.gep(row_of_inputs, [number(i)]), align=4)
                lane = build.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
                everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
                spread = build.shuffle_vector(lane, ir.Constant(vector, ir.Undefined), everywhere)
                products = [build.fmul(spread, term, flags=["contract"]) for term in terms]
                added.append([build.fadd(s, p, flags=["contract"]) for s, p in zip(sums[i], products, strict=True)])
            next_k = build.add(k, number(1))
            k.add_incoming(zero, before)
            k.add_incoming(next_k, loop)
            for i in range(rows):
                for j in columns:
                    sums[i][j].add_incoming(before_sums[i][j], before)
                    sums[i][j].add_incoming(added[i][j], loop)
            build.cbranch(build.icmp_signed("<", next_k, depth), loop, after)
            build.position_at_end(after)
            for i in range(rows):
                places = vectors(address(arguments[7], out, number(i), column), 2 * panels)
                for place, total in zip(places, added[i], strict=True):
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
