import asyncio
import contextlib
import itertools
import logging
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from stream.clock import rfc3339
from stream.errors import MessageError, UsageError
from stream.records.record import Annotations
from stream.replay.descriptions import description
from stream.replay.playhead import Playhead, ReplayConfig, begin
from stream.replay.publisher import MAX_CHUNKS_PER_TURN, Publisher
from stream.wire.alarm_messages import Action, Command
from stream.wire.continuity import Continuity, check_sequence
from stream.wire.messages import Annotation, Message, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.replay_actions import Seek, SetLoop, SetPlaying, SetSpeed
from stream.wire.status_messages import BedStatus
from stream.wire.topics import Kind, Topic
from stream.wire.wave_message import Wave
from tests.stream.replay.test_playhead import BEGIN_NS, hours, traceable, with_numerics, with_wave


class FakeClock:
    """A fake clock: each sleep advances it to the deadline plus a delay, so hours take milliseconds."""

    def __init__(self, late_ns: int = 0) -> None:
        self.now = BEGIN_NS
        self.stepped_ns = 0
        self.late_ns = late_ns
        self.until = 2**63
        self.plan: dict[int, Callable[[], None]] = {}
        """Functions called during sleeps, by Unix time in ns."""

    def now_ns(self) -> int:
        return self.now

    async def sleep_until(self, deadline_ns: int) -> None:
        self.now = max(self.now, deadline_ns + self.late_ns)
        for at in [at for at in self.plan if at <= self.now]:
            self.plan.pop(at)()
        if self.now > self.until:
            raise TimeoutError

    def step(self, by_ns: int) -> None:
        self.now += by_ns
        self.stepped_ns += by_ns


def publisher(
    heads: list[Playhead],
    sent: list[tuple[int, Message]],
    clock: FakeClock,
    lost: int = 0,
    annotations: bool = False,
    removed: list[tuple[int, Topic]] | None = None,
    ledger: list[tuple[object, ...]] | None = None,
) -> Publisher:
    return Publisher(
        heads,
        send=lambda message: sent.append((clock.now_ns(), message)),
        remove=lambda topic: None if removed is None else removed.append((clock.now_ns(), topic)),
        dropped=lambda bed: lost,
        instance="ab12",
        clock=clock,
        write=lambda *values: None if ledger is None else ledger.append(values),
        annotations=annotations,
    )


def waveforms(sent: list[tuple[int, Message]], bed: str) -> list[tuple[int, Waveform]]:
    return [(now, m) for now, m in sent if isinstance(m, Waveform) and m.bed == bed]


def statuses(sent: list[tuple[int, Message]], bed: str) -> list[BedStatus]:
    return [m for _, m in sent if isinstance(m, BedStatus) and m.bed == bed]


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


async def test_each_wave_is_sent_just_before_the_ecg_of_its_interval() -> None:
    sent: list[tuple[int, Message]] = []
    await publisher([begin(with_wave(720, 125.0), ReplayConfig(speed=3.0), BEGIN_NS)], sent, FakeClock()).run()
    samples = [message for _, message in sent if isinstance(message, Wave | Waveform)]
    assert [type(message) for message in samples] == [Wave, Waveform] * 20
    assert [message.seq for message in samples] == [seq for seq in range(20) for _ in range(2)]


async def test_numerics_are_sent_after_the_ecg_of_their_sample_and_removed_at_the_end() -> None:
    sent: list[tuple[int, Message]] = []
    removed: list[tuple[int, Topic]] = []
    ledger: list[tuple[object, ...]] = []
    clock, head = FakeClock(), begin(with_numerics(1000, 1.0), ReplayConfig(), BEGIN_NS)
    await publisher([head], sent, clock, removed=removed, ledger=ledger).run()
    order = [message for _, message in sent if isinstance(message, Numerics | Waveform)]
    numerics = [place for place, message in enumerate(order) if isinstance(message, Numerics)]
    assert [order[place].index for place in numerics] == [0, 360, 720]  # type: ignore[union-attr]
    for place in numerics:
        chunk = order[place - 1]
        assert isinstance(chunk, Waveform)
        assert chunk.start <= order[place].index < chunk.end  # type: ignore[union-attr]
    assert removed == [(waveforms(sent, "bed-1")[-1][0], Topic(Kind.NUMERICS, "bed-1"))]
    rows = [row[:5] for row in ledger if row[-1] == "numerics"]
    assert rows == [("bed-1", head.session, "", index, 1) for index in (0, 360, 720)]


