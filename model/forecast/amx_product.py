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
from numba.core import cgutils
from numba.extending import intrinsic

from model.forecast.matrix_product import aligned
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


_COMPILED = llvmlite.binding.get_host_cpu_features().get("amx-bf16", False) and not settings.CPU_NAME
"""Whether the instructions are compiled: the processor has them, and code for another one is not asked for."""


@cache
def available() -> bool:
    """Return whether this process may use the matrix unit."""
    if not (_COMPILED and sys.platform == "linux" and platform.machine() == "x86_64"):
        return False
    permitted: bool = ctypes.CDLL(None).syscall(_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA) == 0
    return permitted


def _call(build: ir.IRBuilder, name: str, *arguments: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
    called = cgutils.get_or_insert_function(build.module, kind, f"llvm.x86.{name}")  # type: ignore[no-untyped-call]
    build.call(called, arguments)


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
    arguments = (inputs, first, depth, weights, panel, start, apart, out)
    signature = types.void(inputs, types.intp, types.intp, weights, types.intp, start, types.intp, out)

    def generate(context: Any, build: ir.IRBuilder, _: Any, values: Any) -> Any:
        inputs, first, depth, weights, panel, start, apart, out = values
        byte, index = ir.IntType(8), context.get_value_type(types.intp)

        def number(value: int) -> ir.Constant:
            return ir.Constant(index, value)

        def tile(value: int) -> ir.Constant:
            return ir.Constant(byte, value)

        def address(position: int, array: Any, *indices: Any) -> Any:
            kind = arguments[position]
            parts = context.make_array(kind)(context, build, array)
            pointer = cgutils.get_item_pointer(context, build, kind, parts, indices)  # type: ignore[no-untyped-call]
            return build.bitcast(pointer, byte.as_pointer())

        def row_bytes(position: int, array: Any) -> Any:
            parts = context.make_array(arguments[position])(context, build, array)
            return build.extract_value(parts.strides, 0)

        zero = number(0)
        columns = [build.mul(build.add(panel, number(p)), number(COLUMNS)) for p in _SUMS]
        for p in _SUMS:
            source, stride = address(5, start, zero, columns[p]), build.mul(apart, row_bytes(5, start))
            _call(build, "tileloadd64", tile(p), source, stride)
        top_inputs, stride = address(0, inputs, zero, first), row_bytes(0, inputs)
        tops = [address(3, weights, build.add(panel, number(p)), zero, zero, zero) for p in _SUMS]

        before, loop, after = build.block, build.append_basic_block("term"), build.append_basic_block("done")
        build.branch(loop)
        build.position_at_end(loop)
        k = build.phi(index)
        source = build.gep(top_inputs, [build.mul(k, number(_ROW_BYTES))])
        _call(build, "tileloadd64", tile(_INPUTS), source, stride)
        for p in _SUMS:
            holder = tile(_WEIGHTS[p % len(_WEIGHTS)])  # in turn, so that one is loaded while another is used
            source = build.gep(tops[p], [build.mul(k, number(_TILE_BYTES))])
            _call(build, "tileloadd64", holder, source, number(_ROW_BYTES))
            _call(build, "tdpbf16ps", tile(p), tile(_INPUTS), holder)
        next_k = build.add(k, number(1))
        k.add_incoming(zero, before)
        k.add_incoming(next_k, loop)
        build.cbranch(build.icmp_signed("<", next_k, build.sdiv(depth, number(DEPTH))), loop, after)
        build.position_at_end(after)
        for p in _SUMS:
            _call(build, "tilestored64", tile(p), address(7, out, zero, columns[p]), row_bytes(7, out))
        return context.get_dummy_value()

    return signature, generate


def _product(
    inputs: Uint16Array,
    first: int,
    depth: int,
    weights: Uint16Array,
    start: Float32Array,
    apart: int,
    out: Float32Array,
) -> None:
    """Set ``out`` to its start plus the product of inputs and weights; as `matrix_product.product`, with these arrays:

    Parameters
    ----------
    inputs : ndarray of uint16, shape (rows, any)
        Bits of bfloat16; at most `ROWS` rows. The product takes `depth` columns, a multiple of `DEPTH`, from `first`.
    weights : ndarray of uint16, shape (panels, at least depth / DEPTH, DEPTH / 2, 2 * COLUMNS)
        Of `panels`.
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


def _no_product(
    inputs: Uint16Array,
    first: int,
    depth: int,
    weights: Uint16Array,
    start: Float32Array,
    apart: int,
    out: Float32Array,
) -> None:
    """Do nothing: without the unit, it is not called."""


product = compiled(_product if _COMPILED else _no_product)


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
