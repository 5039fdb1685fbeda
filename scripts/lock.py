"""Write ``requirements/full.txt`` and ``requirements/light.txt``: every version, with hashes, for every Python we test.

Run it as ``make lock``; docs/development.md says when. It uses uv, in a virtual environment that is removed afterwards.

What comes out names no index: whoever installs takes their own. torch itself is pinned by hand in
``requirements/torch.txt``; the CUDA libraries that its default build needs on Linux are pinned by that build.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

UV = "uv==0.13.8"
OLDEST_PYTHON = "3.11"
ROOT = Path(__file__).parents[1]
TORCH = ROOT / "requirements/torch.txt"

FULL = ("all", "dev")
LIGHT = ("records", "analysis", "broker", "plots", "check")

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


def main() -> None:
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
            print(f"{path.relative_to(ROOT)}: {compiled.count('==')} versions")
            constraints = path


if __name__ == "__main__":
    main()
