"""Connection state: stale data are never shown as live."""

from __future__ import annotations

from monitor.view.display_texts import english, to_text
from monitor.view.link import LinkState
from monitor.view.presenter import Presenter
from stream.wire.alarm_texts import phrase
from stream.wire.topics import Kind, Role, Topic
from tests.monitor.message_samples import (
    T0,
    forecast,
    process,
    received_chunk,
    removed,
    status,
)
from tests.monitor.view.scenario import OFFLINE, ONLINE, Scenario
from tests.waveforms import chunk


def test_live() -> None:
    link = Scenario().stream(20).frame(0.05).link
    assert link.state is LinkState.LIVE
    assert english(link.phrase).startswith("LIVE 0.")
    assert not link.stale


def test_old_data_are_stale() -> None:
    scenario = Scenario().stream(20)
    assert scenario.frame(0.9).link.state is LinkState.LIVE
    frame = scenario.frame(7.0)
    assert (english(frame.link.phrase), frame.link.stale) == ("NO DATA 7 s", True)
    assert frame.notices == (frame.link.phrase,)


def test_an_ended_record() -> None:
    scenario = Scenario().stream(20).receive(status("publisher", "ended"))
    assert english(scenario.frame(3.0).link.phrase) == "ENDED 3 s"


def test_long_chunks_are_not_stale_between_arrivals() -> None:
    scenario = Scenario()
    for seq in range(5):
        scenario.presenter.process(received_chunk(seq, 1000))
    scenario.now = chunk(4, 1000).due_ns
    scenario.receive(forecast(4999))
    assert scenario.frame(2.5).link.state is LinkState.LIVE
    assert scenario.frame(8.0).link.state is LinkState.NO_DATA


def test_a_missing_and_an_offline_worker_are_the_same() -> None:
    assert Scenario(worker=False).stream(20).frame().link.state is LinkState.NO_WORKER
    scenario = Scenario().stream(20)
    assert scenario.frame().link.state is LinkState.LIVE
    scenario.receive(process("worker", "offline"))
    frame = scenario.frame()
    assert frame.link.state is LinkState.NO_WORKER
    assert not frame.link.stale  # the trace itself is current
    assert not frame.worker


def test_a_stopped_worker_and_a_removed_status() -> None:
    scenario = Scenario().stream(20).receive(status("worker", "stopped"))
    assert scenario.frame().link.state is LinkState.NO_WORKER
    scenario.receive(status("worker", "forecasting"))
    scenario.presenter.process(removed(Topic(Kind.STATUS, "bed-1", Role.WORKER), scenario.now))
    assert scenario.frame().link.state is LinkState.NO_WORKER


def test_a_removed_process_status_counts_as_offline() -> None:
    scenario = Scenario().stream(20)
    for _ in range(2):
        scenario.presenter.process(removed(Topic(Kind.PROCESS, role=Role.WORKER, instance="worker"), scenario.now))
    assert scenario.frame().link.state is LinkState.NO_WORKER


def test_a_worker_that_does_not_respond() -> None:
    scenario = Scenario().stream(20).stream(35, forecasts=False)
    assert scenario.frame().link.state is LinkState.NO_FORECAST


def test_an_overloaded_worker_is_named_and_recovers() -> None:
    scenario = Scenario().stream(20).receive(process("worker", overloaded=True)).stream(35, forecasts=False)
    frame = scenario.frame()
    assert frame.link.state is LinkState.OVERLOADED
    assert not frame.link.stale
    [notice] = frame.notices
    assert "overloaded" in english(notice)
    assert "解析プロセスが過負荷です" in to_text(notice, "ja")
    scenario.receive(process("worker")).stream(1)
    assert scenario.frame().link.state is LinkState.LIVE


def test_learning() -> None:
    scenario = Scenario().stream(20).receive(status("worker", "learning"))
    frame = scenario.frame()
    assert frame.link.state is LinkState.LEARNING
    assert frame.notices == (phrase("notice.learning"),)


def test_without_a_broker_everything_is_stale() -> None:
    scenario = Scenario().stream(20)
    frame = scenario.frame(broker=OFFLINE)
    assert frame.link.state is LinkState.NO_BROKER
    assert frame.link.stale
    assert not frame.worker
    assert Presenter().frame(T0, None, OFFLINE).notices == (OFFLINE.phrase,)


def test_before_the_first_message() -> None:
    frame = Presenter().frame(T0, "bed-7", ONLINE)
    assert frame.link.state is LinkState.WAITING
    assert (frame.bed, frame.trace, frame.beds) == ("bed-7", None, ())
