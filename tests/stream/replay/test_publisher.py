"""Each chunk is sent at its deadline, whatever the clock does."""

import asyncio
import contextlib
import itertools
from dataclasses import replace

import pytest

from stream.replay.playhead import ReplayConfig, begin
from stream.replay.publisher import MAX_CHUNKS_PER_TURN, Publisher
from stream.wire.messages import Message, Waveform
from stream.wire.wave_message import Wave
from tests.stream.replay.publisher_harness import (
    FakeClock,
    publisher,
    statuses,
    waveforms,
)
from tests.stream.replay.test_playhead import BEGIN_NS, traceable, with_wave


@pytest.mark.parametrize("by_s", [3600, -3600])
async def test_a_clock_step_causes_no_burst_and_no_silence(by_s: int) -> None:
    sent: list[tuple[int, Message]] = []
    clock = FakeClock()
    clock.plan[BEGIN_NS + 5_000_000_000] = lambda: clock.step(by_s * 1_000_000_000)
    await publisher([begin(traceable(3600), ReplayConfig(), BEGIN_NS)], sent, clock).run()
    chunks = waveforms(sent, "bed-1")
    assert [chunk.start for _, chunk in chunks] == list(range(0, 3600, 36))
    assert all(now == chunk.due_ns for now, chunk in chunks)
    assert [b - a for (a, _), (b, _) in itertools.pairwise(chunks)].count(100_000_000) == 98
    assert chunks[-1][0] == chunks[0][0] + 9_900_000_000 + by_s * 1_000_000_000


async def test_a_clock_set_back_while_a_chunk_is_sent_causes_no_silence() -> None:
    """The step is noticed between the deadlines and the wait for them, which would last an hour longer."""
    clock = FakeClock()

    class Sent(list[tuple[int, Message]]):
        def append(self, item: tuple[int, Message]) -> None:
            super().append(item)
            if isinstance(item[1], Waveform) and item[1].seq == 20:
                clock.step(-3_600_000_000_000)

    sent = Sent()
    await publisher([begin(traceable(3600), ReplayConfig(), BEGIN_NS)], sent, clock).run()
    times = [now for now, _ in waveforms(sent, "bed-1")]
    waits = [after - before for before, after in itertools.pairwise(times)]
    assert waits[20] == 100_000_000 - 3_600_000_000_000
    assert set(waits[:20] + waits[21:]) == {100_000_000}


async def test_clock_steps_before_the_replay_move_no_deadline() -> None:
    sent: list[tuple[int, Message]] = []
    clock = FakeClock()
    clock.step(3_600_000_000_000)
    await publisher([begin(traceable(360), ReplayConfig(), clock.now)], sent, clock).run()
    assert waveforms(sent, "bed-1")[0][0] == BEGIN_NS + 3_600_000_000_000 + round(35e9 / 360)


async def test_lateness_does_not_accumulate_over_an_hour() -> None:
    record, sent, clock = traceable(30_000), [], FakeClock(late_ns=3_000_000)
    replayed = publisher([begin(record, ReplayConfig(loop=True), BEGIN_NS)], sent, clock)
    with contextlib.suppress(TimeoutError):
        clock.until = BEGIN_NS + 3600 * 1_000_000_000
        await replayed.run()
    chunks = waveforms(sent, "bed-1")
    # Each wake-up is late by 3 ms; a chunk due within these 3 ms is less late.
    assert max(now - chunk.due_ns for now, chunk in chunks) == 3_000_000
    assert all(now - chunk.due_ns >= 0 for now, chunk in chunks)
    assert sum(chunk.n for _, chunk in chunks) >= 3600 * 360 - 36


async def test_beds_with_different_chunks_and_speeds() -> None:
    record, sent, clock = traceable(3000), [], FakeClock()
    configs = [ReplayConfig(bed="a", chunk=36), ReplayConfig(bed="b", chunk=100, speed=3.0)]
    await publisher([begin(record, c, BEGIN_NS) for c in configs], sent, clock).run()
    for bed in "ab":
        assert all(now == chunk.due_ns for now, chunk in waveforms(sent, bed))
        assert sum(chunk.n for _, chunk in waveforms(sent, bed)) == 3000
        last = statuses(sent, bed)[-1]
        assert (last.state, last.counters["samples_published"], last.last_seq) == (
            "ended",
            3000,
            waveforms(sent, bed)[-1][1].seq,
        )
    assert [now for now, _ in sent] == sorted(now for now, _ in sent)


async def test_overdue_chunks_are_sent_at_once() -> None:
    record, sent, clock = traceable(3600), [], FakeClock()
    config = ReplayConfig()

    async def sleep_until(deadline_ns: int) -> None:
        clock.now = max(clock.now, deadline_ns + (5_000_000_000 if len(waveforms(sent, "bed-1")) == 10 else 0))

    clock.sleep_until = sleep_until  # type: ignore[method-assign]
    await publisher([begin(record, config, BEGIN_NS)], sent, clock).run()
    lateness = [now - chunk.due_ns for now, chunk in waveforms(sent, "bed-1")]
    assert max(lateness) == 5_000_000_000
    assert lateness[-1] == 0, "the deadlines are unchanged"


async def test_the_summary_counts_all_beds() -> None:
    record, sent, clock = traceable(3600), [], FakeClock()
    heads = [begin(record, ReplayConfig(bed=bed), BEGIN_NS) for bed in ("a", "b")]
    replayed = publisher(heads, sent, clock, lost=7)
    await replayed.run()
    assert replayed.summary() == "a, b: published 20.0 s of signal in 200 chunks, 14 dropped"


async def _most_per_turn(replayed: Publisher, sent: list[tuple[int, Message]]) -> int:
    """Run a publisher to its end; return the largest number of messages that it queued before others had a turn."""
    queued: list[int] = []

    async def connection() -> None:
        while True:
            queued.append(len(sent) - sum(queued))
            await asyncio.sleep(0)

    sending = asyncio.create_task(connection())
    await replayed.run()
    sending.cancel()
    return max(queued)


async def test_a_publisher_that_is_late_lets_the_connection_send() -> None:
    sent: list[tuple[int, Message]] = []
    clock = FakeClock()
    replayed = publisher([begin(traceable(32_000), ReplayConfig(chunk=1), BEGIN_NS)], sent, clock)
    clock.now += 80_000_000_000
    most = await _most_per_turn(replayed, sent)
    assert len(waveforms(sent, "bed-1")) == 32_000
    assert most <= MAX_CHUNKS_PER_TURN + 2


async def test_a_late_publisher_of_waves_queues_no_more_messages_per_turn() -> None:
    record = with_wave(3600, 125.0)
    record = replace(record, waves=record.waves * 6)
    sent: list[tuple[int, Message]] = []
    clock = FakeClock()
    replayed = publisher([begin(record, ReplayConfig(bed=bed), BEGIN_NS) for bed in "abc"], sent, clock)
    clock.now += 10_000_000_000
    most = await _most_per_turn(replayed, sent)
    assert sum(isinstance(message, Wave) for _, message in sent) == 3 * 100 * 6
    assert most <= 2 * 7 + 2 * 3


async def test_a_summary_names_the_first_and_the_last_of_many_beds() -> None:
    heads = [begin(traceable(360), ReplayConfig(bed=f"bed-{i}"), BEGIN_NS) for i in range(10)]
    replayed = publisher(heads, [], FakeClock())
    await replayed.run()
    assert replayed.summary() == "10 beds, bed-0 to bed-9: published 10.0 s of signal in 100 chunks, 0 dropped"
