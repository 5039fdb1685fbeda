from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model.signal.arrays import FloatArray
from model.signal.compiled import compiled, compiled_fused, compiled_part


@compiled
def ratio(a: float, b: float) -> float:
    return a / b


@compiled_part
def checked(values: FloatArray, place: int) -> float:
    if place < 0:
        raise ValueError("before the first value")
    return float(values[place])


@compiled
def sum_of_first(values: FloatArray) -> float:
    return checked(values, 0) + checked(values, 1)


@compiled
def mean_of_first(values: FloatArray, place: int) -> float:
    return (sum_of_first(values) + checked(values, place)) / 3


@compiled_fused
def fused(a: float, b: float, c: float) -> float:
    return a * b + c


@compiled
def rest_of_product(a: float, b: float) -> float:
    return fused(a, b, -a * b)


def test_a_fused_sum_is_rounded_once_where_the_processor_can():
    a = 1 + 2.0**-30
    assert rest_of_product(a, a) in (0.0, 2.0**-60), "exactly, a product is (1 + 2^-29) + 2^-60"


def test_parts_are_called_and_raise_as_in_python():
    values = np.array([1.0, 4.0, 10.0])
    assert mean_of_first(values, 2) == 5
    with pytest.raises(ValueError, match="before the first value"):
        mean_of_first(values, -1)


def test_only_a_function_that_python_calls_gets_machine_code_of_its_own():
    values = np.array([1.0, 4.0, 10.0])
    mean_of_first(values, 2)
    assert not sum_of_first.overloads
    assert sum_of_first(values) == 5
    assert len(sum_of_first.overloads) == 1


def test_division_by_zero_is_inf_as_in_numpy():
    assert ratio(1.0, 0.0) == np.inf


def test_a_second_process_finds_the_machine_code_of_the_first(tmp_path):
    (tmp_path / "double.py").write_text(
        "from model.signal.compiled import compiled\n\n@compiled\ndef double(x: float) -> float:\n    return 2 * x\n"
    )
    program = "import double; double.double(1.0); print(sum(double.double.stats.cache_hits.values()))"
    hits = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": f"{tmp_path}:{Path.cwd()}"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for _ in range(2)
    ]
    assert hits == ["0", "1"]


def test_without_a_folder_to_write_to_functions_are_compiled_all_the_same(monkeypatch):
    def refuse(*_: object) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr("numba.core.dispatcher.Dispatcher.enable_caching", refuse)
    assert compiled(lambda x: x + 1)(1) == 2  # type: ignore[operator]
