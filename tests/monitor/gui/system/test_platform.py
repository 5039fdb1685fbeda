"""A machine that cannot open a window: one line of error, before Qt aborts the process."""

from __future__ import annotations

import ctypes
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
