"""Output of the arrhythmia analysis on whole records: beats, rhythm, alarms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from model.beats.beat import Beat
from model.conditions.changes import Began, Change
from model.console.progress import progress
from model.signal.arrays import BoolArray
from stream.records.record import Record
from stream.timebase import FS
from stream.wire.alarm_messages import AlarmKind
from stream.wire.messages import Rhythm

if TYPE_CHECKING:
    from model.pipeline.analysis import Analysis, Models

PIECE = 100 * FS
"""Samples of each record processed at once."""


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


Monitor = Callable[[Sequence[Record]], list[MonitorOutput]]
"""Analyses records, and returns the output for each."""


def monitor_of(models: Models) -> Monitor:
    """Return the arrhythmia analysis as a function of records; no rhythm alarm depends on the forecast."""
    # Imported here: the live score needs outputs, but no analysis.
    from model.datasets.pieces import pieces
    from model.pipeline.signals import Signal, analyze_signals

    def monitor(records: Sequence[Record]) -> list[MonitorOutput]:
        parts: list[list[Analysis]] = [[] for _ in records]
        signals = [Signal(record.leads, pieces(record, PIECE)) for record in records]
        with progress("beats and rhythm, pieces", sum(1 + -(-record.n // PIECE) for record in records)) as update:
            for done, (number, found) in enumerate(analyze_signals(models, signals, forecast=False), 1):
                parts[number].append(found)
                update(done)
        return [_output(record.n, own) for record, own in zip(records, parts, strict=True)]

    return monitor


def _output(n: int, parts: Sequence[Analysis]) -> MonitorOutput:
    return MonitorOutput(
        n,
        tuple(beat for part in parts for beat in part.beats),
        tuple((vitals.index, vitals.rhythm) for part in parts for vitals in part.vitals),
        tuple(change for part in parts for change in part.changes),
    )
