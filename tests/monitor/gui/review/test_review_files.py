"""Export of an event: PNG, PDF, CSV and WFDB."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from monitor.gui.review.review_dialog import ReviewDialog
from monitor.gui.style.footer import SIMULATION
from monitor.gui.style.theme import NIGHT
from monitor.gui.window import MonitorWindow
from tests.monitor.gui.conftest import Script
from tests.monitor.gui.review.events import ONSET, click, event, press


def save(dialog: ReviewDialog, form: str, path: Path, qtbot: QtBot) -> None:
    """Press the button, choose the path, press Save."""
    press(dialog, form, qtbot)
    file_dialog = dialog.files.dialog
    assert isinstance(file_dialog, QFileDialog)
    assert file_dialog.testOption(QFileDialog.Option.DontUseNativeDialog) or QApplication.platformName() == "offscreen"
    file_dialog.setDirectory(str(path.parent))
    file_dialog.selectFile(path.name)
    file_dialog.accept()
    QApplication.processEvents()
    assert dialog.files.dialog is None


def test_png_is_the_visible_page(window: MonitorWindow, script: Script, qtbot: QtBot, tmp_path: Path) -> None:
    event(window, script)
    dialog = click(window, qtbot)
    save(dialog, "PNG", tmp_path / "event.png", qtbot)
    image = QImage(str(tmp_path / "event.png"))
    assert (image.width(), image.height()) == (dialog.page.width(), dialog.page.height())
    inks = {image.pixelColor(x, y).name() for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}
    assert {NIGHT.ecg, NIGHT.simulation, NIGHT.priority["high"]} <= inks
    assert dialog.message.text() == f"saved {tmp_path / 'event.png'}"


def test_pdf_has_vectors_and_a_title(window: MonitorWindow, script: Script, qtbot: QtBot, tmp_path: Path) -> None:
    event(window, script)
    dialog = click(window, qtbot)
    save(dialog, "PDF", tmp_path / "event.pdf", qtbot)
    data = (tmp_path / "event.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    assert b"/Subtype /Image" not in data
    assert data.count(b"/Type /Page\n") == 2
    assert SIMULATION.encode("utf-16-be") in data, "in the title"


def test_csv_has_the_samples(window: MonitorWindow, script: Script, qtbot: QtBot, tmp_path: Path) -> None:
    event(window, script)
    dialog = click(window, qtbot)
    save(dialog, "CSV", tmp_path / "event", qtbot)
    with (tmp_path / "event.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 7200
    assert rows[3600]["sample"] == str(ONSET)


def test_wfdb_has_three_files_and_is_not_overwritten(
    window: MonitorWindow, script: Script, qtbot: QtBot, tmp_path: Path
) -> None:
    event(window, script)
    dialog = click(window, qtbot)
    save(dialog, "WFDB", tmp_path / "event.hea", qtbot)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["event.atr", "event.dat", "event.hea"]
    save(dialog, "WFDB", tmp_path / "event.hea", qtbot)
    assert "exists" in dialog.message.text()


def test_without_a_writer_wfdb_is_not_offered(qtbot: QtBot, script: Script) -> None:
    window = MonitorWindow(script, clock=script.clock)
    window._timer.stop()
    qtbot.addWidget(window)
    event(window, script, 13)
    qtbot.keyClick(window, Qt.Key.Key_R)
    assert "WFDB" not in window.review.dialog.buttons
    assert "CSV" in window.review.dialog.buttons
    window.close()


@pytest.mark.parametrize("form", ["PNG", "PDF", "CSV", "WFDB"])
def test_a_failed_write_is_reported_in_one_line(
    window: MonitorWindow, script: Script, qtbot: QtBot, tmp_path: Path, form: str
) -> None:
    event(window, script)
    dialog = click(window, qtbot)
    dialog.files.save(form, tmp_path / "missing" / "event")
    assert dialog.message.text().startswith("not saved: ")
    assert "\n" not in dialog.message.text()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_partial_file(
    window: MonitorWindow, script: Script, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(28, os.strerror(28))

    event(window, script)
    dialog = click(window, qtbot)
    monkeypatch.setattr(Path, "replace", full)
    dialog.files.save("CSV", tmp_path / "event.csv")
    assert "No space left" in dialog.message.text()
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_dialog_saves_nothing(window: MonitorWindow, script: Script, qtbot: QtBot) -> None:
    event(window, script)
    dialog = click(window, qtbot)
    press(dialog, "CSV", qtbot)
    file_dialog = dialog.files.dialog
    press(dialog, "CSV", qtbot)
    assert dialog.files.dialog is file_dialog
    file_dialog.reject()
    assert dialog.files.dialog is None
    assert dialog.message.text() == ""
