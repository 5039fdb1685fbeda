"""Checkpoints of a worker on another machine: sent by a `Copier` there, kept by a `StateKeeper` here."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from monitor.tools.worker_group import Assignment

log = logging.getLogger("bedside.workers")

COPY_EVERY_S = 0.2
"""Interval in s at which copies are sent."""

FILES = ("*.bed[01]", "*.chart[01]")
"""Files of beds, with ECG and without."""

MAX_AGE_S = 24 * 3600.0
"""Age of a file beyond which it is deleted: its bed has not been served for a day."""

Copy = Callable[[str, bytes, bool], None]
"""Called with the name of a file, its content, and whether to return only once the copy has arrived."""


class CopyError(Exception):
    """A copy has not arrived."""


class StateKeeper:
    """Keeps the checkpoints of all beds in a folder, that of ``bedside worker --state``.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lives: dict[int, int] = {}
        for path in _files(folder):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > MAX_AGE_S:
                    path.unlink()

    def begin(self, assignment: Assignment) -> dict[str, bytes]:
        """Return the files of a shard; from now on, those of its earlier processes are refused."""
        self._lives[assignment.shard.index] = assignment.life
        paths = [path for path in _files(self._folder) if path.stem in assignment.shard]
        return {path.name: path.read_bytes() for path in paths}

    def put(self, assignment: Assignment, files: Mapping[str, bytes]) -> bool:
        """Write files; return False, and write none, if another process has begun to serve the shard.

        One without content is removed.
        """
        if assignment.life < self._lives.setdefault(assignment.shard.index, assignment.life):
            return False
        for name, content in files.items():
            if not content:
                (self._folder / name).unlink(missing_ok=True)
                continue
            new = self._folder / f"{name}.new"
            new.touch(mode=0o600)
            new.write_bytes(content)
            new.replace(self._folder / name)  # this process may be killed at any moment
        return True


def _files(folder: Path) -> list[Path]:
    return [path for pattern in FILES for path in folder.glob(pattern)]


class Copier:
    """Sends the checkpoints of a shard, the newest content of each file; used as `Copy`.

    Parameters
    ----------
    put : callable
        Sends files, and returns whether they were taken; raises CopyError if they did not arrive.
    replaced : callable
        Called when they were not taken, because another process serves the shard.
    """

    def __init__(self, put: Callable[[Mapping[str, bytes]], bool], replaced: Callable[[], None]) -> None:
        self._put = put
        self._replaced = replaced
        self._pending: dict[str, bytes] = {}
        self._adding = threading.Lock()
        self._sending = threading.Lock()
        self._failed = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._send_often, name="checkpoints", daemon=True)
        self._thread.start()

    def __call__(self, name: str, content: bytes, wait: bool) -> None:
        """Queue a file to be sent, or send it now; while copies fail, nobody waits for them."""
        with self._adding:
            self._pending[name] = content
        if wait and not self._failed:
            self.send()

    def send(self) -> None:
        """Send all that waits."""
        with self._sending:
            with self._adding:
                files, self._pending = self._pending, {}
            if not files:
                return
            try:
                taken = self._put(files)
            except CopyError as error:
                with self._adding:
                    self._pending = files | self._pending
                if not self._failed:
                    log.warning("checkpoints cannot be copied (%s): on another machine, beds start anew", error)
                self._failed = True
                return
            if self._failed:
                log.info("checkpoints can be copied again")
            self._failed = False
        if not taken:
            self._replaced()

    def stop(self) -> None:
        """Send the last ones."""
        self._stopped.set()
        self._thread.join()
        self.send()

    def _send_often(self) -> None:
        while not self._stopped.wait(COPY_EVERY_S):
            self.send()
