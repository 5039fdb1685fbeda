"""Processes import torch, pandas and Qt only if they use them."""

import subprocess
import sys
from pathlib import Path

from stream.mqtt.address import BrokerAddress
from tests.system.commands import environment, running

LARGE = ("torch", "numba", "pandas", "wfdb", "PySide6", "scipy", "matplotlib", "amqtt")


def modules_after(code: str, address: BrokerAddress | None = None) -> set[str]:
    script = f"{code}\nimport sys\nprint('MODULES', *sorted(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environment(address),
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return set(result.stdout.rpartition("MODULES")[2].split())


def test_the_command_imports_no_large_library() -> None:
    modules = modules_after("import monitor.cli; monitor.cli.parser()")
    assert not modules & {*LARGE, "numpy", "rich", "aiomqtt"}


def test_a_headless_subscriber_imports_no_large_library() -> None:
    assert not modules_after("import monitor.tools.tap, monitor.alarm_log.store, stream.mqtt.client") & set(LARGE)


def test_the_worker_and_the_api_import_no_torch() -> None:
    analysed = "import model.serving.service; from bedside import load_models; load_models()"
    assert not modules_after(analysed) & {"torch", "pandas", "wfdb", "PySide6", "matplotlib"}


def test_publisher_and_window_run_without_torch(broker_process: BrokerAddress, tmp_path: Path) -> None:
    env = environment(broker_process)
    publish = "from monitor.cli import main; assert main(['replay', 'synthetic/ecg', '--speed', '100']) == 0"
    modules = modules_after(publish, broker_process)
    assert "stream.replay.publisher" in modules
    # The publisher lists its records in the background, which imports wfdb and pandas.
    assert not modules & {"torch", "numba", "PySide6"}
    window = "from monitor.cli import main; assert main(['monitor', '--seconds', '1']) == 0"
    with running("replay", "synthetic", "--loop", env=env, output=tmp_path / "replay.log"):
        modules = modules_after(window, broker_process)
    assert "PySide6.QtWidgets" in modules
    assert not modules & {"torch", "numba", "pandas", "wfdb", "scipy", "pyqtgraph"}
