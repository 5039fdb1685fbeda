"""The layer contracts detect breaches: each is broken once in a copy of the code."""

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
        ("stream/wire/new.py", "import torch", "stream imports neither torch nor Qt"),
        ("stream/wire/new.py", "def f():\n    from PySide6 import QtCore", "stream imports neither torch nor Qt"),
        (
            "stream/wire/new.py",
            "import model.anomaly.anomaly_detector",
            "monitor above model above stream",
        ),
        ("monitor/view/new.py", "import bedside", "nothing imports bedside"),
        ("stream/wire/new.py", "import stream.mqtt.client", "layers inside stream"),
        ("stream/scenario/new.py", "import stream.replay.playhead", "layers inside stream"),
        ("stream/injections/new.py", "import stream.records.record", "layers inside stream"),
        ("stream/new.py", "", "layers inside stream"),
        ("model/rhythm/new.py", "import monitor.tools.tap", "monitor above model above stream"),
        ("model/beats/new.py", "import model.rhythm.rules", "layers inside model"),
        ("model/new.py", "", "layers inside model"),
        ("monitor/view/new.py", "import monitor.alarm_log.store", "layers inside monitor"),
        ("monitor/new.py", "", "layers inside monitor"),
        ("monitor/tools/new.py", "import monitor.commands.shared", "layers inside monitor"),
        ("monitor/commands/new.py", "import monitor.cli", "layers inside monitor"),
        ("monitor/gui/trace/new.py", "import monitor.gui.bed.header", "layers inside monitor.gui"),
        ("monitor/gui/new.py", "", "layers inside monitor.gui"),
        ("model/signal/new.py", "import pyqtgraph", "model imports no Qt"),
        ("model/beats/new.py", "import torch", "only forecast, training, tutorial and benchmarks import torch"),
        ("model/pipeline/new.py", "import stream.records.record", "the streaming core reads no records"),
        ("model/forecast/new.py", "import rich", "the streaming core reads no records"),
        ("monitor/view/new.py", "import torch", "monitor imports no torch"),
        ("monitor/view/new.py", "import PySide6.QtCore", "only monitor.gui imports Qt"),
        ("monitor/view/new.py", "import model.anomaly.anomaly_detector", "only monitor.commands reaches model"),
        ("monitor/view/new.py", "import stream.records.record", "only monitor.commands reaches model"),
        ("monitor/tools/new.py", "import stream.mqtt.embedded_broker", "only monitor.commands reaches model"),
        ("monitor/tools/new.py", "from PySide6 import QtCore", "each input/output library has one importer"),
        ("model/datasets/new.py", "import wfdb", "each input/output library has one importer"),
        ("stream/wire/new.py", "import aiomqtt", "each input/output library has one importer"),
        ("stream/wire/new.py", "import amqtt.broker", "each input/output library has one importer"),
        ("monitor/tools/new.py", "import ray", "each input/output library has one importer"),
        ("stream/wire/new.py", "import pooch", "each input/output library has one importer"),
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


def test_allowed_imports_pass(copy: Path) -> None:
    allowed = copy / "monitor/tools/new.py"
    allowed.write_text(
        "from stream import clock, errors, timebase\n"
        "from stream.mqtt import address, client\n"
        "from stream.wire import codec, messages, topics\n"
    )
    try:
        result = lint_imports(copy)
    finally:
        allowed.unlink()
    assert result.returncode == 0, result.stdout
