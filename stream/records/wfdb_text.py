"""Texts of WFDB files: ASCII alone."""

from __future__ import annotations

from collections.abc import Sequence


def ascii_text(text: str) -> str:
    """Return a text as printable ASCII in one line; other characters become question marks."""
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.encode("ascii", "replace").decode().split())


def signal_names(names: Sequence[str]) -> list[str]:
    """Return valid signal names of a header: ASCII, not empty, unique."""
    plain = [ascii_text(name) or "ECG" for name in names]
    return [name if name not in plain[:i] else f"{name} {i + 1}" for i, name in enumerate(plain)]
