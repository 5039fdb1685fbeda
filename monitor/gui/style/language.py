"""Language of the window: English in the sources, other languages from Qt Linguist files, with a suitable font.

Every fixed text is translated by `translate` with a context and a literal text, because lupdate extracts literals.
Values are inserted afterwards: ``translate("Numbers", "signal {percent}").format(percent=…)``. Texts of the view model
are phrases, rendered by `monitor.gui.style.text_lookup.text_of`.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator
from PySide6.QtGui import QFontDatabase

from monitor.gui.style.theme import set_extra_families

LANGUAGES = {"en": "English", "ja": "日本語"}
"""Names of the languages, each in itself, by code."""

FONTS = {
    "ja": (
        "Noto Sans CJK JP",
        "Noto Sans JP",
        "Hiragino Sans",
        "Hiragino Kaku Gothic ProN",
        "Yu Gothic UI",
        "Yu Gothic",
        "Meiryo",
        "IPAexGothic",
        "IPAPGothic",
        "VL PGothic",
        "MS PGothic",
    )
}
"""Font families with the characters of a language, in order of preference."""

NO_FONT = "no installed font has Japanese characters: install fonts-noto-cjk or fonts-ipafont-gothic (Debian packages)"

_installed: list[QTranslator] = []


def translate(context: str, text: str) -> str:
    """Return a text in the current language."""
    return QCoreApplication.translate(context, text)


def QT_TRANSLATE_NOOP(context: str, text: str) -> str:  # noqa: N802, ARG001
    """Mark a text for translation; lupdate recognizes this name."""
    return text


def system_language() -> str:
    """Return the first of the system's languages that the window supports."""
    codes = [name.split("-")[0] for name in QLocale.system().uiLanguages()]
    return next((code for code in codes if code in LANGUAGES), "en")


def current_language() -> str:
    """Return the code of the current language."""
    return _installed[0].language() if _installed else "en"


def set_language(code: str) -> str:
    """Set the language; `monitor.gui.style.theme.apply_theme` updates the widgets.

    Parameters
    ----------
    code : str
        A key of `LANGUAGES`; empty for that of the system.

    Returns
    -------
    str
        Reason why English is used instead, in one line; else empty.
    """
    code = code or system_language()
    problem, family = "", ""
    if code in FONTS:
        family = next((name for name in FONTS[code] if name in QFontDatabase.families()), "")
        if not family:
            code, problem = "en", NO_FONT
    if code != current_language():
        for translator in _installed:
            QCoreApplication.removeTranslator(translator)
        _installed.clear()
        if code != "en":
            _install(code)
    set_extra_families([family] if family else [])
    return problem


def _install(code: str) -> None:
    """Install bedside's texts, and those of Qt's dialogs if available."""
    own = Path(str(files("monitor.gui"))) / "i18n" / f"bedside_{code}.qm"
    qt = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)) / f"qtbase_{code}.qm"
    for path in (own, qt):
        translator = QTranslator()
        if translator.load(str(path)):
            QCoreApplication.installTranslator(translator)
            _installed.append(translator)
