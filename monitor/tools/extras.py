"""Which pip extra brings which library, and which of them a command needs: checked before it starts anything."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from stream.errors import UsageError

LIBRARIES: dict[str, tuple[str, ...]] = {
    "broker": ("amqtt",),
    "records": ("wfdb", "pooch", "scipy", "rich"),
    "analysis": ("scipy", "safetensors", "rich"),
    "model": ("torch", "scipy", "safetensors", "rich"),
    "gui": ("PySide6", "pyqtgraph"),
    "plots": ("matplotlib",),
}
"""The libraries of each extra of pyproject.toml, by the names under which they are imported."""

EXTRA_OF: dict[str, str] = {}
"""The extra that brings a library; of several, the smallest in the order of `LIBRARIES`."""
for _extra, _libraries in LIBRARIES.items():
    for _library in _libraries:
        EXTRA_OF.setdefault(_library, _extra)


def require_extras(extras: Iterable[str]) -> None:
    """Return when the libraries of these extras can be found; nothing is imported.

    Parameters
    ----------
    extras : iterable of str
        Keys of `LIBRARIES`.

    Raises
    ------
    UsageError
        Some are not installed: one line names them all, and the command that installs them.
    """
    missing = [(extra, library) for extra in extras for library in LIBRARIES[extra] if find_spec(library) is None]
    if missing:
        libraries = dict.fromkeys(library for _, library in missing)
        lacking = ",".join(dict.fromkeys(extra for extra, _ in missing))
        verb = "is" if len(libraries) == 1 else "are"
        raise UsageError(f"{', '.join(libraries)} {verb} not installed; run: pip install 'bedside[{lacking}]'")
