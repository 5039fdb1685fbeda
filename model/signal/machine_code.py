"""Where the machine code of the compiled loops is kept, and whether all of it is there. Imports no numba.

numba notices a change of the file in which a compiled function stands, but not a change of the compiled functions that
it calls. So the folder is named by the content of all files in which ``@compiled`` stands: those that use it, and that
which defines it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

import platformdirs

MODEL = Path(__file__).parents[1]


@cache
def cache_folder() -> Path:
    """Return the folder of the machine code: below NUMBA_CACHE_DIR, or in the user's cache."""
    base = Path(os.environ.get("NUMBA_CACHE_DIR") or platformdirs.user_cache_path("bedside") / "compiled")
    content = hashlib.sha256(b"".join(_compiled_files()))
    return base / content.hexdigest()[:16]


@cache
def count_functions() -> int:
    """Return the number of compiled functions; a few of them are needed by tests and measurements alone."""
    return sum(text.count(b"\n@compiled") for text in _compiled_files())


def _compiled_files() -> list[bytes]:
    texts = (path.read_bytes() for path in sorted(MODEL.rglob("*.py")))
    return [text for text in texts if b"@compiled" in text]


def is_complete() -> bool:
    """Return whether a process has compiled everything, to its end, so that nothing is still to be compiled."""
    return _mark().exists()


def mark_complete() -> None:
    """Note that everything has been compiled. Where nothing can be written, nothing was kept either."""
    with contextlib.suppress(OSError):
        _mark().touch()


def can_be_kept() -> bool:
    """Return whether the folder can be written; if not, each process compiles for itself."""
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache_folder()):
            return True
    except OSError:
        return False


def _mark() -> Path:
    """Return a file named by what else numba distinguishes: where the program is installed, Python, and itself."""
    of = f"{MODEL} {sys.implementation.cache_tag} {version('numba')}"
    return cache_folder() / f"complete-{hashlib.sha256(of.encode()).hexdigest()[:16]}"
