"""``python -m monitor.tools.folder_guard FOLDER``: when the parent exits, end all that uses a folder, and remove it.

Some of Ray's processes live on for minutes when it was not shut down, as after SIGKILL; they all have logs open there.
Processes are found in /proc, on Linux only.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path


def processes_using(folder: Path) -> list[int]:
    """Return the ids of the processes that have a file open in a folder."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if link.readlink().is_relative_to(folder):
                found.add(int(link.parts[2]))
    return sorted(found)


def main(folder: Path) -> None:
    """Wait until standard input ends, and remove the folder and what uses it."""
    parent = os.getppid()
    sys.stdin.buffer.read()
    for number in processes_using(folder):
        if number == parent:  # it goes on: that it uses the folder no more is its own affair
            continue
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
