"""Ctrl-C before, during and after a command. Imports nothing that takes time.

While modules are imported, the process ends at once: an import that is interrupted fails in many ways (a traceback, an
ImportError in place of KeyboardInterrupt, an abort of a library in C), and nothing has begun that must be finished.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 + SIGINT, as shells report it."""

_IMPORTING = "<frozen importlib._bootstrap>"


def end_at_interrupt() -> None:
    """From now on Ctrl-C ends the process at once, unless the parent process has chosen to ignore it."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _end)


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside the context, Ctrl-C raises KeyboardInterrupt, except in an import; only after `end_at_interrupt`.

    A command with an event loop replaces this by its own handler.
    """
    if signal.getsignal(signal.SIGINT) is not _end:
        yield
        return
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, _end)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    os._exit(INTERRUPTED)


def _interrupt(number: int, frame: FrameType | None) -> None:
    caller = frame
    while caller is not None:
        if caller.f_code.co_filename == _IMPORTING:
            _end(number, frame)
        caller = caller.f_back
    raise KeyboardInterrupt
