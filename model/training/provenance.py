"""Provenance of trained weights for the headers of their files: date, commit, library versions."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


def date_and_commit() -> dict[str, str | None]:
    """Return today's date (UTC) and the commit of the training code; None outside a git checkout."""
    return {"date": datetime.now(UTC).date().isoformat(), "commit": _commit()}


def versions(*packages: str) -> dict[str, str]:
    """Return the installed versions of packages."""
    return {name: version(name) for name in packages}


def _commit() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
