"""What the next chunk of a bed changes before it is analysed."""

from __future__ import annotations

import msgspec
import pytest

from model.pipeline.analysis import Models
from model.pipeline.beds import Beds
from model.serving import next_chunk
from model.serving.bed import Bed
from model.serving.bed_output import BedOutput
from stream.records.record import Record
from stream.wire import ordering
from stream.wire.alarm_messages import Alarm
from stream.wire.messages import Message, Waveform
from tests.model.serving.worker_harness import ManualClock, chunks, served_bed


class Accepting:
    """A bed after ten chunks, and the messages of what it accepts."""

    def __init__(self, models: Models, patient: Record) -> None:
        self.stream = list(chunks(patient))[:40]
        self.messages: list[Message] = []
        self.bed: Bed = served_bed(models, self.stream[0], self.messages.append)
        self._analysis = Beds(models)
        self._clock = ManualClock()
        self._output = BedOutput(self.messages.append, lambda *_: None, "me", self._clock)
        for chunk in self.stream[1:10]:
            self.accept(chunk)

    def accept(self, *received: Waveform) -> None:
        for chunk in received:
            arrival, self.bed.stream = ordering.receive(self.bed.stream, chunk, 0)
            for taken in arrival.taken:
                next_chunk.accept(self._analysis, self.bed, taken, self._output, self._clock)

    def lost(self) -> list[tuple[str, int, int | None]]:
        return [(a.phase, a.onset, a.end) for a in self.messages if isinstance(a, Alarm) and a.kind == "no_data"]


@pytest.fixture
def accepting(models: Models, patient: Record) -> Accepting:
    return Accepting(models, patient)


def test_a_chunk_that_continues_the_last_one_changes_nothing_else(accepting: Accepting) -> None:
    state = accepting.bed.slot.state()
    accepting.accept(accepting.stream[10])
    assert accepting.bed.chunk is accepting.stream[10]
    assert accepting.bed.slot.state() == state
    assert accepting.messages == []


def test_a_gap_is_counted_and_named_and_restarts_the_analysis(accepting: Accepting) -> None:
    state = accepting.bed.slot.state()
    accepting.accept(*accepting.stream[13:15])  # the first is held: it could be a swapped neighbour
    assert accepting.bed.counters["lost_samples"] == 3 * 36
    assert accepting.bed.counters["gaps"] == 1
    assert accepting.lost() == [("raised", 360, None), ("cleared", 360, 468)]
    assert accepting.bed.slot.state() != state
    assert accepting.bed.learning


def test_a_silent_bed_that_goes_on_is_not_silent(accepting: Accepting) -> None:
    accepting.bed.silent = True
    accepting.accept(accepting.stream[10])
    assert not accepting.bed.silent


def test_a_new_session_begins_its_own_counters(accepting: Accepting) -> None:
    accepting.bed.counters["alarms"] = 7
    _, accepting.bed.stream = ordering.release(accepting.bed.stream, accepting.bed.chunk.session, 0)
    accepting.accept(*(msgspec.structs.replace(chunk, session="cd" * 16) for chunk in accepting.stream[:2]))
    assert accepting.bed.chunk.session == "cd" * 16
    assert accepting.bed.counters["alarms"] == 0
    assert accepting.lost() == []


def test_a_record_that_had_ended_begins_anew(accepting: Accepting) -> None:
    accepting.bed.ended = True
    accepting.accept(accepting.stream[10])
    assert not accepting.bed.ended
    assert accepting.bed.learning
    assert accepting.lost() == []
