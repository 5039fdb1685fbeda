"""The map of the project names files that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE = re.compile(r"`((?:[\w-]+/)*[\w-]+\.(?:py|toml|yaml|conf))`")


def test_each_file_that_the_architecture_names_exists() -> None:
    files = [
        path
        for room in ("stream", "model", "monitor", "tests", "deploy", "docs")
        for path in (ROOT / room).rglob("*.*")
    ]
    known = {"/" + str(path.relative_to(ROOT)) for path in [*files, *ROOT.glob("*.*")]}
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = FILE.findall(text)
    assert len(named) > 200
    assert [name for name in named if not any(path.endswith(f"/{name}") for path in known)] == []
