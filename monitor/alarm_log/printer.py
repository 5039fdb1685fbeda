"""Stored events as lines of JSON for a reader that may stall or leave. Storing never waits for it.

A thread of its own reads the events from the store by their number and writes them: a reader that stalls and resumes
misses none, and nothing is queued in memory.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
from types import TracebackType
from typing import Self

import msgspec

from monitor.alarm_log.store import AlarmLog
from stream.wire.plain_text import plain

log = logging.getLogger("bedside.alarms")

BATCH = 100
"""Maximum number of events per query."""

END_TIMEOUT_S = 1.0
"""Maximum wait at the end for a reader that is behind."""


class EventPrinter:
    """Prints the events that are stored while its context is open.

    Parameters
    ----------
    store : AlarmLog
    fd : int
        File descriptor to write to; not closed.

    Attributes
    ----------
    failed : bool
        True once the reader has left or the output cannot be written: no more is printed.

    Raises
    ------
    StorageError
        The store cannot be read.
    """

    def __init__(self, store: AlarmLog, fd: int) -> None:
        self.failed = False
        self._store = store
        self._fd = fd
        self._printed = store.last_number()
        self._stored = threading.Event()
        self._ending = False
        self._reading = store.reader()
        # A daemon: a reader that stalls for ever must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="event-printer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending = True
        self._stored.set()
        self._thread.join(END_TIMEOUT_S)
        if self._thread.is_alive() and not self.failed:
            log.warning(
                "standard output is not being read: events after number %d of %s are stored, but were not printed",
                self._printed,
                self._store.path,
            )

    def wake(self) -> None:
        """Print the events that have been stored since; returns at once."""
        self._stored.set()

    def _run(self) -> None:
        try:
            with contextlib.closing(self._reading):
                ending = False
                while not ending:
                    self._stored.wait()
                    self._stored.clear()
                    ending = self._ending
                    self._print()
        except (OSError, sqlite3.Error) as error:
            self.failed = True
            reason = "its reader has left" if isinstance(error, BrokenPipeError) else error
            log.warning("no more is printed to standard output (%s); events are still stored", reason)

    def _print(self) -> None:
        while rows := self._store.events_after(self._reading, self._printed, BATCH):
            for number, alarm in rows:
                line = memoryview(plain(msgspec.json.encode(alarm).decode()).encode() + b"\n")
                while line:
                    line = line[os.write(self._fd, line) :]
                self._printed = number
