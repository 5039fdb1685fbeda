"""What the monitor says of a replay: what its publisher said, and apart from it what was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.view.link import LinkState
from monitor.view.phrases import english
from monitor.view.replay_status import PATIENCE_NS, clock
from monitor.view.view_model import Replay, Requested
from stream.timebase import FS
from stream.wire.messages import Offer
from stream.wire.phrases import phrase
from stream.wire.replay_actions import ChooseRecord, ReplayAction, Seek, SetLoop, SetPlaying, SetSpeed
from stream.wire.topics import Kind, Role, Topic
from tests.monitor.stories import SECOND, process, removed, status
from tests.monitor.view.story import OFFLINE, Story

OFFERS = (Offer(name="mitdb/203", seconds=1805.6, rhythms=("AFIB", "VT")), Offer(name="mitdb/208", seconds=1805.6))


class Replayed(Story):
    """A bed whose publisher tells how it replays."""

    def told(self, state: str = "playing", **changes: Any) -> Replayed:
        fields = {"position": 36 * self.next_seq, "duration": 1800 * FS, "last_seq": max(self.next_seq - 1, 0)}
        self.say(status("publisher", state, records=OFFERS, **{**fields, **changes}))
        return self

    def ask(self, action: ReplayAction) -> Replayed:
        self.presenter.request("bed-1", action, self.now)
        return self

    def replay(self, later_s: float = 0.0) -> Replay:
        replay = self.frame(later_s).replay
        assert replay is not None
        return replay


def played(seconds: int = 3) -> Replayed:
    story = Replayed()
    story.stream(10 * seconds)
    return story.told()


# --- what is ---------------------------------------------------------------------------------------------------------


def test_it_says_what_the_publisher_says() -> None:
    replay = played().told(speed=2.0, loop=True).replay()
    told = replay.status
    assert (told.state, told.record, told.speed, told.loop) == ("playing", "mitdb/208", 2.0, True)
    assert (replay.position_s, replay.duration_s) == (3, 1800)
    assert told.records == OFFERS
    assert replay.requested == Requested()


def test_between_two_statuses_the_samples_tell_the_place() -> None:
    story = played(3)
    story.stream(20)
    assert story.replay().position_s == 5


def test_a_seek_while_paused_shows_before_any_sample_comes() -> None:
    story = played(3).told("paused").told("paused", position=600 * FS)
    assert story.replay().position_s == 600


@pytest.mark.parametrize(
    "gone", [process("publisher", "offline"), removed(Topic(Kind.STATUS, "bed-1", Role.PUBLISHER), 0)]
)
def test_without_a_publisher_there_is_nothing_to_control(gone: Any) -> None:
    story = played()
    if hasattr(gone, "message"):
        story.presenter.process(gone)
    else:
        story.say(gone)
    assert story.frame().replay is None


def test_without_a_broker_nobody_knows() -> None:
    assert played().frame(broker=OFFLINE).replay is None


# --- what was asked for ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "requested", "obeyed"),
    [
        (SetPlaying(playing=False), Requested(playing=False), {"state": "paused"}),
        (Seek(position=600 * FS), Requested(position_s=600), {"position": 600 * FS + 36}),
        (SetSpeed(speed=4.0), Requested(speed=4.0), {"speed": 4.0}),
        (SetLoop(loop=True), Requested(loop=True), {"loop": True}),
        (ChooseRecord(record="mitdb/203"), Requested(record="mitdb/203"), {"record": "mitdb/203"}),
    ],
)
def test_a_request_waits_for_the_status(action: ReplayAction, requested: Requested, obeyed: dict[str, Any]) -> None:
    story = played()
    before = story.replay()
    story.ask(action)
    assert story.replay().requested == requested
    story.told()  # a status that had been on its way
    replay = story.replay()
    assert replay.requested == requested
    assert replay.status == before.status
    assert replay.position_s == before.position_s
    story.told(**obeyed)
    assert story.replay().requested == Requested()
    assert story.replay().note is None


def test_wishes_are_told_in_words() -> None:
    replay = played().ask(SetPlaying(playing=False)).ask(Seek(position=90 * FS)).replay()
    assert replay.note is not None
    assert english(replay.note) == "requested: pause, go to 01:30 …"


def test_a_later_wish_of_the_same_kind_counts() -> None:
    assert played().ask(SetSpeed(speed=2.0)).ask(SetSpeed(speed=8.0)).replay().requested == Requested(speed=8.0)


def test_a_seek_back_is_not_taken_as_done_while_the_replay_goes_on_where_it_was() -> None:
    story = played(60).ask(Seek(position=50 * FS))
    story.told()
    assert story.replay().requested.position_s == 50


def test_what_nobody_obeys_is_said_and_given_up() -> None:
    story = played().ask(Seek(position=7200 * FS))
    late = PATIENCE_NS / 1e9 + 0.1
    assert story.replay(late - 0.2).requested.position_s == 7200
    replay = story.replay(late)
    assert replay.requested == Requested()
    assert replay.note is not None
    assert english(replay.note) == "not done: go to 120:00"
    assert story.replay(late + 10).note is None


def test_minutes_go_on_beyond_the_hour() -> None:
    assert [clock(s) for s in (0, 61, 3661)] == ["00:00", "01:01", "61:01"]


# --- a pause ---------------------------------------------------------------------------------------


def test_paused_is_not_live_and_no_data_are_missed() -> None:
    story = played().told("paused")
    for later_s in (0.5, 3.0, 600.0):
        frame = story.frame(later_s)
        assert frame.link.state is LinkState.PAUSED
        assert english(frame.link.phrase) == "PAUSED"
        assert frame.link.stale
        assert phrase("notice.paused") in frame.notices
        assert not any("NO DATA" in english(notice) for notice in frame.notices)


def test_the_last_samples_before_the_pause_are_still_drawn_as_live() -> None:
    story = played().told("paused")
    assert story.frame(0.05).link.state is LinkState.LIVE


def test_after_a_pause_nothing_is_late_until_a_sample_is() -> None:
    story = played().told("paused")
    story.now += 60 * SECOND
    story.told("playing")
    assert story.frame(0.1).link.state is LinkState.LIVE, "neither NO DATA nor NO FORECAST"
    assert story.frame(4.0).link.state is LinkState.NO_DATA


def test_a_replay_that_becomes_slow_is_not_late_before_its_next_chunk_is() -> None:
    story = played().told(speed=0.01)
    assert story.frame(9.0).link.state is not LinkState.NO_DATA
    assert story.frame(30.0).link.state is LinkState.NO_DATA


def test_a_publisher_that_died_while_paused_leaves_no_data() -> None:
    story = played().told("paused").say(process("publisher", "offline"))
    assert story.frame(5.0).link.state is LinkState.NO_DATA