async def test_numerics_alone_have_a_status_at_once_and_are_removed_when_the_end_of_their_record_is_due() -> None:
    sent: list[tuple[int, Message]] = []
    removed: list[tuple[int, Topic]] = []
    head = begin(hours(70, math.nan, 80), ReplayConfig(speed=7200), BEGIN_NS)
    ledger: list[tuple[object, ...]] = []
    await publisher([head], sent, FakeClock(), removed=removed, ledger=ledger).run()
    half_s = 500_000_000
    assert [row[3:] for row in ledger] == [
        (3600 * 360 * hour, 1, BEGIN_NS + hour * half_s, BEGIN_NS + hour * half_s, "numerics") for hour in range(3)
    ]
    numerics = [(now - BEGIN_NS, one.values[0].value) for now, one in sent if isinstance(one, Numerics)]
    assert numerics == [(0, 70.0), (half_s, None), (2 * half_s, 80.0)]
    assert not waveforms(sent, "bed-1")
    assert removed == [(BEGIN_NS + 3 * half_s, Topic(Kind.NUMERICS, "bed-1"))]
    found = statuses(sent, "bed-1")
    assert [(found[0].state, found[0].speed), found[-1].state] == [("playing", 7200.0), "ended"]
    assert isinstance(sent[1][1], BedStatus)


async def test_numerics_of_a_chosen_record_replace_those_before() -> None:
    sent: list[tuple[int, Message]] = []
    removed: list[tuple[int, Topic]] = []
    clock = FakeClock()
    heads = [begin(with_numerics(3600, 1.0), ReplayConfig(bed=bed), BEGIN_NS) for bed in ("a", "b")]
    replayed = publisher(heads, sent, clock, removed=removed)
    moment = BEGIN_NS + 2_050_000_000
    clock.plan[moment] = lambda: replayed.choose_record(replayed.beds["a"], traceable(3600))
    clock.until = BEGIN_NS + 5_000_000_000
    with pytest.raises(TimeoutError):
        await replayed.run()
    [(at, topic)] = removed
    assert topic == Topic(Kind.NUMERICS, "a")
    last = [(now, one) for now, one in sent if isinstance(one, Numerics) and one.bed == "a"][-1]
    assert last[0] <= at, "the other record has none"
    replayed.stop()
    assert [topic.bed for _, topic in removed] == ["a", "b"], "and none is removed twice"


async def test_clock_steps_before_the_replay_move_no_deadline() -> None:
    sent: list[tuple[int, Message]] = []
    clock = FakeClock()
    clock.step(3_600_000_000_000)
    await publisher([begin(traceable(360), ReplayConfig(), clock.now)], sent, clock).run()
    assert waveforms(sent, "bed-1")[0][0] == BEGIN_NS + 3_600_000_000_000 + round(35e9 / 360)


async def test_a_command_right_after_a_clock_step_is_not_shifted() -> None:
    sent: list[tuple[int, Message]] = []
    clock = FakeClock()
    replayed = publisher([begin(traceable(3600), ReplayConfig(), BEGIN_NS)], sent, clock)

    command_times_ns = []

    def step_and_seek() -> None:
        clock.step(3_600_000_000_000)
        command_times_ns.append(clock.now)
        replayed.execute(command(1, Seek(position=1800), clock.now))

    clock.plan[BEGIN_NS + 5_000_000_000] = step_and_seek
    await replayed.run()
    chunks = waveforms(sent, "bed-1")
    [after_seek] = [chunk for _, chunk in chunks if chunk.position == 1800 and chunk.epoch == 1]
    assert [after_seek.t0_ns] == command_times_ns
    assert all(now == chunk.due_ns for now, chunk in chunks)


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


