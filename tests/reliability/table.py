"""The table of a run: on the screen, as JSON, and as Markdown for docs/reliability.md."""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

BEGIN, END = "<!-- table of the last full run: begin -->", "<!-- end -->"


@dataclass(frozen=True)
class Result:
    """One row of the table, as in the JSON file."""

    name: str
    promise: str
    done: str
    expected: str
    observed: str
    verdict: Literal["pass", "fail"]


def show(results: Sequence[Result], console: Console) -> None:
    """Print the table."""
    table = Table(box=box.SIMPLE_HEAD, title=f"reliability: {_count(results)}")
    for heading in ("row", "done", "expected", "observed", "verdict"):
        table.add_column(heading, overflow="fold")
    for result in results:
        style = "green" if result.verdict == "pass" else "bold red"
        cells = (result.name, result.done, result.expected, result.observed)
        table.add_row(*map(Text, cells), Text(result.verdict, style=style))
    console.print(table)


def write_json(results: Sequence[Result], path: Path) -> None:
    """Write the rows as JSON."""
    path.write_text(json.dumps({"rows": [vars(result) for result in results]}, indent=2, ensure_ascii=False) + "\n")


def check_markdown(path: Path) -> None:
    """Raise ValueError if a Markdown file has no place for the table."""
    text = path.read_text() if path.is_file() else ""
    if END not in text.partition(BEGIN)[2]:
        raise ValueError(f"{path} has no place for the table: it needs the lines {BEGIN} and {END}")


def write_markdown(results: Sequence[Result], path: Path, minutes: float) -> None:
    """Put the table between two marks of a Markdown file, with machine and date."""
    lines = [
        BEGIN,
        f"{datetime.datetime.now(datetime.UTC):%d %B %Y}, {machine()}: {_count(results)}, in {minutes:.0f} minutes.",
        "",
        "| row | done | expected | observed | verdict |",
        "|---|---|---|---|---|",
    ]
    for result in results:
        cells = (result.name, result.done, result.expected, result.observed, result.verdict)
        lines.append("| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |")
    head, _, rest = path.read_text().partition(BEGIN)
    tail = rest.partition(END)[2]
    path.write_text(head + "\n".join([*lines, END]) + tail)


def machine() -> str:
    """Return a short description of this machine."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    kib = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return f"{os.cpu_count()} cores of {model}, {kib / 2**20:.0f} GiB, {platform.system()} {platform.release()}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def _count(results: Sequence[Result]) -> str:
    passed = sum(result.verdict == "pass" for result in results)
    return f"{passed} of {len(results)} rows passed"
