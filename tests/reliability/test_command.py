"""The command as a user starts it: one line for a mistake, all processes ended after Ctrl-C."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.brokers import mosquitto_program
from tests.system.commands import environment, processes_with, wait_until

BACKGROUND = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
"""Starts a program as a shell does in the background: it ignores SIGINT."""


def start(*arguments: str, env: dict[str, str], prefix: Sequence[str] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", "tests.reliability", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=env,
    )


def test_an_unknown_row_is_one_line() -> None:
    suite = start("--only", "nonsense", env=environment())
    output, _ = suite.communicate(timeout=60)
    assert suite.returncode == 2
    assert output.startswith("reliability: error: --only 'nonsense' is not a row")
    assert len(output.splitlines()) == 1


def test_a_markdown_file_without_a_place_for_the_table_is_one_line(tmp_path: Path) -> None:
    suite = start("--markdown", str(tmp_path / "none.md"), env=environment())
    output, _ = suite.communicate(timeout=60)
    assert suite.returncode == 2
    assert "none.md has no place for the table" in output
    assert len(output.splitlines()) == 1


def test_without_mosquitto_it_is_one_line(tmp_path: Path) -> None:
    script = "import tests.reliability.processes as p, shutil; p.shutil.which = lambda *_, **__: None\n"
    script += "import sys; sys.argv = ['x', '--short']; from tests.reliability.__main__ import main; sys.exit(main())"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, env=environment(), check=False
    )
    assert result.returncode == 2
    assert result.stderr.startswith("reliability: error: Mosquitto is not installed")


def test_a_row_is_written_as_json(tmp_path: Path) -> None:
    mosquitto_program()
    path = tmp_path / "rows.json"
    suite = start("--short", "--only", "store-locked", "--json", str(path), env=environment())
    output, _ = suite.communicate(timeout=100)
    (row,) = json.loads(path.read_text())["rows"]
    assert set(row) == {"name", "promise", "done", "expected", "observed", "verdict"}
    assert suite.returncode == (0 if row["verdict"] == "pass" else 1), output
    assert "store locked" in output


@pytest.mark.parametrize(
    ("number", "prefix"), [(signal.SIGINT, ()), (signal.SIGTERM, ()), (signal.SIGTERM, BACKGROUND)]
)
def test_an_interrupted_run_leaves_no_process(tmp_path: Path, number: signal.Signals, prefix: tuple[str, ...]) -> None:
    mosquitto_program()
    value = secrets.token_hex(8)
    suite = start("--only", "alarm-log-killed,store-moved", env=environment(BEDSIDE_TEST_MARK=value), prefix=prefix)
    wait_until(lambda: len(processes_with(f"BEDSIDE_TEST_MARK={value}")) >= 4, "some processes of the suite")
    suite.send_signal(number)
    output, _ = suite.communicate(timeout=60)
    assert suite.returncode == 130, output
    assert "Traceback" not in output
    assert not processes_with(f"BEDSIDE_TEST_MARK={value}")
