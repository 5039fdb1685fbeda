"""Themes of the monitor: night, day, colour-blind safe, and paper for printing. No Qt, so that tests can read them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from monitor.view.link import LinkState
from stream.wire.wave_message import Signal


@dataclass(frozen=True)
class Theme:
    """Colours in Qt's notation (``#rrggbb``, ``#aarrggbb``), and line widths in pixels.

    Attributes
    ----------
    name : str
        Value of the preference ``theme``.
    ground, panel : str
        Background of traces, and of texts and numbers.
    edge, grid, grid_fine : str
        Separators, and lines of the ECG grid.
    text, faint : str
    ecg, forecast, band, band_edge, predicted, score, threshold, simulation, calipers : str
        Curves, and texts that belong to them.
    wave : dict of str to str
        Waves other than ECG, and their numbers.
    priority, priority_tint : dict of str to str
        For alarms: text colour on `ground`, `panel` or the tint; the tint.
    signal, signal_ink : dict of str to str
        For unacknowledged alarms: background, visible from afar, and text colour on it.
    busy, live : str
        For the connection of a bed: learning, live. All other states have the colour of technical alarms.
    stale_opacity : float
        Opacity of a stale trace.
    """

    name: str
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
    band_edge: str
    predicted: str
    score: str
    threshold: str
    simulation: str
    calipers: str
    wave: dict[Signal, str]
    priority: dict[str, str]
    priority_tint: dict[str, str]
    signal: dict[str, str]
    signal_ink: dict[str, str]
    busy: str
    live: str
    trace_px: float = 2.0
    predicted_px: float = 1.5
    thin_px: float = 1.0
    stale_opacity: float = 0.3

    @property
    def technical(self) -> str:
        """Text colour of technical alarms."""
        return self.priority["technical"]

    def link(self, state: LinkState) -> str:
        """Return the text colour for the connection state of a bed."""
        if state is LinkState.LIVE:
            return self.live
        return self.busy if state is LinkState.LEARNING else self.technical


NIGHT = Theme(
    name="night",
    ground="#000000",
    panel="#0b0e11",
    edge="#2a3238",
    grid="#16241b",
    grid_fine="#0d1510",
    text="#e8edf0",
    faint="#8b979f",
    ecg="#00e85c",
    forecast="#ff6bff",
    band="#66d040d0",
    band_edge="#b04ab0",
    predicted="#7c397c",
    score="#9fc9ff",
    threshold="#ffd400",
    simulation="#ffb000",
    calipers="#6fe6ff",
    wave={
        "pleth": "#19d3e6",
        "abp": "#ff5a5a",
        "pap": "#c9c9d6",
        "cvp": "#6ea2ff",
        "resp": "#f2efb4",
        "co2": "#b9c4c9",
    },
    priority={"high": "#ff4646", "medium": "#ffe000", "low": "#ffd400", "technical": "#7fd4ff"},
    priority_tint={"high": "#420606", "medium": "#2e2800", "low": "#262100", "technical": "#0c2c3c"},
    signal={"high": "#ff2a2a", "medium": "#ffe000", "low": "#ffd400", "technical": "#7fd4ff"},
    signal_ink={"high": "#000000", "medium": "#000000", "low": "#000000", "technical": "#000000"},
    busy="#c9b6ff",
    live="#00e85c",
)

DAY = Theme(
    name="day",
    ground="#fbfcfa",
    panel="#eef1f2",
    edge="#b9c2c7",
    grid="#f0c4c4",
    grid_fine="#f8e4e4",
    text="#12181c",
    faint="#4f5a62",
    ecg="#00662b",
    forecast="#a1009b",
    band="#66c050c0",
    band_edge="#b45cb4",
    predicted="#cf8fcf",
    score="#1b4f9c",
    threshold="#855200",
    simulation="#8f4300",
    calipers="#0050b4",
    wave={
        "pleth": "#006673",
        "abp": "#b01030",
        "pap": "#5a4a6a",
        "cvp": "#2438b8",
        "resp": "#6a5400",
        "co2": "#4a555c",
    },
    priority={"high": "#b80000", "medium": "#6f5500", "low": "#6f5500", "technical": "#00577f"},
    priority_tint={"high": "#ffdcdc", "medium": "#fff1a8", "low": "#fff7d2", "technical": "#d3ebf8"},
    signal={"high": "#d40000", "medium": "#ffd800", "low": "#ffe98a", "technical": "#9fd8f5"},
    signal_ink={"high": "#ffffff", "medium": "#000000", "low": "#000000", "technical": "#000000"},
    busy="#5a3fa8",
    live="#00662b",
    stale_opacity=0.35,
)

SAFE = replace(
    NIGHT,
    name="safe",
    grid="#16222c",
    grid_fine="#0d141a",
    ecg="#56b4e9",
    forecast="#cc79a7",
    band="#73a05a84",
    band_edge="#a06484",
    predicted="#7a5068",
    score="#8080f4",
    threshold="#f0e442",
    simulation="#e69f00",
    calipers="#ffffff",
    wave={
        "pleth": "#25c79b",
        "abp": "#f58a52",
        "pap": "#c8c8c8",
        "cvp": "#8f9cff",
        "resp": "#f3ecb0",
        "co2": "#b4bcc0",
    },
    priority={"high": "#f07030", "medium": "#f0e442", "low": "#f0e442", "technical": "#d5dde2"},
    priority_tint={"high": "#3c1a00", "medium": "#2c2a08", "low": "#242206", "technical": "#262c30"},
    signal={"high": "#e0660a", "medium": "#f0e442", "low": "#f0e442", "technical": "#c3ccd2"},
    busy="#c9b6ff",
    live="#56b4e9",
)
"""Colours of Okabe and Ito, brightened where texts need it: sky blue, reddish purple, vermilion, yellow."""

THEMES = {theme.name: theme for theme in (NIGHT, DAY, SAFE)}
"""Themes that can be selected, in the order of the key that switches them."""

PAPER = replace(
    DAY,
    name="paper",
    ground="#ffffff",
    panel="#ffffff",
    grid="#f0a8a8",
    grid_fine="#fbdcdc",
    ecg="#000000",
    predicted="#d070d0",
)
"""ECG paper, for printing."""


def next_theme(theme: Theme) -> Theme:
    """Return the theme after this one; the first after the last."""
    names = list(THEMES)
    at = names.index(theme.name) + 1 if theme.name in names else 0
    return THEMES[names[at % len(names)]]
