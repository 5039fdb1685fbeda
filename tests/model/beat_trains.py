"""Synthetic beat trains with known conditions."""

from __future__ import annotations

from collections.abc import Sequence

from model.beats.beat import Beat
from model.conditions import settings
from model.conditions.changes import Began, Change
from model.conditions.settings import AlarmConfig
from model.rhythm import rhythm_detector
from model.rhythm.rhythm_detector import RhythmState
from model.rhythm.rules import SignalStatus
from model.rhythm.vitals import VitalSigns
from stream.timebase import FS, STRIDE
from stream.wire.alarm_messages import Limits
from stream.wire.messages import BeatType

CONFIG = settings.load()
LIMITS = Limits(heart_rate_low=20, heart_rate_high=300)
"""Limits so wide that only the rules of high priority are met."""


def per_min(*parts: tuple[float, int, BeatType]) -> list[tuple[float, BeatType]]:
    """Return RR intervals in seconds and types, from parts of (rate, beats, type)."""
    return [(60 / rate, kind) for rate, beats, kind in parts for _ in range(beats)]


def train(
    intervals: Sequence[tuple[float, BeatType]],
    start: int = 0,
    latency: int = 50,
    resemblance: tuple[float, ...] = (1.0, 1.0),
) -> list[Beat]:
    """Return beats with the given RR intervals, s, and types, and equal correlations with the beats before."""
    beats: list[Beat] = []
    time = start / FS
    for seconds, kind in intervals:
        time += seconds
        index = round(time * FS)
        rr = index - beats[-1].index if beats else None
        beats.append(Beat(index, index + latency, kind, rr, resemblance=resemblance))
    return beats


def good_signal(seconds: float, start: int = 0) -> list[SignalStatus]:
    """Return the status of a usable signal without fibrillation."""
    return [SignalStatus(start + (k + 1) * STRIDE - 1) for k in range(int(seconds * FS / STRIDE))]


def run(
    beats: Sequence[Beat],
    signal: Sequence[SignalStatus],
    *,
    start: int = 0,
    config: AlarmConfig = CONFIG,
    limits: Limits = LIMITS,
) -> tuple[list[Change], list[VitalSigns], RhythmState]:
    """Run the rhythm detector; beats reported after the last stride are left out."""
    known = [beat for beat in beats if signal and beat.at <= signal[-1].at]
    changes, vitals, state = rhythm_detector.step(config, limits, rhythm_detector.begin(start), known, signal)
    return list(changes), list(vitals), state


def begun_kinds(changes: Sequence[Change]) -> list[str]:
    """Return the kinds that began, in order."""
    return [change.kind for change in changes if isinstance(change, Began)]


def changes_of(changes: Sequence[Change], kind: str) -> list[Change]:
    """Return the changes of one kind."""
    return [change for change in changes if change.kind == kind]


def beats_with_pause(seconds: float) -> list[Beat]:
    """Return beats with one pause, at a rate at which five of them around the pause are no bradycardia."""
    return train([*per_min((150, 10, "S")), (seconds, "S"), *per_min((150, 30, "S"))])
