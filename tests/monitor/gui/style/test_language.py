"""The window in Japanese: all of it, in letters that are there, and up to date with its sources."""

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
from monitor.gui.preferences.preferences_controller import SMALLEST
from monitor.gui.preferences.preferences_dialog import PreferencesDialog
from monitor.gui.style import language
from monitor.gui.style.theme import families, font
from monitor.gui.window import MonitorWindow
from monitor.view.phrases import TABLES
from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.phrases import phrase
from tests.monitor.gui.conftest import Script
from tests.monitor.gui.preferences.test_preferences_controller import cut_off
from tests.monitor.stories import SECOND, alarm, vitals

ROOT = Path(language.__file__).parents[3]
I18N = ROOT / "monitor" / "gui" / "i18n"
SOURCES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "monitor" / "gui").rglob("*.py"))
FIELD = re.compile(r"\{\w+\}")


@pytest.fixture
def japanese(qtbot: QtBot) -> None:
    problem = language.choose("ja")
    if problem:
        pytest.skip(problem)


# --- the catalogue --------------------------------------------------------------------------------------------------


def messages(path: Path) -> dict[tuple[str, str], tuple[str, str | None]]:
    """Return translation and state of each text, by context and source."""
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


def test_the_catalogue_has_all_texts_of_the_sources_and_no_others(tmp_path: Path) -> None:
    fresh = tmp_path / "bedside_ja.ts"
    tool("pyside6-lupdate", "-locations", "none", *SOURCES, "-ts", str(fresh))
    assert messages(fresh).keys() == messages(I18N / "bedside_ja.ts").keys(), "run: make translations"


def test_each_text_has_its_japanese_with_the_same_values() -> None:
    for (context, source), (translation, state) in messages(I18N / "bedside_ja.ts").items():
        assert translation, f"{context}: {source}"
        assert state is None, f"{context}: {source} is {state}"
        assert sorted(FIELD.findall(translation)) == sorted(FIELD.findall(source)), f"{context}: {source}"


def test_what_ships_is_what_was_translated(tmp_path: Path) -> None:
    made = tmp_path / "made.qm"
    tool("pyside6-lrelease", str(I18N / "bedside_ja.ts"), "-qm", str(made))
    assert made.read_bytes() == (I18N / "bedside_ja.qm").read_bytes(), "run: make translations"


# --- the font -------------------------------------------------------------------------------------------------------


def test_each_language_of_the_window_has_its_phrases() -> None:
    assert TABLES.keys() == language.LANGUAGES.keys()


@pytest.mark.usefixtures("japanese")
def test_a_font_that_has_the_letters_is_found_and_asked_after_the_latin_ones() -> None:
    family = families()[-2]
    assert family in language.FONTS["ja"]
    assert QFontInfo(QFont(family)).family().split(",")[0] == family
    raw = QRawFont.fromFont(QFont(family))
    for letter in "心拍数アラーム一時停止":
        assert raw.supportsCharacter(ord(letter)), letter
    assert font(14).families() == families()


