from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from model.serving import compile_ahead as ahead
from model.signal import machine_code

PRINT = "import sys; print(sys.argv[1], flush=True); print('shared', flush=True)"
"""Stands for the compiler: prints two names, one of which all children print."""


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Provide an empty folder in place of that of the machine code; every line is logged."""
    monkeypatch.setattr(machine_code, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(ahead, "LINE_S", 0.0)
    return tmp_path / "cache"


def run(program: str, monkeypatch: pytest.MonkeyPatch, cores: int = 2) -> None:
    monkeypatch.setattr(ahead, "COMPILER", (sys.executable, "-c", program))
    monkeypatch.setattr(ahead, "_cores", lambda: cores)
    ahead.compile_ahead()


@pytest.mark.parametrize(("cores", "named"), [(1, 2), (2, 4)])
def test_functions_are_counted_once_whichever_process_compiles_them(
    cores: int, named: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "bedside"):
        run(PRINT, monkeypatch, cores)
    assert "once" in caplog.messages[0]
    assert caplog.messages[-1] == f"compiling the analysis: {named} of {machine_code.count_functions()} functions"


def test_what_has_been_compiled_is_not_compiled_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder.mkdir()
    machine_code.mark_complete()
    with caplog.at_level(logging.INFO, "bedside"):
        run(PRINT, monkeypatch)
    assert not caplog.messages


def test_after_a_failure_nothing_is_said_and_nothing_more_compiled(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO, "bedside"):
        run(f"{PRINT}; sys.exit('a reason' if sys.argv[1] == 'beats' else 0)", monkeypatch)
    assert {message.split()[3] for message in caplog.messages[1:]} == {"1", "2", "3"}  # "all" has not run
    assert capfd.readouterr() == ("", "")
    assert not machine_code.is_complete()


def test_the_compiler_names_what_it_compiles_and_ends_before_its_input(tmp_path: Path) -> None:
    program = (
        "import numpy as np\n"
        "from model.serving.compile_stages import run\n"
        "from model.signal.small_arrays import shift\n"
        "run(lambda: shift(np.arange(3), 1))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(Path.cwd())},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.wait() == 0
        assert child.stdout is not None
        assert child.stdout.read() == "model.signal.small_arrays.shift\n"
