"""Products of a few rows in bfloat16, with sums in float32, by the vector instructions of some x86 processors.

AVX512-BF16 has an instruction that adds to each of 16 sums the products of two pairs of numbers, ``vdpbf16ps``. The
tiles are those of `matrix_product`: some rows by some columns, with the sums in vector registers, each sum added in the
same order for any number of rows. A pair of inputs of a row is spread over a vector, and a vector of weights holds such
pairs of 16 columns. The instruction takes denormal numbers for zero and gives none, whatever the processor is set to.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from model.forecast.instructions import address, adjacent, call, number, repeat, spread
from model.signal.arrays import Float32Array
from model.signal.compiled import compiled, settings

Uint16Array = npt.NDArray[np.uint16]

AVAILABLE: bool = llvmlite.binding.get_host_cpu_features().get("avx512bf16", False) and not settings.CPU_NAME
"""Whether the instruction is compiled: the processor has it, and code for another one is not asked for."""

COLUMNS = 16
"""Columns of a panel of weights: the sums in one vector register."""

_PAIR = ir.IntType(32)
"""Two numbers; llvmlite has no type for bfloat16, and LLVM takes this one."""

_SUMS, _PAIRS = ir.VectorType(ir.FloatType(), COLUMNS), ir.VectorType(_PAIR, COLUMNS)


def _tile(rows: int, panels: int) -> Any:
    """Return a compiler intrinsic for a tile of the product, some rows from `row` on by some panels from `panel` on.

    It is ``tile(inputs, row, first, depth, weights, panel, start, apart, out)``; see `product`.
    """

    @intrinsic
    def tile(
        _: Any,
        inputs: Any,
        row: Any,
        first: Any,
        depth: Any,
        weights: Any,
        panel: Any,
        start: Any,
        apart: Any,
        out: Any,
    ) -> Any:
        arguments = inputs, row, first, depth, weights, panel, start, apart, out
        signature = types.void(*map(types.unliteral, arguments))

        def generate(context: Any, build: ir.IRBuilder, _: Any, values: Any) -> Any:
            all_inputs, row, first, depth, all_weights, panel, starts, apart, results = values
            zero, column = number(0), build.mul(panel, number(COLUMNS))
            pairs_of_row, weights_of_panel, places, before = [], [], [], []
            for i in range(rows):
                at = build.add(row, number(i))
                own = address(context, build, inputs, all_inputs, at, first)
                pairs_of_row.append(build.bitcast(own, _PAIR.as_pointer()))
                source = address(context, build, start, starts, build.mul(apart, at), column)
                before += [build.load(v, align=4) for v in adjacent(build, source, _SUMS, panels)]
                places += adjacent(build, address(context, build, out, results, at, column), _SUMS, panels)
            for p in range(panels):
                top = address(context, build, weights, all_weights, build.add(panel, number(p)), zero, zero, zero)
                weights_of_panel.append(build.bitcast(top, _PAIRS.as_pointer()))

            def term(k: Any, sums: Any) -> list[Any]:
                vectors = [build.load(build.gep(top, [k]), align=4) for top in weights_of_panel]
                pairs = [spread(build, build.load(build.gep(own, [k]), align=4), COLUMNS) for own in pairs_of_row]
                factors = [(pair, vector) for pair in pairs for vector in vectors]
                return [
                    call(build, _SUMS, "avx512bf16.dpbf16ps.512", total, *both)
                    for total, both in zip(sums, factors, strict=True)
                ]

            totals = repeat(build, build.sdiv(depth, number(2)), before, term)
            for place, total in zip(places, totals, strict=True):
                build.store(total, place, align=4)
            return context.get_dummy_value()

        return signature, generate

    return tile


_tile_1, _tile_2, _tile_6 = _tile(1, 4), _tile(2, 4), _tile(6, 2)


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
    """Set ``out`` to its start plus the product of inputs and weights; as `bf16_product.product`, for these rows:

    Parameters
    ----------
    inputs : ndarray of uint16, shape (rows, any)
        `matrix_product.ROWS` are possible.
    """
    rows = len(inputs)
    if rows <= 2:
        for panel in range(0, len(weights), 4):
            if rows == 1:
                _tile_1(inputs, 0, first, depth, weights, panel, start, apart, out)
            else:
                _tile_2(inputs, 0, first, depth, weights, panel, start, apart, out)
    else:
        for panel in range(0, len(weights), 2):
            for row in range(0, rows, 6):  # the weights of two panels stay in the fastest cache meanwhile
                _tile_6(inputs, row, first, depth, weights, panel, start, apart, out)
