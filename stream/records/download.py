"""One file from the network to the disk, whole or not at all.

A download goes to a ``.part`` file of its own, is checked, and only then takes the file's name. So an interrupted
download is never taken for whole, and any number of processes may download the same file at once: each replaces it
by the same bytes. The only importer of pooch; pooch, requests and rich are imported inside functions.
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

CONNECT_S, READ_S = 5.0, 20.0
ATTEMPTS = 3
STALE_S = 24 * 3600.0
"""Age of a ``.part`` file that no running download can own."""

Check = Callable[[Path], str]
"""Returns what is wrong with a file, in a few words; nothing when it is right."""


def download(url: str, target: Path, check: Check, *, progress: bool) -> None:
    """Download a file, atomically.

    Parameters
    ----------
    url : str
    target : Path
        Appears or is replaced only when the whole file is there and ``check`` accepts it.
    check : callable
        Takes the path of what was downloaded.
    progress : bool
        Draw a bar on stderr, where that is a terminal.

    Raises
    ------
    SourceError
        Not delivered, after three attempts; a host that cannot be reached is asked once.
    StorageError
        The folder of ``target`` cannot be written.
    """
    import pooch
    import requests

    problem = ""
    for _ in range(ATTEMPTS):
        with part_file(target) as part, _bar(target.name, progress) as bar:
            fetch = pooch.HTTPDownloader(
                progressbar=bar, chunk_size=1 << 16, timeout=(CONNECT_S, READ_S), headers={"User-Agent": "bedside"}
            )
            try:
                fetch(url, str(part), None)
            except requests.exceptions.RequestException as error:
                problem, again = _reason(error)
                if not again:
                    break
                continue
            problem = check(part)
            if not problem:
                move_into_place(part, target)
                return
    raise SourceError(f"{target.name} could not be downloaded from {host(url)}: {problem}")


@contextmanager
def part_file(target: Path) -> Iterator[Path]:
    """Provide a path beside ``target`` that no other process has; whatever is there at the end is removed."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for old in target.parent.glob(".*.part"):
            _remove_if_stale(old)
        yield part
    except SourceError:
        raise  # an OSError too, but not of the disk
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"cannot write {target.name} to the cache in {target.parent}: {reason}") from error
    finally:
        with suppress(OSError):
            part.unlink()


def move_into_place(part: Path, target: Path) -> None:
    """Give a checked file its name, all at once, after its bytes are on the disk."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(target)


def host(url: str) -> str:
    """Return the host of a URL, for messages."""
    return urlsplit(url).hostname or url


def _remove_if_stale(part: Path) -> None:
    # Its owner may be faster.
    with suppress(FileNotFoundError):
        if time.time() - part.stat().st_mtime > STALE_S:
            part.unlink()


def _reason(error: Exception) -> tuple[str, bool]:
    """Return what went wrong in a few words, and whether another attempt makes sense."""
    import requests
    import urllib3

    match error:
        case requests.exceptions.HTTPError(response=requests.Response(status_code=status, reason=reason)):
            return f"the server answered {status} ({reason})", status >= 500
        case requests.exceptions.ConnectTimeout():
            return f"no answer within {CONNECT_S:g} s", False
        case requests.exceptions.ReadTimeout():
            return f"no data for {READ_S:g} s", True
        case requests.exceptions.ConnectionError(args=[urllib3.exceptions.MaxRetryError(), *_]):
            return "it cannot be reached (no network, or a closed one?)", False
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
        """Do nothing: the context manager closes, also after an error."""
