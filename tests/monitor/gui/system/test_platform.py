"""A machine that cannot open a window: one line of error, before Qt aborts the process."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

from monitor.gui.system.platform import check_platform
from stream.errors import UsageError

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")


@linux_only
def test_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="QT_QPA_PLATFORM=offscreen") as caught:
        check_platform()
    assert "\n" not in str(caught.value)


@linux_only
def test_a_missing_library_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)

    def missing(path: str) -> None:
        raise OSError(f"libxcb-cursor.so.0: cannot open shared object file (for {path.rpartition('/')[2]})")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    with pytest.raises(UsageError, match=r"libxcb-cursor\.so\.0.*libqxcb\.so.*apt-get install"):
        check_platform()


def test_offscreen_needs_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    check_platform()


_DRAW_TALL = """
from pathlib import Path
from monitor.gui.system.platform import check_platform
check_platform()
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QApplication
app = QApplication([])
pixmap = QPixmap(300, 600)
with QPainter(pixmap) as painter:
    painter.setBrush(QColor(200, 0, 0, 100))
    painter.drawPolygon([QPointF(0, 0), QPointF(250, 300), QPointF(0, 599)])
print(sorted({(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()}))
"""


@linux_only
def test_tall_shapes_are_drawn_without_other_threads() -> None:
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    env.pop("QT_NO_GUI_THREADPOOL", None)
    done = subprocess.run([sys.executable, "-c", _DRAW_TALL], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "pooled" not in done.stdout
