"""Products of up to 16 rows in bfloat16, with sums in float32, by the matrix unit (AMX) of some x86 processors.

A processor with AMX multiplies a tile of 16 rows by 32 inputs with one of 32 inputs by 16 columns in one instruction.
The tiles are named by number: 0 to 3 hold sums, 4 to 6 weights, 7 the inputs of all rows.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from functools import cache
from typing import Any

import llvmlite.binding
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from model.forecast.instructions import address, call, number, repeat
from model.signal.arrays import Float32Array
from model.signal.compiled import compiled, settings

Uint16Array = npt.NDArray[np.uint16]

ROWS, DEPTH, COLUMNS = 16, 32, 16
"""Rows of a tile of sums, inputs of a tile of inputs, columns of a tile of weights."""

_SUMS, _WEIGHTS, _INPUTS = (0, 1, 2, 3), (4, 5, 6), 7
_ROW_BYTES = 64
_TILE_BYTES = ROWS * _ROW_BYTES

_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA = 158, 0x1023, 18
"""Linux, x86-64: a process asks once for the registers of the matrix unit (arch/x86/include/uapi/asm/prctl.h)."""


COMPILED = llvmlite.binding.get_host_cpu_features().get("amx-bf16", False) and not settings.CPU_NAME
"""Whether the instructions are compiled: the processor has them, and code for another one is not asked for."""


@cache
def available() -> bool:
    """Return whether this process may use the matrix unit."""
    if not (COMPILED and sys.platform == "linux" and platform.machine() == "x86_64"):
        return False
    permitted: bool = ctypes.CDLL(None).syscall(_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA) == 0
    return permitted


def _call(build: ir.IRBuilder, name: str, *arguments: Any) -> None:
    call(build, ir.VoidType(), name, *arguments)


@intrinsic
def _configure(_: Any, config: Any) -> Any:
    """Set the sizes of the tiles from an array of 64 bytes."""

    def generate(context: Any, build: ir.IRBuilder, _: Any, values: Any) -> Any:
        data = context.make_array(config)(context, build, values[0]).data
        _call(build, "ldtilecfg", data)
        return context.get_dummy_value()

    return types.void(config), generate


@intrinsic
def _release(_: Any) -> Any:
    def generate(context: Any, build: ir.IRBuilder, _: Any, __: Any) -> Any:
        _call(build, "tilerelease")
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def _tiles(
    _: Any, inputs: Any, first: Any, depth: Any, weights: Any, panel: Any, start: Any, apart: Any, out: Any
) -> Any:
    """Multiply all rows by the four panels of weights from `panel` on; see `product`."""
    signature = types.void(*map(types.unliteral, (inputs, first, depth, weights, panel, start, apart, out)))

    def generate(context: Any, build: ir.IRBuilder, _: Any, values: Any) -> Any:
        all_inputs, first, depth, all_weights, panel, starts, apart, results = values
        byte, zero = ir.IntType(8), number(0)

        def tile(value: int) -> ir.Constant:
            return ir.Constant(byte, value)

        def bytes_at(kind: Any, array: Any, *indices: Any) -> Any:
            return build.bitcast(address(context, build, kind, array, *indices), byte.as_pointer())

        def row_bytes(kind: Any, array: Any) -> Any:
            return build.extract_value(context.make_array(kind)(context, build, array).strides, 0)

        columns = [build.mul(build.add(panel, number(p)), number(COLUMNS)) for p in _SUMS]
        for p in _SUMS:
            source, stride = bytes_at(start, starts, zero, columns[p]), build.mul(apart, row_bytes(start, starts))
            _call(build, "tileloadd64", tile(p), source, stride)
        top_inputs, stride = bytes_at(inputs, all_inputs, zero, first), row_bytes(inputs, all_inputs)
        tops = [bytes_at(weights, all_weights, build.add(panel, number(p)), zero, zero, zero) for p in _SUMS]

        def term(k: Any, _: Any) -> tuple[()]:
            source = build.gep(top_inputs, [build.mul(k, number(_ROW_BYTES))])
            _call(build, "tileloadd64", tile(_INPUTS), source, stride)
            for p in _SUMS:
                holder = tile(_WEIGHTS[p % len(_WEIGHTS)])  # in turn, so that one is loaded while another is used
                source = build.gep(tops[p], [build.mul(k, number(_TILE_BYTES))])
                _call(build, "tileloadd64", holder, source, number(_ROW_BYTES))
                _call(build, "tdpbf16ps", tile(p), tile(_INPUTS), holder)
            return ()

        repeat(build, build.sdiv(depth, number(DEPTH)), (), term)
        for p in _SUMS:
            _call(build, "tilestored64", tile(p), bytes_at(out, results, zero, columns[p]), row_bytes(out, results))
        return context.get_dummy_value()

    return signature, generate


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
        At most `ROWS` rows.
    """
    config = np.zeros(64, np.uint8)
    config[0] = 1  # palette
    for tile in range(8):
        config[16 + 2 * tile] = _ROW_BYTES
        config[48 + tile] = ROWS if 4 <= tile < 7 else len(inputs)
    _configure(config)  # type: ignore[call-arg]
    for panel in range(0, len(weights), 4):
        _tiles(inputs, first, depth, weights, panel, start, apart, out)
    _release()