async def test_dropped_chunks_are_counted_in_the_status(caplog: pytest.LogCaptureFixture) -> None:
    record, sent, clock = traceable(3600), [], FakeClock()
    config = ReplayConfig()
    with caplog.at_level(logging.WARNING, "bedside.publisher"):
        await publisher([begin(record, config, BEGIN_NS)], sent, clock, lost=7).run()
    assert statuses(sent, "bed-1")[-1].counters["chunks_dropped"] == 7
    assert len(caplog.records) == 1
    assert "7 chunks dropped" in caplog.text


def command(number: int, action: Action, now_ns: int, bed: str = "bed-1") -> Command:
    return Command(command_id=f"{number:032x}", bed=bed, who="test", when=rfc3339(now_ns), action=action)


def checked_chunks(sent: list[tuple[int, Message]], bed: str = "bed-1") -> list[tuple[Waveform, bool]]:
    """Return the chunks, each with whether it is discontinuous; check the sequence."""
    found = []
    position: Continuity | None = None
    for _, chunk in waveforms(sent, bed):
        arrival, position = check_sequence(position, chunk)
        assert not arrival.duplicate
        assert arrival.lost_samples == 0
        found.append((chunk, arrival.discontinuous))
    return found


async def replay_with(seconds: list[tuple[float, Action]], n: int = 3600) -> list[tuple[int, Message]]:
    """Return the messages of a replay with commands at given times in s."""
    sent: list[tuple[int, Message]] = []
    clock = FakeClock()
    replayed = publisher([begin(traceable(n), ReplayConfig(), BEGIN_NS)], sent, clock)
    clock.until = BEGIN_NS + 60_000_000_000
    for number, (at, action) in enumerate(seconds):
        moment = BEGIN_NS + round(at * 1e9)

        def run_command(number: int = number, action: Action = action) -> None:
            replayed.execute(command(number, action, clock.now))

        clock.plan[moment] = run_command
    with contextlib.suppress(TimeoutError):
        await replayed.run()
    return sent


async def test_a_pause_keeps_continuity_and_moves_the_deadlines() -> None:
    sent = await replay_with([(2.05, SetPlaying(playing=False)), (7.0, SetPlaying(playing=True))])
    chunks = checked_chunks(sent)
    assert [discontinuous for _, discontinuous in chunks] == [True] + [False] * 99
    due = [chunk.due_ns for chunk, _ in chunks]
    pauses = [b - a for a, b in itertools.pairwise(due) if b - a > 150_000_000]
    assert len(pauses) == 1
    assert 4_900_000_000 <= pauses[0] <= 5_200_000_000
    assert "paused" in [status.state for status in statuses(sent, "bed-1")]
    assert all(now >= chunk.due_ns for now, chunk in waveforms(sent, "bed-1"))


async def test_a_change_of_speed_keeps_continuity() -> None:
    sent = await replay_with([(3.02, SetSpeed(speed=4.0))])
    chunks = checked_chunks(sent)
    assert sum(discontinuous for _, discontinuous in chunks) == 1
    np.testing.assert_array_equal(np.concatenate([chunk.adu()[:, 0] for chunk, _ in chunks]), np.arange(3600))
    steps = {round((b.due_ns - a.due_ns) / 1e6) for (a, _), (b, _) in itertools.pairwise(chunks[40:])}
    assert steps == {25}
    assert statuses(sent, "bed-1")[-1].speed == 4.0


async def test_commands_loop_ends_and_drops_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bedside.publisher")
    await replay_with(
        [
            (1.0, SetPlaying(playing=False)),
            (1.5, SetPlaying(playing=True)),
            (2.0, SetSpeed(speed=2.0)),
            (2.5, SetLoop(loop=True)),
            (3.0, Seek(position=1800)),
            (9.0, SetLoop(loop=False)),
        ]
    )
    assert [record.message for record in caplog.records] == [
        "bed-1: paused at 1.0 s, by 'test'",
        "bed-1: playing from 1.0 s, by 'test'",
        "bed-1: 2 times real time, by 'test'",
        "bed-1: loop on, by 'test'",
        "bed-1: moved to 5.0 s, by 'test'",
        "bed-1: record traceable has ended and is restarted",
        "bed-1: loop off, by 'test'",
        "bed-1: record traceable has ended",
    ]


