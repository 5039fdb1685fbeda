"""Commands to a publisher: what follows is continuous, or a new epoch; what is refused changes nothing."""

import itertools
import logging

import numpy as np
import pytest

from stream.errors import MessageError, UsageError
from stream.replay.playhead import ReplayConfig, begin
from stream.wire.messages import Message
from stream.wire.replay_actions import Seek, SetLoop, SetPlaying, SetSpeed
from tests.stream.replay.publisher_harness import (
    FakeClock,
    checked_chunks,
    command,
    publisher,
    replay_with,
    statuses,
    waveforms,
)
from tests.stream.replay.test_playhead import BEGIN_NS, traceable


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
        replayed.commands.execute(command(1, Seek(position=3600), clock.now))
    with pytest.raises(MessageError, match="10 s"):
        replayed.commands.execute(command(2, SetSpeed(speed=2.0), clock.now - 11_000_000_000))
    assert replayed.beds["bed-1"].head == before
    replayed.commands.execute(command(3, SetSpeed(speed=2.0), clock.now))
    replayed.commands.execute(command(4, SetSpeed(speed=3.0), clock.now))
    with pytest.raises(MessageError, match="before"):
        replayed.commands.execute(command(3, SetSpeed(speed=2.0), clock.now))
    assert replayed.beds["bed-1"].head.speed == 3.0


async def test_a_command_right_after_a_clock_step_is_not_shifted() -> None:
    sent: list[tuple[int, Message]] = []
    clock = FakeClock()
    replayed = publisher([begin(traceable(3600), ReplayConfig(), BEGIN_NS)], sent, clock)

    command_times_ns = []

    def step_and_seek() -> None:
        clock.step(3_600_000_000_000)
        command_times_ns.append(clock.now)
        replayed.commands.execute(command(1, Seek(position=1800), clock.now))

    clock.plan[BEGIN_NS + 5_000_000_000] = step_and_seek
    await replayed.run()
    chunks = waveforms(sent, "bed-1")
    [after_seek] = [chunk for _, chunk in chunks if chunk.position == 1800 and chunk.epoch == 1]
    assert [after_seek.t0_ns] == command_times_ns
    assert all(now == chunk.due_ns for now, chunk in chunks)
