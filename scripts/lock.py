"""Lock every version, with hashes: ``requirements/full.txt`` and ``light.txt``, and the AsyncAPI parser for the tests.

Run it as ``make lock``; docs/development.md says when. It uses uv, in a virtual environment that is removed afterwards,
and npm where that is installed. The files name no package index: whoever installs uses their own. torch is pinned by
hand in ``requirements/torch.txt``; the CUDA libraries that its default build needs on Linux are pinned by that build.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

UV = "uv==0.13.8"
OLDEST_PYTHON = "3.11"
ROOT = Path(__file__).parents[1]
PARSER = ROOT / "tests/asyncapi"
TORCH = ROOT / "requirements/torch.txt"

FULL = ("all", "dev")
LIGHT = ("records", "edf", "analysis", "broker", "plots", "metrics", "conformance", "check")

HEADER = """\
# Written by `make lock` from pyproject.toml and requirements/torch.txt: do not edit.
# Extras: {extras}. Without torch and its CUDA libraries.
"""

LEFT_OUT = re.compile(r"(torch|triton|cuda-[a-z-]+|nvidia-[a-z0-9-]+)==")
"""torch and what only its CUDA build needs."""

PINNED = re.compile(r"^\S.*(?:\n[ ]+.*)*\n", re.MULTILINE)
"""One package: its version and marker, then its hashes, one an indented line."""


def keep(compiled: str) -> str:
    """Return what uv compiled without the packages that are left out."""
    return "".join(entry for entry in PINNED.findall(compiled) if not LEFT_OUT.match(entry))


def lock_python() -> None:
    """Resolve both sets; the light one takes the versions of the full one."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        tools = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin")
        subprocess.run([tools / "python", "-m", "pip", "install", "--quiet", UV], check=True)
        constraints = TORCH
        for name, extras in (("full", FULL), ("light", LIGHT)):
            options = [part for extra in extras for part in ("--extra", extra)]
            compiled = subprocess.run(
                [tools / "uv", "pip", "compile", "--quiet", "--universal", "--python-version", OLDEST_PYTHON,
                 "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links",
                 "--constraint", constraints, *options, "pyproject.toml"],
                check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True,
            ).stdout  # fmt: skip
            path = ROOT / f"requirements/{name}.txt"
            path.write_text(HEADER.format(extras=", ".join(extras)) + keep(compiled))
            print(path.relative_to(ROOT))
            constraints = path


def lock_parser() -> None:
    """Resolve what the AsyncAPI parser of ``tests/asyncapi/package.json`` needs."""
    npm, path = shutil.which("npm"), PARSER / "package-lock.json"
    if npm is None:
        print(f"{path.relative_to(ROOT)}: left as it is, for npm is not installed")
        return
    path.unlink(missing_ok=True)
    subprocess.run([npm, "install", "--package-lock-only", "--silent"], check=True, cwd=PARSER)
    lock = json.loads(path.read_text())
    for package in lock["packages"].values():
        package.pop("funding", None)  # addresses that nothing here needs
    path.write_text(json.dumps(lock, indent=2) + "\n")
    print(path.relative_to(ROOT))


def main() -> None:
    """Lock the packages of both languages."""
    lock_python()
    lock_parser()


if __name__ == "__main__":
    main()
