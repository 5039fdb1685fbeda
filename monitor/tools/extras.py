"""Which pip extra brings which library, and which of them a command needs: checked before it starts anything."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from stream.errors import UsageError

LIBRARIES: dict[str, tuple[str, ...]] = {
    "records": ("wfdb", "pooch", "rich"),
    "broker": ("amqtt",),
    "model": ("scipy", "torch", "safetensors"),
    "gui": ("PySide6", "pyqtgraph"),
    "plots": ("matplotlib",),
}
"""The libraries of each extra of pyproject.toml, by the names under which they are imported.

One that several extras bring is listed once, under the extra that a command lacks if that library is missing: wfdb is
imported before scipy, so where scipy alone is missing, the analysis is.
"""

EXTRA_OF: dict[str, str] = {library: extra for extra, libraries in LIBRARIES.items() for library in libraries}
"""The extra that brings a library."""


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
        libraries = ", ".join(library for _, library in missing)
        lacking = ",".join(dict.fromkeys(extra for extra, _ in missing))
        verb = "is" if len(missing) == 1 else "are"
        raise UsageError(f"{libraries} {verb} not installed; run: pip install 'bedside[{lacking}]'")
