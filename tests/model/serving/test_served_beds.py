"""Places, leases, and what earlier workers left."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.conditions import settings
from model.pipeline import beds as analysis
from model.pipeline.analysis import Models
from model.serving import next_chunk
from model.serving.bed import Bed
from model.serving.checkpoint_writer import CheckpointWriter
from model.serving.served_beds import MAX_LEASES, ServedBeds
from stream.records.record import Record
from stream.wire import ordering
from stream.wire.alarm_messages import ActiveAlarms, Limits
from stream.wire.bed_places import SILENT_S
from stream.wire.messages import Message
from tests.model.serving.worker_harness import ManualClock, chunks


class Beds:
    """Served beds without a worker; `lost` has the names of those that lost their places."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.sent: list[Message] = []
        self.lost: list[str] = []
        self.served = ServedBeds(
            settings.load(),
            "me",
            self.clock,
            send=self.sent.append,
            checkpoints=CheckpointWriter(None, self.clock),
            lose=lambda bed: self.lost.append(bed.chunk.bed),
        )

    def serve(self, models: Models, patient: Record, name: str = "bed-1") -> Bed:
        chunk = next(chunks(patient, bed=name))
        assert self.served.admit(name, signal_s=20.0)
        _, stream = ordering.receive(None, chunk, 0)
        return self.served.serve_new(chunk, stream, next_chunk.begin(analysis.Beds(models), chunk))

    def fill(self) -> None:
        """Take all places with beds that have sent for long."""
        for number in range(self.served.limit):
            self.served.admit(f"other-{number}", signal_s=20.0)


def test_a_bed_that_has_ended_gives_way_to_one_that_sends(models: Models, patient: Record) -> None:
    beds = Beds()
    beds.serve(models, patient)
    beds.fill()
    beds.clock.now += round((SILENT_S + 1) * 1e9)
    assert not beds.served.admit("bed-new"), "silent, but it may come back"
    beds.served.give_way("bed-1")
    assert not beds.served.admit("bed-new"), "the end may be a mistake"
    beds.clock.now += round((SILENT_S + 1) * 1e9)
    assert beds.served.admit("bed-new")
    assert beds.lost == ["bed-1"]
    assert "bed-1" not in beds.served


def test_a_bed_that_has_ended_and_sends_on_keeps_its_place(models: Models, patient: Record) -> None:
    beds = Beds()
    beds.serve(models, patient)
    beds.fill()
    beds.served.give_way("bed-1")
    for _ in range(5):
        beds.clock.now += round(SILENT_S / 2 * 1e9)
        assert beds.served.admit("bed-1", signal_s=5.0)
        assert not beds.served.admit("bed-new")
    assert beds.lost == []


def test_an_ended_bed_keeps_its_place_while_nobody_wants_it(models: Models, patient: Record) -> None:
    beds = Beds()
    beds.serve(models, patient)
    beds.served.give_way("bed-1")
    beds.clock.now += 7200 * 10**9
    assert beds.served.admit("bed-2")
    assert "bed-1" in beds.served


@given(st.lists(st.integers(0, 100), min_size=1))
def test_a_lease_is_higher_than_all_that_were_observed(observed: list[int]) -> None:
    beds = Beds()
    beds.served.restore_alarms(ActiveAlarms(bed="bed-1"))
    for lease in observed:
        beds.served.observe_lease("bed-1", lease)
    assert beds.served.restored["bed-1"].lease == max(observed) + 1


def test_observed_leases_are_bounded() -> None:
    beds = Beds()
    for number in range(2 * MAX_LEASES):
        beds.served.observe_lease(f"invented-{number}", 1)
    assert len(beds.served._highest_leases) == MAX_LEASES


def test_a_bed_continues_the_alarms_that_were_left(
    models: Models, patient: Record, caplog: pytest.LogCaptureFixture
) -> None:
    beds = Beds()
    with caplog.at_level(logging.WARNING):
        beds.served.restore_alarms(ActiveAlarms(bed="bed-1", limits=Limits(heart_rate_low=41, off=("noise",))))
    assert "switched off: noise" in caplog.text
    [(_, left)] = beds.served.alarm_managers()
    bed = beds.serve(models, patient)
    assert bed.alarms is left
    assert bed.alarms.limits.heart_rate_low == 41
    assert beds.served.restored == {}
    assert bed.served_by == ("me",)
