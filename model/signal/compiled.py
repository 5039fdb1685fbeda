"""Compiles the loops of the analysis to machine code, once: numba keeps the result on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function compiled at its first call: arrays and numbers in, no Python objects.

    It does not hold Python's global lock. Division by zero gives inf or NaN, as in numpy.
    """
    result: Callable[P, R] = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return result
