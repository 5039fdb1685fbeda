"""Check that Qt can open a window. It runs before Qt is initialized, because Qt aborts the process if it cannot."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from stream.errors import UsageError

_ONE_THREAD = "QT_NO_GUI_THREADPOOL"
"""Qt hands shapes higher than about 100 px to a pool of threads, and waits for them. For parts of a trace that costs
more than drawing them, and milliseconds while other processes are busy. This switch of Qt is read at the first one."""

OFFSCREEN = "or draw without one: QT_QPA_PLATFORM=offscreen"


def check_platform() -> None:
    """Check that a window can be opened, and let Qt draw in the thread that calls it.

    Raises
    ------
    UsageError
        There is no display, or a shared library that Qt needs is missing.
    """
    os.environ.setdefault(_ONE_THREAD, "1")
    try:
        import PySide6.QtWidgets
    except ModuleNotFoundError:
        raise  # the package is not installed: not a problem of system libraries
    except ImportError as error:
        raise UsageError(
            f"Qt cannot be loaded ({error}): on Debian, apt-get install libegl1 libgl1 libxkbcommon0 libdbus-1-3 "
            "libfontconfig1 fonts-dejavu-core"
        ) from None
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM", "xcb").partition(":")[0] != "xcb":
        return
    if os.environ.get("WAYLAND_DISPLAY") and "QT_QPA_PLATFORM" not in os.environ:
        return
    if not os.environ.get("DISPLAY"):
        raise UsageError(f"no display: set DISPLAY, {OFFSCREEN}")
    plugin = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        raise UsageError(
            f"Qt cannot open a window ({error}): on Debian, apt-get install libxcb-cursor0 libxcb-icccm4 "
            f"libxcb-keysyms1 libxcb-shape0 libxkbcommon-x11-0, {OFFSCREEN}"
        ) from None
