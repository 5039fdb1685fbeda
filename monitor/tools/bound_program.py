"""``python -m monitor.tools.bound_program PROGRAM ARGUMENT…``: become a program that ends with its parent process.

For programs that do not read their standard input, as children of a `ProcessGroup`. The process id stays the same. Only
Linux has a means for it; elsewhere the program outlives a parent that is killed by SIGKILL.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""From linux/prctl.h: the signal that the process gets when its parent dies."""


def main(command: list[str]) -> None:
    """Replace this process by a program."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            return  # it died before
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
