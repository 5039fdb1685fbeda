"""``@compiled``: a loop of the analysis becomes machine code, once; numba keeps it in a folder (`machine_code`)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import numba
from numba import types
from numba.extending import intrinsic

from model.signal.machine_code import cache_folder
from model.signal.part_compiler import PartCompiler

P = ParamSpec("P")
R = TypeVar("R")

settings: Any = numba.config


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that is compiled at its first call: it takes and returns arrays and numbers.

    It does not hold Python's global lock. Division by zero gives inf or NaN, as in numpy. Where no folder can
    be written to, each process compiles it again. For compiled functions that call it, it is a part.
    """
    if settings.DISABLE_JIT:
        return function
    result, part = _njit()(function), _part(function)
    result.get_call_template, result.get_overload = part.get_call_template, part.get_overload
    before, settings.CACHE_DIR = settings.CACHE_DIR, str(cache_folder())
    with contextlib.suppress(RuntimeError):  # numba found no folder
        result.enable_caching()
    settings.CACHE_DIR = before
    return result  # type: ignore[no-any-return]


def compiled_part(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function as `compiled`, which only compiled functions can call; it is kept with their machine code."""
    return function if settings.DISABLE_JIT else _part(function)


def compiled_fused(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function as `compiled_part`, in which the sum of a product and a number may be rounded once.

    Processors have one instruction for it. The last bits of the result then differ from those of a processor without.
    """
    return function if settings.DISABLE_JIT else _part(function, fastmath={"contract"})


def _part(function: Callable[..., Any], **options: Any) -> Any:
    result = _njit(no_cpython_wrapper=True, pipeline_class=PartCompiler, **options)(function)
    result.get_call_template = _without_literals(result.get_call_template)
    return result


def _njit(**options: Any) -> Any:
    njit: Any = numba.njit
    return njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True, **options)


def _without_literals(template_of: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that takes a constant argument as any number: numba compiles a function for each constant."""

    unliteral: Callable[[Any], Any] = numba.types.unliteral

    def template_of_types(args: Sequence[Any], kws: Mapping[str, Any]) -> Any:
        return template_of(tuple(map(unliteral, args)), {name: unliteral(kind) for name, kind in kws.items()})

    return template_of_types


@intrinsic
def wide_vectors(_: Any) -> Any:
    """Make the compiled function that calls this use vectors of 512 bits where the processor has them.

    The compiler prefers 256 bits, which are right for loops that begin and end often. For inner loops over a fixed,
    whole number of vectors that only add and multiply, 512 bits take half of the time. The function is not inlined: the
    loops would get the vectors of its caller.
    """

    def generate(context: Any, build: Any, _: Any, __: Any) -> Any:
        build.function.attributes.add("noinline")
        set.add(build.function.attributes, '"prefer-vector-width"="512"')  # llvmlite's own `add` lacks this attribute
        return context.get_dummy_value()

    return types.void(), generate
