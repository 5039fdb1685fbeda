"""Labels show text from the wire as it is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from monitor.gui.style.label import Label
from monitor.gui.style.palettes import THEMES
from monitor.gui.window import MonitorWindow
from tests.monitor.gui.conftest import Script

HOSTILE = "<img src=file:///etc/hostname><b>208</b>"


def test_html_is_shown_not_rendered(qtbot: QtBot) -> None:
    label, plain = (Label(next(iter(THEMES.values())), "text", 14) for _ in range(2))
    for widget in (label, plain):
        qtbot.addWidget(widget)
    label.setText("<b>208</b>")
    plain.setText("xbx208x/bx")
    assert label.sizeHint().width() > plain.sizeHint().width() / 2, "the tags are drawn, too"
    assert label.textFormat() == Qt.TextFormat.PlainText
    label.setToolTip("<b>208</b>")
    assert label.toolTip() == "<span>&lt;b&gt;208&lt;/b&gt;</span>"


def test_control_characters_are_shown_as_escapes_and_lines_are_kept(qtbot: QtBot) -> None:
    label = Label(next(iter(THEMES.values())), "text", 14)
    qtbot.addWidget(label)
    label.setText("a\u202eb\nc\x1b")
    assert label.text() == "a\\u202eb\nc\\u001b"


def test_no_label_of_the_window_renders_html(window: MonitorWindow, script: Script) -> None:
    """A stranger names a record with HTML. The legend alone has colours, and a fixed text."""
    script.worker()
    script.stream(window, 3, record=HOSTILE)
    assert HOSTILE in window.bed_view.header.record.text()
    labels = set(window.findChildren(QLabel)) - {window.bed_view.header.legend}
    assert len(labels) > 5
    assert {label.textFormat() for label in labels} == {Qt.TextFormat.PlainText}
