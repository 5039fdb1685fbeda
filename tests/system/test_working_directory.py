"""Modules in the working directory are not imported."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from monitor.tools.process_group import BEDSIDE
from tests.system.commands import environment

HOSTILE = ("model", "stream", "monitor", "bedside", "logging", "asyncio", "json", "torch", "numpy", "pip")


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Return a folder of modules that fail when they are imported."""
    for name in HOSTILE:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name}.py of the working directory was imported')\n")
    return tmp_path


def test_modules_in_the_folder_fail_on_import(hostile: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "import model"], cwd=hostile, capture_output=True, text=True, check=False
    )
    assert "model.py of the working directory" in ran.stderr


@pytest.mark.parametrize("command", [["--help"], ["data", "fetch", "nothing"], ["worker", "--weights", "missing"]])
def test_a_child_imports_nothing_from_the_working_directory(hostile: Path, command: list[str]) -> None:
    ran = subprocess.run(
        [*BEDSIDE, *command], cwd=hostile, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert "working directory" not in ran.stderr
    assert ran.returncode == (0 if command == ["--help"] else 2), ran.stderr


@pytest.mark.timeout(180)
@pytest.mark.usefixtures("excerpt")
def test_the_demonstration_runs_in_the_folder(hostile: Path) -> None:
    """Runs the installed script, whose own folder is first in Python's search path."""
    program = Path(sysconfig.get_path("scripts")) / "bedside"
    ran = subprocess.run(
        [program, "demo", "--headless", "--seconds", "3"],
        cwd=hostile,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert json.loads((hostile / "out" / "summary.json").read_text())["samples_published"] > 0
    assert "working directory" not in (hostile / "out" / "demo.log").read_text()
