"""Replay status: the publisher's reports, and pending requests."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from monitor.view.display_texts import english
from monitor.view.link import LinkState
from monitor.view.replay_status import REQUEST_TIMEOUT_NS, clock
from monitor.view.view_model import Replay, Requested
from stream.timebase import FS
from stream.wire.alarm_texts import phrase
from stream.wire.replay_actions import ChooseRecord, ReplayAction, Seek, SetLoop, SetPlaying, SetSpeed, ShowEpisode
from stream.wire.status_messages import Offer, ShownEpisode
from stream.wire.topics import Kind, Role, Topic
from tests.monitor.message_samples import SECOND, process, removed, status
from tests.monitor.view.scenario import OFFLINE, Scenario

OFFERS = (Offer(name="mitdb/203", seconds=1805.6, rhythms=("AFIB", "VT")), Offer(name="mitdb/208", seconds=1805.6))


class Replayed(Scenario):
    """A bed whose publisher reports its replay."""

    def report(self, state: str = "playing", **changes: Any) -> Replayed:
        fields = {"position": 36 * self.next_seq, "duration": 1800 * FS, "last_seq": max(self.next_seq - 1, 0)}
        self.receive(status("publisher", state, records=OFFERS, **{**fields, **changes}))
        return self

    def request(self, action: ReplayAction) -> Replayed:
        self.presenter.request("bed-1", action, self.now)
        return self

    def replay(self, later_s: float = 0.0) -> Replay:
        replay = self.frame(later_s).replay
        assert replay is not None
        return replay


def played(seconds: int = 3) -> Replayed:
    scenario = Replayed()
    scenario.stream(10 * seconds)
    return scenario.report()


# --- status -----------------------------------------------------------------------------------------------------------


def test_the_status_is_that_of_the_publisher() -> None:
    replay = played().report(speed=2.0, loop=True).replay()
    reported = replay.status
    assert (reported.state, reported.record, reported.speed, reported.loop) == ("playing", "mitdb/208", 2.0, True)
    assert (replay.position_s, replay.duration_s) == (3, 1800)
    assert reported.records == OFFERS
    assert replay.requested == Requested()


def test_between_two_statuses_the_samples_give_the_position() -> None:
    scenario = played(3)
    scenario.stream(20)
    assert scenario.replay().position_s == 5


def test_a_seek_while_paused_is_shown_before_the_next_sample() -> None:
    scenario = played(3).report("paused").report("paused", position=600 * FS)
    assert scenario.replay().position_s == 600


@pytest.mark.parametrize(
    "gone", [process("publisher", "offline"), removed(Topic(Kind.STATUS, "bed-1", Role.PUBLISHER), 0)]
)
def test_without_a_publisher_there_is_no_replay(gone: Any) -> None:
    scenario = played()
    if hasattr(gone, "message"):
        scenario.presenter.process(gone)
    else:
        scenario.receive(gone)
    assert scenario.frame().replay is None


def test_without_a_broker_there_is_no_replay() -> None:
    assert played().frame(broker=OFFLINE).replay is None


# --- requests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "requested", "executed"),
    [
        (SetPlaying(playing=False), Requested(playing=False), {"state": "paused"}),
        (Seek(position=600 * FS), Requested(position_s=600), {"position": 600 * FS + 36}),
        (SetSpeed(speed=4.0), Requested(speed=4.0), {"speed": 4.0}),
        (SetLoop(loop=True), Requested(loop=True), {"loop": True}),
        (ChooseRecord(record="mitdb/203"), Requested(record="mitdb/203"), {"record": "mitdb/203"}),
    ],
)
def test_a_request_is_pending_until_the_status_shows_it(
    action: ReplayAction, requested: Requested, executed: dict[str, Any]
) -> None:
    scenario = played()
    before = scenario.replay()
    scenario.request(action)
    assert scenario.replay().requested == requested
    scenario.report()  # a status sent before the request was executed
    replay = scenario.replay()
    assert replay.requested == requested
    assert replay.status == before.status
    assert replay.position_s == before.position_s
    scenario.report(**executed)
    assert scenario.replay().requested == Requested()
    assert scenario.replay().note is None


def test_pending_requests_are_described() -> None:
    replay = played().request(SetPlaying(playing=False)).request(Seek(position=90 * FS)).replay()
    assert replay.note is not None
    assert english(replay.note) == "requested: pause, go to 01:30 …"


def test_a_later_request_of_the_same_kind_replaces_the_earlier() -> None:
    assert played().request(SetSpeed(speed=2.0)).request(SetSpeed(speed=8.0)).replay().requested == Requested(speed=8.0)


def test_a_seek_back_is_pending_while_the_replay_continues() -> None:
    scenario = played(60).request(Seek(position=50 * FS))
    scenario.report()
    assert scenario.replay().requested.position_s == 50


@pytest.mark.parametrize("later_s", [REQUEST_TIMEOUT_NS / 1e9 + 0.1, -3600])
def test_a_request_that_is_not_executed_times_out(later_s: float) -> None:
    """Also if the clock was set back meanwhile."""
    scenario = played().request(Seek(position=7200 * FS))
    assert scenario.replay(REQUEST_TIMEOUT_NS / 1e9 - 0.1).requested.position_s == 7200
    replay = scenario.replay(later_s)
    assert replay.requested == Requested()
    assert replay.note is not None
    assert english(replay.note) == "not done: go to 120:00"
    assert scenario.replay(later_s + 10).note is None


def test_the_clock_counts_minutes_beyond_the_hour() -> None:
    assert [clock(s) for s in (0, 61, 3661)] == ["00:00", "01:01", "61:01"]


# --- a pause ---------------------------------------------------------------------------------------


def test_a_paused_replay_is_neither_live_nor_without_data() -> None:
    scenario = played().report("paused")
    for later_s in (0.5, 3.0, 600.0):
        frame = scenario.frame(later_s)
        assert frame.link.state is LinkState.PAUSED
        assert english(frame.link.phrase) == "PAUSED"
        assert frame.link.stale
        assert phrase("notice.paused") in frame.notices
        assert not any("NO DATA" in english(notice) for notice in frame.notices)


def test_samples_before_the_pause_are_drawn_as_live() -> None:
    scenario = played().report("paused")
    assert scenario.frame(0.05).link.state is LinkState.LIVE


def test_lateness_counts_from_the_end_of_the_pause() -> None:
    scenario = played().report("paused")
    scenario.now += 60 * SECOND
    scenario.report("playing")
    assert scenario.frame(0.1).link.state is LinkState.LIVE, "neither NO DATA nor NO FORECAST"
    assert scenario.frame(4.0).link.state is LinkState.NO_DATA


def test_a_slower_replay_is_late_only_when_its_next_chunk_is() -> None:
    scenario = played().report(speed=0.01)
    assert scenario.frame(9.0).link.state is not LinkState.NO_DATA
    assert scenario.frame(30.0).link.state is LinkState.NO_DATA


def test_a_publisher_lost_while_paused_means_no_data() -> None:
    scenario = played().report("paused").receive(process("publisher", "offline"))
    assert scenario.frame(5.0).link.state is LinkState.NO_DATA


def test_a_request_for_a_rhythm_is_pending_until_its_episode_is_shown() -> None:
    scenario = played().request(ShowEpisode(rhythm="VT"))
    assert scenario.replay().requested.episode
    note = scenario.replay().note
    assert note is not None
    assert "ventricular tachycardia" in english(note)
    other = ShownEpisode(rhythm="VF", record="vfdb/422", start_s=1.0, end_s=9.0, returns=True)
    assert scenario.report(episode=other).replay().requested.episode
    vt = msgspec.structs.replace(other, rhythm="VT")
    assert not scenario.report(episode=vt).replay().requested.episode
