"""The window in Japanese: complete, with a suitable font, and up to date with the sources."""

from __future__ import annotations

import re
import subprocess
import sysconfig
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontInfo, QPainter, QRawFont
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QListWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from monitor.gui.preferences.preferences import PreferencesStore
from monitor.gui.preferences.preferences_controller import MIN_WINDOW_SIZE
from monitor.gui.preferences.preferences_dialog import PreferencesDialog
from monitor.gui.style import language
from monitor.gui.style.theme import font, font_families
from monitor.gui.window import MonitorWindow
from monitor.view.display_texts import TABLES
from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.alarm_texts import phrase
from tests.monitor.gui.conftest import Script
from tests.monitor.gui.preferences.test_preferences_controller import clipped_texts
from tests.monitor.message_samples import SECOND, advisory, alarm, residual, vitals

ROOT = Path(language.__file__).parents[3]
I18N = ROOT / "monitor" / "gui" / "i18n"
SOURCES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "monitor" / "gui").rglob("*.py"))
FIELD = re.compile(r"\{\w+\}")


@pytest.fixture
def japanese(qtbot: QtBot) -> None:
    problem = language.set_language("ja")
    if problem:
        pytest.skip(problem)


# --- the catalogue --------------------------------------------------------------------------------------------------


def messages(path: Path) -> dict[tuple[str, str], tuple[str, str | None]]:
    """Return translation and state of each text by context and source."""
    found = {}
    for context in ElementTree.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            key = (context.findtext("name", ""), message.findtext("source", ""))
            found[key] = (translation.text or "", translation.get("type"))
    return found


def tool(name: str, *arguments: str) -> None:
    command = Path(sysconfig.get_path("scripts")) / name
    subprocess.run([command, "-silent", *arguments], cwd=ROOT, check=True, timeout=60)


def test_the_catalogue_has_exactly_the_texts_of_the_sources(tmp_path: Path) -> None:
    fresh = tmp_path / "bedside_ja.ts"
    tool("pyside6-lupdate", "-locations", "none", *SOURCES, "-ts", str(fresh))
    assert messages(fresh).keys() == messages(I18N / "bedside_ja.ts").keys(), "run: make translations"


def test_each_text_has_a_translation_with_the_same_fields() -> None:
    for (context, source), (translation, state) in messages(I18N / "bedside_ja.ts").items():
        assert translation, f"{context}: {source}"
        assert state is None, f"{context}: {source} is {state}"
        assert sorted(FIELD.findall(translation)) == sorted(FIELD.findall(source)), f"{context}: {source}"


def test_the_compiled_catalogue_is_up_to_date(tmp_path: Path) -> None:
    compiled = tmp_path / "compiled.qm"
    tool("pyside6-lrelease", str(I18N / "bedside_ja.ts"), "-qm", str(compiled))
    assert compiled.read_bytes() == (I18N / "bedside_ja.qm").read_bytes(), "run: make translations"


# --- the font -------------------------------------------------------------------------------------------------------


def test_each_language_of_the_window_has_phrases() -> None:
    assert TABLES.keys() == language.LANGUAGES.keys()


@pytest.mark.usefixtures("japanese")
def test_a_japanese_font_is_used_after_the_latin_ones() -> None:
    family = font_families()[-2]
    assert family in language.FONTS["ja"]
    assert QFontInfo(QFont(family)).family().split(",")[0] == family
    raw = QRawFont.fromFont(QFont(family))
    for letter in "心拍数アラーム一時停止":
        assert raw.supportsCharacter(ord(letter)), letter
    assert font(14).families() == font_families()


