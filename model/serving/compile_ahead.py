"""Compiles the analysis before its first use, once, in child processes: two at a time where there are two cores.

So the process that needs it stays light, and several that start together do not all compile it.
``python -m model.serving.compile_ahead`` does it by hand.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from model.signal.machine_code import can_be_kept, count_functions, is_complete

log = logging.getLogger("bedside")

LINE_S: Final = 5.0
"""Shortest time between two lines of the log, in s."""

COMPILER: Final = (sys.executable, "-P", "-m", "model.serving.compile_stages")
"""Compiles the stages that its argument names, and prints the name of each compiled function."""


def compile_ahead() -> None:
    """Compile the analysis, with a line of the log every few seconds, unless that has been done.

    If it fails, nothing is reported: the first process that needs the analysis fails, too, and reports why.
    """
    if is_complete() or not can_be_kept():
        return
    together = _cores() > 1
    log.info("compiling the analysis, once: about a minute%s", "" if together else " and a half")
    progress = _Progress()
    if not together or _run(["beats", "forecast"], progress):
        _run(["all"], progress)  # what these have left, and the note that nothing is left


def _cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


class _Progress:
    """Logs how many functions have been compiled."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._logged = time.monotonic()

    def add(self, name: str) -> None:
        """Count a function, unless another process has compiled it, too."""
        self._names.add(name)
        if time.monotonic() - self._logged >= LINE_S:
            self._logged = time.monotonic()
            log.info("compiling the analysis: %d of %d functions", len(self._names), count_functions())


def _run(stages: Sequence[str], progress: _Progress) -> bool:
    """Compile stages, each named group in a child process; return whether all ended well."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as lines, ExitStack() as running:
        try:
            children = [running.enter_context(_child(group, writing)) for group in stages]
        finally:
            os.close(writing)
        for line in lines:
            progress.add(line)
        statuses = [child.wait() for child in children]
    return not any(statuses)


@contextmanager
def _child(stages: str, output: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the compiler; it is killed if it still runs at the end, and exits by itself if this process does."""
    child = subprocess.Popen(
        [*COMPILER, stages],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with child:
        try:
            yield child
        finally:
            child.kill()


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    compile_ahead()
    sys.exit(not is_complete())
