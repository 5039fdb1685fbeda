"""Compiles the loops of the analysis to machine code, once: numba keeps the result in the user's cache folder.

numba notices a change of the file in which a compiled function stands, but not a change of the compiled functions that
it calls. So the folder is named by the content of all files with compiled functions.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba
import platformdirs
from numba import types
from numba.extending import intrinsic

P = ParamSpec("P")
R = TypeVar("R")

settings: Any = numba.config

MODEL = Path(__file__).parents[1]


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that is compiled at its first call: it takes and returns arrays and numbers.

    It does not hold Python's global lock. Division by zero gives inf or NaN, as in numpy. Where no folder can
    be written to, each process compiles it again.
    """
    return _compiled(function)


def compiled_part(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function as `compiled`, which only compiled functions can call: compiling it takes half the time.

    What is left out takes arrays from Python, in machine code that is longer than most functions.
    """
    return _compiled(function, no_cpython_wrapper=True)


def _compiled(function: Callable[P, R], **options: bool) -> Callable[P, R]:
    if settings.DISABLE_JIT:
        return function
    njit: Any = numba.njit
    result = njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True, **options)(function)
    result.get_call_template = _without_literals(result.get_call_template)
    before, settings.CACHE_DIR = settings.CACHE_DIR, str(cache_folder())
    with contextlib.suppress(RuntimeError):  # numba found no folder
        result.enable_caching()
    settings.CACHE_DIR = before
    return result  # type: ignore[no-any-return]


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
    whole number of vectors that only add and multiply, 512 bits take half of the time.
    """

    def generate(context: Any, build: Any, _: Any, __: Any) -> Any:
        set.add(build.function.attributes, '"prefer-vector-width"="512"')  # llvmlite's own `add` lacks this attribute
        return context.get_dummy_value()

    return types.void(), generate


def is_cached() -> bool:
    """Return whether machine code has been kept, so that little or nothing is still to be compiled."""
    return any(cache_folder().rglob("*.nbc"))


@cache
def cache_folder() -> Path:
    """Return the folder of the machine code: below NUMBA_CACHE_DIR, or in the user's cache."""
    base = Path(settings.CACHE_DIR or platformdirs.user_cache_path("bedside") / "compiled")
    content = hashlib.sha256()
    for path in sorted(MODEL.rglob("*.py")):
        text = path.read_bytes()
        if b"@compiled" in text:
            content.update(text)
    return base / content.hexdigest()[:16]
