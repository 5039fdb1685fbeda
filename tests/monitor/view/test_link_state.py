"""The state of the connection: what is not of now does not look as if it were."""

from __future__ import annotations

from monitor.view.link import LinkState
from monitor.view.phrases import english
from monitor.view.presenter import Presenter
from stream.wire.phrases import phrase
from stream.wire.topics import Kind, Role, Topic
from tests.monitor.stories import (
    T0,
    arrives,
    forecast,
    process,
    removed,
    status,
)
from tests.monitor.view.story import OFFLINE, ONLINE, Story
from tests.waveforms import chunk


def test_live() -> None:
    link = Story().stream(20).frame(0.05).link
    assert link.state is LinkState.LIVE
    assert english(link.phrase).startswith("LIVE 0.")
    assert not link.stale


def test_old_data_does_not_look_live() -> None:
    story = Story().stream(20)
    assert story.frame(0.9).link.state is LinkState.LIVE
    frame = story.frame(7.0)
    assert (english(frame.link.phrase), frame.link.stale) == ("NO DATA 7 s", True)
    assert frame.notices == (frame.link.phrase,)


def test_a_record_that_has_ended_says_so() -> None:
    story = Story().stream(20).say(status("publisher", "ended"))
    assert english(story.frame(3.0).link.phrase) == "ENDED 3 s"


def test_large_chunks_are_not_taken_for_silence() -> None:
    story = Story()
    for seq in range(5):
        story.presenter.process(arrives(seq, 1000))
    story.now = chunk(4, 1000).due_ns
    story.say(forecast(4999))
    assert story.frame(2.5).link.state is LinkState.LIVE
    assert story.frame(8.0).link.state is LinkState.NO_DATA


def test_no_worker_and_a_dead_one_are_the_same() -> None:
    assert Story(worker=False).stream(20).frame().link.state is LinkState.NO_WORKER
    story = Story().stream(20)
    assert story.frame().link.state is LinkState.LIVE
    story.say(process("worker", "offline"))
    frame = story.frame()
    assert frame.link.state is LinkState.NO_WORKER
    assert not frame.link.stale  # the trace itself is of now
    assert not frame.worker


def test_a_stopped_worker_and_a_removed_status() -> None:
    story = Story().stream(20).say(status("worker", "stopped"))
    assert story.frame().link.state is LinkState.NO_WORKER
    story.say(status("worker", "forecasting"))
    story.presenter.process(removed(Topic(Kind.STATUS, "bed-1", Role.WORKER), story.now))
    assert story.frame().link.state is LinkState.NO_WORKER


def test_a_removed_process_is_gone() -> None:
    story = Story().stream(20)
    for _ in range(2):
        story.presenter.process(removed(Topic(Kind.PROCESS, role=Role.WORKER, instance="worker"), story.now))
    assert story.frame().link.state is LinkState.NO_WORKER


def test_a_worker_that_hangs() -> None:
    story = Story().stream(20).stream(35, forecasts=False)
    assert story.frame().link.state is LinkState.NO_FORECAST


def test_learning() -> None:
    story = Story().stream(20).say(status("worker", "learning"))
    frame = story.frame()
    assert frame.link.state is LinkState.LEARNING
    assert frame.notices == (phrase("notice.learning"),)


def test_without_a_broker_nothing_is_of_now() -> None:
    story = Story().stream(20)
    frame = story.frame(broker=OFFLINE)
    assert frame.link.state is LinkState.NO_BROKER
    assert frame.link.stale
    assert not frame.worker
    assert Presenter().frame(T0, None, OFFLINE).notices == (OFFLINE.phrase,)


def test_nothing_yet() -> None:
    frame = Presenter().frame(T0, "bed-7", ONLINE)
    assert frame.link.state is LinkState.WAITING
    assert (frame.bed, frame.trace, frame.beds) == ("bed-7", None, ())
