"""Episodes of a rhythm and the alarms that report them.

An episode is found if an alarm of its kind is raised from `EARLY_S` before the definition of the rhythm is met until
the allowed delay after it, or is active then. The delay is measured from when the definition is met; for an annotated
interval that is its first sample. If only an alarm that silences this kind is active
(`model.conditions.precedence.SUPPRESSED_BY`), the episode is found and counted separately as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from model.conditions.precedence import SUPPRESSED_BY
from model.evaluation.monitor_output import MonitorOutput
from model.evaluation.reference_events import RhythmEvent
from model.evaluation.truth import ALARMS, Style
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind

EARLY_S = 1.0
"""Seconds before the definition of an event is met in which its alarm may be raised."""

ALLOWED_S: Mapping[AlarmKind, float] = {
    "asystole": 1.0,
    "ventricular_tachycardia": 3.0,
    "ventricular_fibrillation": 10.0,
    "extreme_bradycardia": 1.0,
    "extreme_tachycardia": 1.0,
}
"""Longest accepted delay in seconds after the definition of an event in the reference beats is met."""

NOTE_ALLOWED_S = 10.0
"""The same after an annotated onset: monitors raise these alarms within 10 s (ANSI/AAMI EC13)."""

AF_ALLOWED_S = 120.0
"""The same for atrial fibrillation, which is known from 127 beats."""


@dataclass(frozen=True, slots=True)
class EpisodeScore:
    """Detection of the episodes of one kind; scores can be added.

    Attributes
    ----------
    events, found : int
    by_graver : int
        Found episodes that were reported only by an alarm of a kind that silences this one.
    delays_s : tuple of float
        Delay of each found episode in seconds.
    """

    events: int = 0
    found: int = 0
    by_graver: int = 0
    delays_s: tuple[float, ...] = ()

    def __add__(self, other: EpisodeScore) -> EpisodeScore:
        return EpisodeScore(
            self.events + other.events,
            self.found + other.found,
            self.by_graver + other.by_graver,
            self.delays_s + other.delays_s,
        )

    @property
    def delay_s_max(self) -> float:
        """Longest delay in seconds; NaN if none was found."""
        return max(self.delays_s, default=math.nan)

    @property
    def delay_s_median(self) -> float:
        """Median delay in seconds; NaN if none was found."""
        return median(self.delays_s) if self.delays_s else math.nan


def allowed_s(kind: AlarmKind, style: Style) -> float:
    """Return the longest accepted delay in seconds of the alarm of an event."""
    if kind == "atrial_fibrillation":
        return AF_ALLOWED_S
    return ALLOWED_S[kind] if style == "typed beats" else NOTE_ALLOWED_S


def find(events: Iterable[RhythmEvent], output: MonitorOutput, key: str, style: Style) -> EpisodeScore:
    """Return how episodes of one rhythm were found.

    Parameters
    ----------
    events : iterable of RhythmEvent
    output : MonitorOutput
    key : str
        A key of `model.evaluation.truth.ALARMS`.
    style : str
        Of the annotations, for the longest accepted delay of each.
    """
    kinds = ALARMS[key]
    silencing = {other for kind in kinds for other in SUPPRESSED_BY[kind]} - set(kinds)
    own, graver = output.alarms(kinds), output.alarms(silencing)
    total = EpisodeScore()
    for event in events:
        allowed = round(allowed_s(event.kind, style) * FS)
        own_delays, other_delays = (_delays(event, alarms, allowed) for alarms in (own, graver))
        delays = own_delays or other_delays
        found = (min(delays) / FS,) if delays else ()
        total += EpisodeScore(1, len(found), bool(found and not own_delays), found)
    return total


def _delays(event: RhythmEvent, alarms: Sequence[tuple[int, int]], allowed: int) -> list[int]:
    return [
        max(raised - event.met, 0)
        for raised, stop in alarms
        if raised <= event.met + allowed and stop >= event.met - round(EARLY_S * FS)
    ]
