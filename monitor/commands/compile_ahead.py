"""Compiles the analysis before several processes start that need it: one of them would do, and all would do it at once.

It is compiled in a child process, so that the command itself stays light.
"""

from __future__ import annotations

import os
import subprocess
import sys

from monitor.commands.shared import log
from monitor.tools.process_group import EXIT_WITH_PARENT, exit_with_parent


def compile_ahead() -> None:
    """Compile the analysis, with a line of the log, unless that has been done.

    If it fails, nothing is said: the first process that needs the analysis fails, too, and says why.
    """
    from model.signal.machine_code import can_be_kept, is_complete

    if is_complete() or not can_be_kept():
        return
    log.info("compiling the analysis: about a minute, once")
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "monitor.commands.compile_ahead"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, EXIT_WITH_PARENT: "1"},
        start_new_session=True,
    )
    with child:
        try:
            child.wait()
        finally:
            child.kill()


if __name__ == "__main__":
    exit_with_parent()

    from model.serving.warm_up import compile_all

    compile_all()
