"""From a theme to Qt: colours, letters, flashes; and how a theme reaches every widget of a window."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QWidget

from monitor.gui.style.palettes import NIGHT, PAPER, Theme

__all__ = [
    "FAMILIES",
    "FLASH_HZ",
    "NIGHT",
    "PAPER",
    "STARS",
    "Theme",
    "Themed",
    "apply_theme",
    "colour",
    "families",
    "fixed_font",
    "font",
    "letter_scale",
    "lit",
    "px",
    "set_letter_scale",
    "set_more_families",
]

FAMILIES = ["Inter", "Roboto", "Helvetica Neue", "Segoe UI", "DejaVu Sans", "sans-serif"]
STARS = {"high": "***", "medium": "**", "low": "*", "technical": ""}
FLASH_HZ = {"high": 2.0, "medium": 0.6}
"""Alarms of other priorities stand still. Rates as monitors' manuals give them."""


@runtime_checkable
class Themed(Protocol):
    """A widget that can change its theme while it is shown."""

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme, or the same one with letters of another size."""
        ...


def apply_theme(root: QWidget, theme: Theme) -> None:
    """Apply a theme to a widget and to all in it, the outermost first."""
    for widget in [root, *root.findChildren(QWidget)]:
        if isinstance(widget, Themed):
            widget.apply_theme(theme)


def colour(text: str) -> QColor:
    """Return Qt's colour for ``#rrggbb`` or ``#aarrggbb``."""
    return QColor(text)


# --- letters ----------------------------------------------------------------------------------------------------------

# Of the whole process, as Qt's own default font is.
_letters = {"scale": 1.0}
_more_families: list[str] = []


def set_letter_scale(scale: float) -> None:
    """Make letters, and the room that they need, so many times as large; widgets take it with `apply_theme`."""
    _letters["scale"] = scale


def set_more_families(families: list[str]) -> None:
    """Name fonts for letters that the usual ones do not have."""
    _more_families[:] = families


def families() -> list[str]:
    """Return the fonts to look for letters in, the first choice first."""
    return [*FAMILIES[:-1], *_more_families, FAMILIES[-1]]


def letter_scale() -> float:
    """Return how large letters are; 1 is the size that a window of 800 × 480 pixels has room for."""
    return _letters["scale"]


def px(pixels: float) -> int:
    """Return a length that grows with the letters."""
    return round(pixels * _letters["scale"])


def font(pixels: int, bold: bool = False) -> QFont:
    """Return the interface font, whose digits keep their width, at a height in pixels that grows with the letters."""
    return fixed_font(px(pixels), bold)


def fixed_font(pixels: float, bold: bool = False) -> QFont:
    """Return the interface font at a height in pixels of the painter, for what is drawn in millimetres."""
    made = QFont()
    made.setFamilies(families())
    made.setPixelSize(max(round(pixels), 1))
    made.setBold(bold)
    return made


# --- flashes ----------------------------------------------------------------------------------------------------------


def lit(priority: str, now_ns: int) -> bool:
    """Return whether a flashing alarm is in its bright half at this moment."""
    rate = FLASH_HZ.get(priority)
    return rate is None or (now_ns / 1e9 * rate) % 1.0 < 0.5