async def test_the_summary_counts_all_beds() -> None:
    record, sent, clock = traceable(3600), [], FakeClock()
    heads = [begin(record, ReplayConfig(bed=bed), BEGIN_NS) for bed in ("a", "b")]
    replayed = publisher(heads, sent, clock, lost=7)
    await replayed.run()
    assert replayed.summary() == "a, b: published 20.0 s of signal in 200 chunks, 14 dropped"


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


def test_a_replay_is_described_in_one_line() -> None:
    head = begin(traceable(3600, leads=2), ReplayConfig(start_s=2.5, speed=0.5, loop=True), BEGIN_NS)
    assert description(head) == (
        "bed-1: traceable (MLII, V1; 360 Hz; 10.0 s), from 2.5 s, at 0.5 times real time, in a loop, SYNTHETIC"
    )


async def test_a_seek_is_a_new_epoch() -> None:
    sent = await replay_with([(2.0, Seek(position=1800))])
    chunks = checked_chunks(sent)
    first_chunks = [chunk for chunk, discontinuous in chunks if discontinuous]
    assert [(chunk.epoch, chunk.position) for chunk in first_chunks] == [(0, 0), (1, 1800)]
    assert first_chunks[1].start == first_chunks[1].epoch_start
    assert int(first_chunks[1].adu()[0, 0]) == 1800
    assert chunks[-1][0].position + chunks[-1][0].n == 3600


async def test_two_seeks_without_a_chunk_between_start_one_epoch() -> None:
    sent = await replay_with([(2.0, Seek(position=1800)), (2.000001, Seek(position=360))])
    assert [chunk.epoch for chunk, discontinuous in checked_chunks(sent) if discontinuous] == [0, 1]


async def test_a_loop_can_be_switched_on_and_off() -> None:
    sent = await replay_with([(2.0, SetLoop(loop=True)), (15.0, SetLoop(loop=False))])
    chunks = checked_chunks(sent)
    assert [chunk.epoch for chunk, discontinuous in chunks if discontinuous] == [0, 1]
    assert sum(chunk.n for chunk, _ in chunks) == 7200


async def test_invalid_commands_are_rejected_and_change_nothing() -> None:
    sent: list[tuple[int, Message]] = []
    clock = FakeClock()
    replayed = publisher([begin(traceable(3600), ReplayConfig(), BEGIN_NS)], sent, clock)
    before = replayed.beds["bed-1"].head
    with pytest.raises(UsageError, match="3600"):
        replayed.execute(command(1, Seek(position=3600), clock.now))
    with pytest.raises(MessageError, match="10 s"):
        replayed.execute(command(2, SetSpeed(speed=2.0), clock.now - 11_000_000_000))
    assert replayed.beds["bed-1"].head == before
    replayed.execute(command(3, SetSpeed(speed=2.0), clock.now))
    replayed.execute(command(4, SetSpeed(speed=3.0), clock.now))
    with pytest.raises(MessageError, match="before"):
        replayed.execute(command(3, SetSpeed(speed=2.0), clock.now))
    assert replayed.beds["bed-1"].head.speed == 3.0


async def test_reference_annotations_are_sent_with_their_chunk() -> None:
    sent: list[tuple[int, Message]] = []
    notes = Annotations(np.array([0, 35, 36, 500]), ("+", "N", "V", "N"), ("(N", "", "", ""))
    record = replace(traceable(720), annotations=notes)
    await publisher([begin(record, ReplayConfig(start_s=0.1), BEGIN_NS)], sent, FakeClock(), annotations=True).run()
    got = [message for _, message in sent if isinstance(message, Annotation)]
    assert [(note.index, note.symbol) for note in got] == [(0, "V"), (464, "N")]
