"""Parts of the products, for functions that are ``@compiled``, in the compiler's own instructions (LLVM)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils

INDEX = ir.IntType(64)
"""numba's type of indices."""


def number(value: int) -> ir.Constant:
    """Return an index."""
    return ir.Constant(INDEX, value)


def call(build: ir.IRBuilder, result: ir.Type, name: str, *arguments: Any) -> Any:
    """Call one of the instructions that LLVM has for x86."""
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    called = cgutils.get_or_insert_function(build.module, kind, f"llvm.x86.{name}")  # type: ignore[no-untyped-call]
    return build.call(called, arguments)


def address(context: Any, build: ir.IRBuilder, kind: Any, array: Any, *indices: Any) -> Any:
    """Return the address of an element of a numba array, whose numba type is ``kind``."""
    parts = context.make_array(kind)(context, build, array)
    return cgutils.get_item_pointer(context, build, kind, parts, indices)  # type: ignore[no-untyped-call]


def adjacent(build: ir.IRBuilder, pointer: Any, vector: ir.VectorType, count: int) -> list[Any]:
    """Return the addresses of adjacent vectors, of which the first begins at ``pointer``."""
    first = build.bitcast(pointer, vector.as_pointer())
    return [build.gep(first, [number(j)]) for j in range(count)]


def spread(build: ir.IRBuilder, scalar: Any, lanes: int) -> Any:
    """Return a vector that holds one number in all lanes."""
    undefined = ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined)
    lane = build.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
    return build.shuffle_vector(lane, undefined, ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes))


def repeat(
    build: ir.IRBuilder, count: Any, values: Sequence[Any], term: Callable[[Any, Sequence[Any]], Sequence[Any]]
) -> Sequence[Any]:
    """Set ``values = term(k, values)`` for k = 0, 1, … below ``count``, which is at least 1, and return the last."""
    before, body, after = build.block, build.append_basic_block("term"), build.append_basic_block("done")
    build.branch(body)
    build.position_at_end(body)
    k = build.phi(INDEX)
    current = [build.phi(value.type) for value in values]
    following = term(k, current)
    next_k = build.add(k, number(1))
    for phi, first, later in zip([k, *current], [number(0), *values], [next_k, *following], strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(later, body)
    build.cbranch(build.icmp_signed("<", next_k, count), body, after)
    build.position_at_end(after)
    return following
