"""Check whether Qt can draw on this machine.

The check runs in a subprocess: this process does not load Qt, and Qt may abort the process when it fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Literal

_CHECK = "import pyqtgraph; from monitor.gui.system.platform import check_platform; check_platform()"


def qt_problem(where: Literal["a window", "offscreen"]) -> str | None:
    """Return the reason why Qt cannot draw, in one line, or None."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"} if where == "offscreen" else None
    check = subprocess.run(
        [sys.executable, "-P", "-c", _CHECK],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if check.returncode == 0:
        return None
    last_line = (check.stderr.strip().splitlines() or ["unknown reason"])[-1]
    return last_line.removeprefix("stream.errors.UsageError: ")
