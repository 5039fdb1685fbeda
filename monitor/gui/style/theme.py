"""Qt side of themes: colours, fonts, flash cycles, and the distribution of a theme to all widgets of a window."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol, runtime_checkable

from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QWidget

from monitor.gui.style.palettes import NIGHT, PAPER, Theme

__all__ = [
    "FLASH_HZ",
    "FONT_FAMILIES",
    "NIGHT",
    "PAPER",
    "STARS",
    "Theme",
    "Themed",
    "apply_theme",
    "colour",
    "font",
    "font_families",
    "font_scale",
    "lit",
    "px",
    "set_extra_families",
    "set_font_scale",
    "unscaled_font",
]

FONT_FAMILIES = ["Inter", "Roboto", "Helvetica Neue", "Segoe UI", "DejaVu Sans", "sans-serif"]
STARS = {"high": "***", "medium": "**", "low": "*", "technical": ""}
FLASH_HZ = {"high": 2.0, "medium": 0.6}
"""Flash frequency by priority, as monitors' manuals state it; other priorities do not flash."""


@runtime_checkable
class Themed(Protocol):
    """A widget that supports changes of the theme."""

    def apply_theme(self, theme: Theme) -> None:
        """Apply a theme; also called after changes of font size and language."""
        ...


def apply_theme(root: QWidget, theme: Theme) -> None:
    """Apply a theme to a widget and all its descendants, from the outermost inwards."""
    for widget in [root, *root.findChildren(QWidget)]:
        if isinstance(widget, Themed):
            widget.apply_theme(theme)


def colour(text: str) -> QColor:
    """Return Qt's colour for ``#rrggbb`` or ``#aarrggbb``."""
    return QColor(text)


# --- fonts ------------------------------------------------------------------------------------------------------------

# Global to the process, like Qt's default font.
_font_scale = {"value": 1.0}
_extra_families: list[str] = []


def set_font_scale(scale: float) -> None:
    """Set the scale of fonts and of lengths from `px`; `apply_theme` updates the widgets."""
    _font_scale["value"] = scale


def set_extra_families(families: list[str]) -> None:
    """Set additional font families, for characters that the standard ones lack."""
    _extra_families[:] = families


def font_families() -> list[str]:
    """Return the font families in order of preference."""
    return [*FONT_FAMILIES[:-1], *_extra_families, FONT_FAMILIES[-1]]


def font_scale() -> float:
    """Return the scale of fonts; 1 is the normal size, which fits into a window of 800 × 480 px."""
    return _font_scale["value"]


def px(pixels: float) -> int:
    """Return a length in pixels, scaled with the fonts."""
    return round(pixels * _font_scale["value"])


def font(pixels: int, bold: bool = False) -> QFont:
    """Return the interface font, with digits of equal width, at a size in pixels that scales with the font size."""
    return unscaled_font(px(pixels), bold)


def unscaled_font(pixels: float, bold: bool = False) -> QFont:
    """Return the interface font at a size in pixels of the painter, for drawings in millimetres."""
    return _font(max(round(pixels), 1), bold, tuple(font_families()))


@lru_cache(maxsize=256)
def _font(pixels: int, bold: bool, families: tuple[str, ...]) -> QFont:
    """Return a font; it is shared, so nobody may change it. Making one takes longer than drawing a number."""
    result = QFont()
    result.setFamilies(families)
    result.setPixelSize(pixels)
    result.setBold(bold)
    return result


# --- flash cycle------------------------------------------------------------------------------------------------------


def lit(priority: str, now_ns: int) -> bool:
    """Return whether the flash cycle of a priority is in its bright half at a time."""
    rate = FLASH_HZ.get(priority)
    return rate is None or (now_ns / 1e9 * rate) % 1.0 < 0.5
