"""The scores of all beds on a broker: which messages belong to which bed, and when a record has ended. No socket."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from model.evaluation.live_scores import BedScore
from stream.clock import rfc3339
from stream.mqtt.client import Received
from stream.timebase import FS
from stream.wire.bed_places import PLACES_VARIABLE, BedPlaces
from stream.wire.both_ways import BothWays
from stream.wire.lease import Leases
from stream.wire.messages import Message, Waveform
from stream.wire.score_message import Score
from stream.wire.shard import ALL_BEDS
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import Kind, Role, pattern
from stream.wire.ward_messages import WardEcg

KINDS: Final = (Kind.ECG, Kind.ANNOTATIONS, Kind.TRUTH, Kind.BEATS, Kind.VITALS, Kind.ALARMS, Kind.STATUS)
"""What is received of a bed."""

DRAIN_S: Final = 1.0
"""Time in s that results may take after the worker has processed the last chunk."""

GIVE_UP_S: Final = 15.0
"""Time in s after the end of a record that a worker has to process the rest of it."""


WARN_EVERY_S: Final = 10.0
"""Shortest interval in s between two warnings that a bed has no place."""

log = logging.getLogger("bedside.score")


@dataclass(slots=True)
class _Bed:
    score: BedScore
    report: Score | None = None
    publisher: BedStatus | None = None
    worker_seq: int | None = None
    ended_s: float | None = None
    drained_s: float | None = None

    def is_over(self, now_s: float) -> bool:
        """Return whether the record has ended and the worker has reported all of it; monotonic time in s."""
        if self.ended_s is None:
            return False
        drained = self.drained_s is not None and now_s - self.drained_s >= DRAIN_S
        return drained or now_s - self.ended_s >= GIVE_UP_S


@dataclass
class ScoreBoard:
    """The scores of the beds of a broker.

    Parameters
    ----------
    bed : str or None
        The only bed that is scored; None: all that have a reference.
    """

    bed: str | None = None
    _beds: dict[str, _Bed] = field(default_factory=dict)
    _leases: Leases = field(default_factory=Leases)
    _both_ways: BothWays = field(default_factory=BothWays)
    _places: BedPlaces = field(default_factory=BedPlaces)
    _next_warning_s: float = -math.inf

    @property
    def subscriptions(self) -> list[str]:
        """The topics that are needed."""
        own = [pattern(kind, self.bed or "+") for kind in KINDS]
        return [*own, pattern(Kind.WARD_ECG), pattern(Kind.PROCESS, role=Role.PUBLISHER)]

    @property
    def scored(self) -> list[str]:
        """The beds that have a reference."""
        return sorted(name for name, bed in self._beds.items() if bed.score.annotated)

    @property
    def reports(self) -> list[Score]:
        """The last report of each bed that has a reference."""
        return [report for name in self.scored if (report := self._beds[name].report) is not None]

    def to_dicts(self) -> Iterator[dict[str, Any]]:
        """Yield the last reports for JSON."""
        for report in self.reports:
            yield self._beds[report.bed].score.to_dict(report)

    def receive(self, received: Received) -> None:
        """Add a message."""
        message = received.message
        if message is None or received.retained:
            return
        now_s = received.monotonic_ns / 1e9
        if isinstance(message, WardEcg):
            for chunk in self._both_ways.chunks(message, ALL_BEDS if self.bed is None else {self.bed}):
                self._add(chunk, now_s)
        elif isinstance(message, ProcessStatus):
            self._add_process(message, now_s)
        elif not (isinstance(message, Waveform) and self._both_ways.is_copy(message)) and self._leases.accept(message):
            self._add(message, now_s)

    def ended(self, now_s: float) -> bool:
        """Return whether all beds that have a reference are over; monotonic time in s."""
        return bool(self.scored) and all(self._beds[name].is_over(now_s) for name in self.scored)

    def report(self, now_ns: int, *, complete: bool) -> list[Score]:
        """Score all beds that have a reference, but for those that are over; Unix time in ns."""
        made = []
        for name in self.scored:
            bed = self._beds[name]
            if bed.report is not None and bed.report.complete:
                continue
            bed.report = bed.score.report(rfc3339(now_ns), complete=complete)
            if bed.report is not None:
                made.append(bed.report)
        return made

    def _add(self, message: Message, now_s: float) -> None:
        name: str = message.bed  # type: ignore[attr-defined]
        if not self._admit(name, message.n / FS if isinstance(message, Waveform) else 0.0, now_s):
            return
        bed = self._beds.setdefault(name, _Bed(BedScore(name)))
        bed.score.receive(message)
        if isinstance(message, Waveform):
            bed.ended_s = bed.drained_s = None
        elif isinstance(message, BedStatus):
            if message.role == "publisher":
                bed.publisher = message
                if message.state == "ended":
                    bed.ended_s = now_s if bed.ended_s is None else bed.ended_s
            else:
                bed.worker_seq = message.last_seq
            self._look_for_end(bed, now_s)

    def _admit(self, name: str, signal_s: float, now_s: float) -> bool:
        """Return whether there is a place for a bed; the one that loses its place is not scored any more."""
        admitted, lost = self._places.admit(name, now_s, signal_s)
        if lost is not None:
            bed = self._beds.pop(lost)
            if bed.score.annotated:
                log.warning("bed %s is silent and scored no more: another bed has its place", lost)
        if not admitted and now_s >= self._next_warning_s:
            self._next_warning_s = now_s + WARN_EVERY_S
            text = "%d beds send already: bed %s is not scored; %s sets another bound"
            log.warning(text, self._places.limit, name, PLACES_VARIABLE)
        return admitted

    def _look_for_end(self, bed: _Bed, now_s: float) -> None:
        publisher = bed.publisher
        if bed.ended_s is None or bed.drained_s is not None or publisher is None or publisher.last_seq is None:
            return
        if bed.worker_seq is not None and bed.worker_seq >= publisher.last_seq:
            bed.drained_s = now_s

    def _add_process(self, status: ProcessStatus, now_s: float) -> None:
        """Note a publisher that has gone without the status ``ended`` of its beds."""
        if status.state != "offline":
            return
        for bed in self._beds.values():
            if bed.publisher is not None and bed.publisher.instance == status.instance and bed.ended_s is None:
                bed.ended_s = now_s
