from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from model.signal.compiled import compiled


@compiled
def ratio(a: float, b: float) -> float:
    return a / b


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
