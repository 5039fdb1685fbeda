"""ST levels of a bed as shown: of each lead, and their change since the patient's baseline. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from stream.wire.numerics_message import Numeric, Numerics

SHOWN_S = 20.0
"""Age up to which a level is shown, s: without other waves, a worker sends them every 5 s."""


@dataclass(frozen=True, slots=True)
class StLevel:
    """The level of a lead, and its change since the baseline; mV, None if unknown."""

    lead: str
    level: float | None
    change: float | None


def st_levels(message: Numerics | None, since_s: float) -> tuple[StLevel, ...]:
    """Return the levels of a worker's message, ``since_s`` after it was received, in the order of the leads."""
    if message is None:
        return ()

    def shown(value: Numeric | None) -> float | None:
        return None if value is None or value.value is None or value.age_s + since_s > SHOWN_S else value.value

    leads = [value.lead for value in message.values if value.name == "st" and value.lead is not None]
    return tuple(
        StLevel(lead, shown(message.value_of("st", lead)), shown(message.value_of("st_change", lead))) for lead in leads
    )


def st_text(levels: tuple[StLevel, ...], *, change: bool) -> str:
    """Return the levels as one line, such as ``MLII -0.13  V1 +0.02``; with the change since the baseline after each.

    A level that is not known reads ``--``; empty if none is known.
    """
    if all(level.level is None for level in levels):
        return ""
    return "  ".join(f"{level.lead} {_text(level.level)}{_changed(level) if change else ''}" for level in levels)


def _changed(level: StLevel) -> str:
    return "" if level.level is None or level.change is None else f" ({_text(level.change)})"


def _text(mv: float | None) -> str:
    return "--" if mv is None else f"{mv:+z.2f}"