def test_without_such_a_font_it_stays_english_with_a_reason(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(language.FONTS, "ja", ("No Such Font",))
    problem = language.set_language("ja")
    assert "fonts-noto-cjk" in problem
    assert "\n" not in problem
    assert language.current_language() == "en"
    assert language.translate("Controls", "Limits  (L)") == "Limits  (L)"


def test_without_a_choice_the_system_language_is_used(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "system_language", lambda: "ja")
    if language.set_language(""):
        pytest.skip("no Japanese font")
    assert language.current_language() == "ja"
    language.set_language("en")
    assert language.current_language() == "en"


# --- the window -----------------------------------------------------------------------------------------------------

PLAIN = re.compile(
    # Names, units, keys and abbreviations that are not translated.
    r"mqtt://\S+|mitdb/\d+|BED-\d+|bed-\d+|MLII|\bV\d\b|\bHR\b|\bVPC\b|\bQRS\b|\bmm/mV|\bmm/s|\bmm\b|\bms\b|\bmV\b"
    r"|\b(ABP|PAP|CVP|NIBP|Pleth|Resp|Temp|mmHg|PR|PI|RR)\b|\b(Sp|et)?[CO]+₂|\bSpO2?"
    r"|\b(Space|Home|End|Enter|Esc|F1|F2|[A-Z])\b|\b(PNG|PDF|CSV|WFDB|OK)\b|\bbedside\b|\bMIT\b|\bEnglish\b|\bx\d",
    re.ASCII,  # a word boundary also lies between Latin and Japanese characters
)
LATIN = re.compile(r"[A-Za-z]{2,}")


def untranslated(text: str) -> list[str]:
    """Return the Latin words of a text that should be translated."""
    return LATIN.findall(PLAIN.sub(" ", re.sub(r"<[^>]*>|&nbsp;", " ", text)))


def texts(widget: QWidget) -> list[str]:
    """Return the texts of a widget and its descendants, except painted ones."""
    found = [widget.windowTitle()]
    for one in [widget, *widget.findChildren(QWidget)]:
        if not one.isVisible():
            continue
        found.append(one.toolTip())
        if isinstance(one, QLabel | QAbstractButton | QAbstractSpinBox):
            found.append(one.text())
        elif isinstance(one, QComboBox):
            found += [one.itemText(at) for at in range(one.count())]
        elif isinstance(one, QListWidget):
            found += [one.item(row).text() for row in range(one.count())]
    return found


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Provide the texts drawn by painters from now on."""
    drawn: list[str] = []
    write: Callable[..., Any] = QPainter.drawText

    def draw_text(self: QPainter, *arguments: Any) -> Any:
        drawn.extend(one for one in arguments if isinstance(one, str))
        return write(self, *arguments)

    monkeypatch.setattr(QPainter, "drawText", draw_text)
    return drawn


@pytest.fixture
def busy_window(qtbot: QtBot, script: Script, japanese: None) -> Iterator[MonitorWindow]:
    """Provide a window in Japanese with vital signs and alarms."""
    store = PreferencesStore(None)
    store.change(language="ja")
    window = MonitorWindow(script, clock=script.clock, store=store)
    window._timer.stop()
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    script.worker()
    script.stream(window, 40)
    raised = (
        alarm(400, kind="ventricular_tachycardia", priority="high", value=182.0, beats=5),
        alarm(500, priority="medium"),
        alarm(600, kind="lead_off", priority="technical"),
    )
    single = residual(700)
    entry = advisory(single, 650, 700)
    script.receive(vitals(1439), *raised, single, ActiveAlarms(bed="bed-1", alarms=raised, advisory=entry))
    script.stream(window, 2)
    yield window
    window.close()


def check(window: QWidget, painted: list[str]) -> None:
    painted.clear()
    window.grab()
    for text in {*texts(window), *painted}:
        assert untranslated(text) == [], text


def test_every_visible_text_is_translated(
    busy_window: MonitorWindow, script: Script, painted: list[str], qtbot: QtBot
) -> None:
    check(busy_window, painted)
    assert any("心拍数" in text or "HR" in text for text in painted)
    for _ in range(3):  # the messages of the banner alternate
        script.now += 2 * SECOND
        busy_window.tick()
        check(busy_window, painted)
    for key in (Qt.Key.Key_T, Qt.Key.Key_E, Qt.Key.Key_0, Qt.Key.Key_Space, Qt.Key.Key_Question):
        qtbot.keyClick(busy_window, key)
        busy_window.tick()
        check(busy_window, painted)


def test_every_text_of_the_central_station_is_translated(
    busy_window: MonitorWindow, script: Script, painted: list[str], qtbot: QtBot
) -> None:
    qtbot.keyClick(busy_window, Qt.Key.Key_C)
    script.stream(busy_window, 2)
    assert "セントラルモニタ" in busy_window.station.title.text()
    check(busy_window, painted)
    script.now += 7 * SECOND
    busy_window.tick()
    check(busy_window, painted)


@pytest.mark.parametrize("which", [0, 1, 2, 3])
def test_every_text_of_a_review_is_translated(busy_window: MonitorWindow, painted: list[str], which: int) -> None:
    busy_window.open_review(busy_window.frame_shown.history[which].alarm.alarm_id)
    busy_window.review.dialog.show_message("")
    check(busy_window.review.dialog, painted)


def test_every_text_of_the_dialogs_is_translated(busy_window: MonitorWindow, painted: list[str], qtbot: QtBot) -> None:
    busy_window.open_limits()
    check(busy_window.commands.limits_dialog, painted)
    busy_window.commands.limits_dialog.close()
    busy_window.preferences.open_preferences()
    check(busy_window.preferences.dialog, painted)
    busy_window.preferences.dialog.close()
    busy_window.preferences.welcome()
    check(busy_window.preferences.help, painted)
    busy_window.preferences.open_about()
    labels = busy_window.preferences.dialog.labels
    assert [untranslated(label.text()) for label in labels[:4]] == [[]] * 4, "licences and citations are not translated"
    busy_window.preferences.dialog.close()


def test_alarms_and_their_ends_are_translated(busy_window: MonitorWindow, script: Script, painted: list[str]) -> None:
    page = busy_window.bed_view
    assert page.banner.alarm == "*** 心室頻拍: 5 拍 182/分"
    shown = [page.alarms.item(row).text() for row in range(page.alarms.count())]
    assert [text.split("\n")[-1] for text in shown] == [
        "発生中",
        "心室頻拍: 5 拍 182/分",
        "通常と異なる波形: 直近 1 分間に 6 回(VPC を除く)",
        "電極はずれ: MLII",
        "通常と異なる波形: 2 回、直近 1 分 2 回",
    ]
    replaced = {"reason": "replaced", "replaced_by": "ventricular_fibrillation", "value": 190.0, "beats": 9}
    ended = alarm(400, "cleared", 900, kind="ventricular_tachycardia", priority="high", latched=True, **replaced)
    attached = alarm(600, "cleared", 900, kind="lead_off", priority="technical", reason="signal_interrupted")
    resumed = alarm(700, "cleared", 900, kind="no_data", priority="technical", reason="data_resumed", value=6.9)
    script.receive(ended, attached, resumed, ActiveAlarms(bed="bed-1", alarms=(ended,)))
    busy_window.tick()
    assert page.banner.alarm == "*** 心室頻拍: 最大 9 拍、最大 190/分、心室細動 に移行: 終了、未確認"
    rows = [page.alarms.item(row).text().split("\n")[-1] for row in range(page.alarms.count())]
    assert rows == [
        "終了、未確認",
        "心室頻拍: 最大 9 拍、最大 190/分、心室細動 に移行",
        "通常と異なる波形: 2 回、直近 1 分 2 回",
        "履歴",
        "データ受信を再開",
        "電極はずれ: MLII、信号が途切れたため終了時刻は不明",
        "通常と異なる波形: 直近 1 分間に 6 回(VPC を除く)",
    ]
    check(busy_window, painted)


def test_each_connection_state_is_translated(
    busy_window: MonitorWindow, script: Script, painted: list[str], qtbot: QtBot
) -> None:
    script.now += 7 * SECOND
    busy_window.tick()
    assert "データなし 7 秒" in busy_window.bed_view.header.link.text()
    check(busy_window, painted)
    script.connected, script.phrase = False, phrase("broker.connecting", address="mqtt://test:1883")
    busy_window.tick()
    check(busy_window, painted)


def test_the_language_changes_while_the_window_is_open(
    busy_window: MonitorWindow, painted: list[str], qtbot: QtBot
) -> None:
    qtbot.keyClick(busy_window, Qt.Key.Key_F2)
    dialog = busy_window.preferences.dialog
    assert isinstance(dialog, PreferencesDialog)
    dialog.language.setCurrentIndex(dialog.language.findData("en"))
    busy_window.tick()
    assert busy_window.bed_view.controls.acknowledge.text().startswith("Acknowledge")
    assert "LIVE" in busy_window.bed_view.header.link.text()
    assert busy_window.preferences.dialog.windowTitle() == "Settings"
    busy_window.preferences.dialog.language.setCurrentIndex(busy_window.preferences.dialog.language.findData("ja"))
    busy_window.tick()
    check(busy_window, painted)
    check(busy_window.preferences.dialog, painted)


@pytest.mark.parametrize("size", [MIN_WINDOW_SIZE, (1280, 800)])
def test_no_japanese_text_is_clipped(busy_window: MonitorWindow, script: Script, size: tuple[int, int]) -> None:
    busy_window.resize(*size)
    script.stream(busy_window, 2)
    QApplication.processEvents()
    assert clipped_texts(busy_window) == []
