from collections.abc import Callable
from dataclasses import replace

import pytest

from stream.errors import UsageError
from stream.records.episodes import Episode
from stream.replay.playhead import ReplayConfig, begin
from stream.replay.publisher import Publisher
from stream.timebase import FS
from stream.wire.continuity import check_sequence
from stream.wire.messages import Message, Waveform
from stream.wire.replay_actions import Seek, SetSpeed
from stream.wire.truth_message import Truth
from tests.stream.replay.publisher_harness import FakeClock, command, publisher, statuses, waveforms
from tests.stream.replay.test_playhead import BEGIN_NS, traceable

RECORD, OTHER = traceable(60 * FS), replace(traceable(50 * FS), name="other")
VT = Episode(rhythm="VT", record="other", start_s=30.0, end_s=33.0, rate=180.0, leads=("MLII",), quality=1.0)
VT_LATE = Episode(rhythm="VT", record="traceable", start_s=61.0, end_s=62.0, rate=None, leads=(), quality=1.0)
PLAN_S = 5.0
"""When the episode is asked for, in the 6th second of the first record."""


async def shown(*plan: tuple[float, Callable[[Publisher], None]]) -> tuple[list[tuple[int, Message]], list[Waveform]]:
    """Replay `RECORD` with commands at some seconds; return all messages, and the chunks."""
    sent: list[tuple[int, Message]] = []
    clock = FakeClock()
    replayed = publisher([begin(RECORD, ReplayConfig(), BEGIN_NS)], sent, clock)
    for at_s, act in plan:
        clock.plan[BEGIN_NS + round(at_s * 1e9)] = lambda act=act: act(replayed)  # type: ignore[misc]
    await replayed.run()
    chunks = [chunk for _, chunk in waveforms(sent, "bed-1")]
    last = None
    for chunk in chunks:
        arrival, last = check_sequence(last, chunk)
        assert not arrival.duplicate
        assert arrival.lost_samples == 0
    return sent, chunks


def show(after: str) -> Callable[[Publisher], None]:
    return lambda replayed: replayed.actions.show_episode("bed-1", OTHER, VT, after)  # type: ignore[arg-type]


def truths(sent: list[tuple[int, Message]]) -> list[tuple[str, str, int]]:
    found = [message for _, message in sent if isinstance(message, Truth)]
    assert {(truth.what, truth.name) for truth in found} <= {("episode", "VT")}
    return [(truth.truth_id, truth.phase, truth.index) for truth in found]


async def test_an_episode_is_shown_at_once_and_the_replay_returns_to_its_place() -> None:
    sent, chunks = await shown((PLAN_S, show("return")))
    assert [chunk.epoch for chunk in chunks] == sorted(chunk.epoch for chunk in chunks)
    before, there, back = ([chunk for chunk in chunks if chunk.epoch == epoch] for epoch in range(3))
    left = before[-1].position + before[-1].n
    assert {chunk.record for chunk in there} == {"other"}
    assert there[0].position == 10 * FS, "the worker learns from the 20 s before"
    begun = next(chunk for chunk in there if chunk.position == 30 * FS)
    assert begun.t0_ns - there[0].t0_ns == 200_000_000, "which take a fifth of a second"
    assert begun.speed == 1.0
    assert there[-1].position + there[-1].n == 38 * FS, "5 s after the episode"
    assert (back[0].record, back[0].position) == ("traceable", 0)
    again = next(chunk for chunk in back if chunk.position == left)
    assert again.t0_ns - there[-1].due_ns < (left / FS / 100 + 0.1) * 1e9
    assert again.speed == 1.0
    assert back[-1].position + back[-1].n == RECORD.n
    assert all(now == chunk.due_ns for now, chunk in waveforms(sent, "bed-1")), "no chunk is late"
    end = begun.start + 3 * FS
    assert truths(sent) == [("episode-1", "begin", begun.start), ("episode-1", "end", end)]
    episodes = [status.episode for status in statuses(sent, "bed-1")]
    assert any(episode is not None and episode.rhythm == "VT" and episode.returns for episode in episodes)
    assert episodes[-1] is None


async def test_after_an_episode_its_record_goes_on() -> None:
    sent, chunks = await shown((PLAN_S, show("go_on")))
    assert [chunk.record for chunk in chunks if chunk.epoch == 1] == [chunk.record for chunk in chunks if chunk.epoch]
    assert (chunks[-1].record, chunks[-1].position + chunks[-1].n) == ("other", OTHER.n)
    assert [phase for _, phase, _ in truths(sent)] == ["begin", "end"]


async def test_a_second_episode_returns_to_the_first_place_and_a_seek_ends_the_visit() -> None:
    sent, chunks = await shown((PLAN_S, show("return")), (PLAN_S + 2, show("return")))
    back = [chunk for chunk in chunks if chunk.epoch == 3]
    assert {chunk.record for chunk in back} == {"traceable"}
    assert [(truth_id, phase) for truth_id, phase, _ in truths(sent)] == [
        ("episode-1", "begin"),
        ("episode-1", "end"),
        ("episode-2", "begin"),
        ("episode-2", "end"),
    ]

    def seek(replayed: Publisher) -> None:
        now_ns = BEGIN_NS + round((PLAN_S + 2) * 1e9)
        replayed.commands.execute(command(1, SetSpeed(speed=2.0), now_ns))
        replayed.commands.execute(command(2, Seek(position=45 * FS), now_ns))

    sent, chunks = await shown((PLAN_S, show("return")), (PLAN_S + 2, seek))
    assert (chunks[-1].record, chunks[-1].epoch, chunks[-1].speed) == ("other", 2, 2.0)
    last = truths(sent)[-1]
    assert last == ("episode-1", "end", next(chunk.start for chunk in chunks if chunk.epoch == 2))


async def test_an_episode_beyond_the_end_of_its_record_changes_nothing() -> None:
    def beyond(replayed: Publisher) -> None:
        with pytest.raises(UsageError, match=r"ends at 60\.0 s"):
            replayed.actions.show_episode("bed-1", RECORD, VT_LATE, "return")

    _, chunks = await shown((PLAN_S, beyond))
    assert {chunk.epoch for chunk in chunks} == {0}
