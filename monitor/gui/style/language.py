"""The language of the window: English in the sources, others from Qt Linguist files, and a font that has their letters.

Every word that people see goes through `translate`, with a context and a text in plain quotes: that is what lupdate
finds. Values are filled in afterwards: ``translate("Numbers", "signal {percent}").format(percent=…)``. Texts that come
from the view model are phrases, and go through `monitor.gui.style.phrases.text_of`.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator
from PySide6.QtGui import QFontDatabase

from monitor.gui.style.theme import set_more_families

LANGUAGES = {"en": "English", "ja": "日本語"}
"""By their codes, each in its own words."""

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
"""Families that have the letters of a language, the best first."""

NO_FONT = "no font here has Japanese letters: install fonts-noto-cjk, or the smaller fonts-ipafont-gothic (Debian)"

_installed: list[QTranslator] = []


def translate(context: str, text: str) -> str:
    """Return a text in the language chosen."""
    return QCoreApplication.translate(context, text)


def QT_TRANSLATE_NOOP(context: str, text: str) -> str:  # noqa: N802, ARG001
    """Mark a text that is to be translated later; lupdate knows it by this name."""
    return text


def system_language() -> str:
    """Return the first of this system's languages that the window speaks."""
    codes = [name.split("-")[0] for name in QLocale.system().uiLanguages()]
    return next((code for code in codes if code in LANGUAGES), "en")


def current() -> str:
    """Return the code of the language chosen."""
    return _installed[0].language() if _installed else "en"


def choose(code: str) -> str:
    """Speak a language from now on; widgets take it with `monitor.gui.style.theme.set_theme`.

    Parameters
    ----------
    code : str
        A key of `LANGUAGES`; empty for that of the system.

    Returns
    -------
    str
        Why it is English instead, in one line; empty where it is not.
    """
    code = code or system_language()
    problem, family = "", ""
    if code in FONTS:
        family = next((name for name in FONTS[code] if name in QFontDatabase.families()), "")
        if not family:
            code, problem = "en", NO_FONT
    if code != current():
        for translator in _installed:
            QCoreApplication.removeTranslator(translator)
        _installed.clear()
        if code != "en":
            _install(code)
    set_more_families([family] if family else [])
    return problem


def _install(code: str) -> None:
    """Install our own texts, and those of Qt's own dialogs where this Qt has them."""
    own = Path(str(files("monitor.gui"))) / "i18n" / f"bedside_{code}.qm"
    qt = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)) / f"qtbase_{code}.qm"
    for path in (own, qt):
        translator = QTranslator()
        if translator.load(str(path)):
            QCoreApplication.installTranslator(translator)
            _installed.append(translator)
