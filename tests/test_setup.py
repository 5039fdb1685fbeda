"""scripts/setup and the Makefile, run with a fake python3, so that nothing is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PYTHON = """#!/bin/sh
# A fake python3; it is also copied into .venv.
echo "$*" >> "$LOG"
case "$*" in
    *version_info*) echo "$FAKE_VERSION";;
    *"import ensurepip"*) exit "$FAKE_ENSUREPIP";;
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python";;
    *importlib.metadata*) exit 1;;
    *--index-url*) exit "$FAKE_CPU_INDEX";;
    *requirements/full.txt*) exit "$FAKE_DEFAULT_INDEX";;
esac
"""


class Machine:
    """A copy of the setup in an empty folder, and a PATH that begins with fake programs."""

    def __init__(self, folder: Path) -> None:
        self.tree, self.programs, self.log = folder / "tree", folder / "programs", folder / "log"
        (self.tree / "scripts").mkdir(parents=True)
        (self.tree / "requirements").mkdir()
        self.programs.mkdir()
        for name in ("Makefile", "pyproject.toml", "requirements/full.txt", "requirements/torch.txt", "scripts/setup"):
            shutil.copy(ROOT / name, self.tree / name)
        self.program("python3", PYTHON)
        self.program("id", "#!/bin/sh\necho 1000\n")
        self.program("apt-get", '#!/bin/sh\necho "apt-get $*" >> "$LOG"\n')

    def program(self, name: str, text: str) -> None:
        path = self.programs / name
        path.write_text(text)
        path.chmod(0o755)

    def make(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        self.log.write_text("")
        environment = {
            **os.environ,
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "LOG": str(self.log),
            "FAKE_VERSION": "3.11",
            "FAKE_ENSUREPIP": "0",
            "FAKE_CPU_INDEX": "0",
            "FAKE_DEFAULT_INDEX": "0",
            **variables,
        }
        # Set by the make that runs this test.
        for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON", "ARGS"):
            environment.pop(name, None)
        return subprocess.run(
            ["make", *arguments], cwd=self.tree, env=environment, capture_output=True, text=True, check=False
        )

    @property
    def ready(self) -> bool:
        return (self.tree / ".venv/.ready").exists()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def setup_lines(result: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in (result.stdout + result.stderr).splitlines() if line.startswith("setup: ")]


@pytest.mark.parametrize("version", ["3.10", "3.9", "2.7", "3.15"])
def test_an_unsupported_python_is_a_one_line_error(machine: Machine, version: str) -> None:
    result = machine.make("setup", FAKE_VERSION=version)
    assert result.returncode != 0
    (line,) = setup_lines(result)
    assert f"python3 is {version}" in line
    assert "3.11" in line
    assert not (machine.tree / ".venv").exists()


def test_no_python_is_a_one_line_error(machine: Machine) -> None:
    result = machine.make("setup", "PYTHON=python-of-nowhere")
    assert result.returncode != 0
    (line,) = setup_lines(result)
    assert "no python-of-nowhere here" in line


def test_a_missing_venv_package_is_named_with_the_exact_command(machine: Machine) -> None:
    result = machine.make("setup", FAKE_ENSUREPIP="1")
    assert result.returncode != 0
    assert "sudo apt-get install -y --no-install-recommends python3-venv" in "\n".join(setup_lines(result))
    assert "apt-get" not in machine.log.read_text()


def test_root_gets_the_venv_package(machine: Machine) -> None:
    machine.program("id", "#!/bin/sh\necho 0\n")
    assert machine.make("setup", FAKE_ENSUREPIP="1").returncode == 0
    assert "apt-get install -y --no-install-recommends python3-venv" in machine.log.read_text()


def test_the_environment_is_rebuilt_only_when_its_files_change(machine: Machine) -> None:
    assert machine.make(".venv/.ready").returncode == 0
    assert machine.ready
    assert "up to date" in machine.make(".venv/.ready").stdout
    later = (machine.tree / ".venv/.ready").stat().st_mtime + 10
    for name in ("pyproject.toml", "requirements/full.txt", "requirements/torch.txt"):
        os.utime(machine.tree / name, (later, later))
        assert setup_lines(machine.make(".venv/.ready"))
        os.utime(machine.tree / name, (0, 0))


def installs(machine: Machine) -> list[str]:
    """Return the arguments of each pip install, in order."""
    lines = machine.log.read_text().splitlines()
    return [line.partition(" install ")[2] for line in lines if " install " in line]


def test_every_version_comes_from_the_lock(machine: Machine) -> None:
    assert machine.make("setup").returncode == 0
    locked, torch, own = installs(machine)
    assert locked == "--no-deps --require-hashes -r requirements/full.txt"
    assert torch.startswith("--no-deps --index-url ")
    assert torch.endswith(" --retries 0 --timeout 10 torch==2.13.0")
    assert own == "--no-deps --no-build-isolation -e ."


def test_an_unreachable_cpu_index_is_reported_and_the_default_one_is_used(machine: Machine) -> None:
    result = machine.make("setup", FAKE_CPU_INDEX="1")
    assert result.returncode == 0
    assert any("default index" in line for line in setup_lines(result))
    assert "torch==2.13.0" in installs(machine)


@pytest.mark.parametrize("name", ["full", "light"])
def test_a_lock_has_hashes_and_names_no_index(name: str) -> None:
    text = (ROOT / f"requirements/{name}.txt").read_text()
    assert "://" not in text
    packages = re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE)
    assert {"numpy", "wfdb", "scipy", "ruff", "pytest"} <= set(packages)
    assert not {"torch", "triton"} & set(packages)
    assert all("--hash=sha256:" in entry for entry in re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:])


def test_the_light_lock_is_part_of_the_full_one() -> None:
    full, light = (
        set(re.findall(r"^[a-z0-9-]+==[^ ]+", (ROOT / f"requirements/{name}.txt").read_text(), re.MULTILINE))
        for name in ("full", "light")
    )
    assert light < full
    assert {entry.partition("==")[0] for entry in full - light} >= {"pyside6-essentials", "pyqtgraph", "pytest-qt"}


def test_a_failed_setup_is_repeated(machine: Machine) -> None:
    result = machine.make("demo", FAKE_DEFAULT_INDEX="1")
    assert result.returncode != 0
    assert not machine.ready
    leftover = machine.tree / ".venv/leftover"
    leftover.touch()
    result = machine.make("setup")
    assert "interrupted" in setup_lines(result)[0]
    assert machine.ready
    assert not leftover.exists()


def test_a_failed_update_removes_the_ready_mark(machine: Machine) -> None:
    assert machine.make("setup").returncode == 0
    assert machine.make("setup", FAKE_DEFAULT_INDEX="1").returncode != 0
    assert not machine.ready
