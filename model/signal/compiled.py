"""``@compiled``: a loop of the analysis becomes machine code, once; numba keeps it in a folder (`machine_code`)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numba

from model.signal.machine_code import cache_folder

P = ParamSpec("P")
R = TypeVar("R")

settings: Any = numba.config


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that is compiled at its first call: it takes and returns arrays and numbers.

    It does not hold Python's global lock. Division by zero gives inf or NaN, as in numpy. Where no folder can
    be written to, each process compiles it again.
    """
    result: Callable[P, R] = numba.njit(nogil=True, error_model="numpy")(function)
    before, settings.CACHE_DIR = settings.CACHE_DIR, str(cache_folder())
    with contextlib.suppress(RuntimeError):  # numba found no folder
        result.enable_caching()  # type: ignore[attr-defined]
    settings.CACHE_DIR = before
    return result
