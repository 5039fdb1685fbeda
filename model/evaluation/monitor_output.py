"""Output of the arrhythmia analysis on a whole record: beats, rhythm, alarms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from model.beats.beat import Beat
from model.conditions.changes import Began, Change
from model.datasets.pulse_waves import waves_within
from model.pipeline import analysis
from model.pipeline.analysis import Analysis, Models
from model.signal.arrays import BoolArray
from stream.records.record import Record
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind
from stream.wire.messages import Rhythm

PIECE = 100 * FS
"""Samples processed at once."""


@dataclass(frozen=True, slots=True)
class MonitorOutput:
    """Output of the monitor on a record.

    Attributes
    ----------
    n : int
        Samples of the record.
    beats : tuple of Beat
    rhythm : tuple of (int, str)
        Last sample of each second, and the rhythm label of that second.
    changes : tuple of Began or Ended
    """

    n: int
    beats: tuple[Beat, ...]
    rhythm: tuple[tuple[int, Rhythm], ...]
    changes: tuple[Change, ...]

    def alarms(self, kinds: Iterable[AlarmKind]) -> list[tuple[int, int]]:
        """Return the alarms of some kinds: the sample at which each was raised, and the one at which it ended."""
        wanted = frozenset(kinds)
        found = []
        for number, change in enumerate(self.changes):
            if isinstance(change, Began) and change.kind in wanted:
                later = self.changes[number + 1 :]
                stop = next((c.at for c in later if not isinstance(c, Began) and c.kind == change.kind), self.n)
                found.append((change.at, stop))
        return found

    def in_alarm(self, kinds: Iterable[AlarmKind]) -> BoolArray:
        """Return which samples lie within an alarm of some kinds, shape (n,)."""
        marked = np.zeros(self.n, bool)
        for raised, stop in self.alarms(kinds):
            marked[raised:stop] = True
        return marked


Monitor = Callable[[Record], MonitorOutput]


def monitor_of(models: Models) -> Monitor:
    """Return the arrhythmia analysis as a function of a record; no rhythm alarm depends on the forecast."""

    def monitor(record: Record) -> MonitorOutput:
        state = analysis.begin(models, record.leads, 0, 0)
        parts: list[Analysis] = []
        mv = record.mv()
        for first in range(0, record.n, PIECE):
            piece = mv[first : first + PIECE]
            waves = waves_within(record, first, first + len(piece))
            found, state = analysis.step_without_forecast(models, models.alarms.limits, state, piece, waves)
            parts.append(found)
        parts.append(analysis.finish(models, state))
        return MonitorOutput(
            record.n,
            tuple(beat for part in parts for beat in part.beats),
            tuple((vitals.index, vitals.rhythm) for part in parts for vitals in part.vitals),
            tuple(change for part in parts for change in part.changes),
        )

    return monitor
