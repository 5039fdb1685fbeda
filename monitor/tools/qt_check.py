"""Can Qt draw here? A process of its own finds out: this one stays light, and Qt may abort where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Literal

_TRIAL = "import pyqtgraph; from monitor.gui.platform import check_platform; check_platform()"


def qt_problem(where: Literal["a window", "offscreen"]) -> str | None:
    """Return why Qt cannot draw here, in one line, or None."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"} if where == "offscreen" else None
    trial = subprocess.run(
        [sys.executable, "-P", "-c", _TRIAL],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if trial.returncode == 0:
        return None
    last_line = (trial.stderr.strip().splitlines() or ["unknown reason"])[-1]
    return last_line.removeprefix("stream.errors.UsageError: ")
