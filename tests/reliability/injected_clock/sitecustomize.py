"""Gives a Python process a wall clock that the suite can set while it runs; its monotonic clock stays the real one.

Python imports this module at its start if its folder is in PYTHONPATH. The file named by RELIABILITY_CLOCK holds the
offset from the system clock in seconds.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

_file = Path(os.environ["RELIABILITY_CLOCK"])
_time_ns, _monotonic = time.time_ns, time.monotonic
_offset_ns, _read_again_s = 0, 0.0


def _now_ns() -> int:
    global _offset_ns, _read_again_s
    if _monotonic() >= _read_again_s:
        _offset_ns = round(float(_file.read_text()) * 1e9)
        _read_again_s = _monotonic() + 0.05
    return _time_ns() + _offset_ns


time.time_ns = _now_ns
time.time = lambda: _now_ns() / 1e9
