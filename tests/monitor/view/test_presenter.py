"""Presenter: frames from messages, without a window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.view.link import LinkState
from monitor.view.presenter import DEFAULT_VIEW, Presenter
from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.bed_places import configured_places
from stream.wire.fields import MAX_INDEX
from stream.wire.messages import Message
from stream.wire.topics import Kind, Role, Topic
from tests.monitor.message_samples import (
    SECOND,
    T0,
    alarm,
    forecast,
    process,
    received,
    removed,
    status,
    vitals,
)
from tests.monitor.view.scenario import ONLINE, Scenario
from tests.waveforms import SESSION, chunk


def test_beds_have_separate_states() -> None:
    scenario = Scenario().stream(20)
    scenario.stream(5, bed="bed-2", forecasts=False)
    frame = scenario.presenter.frame(scenario.now, "bed-2", ONLINE)
    assert [tab.name for tab in frame.beds] == ["bed-1", "bed-2"]
    assert frame.bed == "bed-2"
    assert frame.trace.fan is None
    assert scenario.presenter.frame(scenario.now, None, ONLINE).bed == "bed-1"


def test_a_bed_appears_when_its_publisher_is_online() -> None:
    presenter = Presenter()
    presenter.process(received(status("publisher", "playing", bed="bed-9"), T0))
    assert presenter.beds == ()
    presenter.process(received(process("publisher"), T0))
    presenter.process(received(status("publisher", "playing", bed="bed-9"), T0))
    assert presenter.beds == ("bed-9",)


anywhere = st.one_of(st.integers(0, 4000), st.integers(0, MAX_INDEX - 10_000))
moments = st.integers(-20 * SECOND, 20 * SECOND).map(lambda ns: T0 + ns)
any_messages = st.one_of(
    st.builds(
        lambda seq, start, n, leads, t0, speed: chunk(
            seq,
            n * len(leads),
            start=start,
            position=0,
            t0_ns=t0,
            speed=speed,
            leads=leads,
            gain=(200.0,) * len(leads),
            zero=(0,) * len(leads),
        ),
        anywhere,
        anywhere,
        st.integers(1, 400),
        st.sampled_from([("MLII",), ("MLII", "V1")]),
        moments,
        st.floats(0.01, 1000),
    ),
    st.builds(forecast, anywhere, score=st.one_of(st.none(), st.floats(-9, 99)), seq=st.just(0)),
    st.builds(alarm, anywhere, phase=st.sampled_from(["raised", "cleared"]), end=st.one_of(st.none(), anywhere)),
    st.just(ActiveAlarms(bed="bed-1")),
    st.builds(status, st.sampled_from(["worker", "publisher"]), st.sampled_from(["ended", "learning", "stopped"])),
    st.builds(process, st.sampled_from(["worker", "publisher"]), st.sampled_from(["online", "offline"])),
)


@given(scenario=st.lists(st.tuples(moments, any_messages), max_size=30))
def test_any_sequence_of_messages_gives_consistent_frames(scenario: list[tuple[int, Message]]) -> None:
    presenter = Presenter()
    cursor: tuple[tuple[str, ...], int] | None = None
    for at, message in scenario:
        presenter.process(received(message, at))
        frame = presenter.frame(at + SECOND // 50, "bed-1", ONLINE)
        trace = frame.trace
        if trace is None:
            continue
        count = trace.cursor - trace.first
        assert 0 <= count <= trace.span - trace.gap
        assert trace.mv.shape == trace.predicted.shape == (count, len(trace.leads))
        assert trace.score.shape == (count,)
        if cursor is not None and trace.leads == cursor[0]:
            assert trace.cursor >= cursor[1]
        cursor = (trace.leads, trace.cursor)


def test_frames_are_immutable() -> None:
    frame = Scenario().stream(5).frame()
    with pytest.raises(AttributeError):
        frame.bed = "other"  # type: ignore[misc]
    assert frame.trace.session == SESSION


def test_a_bed_is_removed_with_its_status_and_can_reappear() -> None:
    scenario = Scenario()
    scenario.receive(status("publisher", "playing"), status("publisher", "playing", bed="bed-2"))
    scenario.stream(10)
    assert scenario.presenter.beds == ("bed-1", "bed-2")
    topic = Topic(Kind.STATUS, "bed-2", Role.PUBLISHER)
    scenario.presenter.process(removed(topic, scenario.now))
    scenario.presenter.process(removed(Topic(Kind.ALARMS_ACTIVE, "bed-2"), scenario.now))
    assert scenario.presenter.beds == ("bed-1",)
    assert (
        len(
            scenario.presenter.frames(
                scenario.now, ONLINE, {"bed-1": (DEFAULT_VIEW, None), "bed-2": (DEFAULT_VIEW, None)}
            )
        )
        == 1
    )
    scenario.receive(status("publisher", "playing", bed="bed-2"))
    assert scenario.presenter.beds == ("bed-1", "bed-2")


def test_a_bed_with_a_lost_publisher_stays_with_no_data() -> None:
    scenario = Scenario()
    scenario.receive(status("publisher", "playing")).stream(10).receive(process("publisher", "offline"))
    frame = scenario.frame(5.0)
    assert frame.bed == "bed-1"
    assert frame.link.state is LinkState.NO_DATA


def test_a_bed_with_an_ended_offline_publisher_is_removed() -> None:
    scenario = Scenario()
    scenario.receive(status("publisher", "playing")).stream(10).receive(status("publisher", "ended"))
    assert scenario.presenter.beds == ("bed-1",), "the record has ended and can be restarted"
    scenario.receive(process("publisher", "offline"))
    assert scenario.presenter.beds == ()
    scenario.receive(alarm(100, priority="high"))
    assert scenario.presenter.beds == ("bed-1",), "the alarm is not acknowledged yet"


def test_retained_messages_of_an_earlier_run_create_no_bed() -> None:
    scenario = Scenario(worker=False)
    scenario.receive(
        status("publisher", "ended", bed="old"), status("worker", "stopped", bed="old"), vitals(100, bed="old")
    )
    scenario.receive(ActiveAlarms(bed="old", alarms=(alarm(100, bed="old"),)))
    assert scenario.presenter.beds == ()


def test_invented_beds_do_not_grow_the_monitor_and_displace_no_bed_that_sends() -> None:
    scenario = Scenario().stream(120)
    for n in range(3000):
        bed = f"invented-{n}"
        scenario.receive(chunk(0, bed=bed), ActiveAlarms(bed=bed), status("publisher", "playing", bed=bed))
    assert len(scenario.presenter.beds) == configured_places()
    assert "bed-1" in scenario.presenter.beds
    for second in range(20):
        scenario.now += SECOND
        scenario.receive(*(chunk(0, bed=f"later-{second}-{n}") for n in range(100)))
    presenter = scenario.presenter
    assert len(presenter._beds) == configured_places()
    assert "bed-1" in presenter._beds
    assert len(presenter._replays) <= configured_places()
    assert len(presenter._services._status) <= 2 * configured_places()


def test_a_worker_that_another_one_has_replaced_is_ignored() -> None:
    scenario = Scenario().stream(20)
    current = ActiveAlarms(bed="bed-1", alarms=(alarm(360, lease=2),), lease=2)
    scenario.receive(status("worker", "forecasting", instance="worker", lease=2), current)
    stale = [ActiveAlarms(bed="bed-1", lease=1), vitals(700, lease=1), alarm(0, lease=1), forecast(719, lease=1)]
    scenario.receive(*stale, status("worker", "stopped", lease=1))
    frame = scenario.frame()
    assert [line.alarm.alarm_id for line in frame.active] == [current.alarms[0].alarm_id]
    assert frame.patient.vitals is None
    assert frame.worker
    assert len(frame.history) == 1
