"""What has streamed of a bed, in the form in which whole records are scored: reference and output of each passage.

A *passage* is what a listener has received of one epoch: the record, or a part of it, from one seek, loop or choice of
another record to the next. Samples count from its first one, so that a record that is played from its start to its end
has the same samples as offline.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from model.beats.beat import Beat as DetectedBeat
from model.conditions.changes import Began, Change, Ended
from model.datasets.reference import Intervals
from model.evaluation.monitor_output import MonitorOutput
from model.evaluation.truth import Truth, truth_of_annotations
from stream.records.record import Annotations
from stream.timebase import FS
from stream.wire.alarm_messages import Alarm
from stream.wire.messages import Annotation, Beat, Message, Rhythm, Vitals, Waveform
from stream.wire.status_messages import BedStatus
from stream.wire.truth_message import Truth as TruthMessage

NOT_OFFLINE: Final = frozenset({"residual", "unusual_complexes", "no_data", "two_publishers"})
"""Kinds of alarm that depend on the forecast or on the transport: whole records are scored without them."""

SETTLED: Final = FS
"""Samples before the last vital signs that are not scored while the stream goes on: beats are reported later."""

MAX_EARLY: Final = 64
"""Messages of truth that wait for the first chunk of their epoch."""


@dataclass(slots=True)
class Passage:
    """What was received of one epoch.

    Attributes
    ----------
    session : str
    epoch : int
    record : str
    first : int
        Its first sample in the session; all that follows is counted from there.
    position : int
        Of this sample in the record.
    end : int
        Samples received.
    duration : int
        Samples of the record; 0 if unknown.
    known : int
        Samples up to the last vital signs.
    """

    session: str
    epoch: int
    record: str
    first: int
    position: int
    end: int = 0
    duration: int = 0
    known: int = 0
    annotations: list[tuple[int, str, str]] = field(default_factory=list)
    beats: list[DetectedBeat] = field(default_factory=list)
    rhythm: list[tuple[int, Rhythm]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    injections: list[tuple[str, int, int | None]] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether all of the record was received."""
        return not self.position and 0 < self.duration <= self.end

    def settled(self) -> int:
        """Return the samples that can be scored while the stream goes on."""
        return max(min(self.end, self.known) - SETTLED, 0)

    def truth(self, n: int) -> Truth:
        """Return what the annotations say of the first ``n`` samples."""
        if not self.annotations:
            return truth_of_annotations(None, n, n)
        sample, symbol, aux = zip(*self.annotations, strict=True)
        return truth_of_annotations(
            Annotations(np.array(sample, np.int64), symbol, aux), n, max(n, self.duration - self.position)
        )

    def output(self, n: int) -> MonitorOutput:
        """Return what the worker has reported of the first ``n`` samples."""
        return MonitorOutput(
            n,
            tuple(beat for beat in self.beats if beat.index < n),
            tuple(second for second in self.rhythm if second[0] < n),
            tuple(change for change in self.changes if change.at < n),
        )

    def injected(self, n: int) -> Intervals:
        """Return when something was injected, first sample and end."""
        return tuple((first, n if stop is None else stop) for _, first, stop in self.injections)


class Passages:
    """What has streamed of one bed.

    Attributes
    ----------
    passages : list of Passage
        In the order in which they began.
    """

    def __init__(self) -> None:
        self.passages: list[Passage] = []
        self._events: set[str] = set()
        self._early: deque[TruthMessage] = deque(maxlen=MAX_EARLY)
        self._status: BedStatus | None = None

    def receive(self, message: Message) -> None:
        """Add a message of the bed."""
        match message:
            case Waveform():
                self._add_chunk(message)
            case BedStatus(role="publisher"):
                self._status = message
                self._set_duration()
            case TruthMessage() if self._is_early(message):
                self._early.append(message)
            case Annotation() | Beat() | Vitals() | TruthMessage():
                passage = self._passage(message.session, message.index)
                if passage is not None:
                    _add(passage, message)
            case Alarm() if message.event_id not in self._events and message.kind not in NOT_OFFLINE:
                self._events.add(message.event_id)
                passage = self._passage(message.session, _at(message))
                if passage is not None and message.phase != "acknowledged":
                    passage.changes.append(_change(message, passage.first))

    def _is_early(self, message: TruthMessage) -> bool:
        """Return whether a truth is about the epoch that the next chunk begins: it is sent before the signal."""
        last = self.passages[-1] if self.passages else None
        return last is None or message.session != last.session or message.epoch > last.epoch

    def _add_chunk(self, chunk: Waveform) -> None:
        last = self.passages[-1] if self.passages else None
        if last is None or (last.session, last.epoch) != (chunk.session, chunk.epoch):
            before, last = last, Passage(chunk.session, chunk.epoch, chunk.record, chunk.start, chunk.position)
            if before is not None and before.session == last.session:  # injections go on after a seek and in a loop
                last.injections = [(name, 0, None) for name, _, stop in before.injections if stop is None]
            self.passages.append(last)
            self._set_duration()
            for message in self._early:
                if (message.session, message.epoch) == (last.session, last.epoch):
                    _add(last, message)
            self._early.clear()
        last.end = max(last.end, chunk.end - last.first)

    def _set_duration(self) -> None:
        last, status = self.passages[-1] if self.passages else None, self._status
        if last is not None and status is not None and (last.session, last.record) == (status.session, status.record):
            last.duration = status.duration

    def _passage(self, session: str, index: int) -> Passage | None:
        """Return the passage of a sample of a session; None if it was not received."""
        own = [passage for passage in self.passages[-8:] if passage.session == session and passage.first <= index]
        return own[-1] if own else None


def _add(passage: Passage, message: Annotation | Beat | Vitals | TruthMessage) -> None:
    index = message.index - passage.first
    match message:
        case Annotation():
            passage.annotations.append((index, message.symbol, message.aux))
        case Beat():
            rr = None if message.rr_ms is None else round(message.rr_ms * FS / 1000)
            passage.beats.append(DetectedBeat(index, index, message.type, rr, message.quality))
        case Vitals():
            passage.rhythm.append((index, message.rhythm))
            passage.known = max(passage.known, index + 1)
        case TruthMessage(what="injection" | "wire_fault", phase="begin"):
            passage.injections.append((message.truth_id, index, None))
        case TruthMessage(what="injection" | "wire_fault"):
            passage.injections = [
                (name, first, index if stop is None and name == message.truth_id else stop)
                for name, first, stop in passage.injections
            ]
        case TruthMessage() if is_reference(message):
            passage.annotations.append((index, "+", f"({message.name}"))


def is_reference(message: Message) -> bool:
    """Return whether a message tells what there is to find: an annotation, or the rhythm of a steered patient."""
    steered = (
        isinstance(message, TruthMessage) and message.what == "rhythm" and message.synthetic and message.phase != "end"
    )
    return steered or isinstance(message, Annotation)


def _at(alarm: Alarm) -> int:
    """Return the last sample observed at an event; of an older sender, as far as it tells."""
    if alarm.at is not None:
        return alarm.at
    return alarm.end if alarm.end is not None else max(alarm.onset + round(alarm.duration_s * FS) - 1, alarm.onset)


def _change(alarm: Alarm, first: int) -> Change:
    """Return the start or end of a condition that an event reports; only kind and times are scored."""
    onset, at = alarm.onset - first, _at(alarm) - first
    if alarm.phase == "raised":
        return Began(alarm.kind, onset, at, "rule_met")
    return Ended(alarm.kind, onset, (alarm.end or alarm.onset) - first, at, "rule_no_longer_met")
