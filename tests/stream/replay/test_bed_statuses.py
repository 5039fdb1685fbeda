"""Statuses of the beds of a publisher."""

import itertools
import logging

import pytest

from stream.replay.playhead import ReplayConfig, begin
from stream.wire.messages import Message
from stream.wire.status_messages import BedStatus
from tests.stream.replay.publisher_harness import FakeClock, publisher, statuses
from tests.stream.replay.test_playhead import BEGIN_NS, traceable


async def test_dropped_chunks_are_counted_in_the_status(caplog: pytest.LogCaptureFixture) -> None:
    record, sent, clock = traceable(3600), [], FakeClock()
    config = ReplayConfig()
    with caplog.at_level(logging.WARNING, "bedside.publisher"):
        await publisher([begin(record, config, BEGIN_NS)], sent, clock, lost=7).run()
    assert statuses(sent, "bed-1")[-1].counters["chunks_dropped"] == 7
    assert len(caplog.records) == 1
    assert "7 chunks dropped" in caplog.text


async def test_the_statuses_of_many_beds_are_spread_over_their_interval() -> None:
    sent: list[tuple[int, Message]] = []
    clock = FakeClock()
    heads = [begin(traceable(7200), ReplayConfig(bed=f"bed-{i}"), BEGIN_NS) for i in range(20)]
    await publisher(heads, sent, clock).run()
    playing = [(now, m) for now, m in sent if isinstance(m, BedStatus) and m.state == "playing"]
    for i in range(20):
        times = [now for now, status in playing if status.bed == f"bed-{i}"]
        assert 9 <= len(times) <= 10
        assert {round((b - a) / 1e9, 1) for a, b in itertools.pairwise(times)} == {2.0}
    most = max(sum(now == at for now, _ in playing) for at, _ in playing)
    assert most <= 2, "they would delay the chunks"
