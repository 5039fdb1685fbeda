"""Colours and sizes of the monitor; another look is another `Theme`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtGui import QColor, QFont

from monitor.frame import LinkState

FAMILIES = ["Inter", "Roboto", "Helvetica Neue", "Segoe UI", "DejaVu Sans", "sans-serif"]
STARS = {"high": "***", "medium": "**", "low": "*", "technical": ""}
FLASH_HZ = {"high": 2.0, "medium": 0.6}
"""Alarms of other priorities stand still. Rates as monitors' manuals give them."""


@dataclass(frozen=True)
class Theme:
    """Colours, as Qt writes them, and line widths in pixels."""

    ground: str
    panel: str
    edge: str
    grid: str
    grid_fine: str
    text: str
    faint: str
    ecg: str
    forecast: str
    band: str
    ghost: str
    score: str
    threshold: str
    simulation: str
    calipers: str
    priority: dict[str, str]
    priority_tint: dict[str, str]
    link: dict[LinkState, str]
    trace_px: float = 2.0
    ghost_px: float = 1.5
    thin_px: float = 1.0
    stale_opacity: float = 0.3


NIGHT = Theme(
    ground="#000000",
    panel="#0b0e11",
    edge="#22292f",
    grid="#16241b",
    grid_fine="#0d1510",
    text="#e8edf0",
    faint="#8b979f",
    ecg="#00e85c",
    forecast="#ff6bff",
    band="#66d040d0",
    ghost="#7c397c",
    score="#9fc9ff",
    threshold="#ffd400",
    simulation="#ffb000",
    calipers="#6fe6ff",
    priority={"high": "#ff2a2a", "medium": "#ffe000", "low": "#ffd400", "technical": "#7fd4ff"},
    priority_tint={"high": "#420606", "medium": "#2e2800", "low": "#262100", "technical": "#0c2c3c"},
    link={
        LinkState.NO_BROKER: "#7fd4ff",
        LinkState.WAITING: "#7fd4ff",
        LinkState.ENDED: "#7fd4ff",
        LinkState.PAUSED: "#6fe6ff",
        LinkState.NO_DATA: "#7fd4ff",
        LinkState.NO_WORKER: "#7fd4ff",
        LinkState.NO_FORECAST: "#7fd4ff",
        LinkState.LEARNING: "#c9b6ff",
        LinkState.LIVE: "#00e85c",
    },
)


PAPER = replace(
    NIGHT,
    ground="#ffffff",
    panel="#ffffff",
    edge="#b0b0b0",
    grid="#f0a8a8",
    grid_fine="#fbdcdc",
    text="#101010",
    faint="#505860",
    ecg="#000000",
    forecast="#b000b0",
    ghost="#d070d0",
    score="#2050a0",
    threshold="#a06000",
    simulation="#a04000",
    calipers="#0050c8",
    priority={"high": "#c00000", "medium": "#a07800", "low": "#907000", "technical": "#006090"},
    priority_tint={"high": "#ffd0d0", "medium": "#fff3b8", "low": "#fff8d8", "technical": "#d4ecff"},
)
"""ECG paper, for what is printed."""


def colour(text: str) -> QColor:
    """Return Qt's colour for ``#rrggbb`` or ``#aarrggbb``."""
    return QColor(text)


def font(pixels: int, bold: bool = False) -> QFont:
    """Return the interface font, whose digits keep their width, at a height in pixels."""
    made = QFont()
    made.setFamilies(FAMILIES)
    made.setPixelSize(pixels)
    made.setBold(bold)
    return made


def lit(priority: str, now_ns: int) -> bool:
    """Return whether a flashing alarm is in its bright half at this moment."""
    rate = FLASH_HZ.get(priority)
    return rate is None or (now_ns / 1e9 * rate) % 1.0 < 0.5
