"""Run ``bedside`` with a wall clock that can be stepped: ``python -m tests.system.stepped_clock FILE COMMAND ...``.

FILE holds the step in seconds. The monotonic clock is not changed, as when a real clock is set.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from monitor.cli import main


def step_clock(file: Path) -> None:
    """Replace the wall clock of this process."""
    wall_ns = time.time_ns

    def stepped_ns() -> int:
        return wall_ns() + round(float(file.read_text() or 0) * 1e9)

    time.time_ns = stepped_ns
    time.time = lambda: stepped_ns() / 1e9


if __name__ == "__main__":
    step_clock(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
