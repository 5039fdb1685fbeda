"""Atomic download of one file.

A download is written to a ``.part`` file of its own, verified, and then renamed. So an interrupted download never
leaves an incomplete file, and several processes may download the same file at once: each replaces it by the same
bytes. The only importer of pooch; pooch, requests and rich are imported inside functions.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from stream.errors import SourceError, StorageError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 5.0, 20.0
ATTEMPTS = 3
STALE_S = 24 * 3600.0
"""Age in s from which a ``.part`` file belongs to no running download and is removed."""

Check = Callable[[Path], str]
"""Verifies a file; returns a short description of the problem, or an empty string."""


def download(url: str, target: Path, check: Check, *, progress: bool) -> None:
    """Download a file, atomically.

    Parameters
    ----------
    url : str
    target : Path
        Created or replaced only once the whole file is written and ``check`` accepts it.
    check : callable
        Called with the path of the downloaded file.
    progress : bool
        Draw a progress bar on stderr if it is a terminal.

    Raises
    ------
    SourceError
        The download failed after three attempts; after one if the host cannot be reached.
    StorageError
        The folder of ``target`` cannot be written.
    """
    import pooch
    import requests

    problem = ""
    for _ in range(ATTEMPTS):
        with part_file(target) as part, _bar(target.name, progress) as bar:
            fetch = pooch.HTTPDownloader(
                progressbar=bar,
                chunk_size=1 << 16,
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                headers={"User-Agent": "bedside"},
            )
            try:
                fetch(url, str(part), None)
            except requests.exceptions.RequestException as error:
                problem, retry = _reason(error)
                if not retry:
                    break
                continue
            problem = check(part)
            if not problem:
                move_into_place(part, target)
                return
    raise SourceError(f"{target.name} could not be downloaded from {host(url)}: {problem}")


@contextmanager
def part_file(target: Path) -> Iterator[Path]:
    """Provide a unique path beside ``target``; a file left there at the end is removed."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for old in target.parent.glob(".*.part"):
            _remove_if_stale(old)
        yield part
    except SourceError:
        raise  # also an OSError, but not of the disk
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"cannot write {target.name} to the cache in {target.parent}: {reason}") from error
    finally:
        with suppress(OSError):
            part.unlink()


def move_into_place(part: Path, target: Path) -> None:
    """Rename a verified file to ``target``, atomically, after its bytes are on the disk."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(target)


def host(url: str) -> str:
    """Return the host name of a URL."""
    return urlsplit(url).hostname or url


def _remove_if_stale(part: Path) -> None:
    # Its owner may remove it meanwhile.
    with suppress(FileNotFoundError):
        if time.time() - part.stat().st_mtime > STALE_S:
            part.unlink()


def _reason(error: Exception) -> tuple[str, bool]:
    """Return a short description of an error, and whether a retry can help."""
    import requests
    import urllib3

    match error:
        case requests.exceptions.HTTPError(response=requests.Response(status_code=status, reason=reason)):
            return f"the server answered {status} ({reason})", status >= 500
        case requests.exceptions.ConnectTimeout():
            return f"no answer within {CONNECT_TIMEOUT_S:g} s", False
        case requests.exceptions.ReadTimeout():
            return f"no data for {READ_TIMEOUT_S:g} s", True
        case requests.exceptions.ConnectionError(args=[urllib3.exceptions.MaxRetryError(), *_]):
            return "it cannot be reached (no network, or a restricted one?)", False
        case _:
            return f"the transfer broke off ({type(error).__name__})", True


@contextmanager
def _bar(name: str, shown: bool) -> Iterator[_Bar | bool]:
    if not shown:
        yield False
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Bar(progress, progress.add_task(name, total=None))


class _Bar:
    """A rich bar with the interface that pooch expects."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    @property
    def total(self) -> float | None:
        return self._progress.tasks[0].total

    @total.setter
    def total(self, size: int) -> None:
        self._progress.update(self._task, total=size or None)

    def update(self, size: int) -> None:
        self._progress.advance(self._task, size)

    def reset(self) -> None:
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        """Do nothing: the context manager closes the bar."""
