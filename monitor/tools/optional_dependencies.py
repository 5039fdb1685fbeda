"""Optional dependencies: the libraries of each pip extra, and the check that a command's extras are installed."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from stream.errors import UsageError

LIBRARIES: dict[str, tuple[str, ...]] = {
    "records": ("wfdb", "pooch", "rich"),
    "edf": ("edfio",),
    "broker": ("amqtt",),
    "analysis": ("scipy", "numba", "safetensors"),
    "model": ("torch",),
    "gui": ("PySide6", "pyqtgraph"),
    "plots": ("matplotlib",),
    "metrics": ("prometheus_client",),
    "conformance": ("jsonschema",),
    "ray": ("ray",),
}
"""Import names of the libraries of each extra of pyproject.toml.

A library of several extras is listed once, under the extra to install if it is missing. scipy is listed under
`analysis`: wfdb depends on it and is imported first, so if scipy alone is missing, that extra is.
"""

EXTRA_OF: dict[str, str] = {library: extra for extra, libraries in LIBRARIES.items() for library in libraries}
"""The extra that contains a library."""


def require_extras(extras: Iterable[str]) -> None:
    """Check that the libraries of these extras are installed, without importing them.

    Parameters
    ----------
    extras : iterable of str
        Keys of `LIBRARIES`.

    Raises
    ------
    UsageError
        Libraries are missing; the message names them and the command that installs them.
    """
    missing = [(extra, library) for extra in extras for library in LIBRARIES[extra] if find_spec(library) is None]
    if missing:
        libraries = ", ".join(library for _, library in missing)
        missing_extras = ",".join(dict.fromkeys(extra for extra, _ in missing))
        verb = "is" if len(missing) == 1 else "are"
        raise UsageError(f"{libraries} {verb} not installed; run: pip install 'bedside[{missing_extras}]'")
