"""Keyboard shortcuts by group, for the help."""

from __future__ import annotations

from monitor.gui.style.language import QT_TRANSLATE_NOOP

GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        QT_TRANSLATE_NOOP("Keys", "Alarms"),
        (
            ("A", QT_TRANSLATE_NOOP("Keys", "acknowledge the alarms of this bed")),
            ("P", QT_TRANSLATE_NOOP("Keys", "pause the tone, or end the pause")),
            ("O", QT_TRANSLATE_NOOP("Keys", "pause all alarms, or end the pause")),
            ("M", QT_TRANSLATE_NOOP("Keys", "mute this monitor, or unmute it")),
            ("L", QT_TRANSLATE_NOOP("Keys", "limits of this bed")),
            ("R", QT_TRANSLATE_NOOP("Keys", "review of the alarm shown, or of the latest")),
        ),
    ),
    (
        QT_TRANSLATE_NOOP("Keys", "Trace"),
        (
            (QT_TRANSLATE_NOOP("Keys", "Space"), QT_TRANSLATE_NOOP("Keys", "freeze, or return to live")),
            ("← → Home End", QT_TRANSLATE_NOOP("Keys", "frozen: move in time")),
            ("S", QT_TRANSLATE_NOOP("Keys", "paper speed")),
            ("+ −", QT_TRANSLATE_NOOP("Keys", "amplitude")),
            ("0", QT_TRANSLATE_NOOP("Keys", "amplitude fitted to the signal")),
            ("G", QT_TRANSLATE_NOOP("Keys", "grid")),
            ("T", QT_TRANSLATE_NOOP("Keys", "trend of all numbers")),
            ("H", QT_TRANSLATE_NOOP("Keys", "hourly values and forecast, if there is an outlook")),
            ("Z", QT_TRANSLATE_NOOP("Keys", "trend: 10 min, 1 h, 8 h; hours: 6, 12, 24, 72")),
            ("W", QT_TRANSLATE_NOOP("Keys", "write the trend of 8 h as CSV")),
            ("V", QT_TRANSLATE_NOOP("Keys", "replay: pause, seek, speed, record")),
            ("E", QT_TRANSLATE_NOOP("Keys", "for engineers: anomaly score, arrivals")),
        ),
    ),
    (
        QT_TRANSLATE_NOOP("Keys", "Beds"),
        (
            ("← → ↑ ↓", QT_TRANSLATE_NOOP("Keys", "next or previous bed")),
            ("1 … 9", QT_TRANSLATE_NOOP("Keys", "bed by number")),
            ("C", QT_TRANSLATE_NOOP("Keys", "central station, or one bed")),
            ("Enter", QT_TRANSLATE_NOOP("Keys", "central station: full view of the bed")),
        ),
    ),
    (
        QT_TRANSLATE_NOOP("Keys", "Window"),
        (
            ("D", QT_TRANSLATE_NOOP("Keys", "night, day, colour-blind safe")),
            ("F2", QT_TRANSLATE_NOOP("Keys", "settings")),
            ("F", QT_TRANSLATE_NOOP("Keys", "full screen")),
            ("F1", QT_TRANSLATE_NOOP("Keys", "about, licences, sources")),
            ("?", QT_TRANSLATE_NOOP("Keys", "this help")),
            ("Q", QT_TRANSLATE_NOOP("Keys", "close")),
        ),
    ),
)
