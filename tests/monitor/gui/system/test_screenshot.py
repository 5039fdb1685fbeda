"""Screenshots are written atomically, and an unwritable path is reported before drawing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from monitor.gui.system.screenshot import check_writable, save, write
from monitor.gui.window import MonitorWindow
from stream.errors import StorageError


def test_it_is_a_png_of_the_window(window: MonitorWindow, tmp_path: Path) -> None:
    path = tmp_path / "monitor.png"
    path.write_text("old")
    save(window, path)
    image = QImage(str(path))
    assert (image.width(), image.height()) == (window.width(), window.height())
    assert [p.name for p in tmp_path.iterdir()] == ["monitor.png"]


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "monitor.png"
    path.write_text("old")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StorageError, match="No space left"):
        write(path, b"new")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]


def test_an_unwritable_path_is_reported_first(tmp_path: Path) -> None:
    check_writable(tmp_path / "monitor.png")
    with pytest.raises(StorageError, match="missing"):
        check_writable(tmp_path / "missing" / "monitor.png")
    with pytest.raises(StorageError, match="is a folder"):
        check_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []
