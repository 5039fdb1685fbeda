"""User preferences, kept in an INI file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

from PySide6.QtCore import QByteArray, QSettings, QStandardPaths

from monitor.gui.style.language import LANGUAGES
from monitor.gui.style.palettes import NIGHT, THEMES
from monitor.view.trace import GAINS, SPEEDS
from stream.wire.fields import MAX_LEADS
from stream.wire.wave_message import Signal

_FOLDER = QStandardPaths.StandardLocation.GenericConfigLocation

FONT_SIZE_RANGE = (80, 200)
"""Smallest and largest font size, per cent."""

LEADS_RANGE = (1, MAX_LEADS)

WAVES: tuple[Signal, ...] = get_args(Signal)
"""Waves other than ECG, in their usual order."""

PX_PER_MM_RANGE = (1.0, 40.0)
"""Plausible screen resolutions, px per mm: from a video wall to a telephone."""


@dataclass(frozen=True)
class Preferences:
    """User preferences; the field names are the keys of the INI file.

    Attributes
    ----------
    theme : str
        A key of `THEMES`.
    language : str
        A key of `LANGUAGES`; empty for that of the system.
    letters : int
        Font size, per cent.
    speed : float
        Paper speed in mm/s, one of `SPEEDS`.
    gain : float
        Gain in mm/mV, one of `GAINS`; 0 fits it to the signal.
    forecast : str
        ``off``, ``ahead`` of the cursor, or ``both``: ahead, and the earlier one under the trace.
    leads : int
        Largest number of ECG leads shown, 1 to 12; fewer where they have no room.
    lead_names : str
        Which ECG leads are shown, from top to bottom, separated by commas; empty for the first ones of each bed, of
        which two are analysed.
    waves : str
        The waves shown, from top to bottom, separated by spaces: some of `WAVES`.
    grid : str
        ``off``, ``large`` or ``fine``.
    trend : bool
        Whether the trend is shown.
    engineer : bool
        Whether the drawer with anomaly score and arrival statistics is open.
    px_per_mm : float
        Measured screen resolution; 0 uses the one reported by Qt.
    welcomed : bool
        Whether the introduction was closed.
    geometry : bytes
        Position and size of the window, in Qt's format.
    """

    theme: str = NIGHT.name
    language: str = ""
    letters: int = 100
    speed: float = 25.0
    gain: float = 0.0
    forecast: str = "ahead"
    leads: int = 2
    lead_names: str = ""
    waves: str = " ".join(WAVES)
    grid: str = "large"
    trend: bool = False
    engineer: bool = False
    px_per_mm: float = 0.0
    welcomed: bool = False
    geometry: bytes = b""

    @cached_property
    def shown_leads(self) -> tuple[str, ...]:
        """Names of the ECG leads that are shown, in order; none for the first ones of each bed."""
        return tuple(name.strip() for name in self.lead_names.split(",") if name.strip())

    @cached_property
    def shown_waves(self) -> tuple[Signal, ...]:
        """The waves shown, in order."""
        return tuple(sorted((name for name in WAVES if name in self.waves.split()), key=self.waves.split().index))


def user_file() -> Path:
    """Return the path of the user's INI file: ``~/.config/bedside/monitor.ini`` on Linux."""
    return Path(QStandardPaths.writableLocation(_FOLDER)) / "bedside" / "monitor.ini"


class PreferencesStore:
    """User preferences and their file.

    Parameters
    ----------
    path : Path or None
        The INI file, created if missing; None keeps the preferences only in memory.

    Attributes
    ----------
    current : Preferences
    problem : str
        Reason why they cannot be saved, in one line; else empty.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else QSettings(str(path), QSettings.Format.IniFormat)
        self.problem = ""
        self.current = Preferences() if self._file is None else _read(self._file)

    def change(self, **changes: Any) -> None:
        """Change values and save them at once, so that they survive a killed process."""
        before, self.current = self.current, replace(self.current, **changes)
        if self._file is None:
            return
        for name in changes:
            value = getattr(self.current, name)
            if value != getattr(before, name):
                self._file.setValue(name, QByteArray(value) if isinstance(value, bytes) else value)
        self._file.sync()
        if self._file.status() is not QSettings.Status.NoError:
            self.problem = f"settings cannot be saved: {self._file.fileName()} is not writable"


def _read(file: QSettings) -> Preferences:
    """Return the preferences in a file; missing and invalid values are replaced by their defaults."""
    values = {}
    for field in fields(Preferences):
        value = file.value(field.name)
        if value is not None:
            try:
                values[field.name] = _PARSERS[field.name](value)
            except (ValueError, TypeError):
                continue
    return Preferences(**values)


def _one_of(choices: tuple[Any, ...], kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def parse(value: object) -> object:
        parsed = kind(value)
        if parsed not in choices:
            raise ValueError
        return parsed

    return parse


def _within(low: float, high: float, kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def parse(value: object) -> object:
        parsed = kind(value)
        if not low <= parsed <= high:
            raise ValueError
        return parsed

    return parse


def _bool(value: object) -> bool:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _waves(value: object) -> str:
    names = str(value).split()
    if len(set(names)) < len(names) or not set(names) <= set(WAVES):
        raise ValueError
    return " ".join(names)


def _lead_names(value: object) -> str:
    # Qt reads a text with commas as a list.
    return ",".join(value) if isinstance(value, list) else str(value)


def _px_per_mm(value: Any) -> float:
    resolution = float(value)
    return resolution if resolution == 0 else float(_within(*PX_PER_MM_RANGE, float)(resolution))


def _bytes(value: object) -> bytes:
    if not isinstance(value, QByteArray):
        raise TypeError
    return bytes(value.data())


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "theme": _one_of(tuple(THEMES), str),
    "language": _one_of(("", *LANGUAGES), str),
    "letters": _within(*FONT_SIZE_RANGE, int),
    "speed": _one_of(SPEEDS, float),
    "gain": _one_of((0.0, *GAINS), float),
    "forecast": _one_of(("off", "ahead", "both"), str),
    "grid": _one_of(("off", "large", "fine"), str),
    "leads": _within(*LEADS_RANGE, int),
    "lead_names": _lead_names,
    "waves": _waves,
    "trend": _bool,
    "engineer": _bool,
    "px_per_mm": _px_per_mm,
    "welcomed": _bool,
    "geometry": _bytes,
}