def test_without_such_a_font_it_stays_english_and_says_what_to_install(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(language.FONTS, "ja", ("No Such Font",))
    problem = language.choose("ja")
    assert "fonts-noto-cjk" in problem
    assert "\n" not in problem
    assert language.current() == "en"
    assert language.translate("Controls", "Limits  (L)") == "Limits  (L)"


def test_the_language_of_the_system_is_taken_when_none_is_chosen(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "system_language", lambda: "ja")
    if language.choose(""):
        pytest.skip("no Japanese font")
    assert language.current() == "ja"
    language.choose("en")
    assert language.current() == "en"


# --- the window -----------------------------------------------------------------------------------------------------

PLAIN = re.compile(
    # Names, units, keys and abbreviations that Japanese monitors write as they are.
    r"mqtt://\S+|mitdb/\d+|BED-\d+|bed-\d+|MLII|\bV\d\b|\bHR\b|\bVPC\b|\bQRS\b|\bmm/mV|\bmm/s|\bmm\b|\bms\b|\bmV\b"
    r"|\b(Space|Home|End|Enter|Esc|F1|F2|[A-Z])\b|\b(PNG|PDF|CSV|WFDB|OK)\b|\bbedside\b|\bMIT\b|\bEnglish\b|\bx\d",
    re.ASCII,  # a Latin word ends where a Japanese one begins
)
LATIN = re.compile(r"[A-Za-z]{2,}")


def untranslated(text: str) -> list[str]:
    """Return the Latin words in a text that need not be."""
    return LATIN.findall(PLAIN.sub(" ", re.sub(r"<[^>]*>|&nbsp;", " ", text)))


def texts(widget: QWidget) -> list[str]:
    """Return what a widget and all in it say, without what they paint."""
    said = [widget.windowTitle()]
    for one in [widget, *widget.findChildren(QWidget)]:
        if not one.isVisible():
            continue
        said.append(one.toolTip())
        if isinstance(one, QLabel | QAbstractButton | QAbstractSpinBox):
            said.append(one.text())
        elif isinstance(one, QComboBox):
            said += [one.itemText(at) for at in range(one.count())]
        elif isinstance(one, QListWidget):
            said += [one.item(row).text() for row in range(one.count())]
    return said


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Provide all texts that painters write from now on."""
    said: list[str] = []
    write: Callable[..., Any] = QPainter.drawText

    def draw_text(self: QPainter, *arguments: Any) -> Any:
        said.extend(one for one in arguments if isinstance(one, str))
        return write(self, *arguments)

    monkeypatch.setattr(QPainter, "drawText", draw_text)
    return said


@pytest.fixture
def feed(qtbot: QtBot, script: Script, japanese: None) -> Iterator[MonitorWindow]:
    """Provide a window in Japanese in which much has happened."""
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
        alarm(500, kind="residual", priority="low"),
        alarm(600, kind="lead_off", priority="technical"),
    )
    script.say(vitals(1439), *raised, ActiveAlarms(bed="bed-1", alarms=raised))
    script.stream(window, 2)
    yield window
    window.close()


def check(window: QWidget, painted: list[str]) -> None:
    painted.clear()
    window.grab()
    for text in {*texts(window), *painted}:
        assert untranslated(text) == [], text


def test_no_visible_word_is_untranslated(feed: MonitorWindow, script: Script, painted: list[str], qtbot: QtBot) -> None:
    check(feed, painted)
    assert any("心拍数" in text or "HR" in text for text in painted)
    for _ in range(3):  # the messages of the banner take turns
        script.now += 2 * SECOND
        feed.tick()
        check(feed, painted)
    for key in (Qt.Key.Key_T, Qt.Key.Key_0, Qt.Key.Key_Space, Qt.Key.Key_Question):
        qtbot.keyClick(feed, key)
        feed.tick()
        check(feed, painted)


def test_no_word_of_the_central_station_is_untranslated(
    feed: MonitorWindow, script: Script, painted: list[str], qtbot: QtBot
) -> None:
    qtbot.keyClick(feed, Qt.Key.Key_C)
    script.stream(feed, 2)
    assert "セントラルモニタ" in feed.station.title.text()
    check(feed, painted)
    script.now += 7 * SECOND
    feed.tick()
    check(feed, painted)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_no_word_of_a_review_is_untranslated(feed: MonitorWindow, painted: list[str], which: int) -> None:
    feed.open_review(feed.frame_shown.history[which].alarm.alarm_id)
    feed.review.dialog.say("")
    check(feed.review.dialog, painted)


def test_no_word_of_the_dialogs_is_untranslated(feed: MonitorWindow, painted: list[str], qtbot: QtBot) -> None:
    feed.open_limits()
    check(feed.commands.limits_dialog, painted)
    feed.commands.limits_dialog.close()
    feed.preferences.open_preferences()
    check(feed.preferences.dialog, painted)
    feed.preferences.dialog.close()
    feed.preferences.welcome()
    check(feed.preferences.help, painted)
    feed.preferences.open_about()
    said = feed.preferences.dialog.words
    assert [untranslated(label.text()) for label in said[:4]] == [[]] * 4, "licences and citations stay as they are"
    feed.preferences.dialog.close()


def test_an_alarm_an_inop_and_the_ends_of_both_are_japanese(
    feed: MonitorWindow, script: Script, painted: list[str]
) -> None:
    page = feed.bed_view
    assert page.banner.alarm == "*** 心室頻拍: 5 拍 182/分"
    assert page.alarms.item(0).text().endswith("\n電極はずれ: MLII")
    replaced = {"reason": "replaced", "replaced_by": "ventricular_fibrillation", "value": 190.0, "beats": 9}
    ended = alarm(400, "cleared", 900, kind="ventricular_tachycardia", priority="high", latched=True, **replaced)
    attached = alarm(600, "cleared", 900, kind="lead_off", priority="technical", reason="signal_interrupted")
    resumed = alarm(700, "cleared", 900, kind="no_data", priority="technical", reason="data_resumed", value=6.9)
    script.say(ended, attached, resumed, ActiveAlarms(bed="bed-1", alarms=(ended,)))
    feed.tick()
    assert page.banner.alarm == "*** 心室頻拍: 最大 9 拍、最大 190/分、心室細動 に移行: 終了、未確認"
    rows = [page.alarms.item(row).text().split("\n")[1] for row in range(page.alarms.count())]
    assert rows == [
        "データ受信を再開",
        "電極はずれ: MLII、信号が途切れたため終了時刻は不明",
        "予測逸脱: 実測 1.00 mV、予測 0.10 mV(MLII、100 ms 先)",
        "心室頻拍: 最大 9 拍、最大 190/分、心室細動 に移行",
    ]
    check(feed, painted)


def test_each_state_of_a_bed_is_said(feed: MonitorWindow, script: Script, painted: list[str], qtbot: QtBot) -> None:
    script.now += 7 * SECOND
    feed.tick()
    assert "データなし 7 秒" in feed.bed_view.header.link.text()
    check(feed, painted)
    script.connected, script.phrase = False, phrase("broker.connecting", address="mqtt://test:1883")
    feed.tick()
    check(feed, painted)


def test_the_language_changes_while_the_window_is_open(feed: MonitorWindow, painted: list[str], qtbot: QtBot) -> None:
    qtbot.keyClick(feed, Qt.Key.Key_F2)
    dialog = feed.preferences.dialog
    assert isinstance(dialog, PreferencesDialog)
    dialog.language.setCurrentIndex(dialog.language.findData("en"))
    feed.tick()
    assert feed.bed_view.controls.acknowledge.text().startswith("Acknowledge")
    assert "LIVE" in feed.bed_view.header.link.text()
    assert feed.preferences.dialog.windowTitle() == "Settings"
    feed.preferences.dialog.language.setCurrentIndex(feed.preferences.dialog.language.findData("ja"))
    feed.tick()
    check(feed, painted)
    check(feed.preferences.dialog, painted)


@pytest.mark.parametrize("size", [SMALLEST, (1280, 800)])
def test_nothing_is_cut_off_in_japanese_either(feed: MonitorWindow, script: Script, size: tuple[int, int]) -> None:
    feed.resize(*size)
    script.stream(feed, 2)
    QApplication.processEvents()
    assert cut_off(feed) == []
