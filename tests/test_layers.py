"""The layer contracts bite: each is broken once in a copy of the code, and said to be broken."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sysconfig.get_path("scripts")) / "lint-imports"
    return subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layers")
    for package in ("stream", "model", "monitor"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "weights"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("stream/new.py", "import torch", "stream knows neither torch nor Qt"),
        ("stream/new.py", "def f():\n    from PySide6 import QtCore", "stream knows neither torch nor Qt"),
        ("stream/new.py", "import model.residual", "monitor above model above stream"),
        ("model/new.py", "import monitor.tap", "monitor above model above stream"),
        ("model/new.py", "import pyqtgraph", "model knows no Qt"),
        ("monitor/new.py", "import torch", "monitor knows no torch"),
        ("monitor/new.py", "from model import residual", "only monitor.cli reaches model"),
        ("monitor/new.py", "from stream import records", "only monitor.cli reaches model"),
        ("monitor/new.py", "import stream.broker", "only monitor.cli reaches model"),
        ("monitor/new.py", "from PySide6 import QtCore", "each library of the rim has one importer"),
        ("model/new.py", "import wfdb", "each library of the rim has one importer"),
        ("stream/new.py", "import aiomqtt", "each library of the rim has one importer"),
        ("stream/new.py", "import amqtt.broker", "each library of the rim has one importer"),
        ("stream/new.py", "import pooch", "each library of the rim has one importer"),
    ],
)
def test_a_breach_is_found(copy: Path, module: str, line: str, contract: str) -> None:
    breach = copy / module
    breach.write_text(line + "\n")
    try:
        result = lint_imports(copy)
    finally:
        breach.unlink()
    assert result.returncode != 0
    broken = [text for text in result.stdout.splitlines() if "BROKEN" in text]
    assert any(text.startswith(contract) for text in broken), result.stdout


def test_what_is_allowed_is_allowed(copy: Path) -> None:
    kept = copy / "monitor/new.py"
    kept.write_text("from stream import client, codec, errors, messages, topics\n")
    try:
        result = lint_imports(copy)
    finally:
        kept.unlink()
    assert result.returncode == 0, result.stdout
