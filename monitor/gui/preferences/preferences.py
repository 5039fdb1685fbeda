"""What a person has set and finds again at the next start, in an INI file of the user's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings, QStandardPaths

from monitor.gui.style.language import LANGUAGES
from monitor.gui.style.palettes import NIGHT, THEMES
from monitor.view.trace import GAINS, SPEEDS

_FOLDER = QStandardPaths.StandardLocation.GenericConfigLocation

LETTERS = (80, 200)
"""Smallest and largest size of letters, per cent."""

PX_PER_MM = (1.0, 40.0)
"""What a screen can be: a wall of it seen from afar, and a telephone."""


@dataclass(frozen=True)
class Preferences:
    """All that is remembered.

    Attributes
    ----------
    theme : str
        A key of `THEMES`.
    language : str
        A key of `LANGUAGES`; empty for that of the system.
    letters : int
        Size of letters, per cent.
    speed : float
        mm/s, one of `SPEEDS`.
    gain : float
        mm/mV, one of `GAINS`; 0 fits the amplitude to the signal.
    grid : str
        ``off``, ``large`` or ``fine``.
    trend : bool
        Whether the last hours are shown.
    px_per_mm : float
        Of the screen, as somebody has measured; 0: as Qt says.
    welcomed : bool
        Whether somebody has read what the window shows.
    geometry : bytes
        Place and size of the window, as Qt writes them.
    """

    theme: str = NIGHT.name
    language: str = ""
    letters: int = 100
    speed: float = 25.0
    gain: float = 10.0
    grid: str = "large"
    trend: bool = False
    px_per_mm: float = 0.0
    welcomed: bool = False
    geometry: bytes = b""


def own_file() -> Path:
    """Return where this user's settings lie: ``~/.config/bedside/monitor.ini`` on Linux."""
    return Path(QStandardPaths.writableLocation(_FOLDER)) / "bedside" / "monitor.ini"


class PreferencesStore:
    """Settings, and the file that keeps them.

    Parameters
    ----------
    path : Path or None
        The INI file; it need not be there yet. None forgets all at the end.

    Attributes
    ----------
    now : Preferences
    problem : str
        Why they cannot be kept, in one line; empty while they can.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else QSettings(str(path), QSettings.Format.IniFormat)
        self.problem = ""
        self.now = Preferences() if self._file is None else _read(self._file)

    def change(self, **changes: Any) -> None:
        """Keep other values, at once: who ends by being killed finds them again."""
        before, self.now = self.now, replace(self.now, **changes)
        if self._file is None:
            return
        for name in changes:
            value = getattr(self.now, name)
            if value != getattr(before, name):
                self._file.setValue(name, QByteArray(value) if isinstance(value, bytes) else value)
        self._file.sync()
        if self._file.status() is not QSettings.Status.NoError:
            self.problem = f"settings are not kept: {self._file.fileName()} cannot be written"


def _read(file: QSettings) -> Preferences:
    """Return what the file says; a value that cannot be is as if it were not there."""
    found = {}
    for field in fields(Preferences):
        value = file.value(field.name)
        if value is not None:
            try:
                found[field.name] = _READ[field.name](value)
            except (ValueError, TypeError):
                continue
    return Preferences(**found)


def _one_of(choices: tuple[Any, ...], kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read(value: object) -> object:
        made = kind(value)
        if made not in choices:
            raise ValueError
        return made

    return read


def _within(low: float, high: float, kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read(value: object) -> object:
        made = kind(value)
        if not low <= made <= high:
            raise ValueError
        return made

    return read


def _true(value: object) -> bool:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _scale(value: Any) -> float:
    made = float(value)
    return made if made == 0 else float(_within(*PX_PER_MM, float)(made))


def _bytes(value: object) -> bytes:
    if not isinstance(value, QByteArray):
        raise TypeError
    return bytes(value.data())


_READ: dict[str, Callable[[Any], Any]] = {
    "theme": _one_of(tuple(THEMES), str),
    "language": _one_of(("", *LANGUAGES), str),
    "letters": _within(*LETTERS, int),
    "speed": _one_of(SPEEDS, float),
    "gain": _one_of((0.0, *GAINS), float),
    "grid": _one_of(("off", "large", "fine"), str),
    "trend": _true,
    "px_per_mm": _scale,
    "welcomed": _true,
    "geometry": _bytes,
}
