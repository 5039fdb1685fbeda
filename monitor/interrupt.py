"""Ctrl-C before, during and after a command. Imports nothing that takes time; `signal` itself would import enum first.

While modules are imported, the process ends at once: an import that is interrupted fails in many ways (a traceback, an
ImportError in place of KeyboardInterrupt, an abort of a library in C), and nothing has begun that must be finished.
Before the first line of this program runs, a traceback of Python's own start cannot be avoided.
"""

import _signal
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 + SIGINT, as shells report it."""

_IMPORTING = "<frozen importlib._bootstrap>"


def end_at_interrupt() -> None:
    """From now on Ctrl-C ends the process at once, unless the parent process has chosen to ignore it."""
    if _signal.getsignal(_signal.SIGINT) != _signal.SIG_IGN:
        _signal.signal(_signal.SIGINT, _end)


class Interruptible:
    """Inside this context, Ctrl-C raises KeyboardInterrupt, except in an import; only after `end_at_interrupt`.

    A command with an event loop replaces this by its own handler.
    """

    def __enter__(self) -> None:
        self._active = _signal.getsignal(_signal.SIGINT) is _end
        if self._active:
            _signal.signal(_signal.SIGINT, _interrupt)

    def __exit__(self, *error: object) -> None:
        if self._active:
            _signal.signal(_signal.SIGINT, _end)


def _end(number: int, frame: "FrameType | None") -> None:  # noqa: ARG001
    os._exit(INTERRUPTED)


def _interrupt(number: int, frame: "FrameType | None") -> None:
    caller = frame
    while caller is not None:
        if caller.f_code.co_filename == _IMPORTING:
            _end(number, frame)
        caller = caller.f_back
    raise KeyboardInterrupt
