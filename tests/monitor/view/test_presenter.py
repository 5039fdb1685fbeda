"""What the monitor makes of messages, without a window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.view.link import LinkState
from monitor.view.presenter import VIEW, Presenter
from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.messages import MAX_INDEX, Message
from stream.wire.topics import Kind, Role, Topic
from tests.monitor.stories import (
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
from tests.monitor.view.story import ONLINE, Story
from tests.waveforms import SESSION, chunk


def test_each_bed_keeps_its_own() -> None:
    story = Story().stream(20)
    story.stream(5, bed="bed-2", forecasts=False)
    frame = story.presenter.frame(story.now, "bed-2", ONLINE)
    assert [tab.name for tab in frame.beds] == ["bed-1", "bed-2"]
    assert frame.bed == "bed-2"
    assert frame.trace.fan is None
    assert story.presenter.frame(story.now, None, ONLINE).bed == "bed-1"


def test_a_bed_appears_with_its_publisher_and_not_with_a_dead_one() -> None:
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


@given(story=st.lists(st.tuples(moments, any_messages), max_size=30))
def test_whatever_comes_there_is_a_picture(story: list[tuple[int, Message]]) -> None:
    presenter = Presenter()
    cursor: tuple[tuple[str, ...], int] | None = None
    for at, message in story:
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


def test_frames_are_frozen() -> None:
    frame = Story().stream(5).frame()
    with pytest.raises(AttributeError):
        frame.bed = "other"  # type: ignore[misc]
    assert frame.trace.session == SESSION


def test_a_bed_whose_publisher_takes_its_status_back_vanishes_and_may_come_again() -> None:
    story = Story()
    story.say(status("publisher", "playing"), status("publisher", "playing", bed="bed-2"))
    story.stream(10)
    assert story.presenter.beds == ("bed-1", "bed-2")
    topic = Topic(Kind.STATUS, "bed-2", Role.PUBLISHER)
    story.presenter.process(removed(topic, story.now))
    story.presenter.process(removed(Topic(Kind.ALARMS_ACTIVE, "bed-2"), story.now))
    assert story.presenter.beds == ("bed-1",)
    assert len(story.presenter.frames(story.now, ONLINE, {"bed-1": (VIEW, None), "bed-2": (VIEW, None)})) == 1
    story.say(status("publisher", "playing", bed="bed-2"))
    assert story.presenter.beds == ("bed-1", "bed-2")


def test_a_bed_whose_publisher_died_stays_and_says_no_data() -> None:
    story = Story()
    story.say(status("publisher", "playing")).stream(10).say(process("publisher", "offline"))
    frame = story.frame(5.0)
    assert frame.bed == "bed-1"
    assert frame.link.state is LinkState.NO_DATA


def test_a_bed_whose_publisher_took_its_leave_is_no_longer_there() -> None:
    story = Story()
    story.say(status("publisher", "playing")).stream(10).say(status("publisher", "ended"))
    assert story.presenter.beds == ("bed-1",), "the record has ended, and may be started again"
    story.say(process("publisher", "offline"))
    assert story.presenter.beds == ()
    story.say(alarm(100, priority="high"))
    assert story.presenter.beds == ("bed-1",), "somebody must answer it first"


def test_what_an_earlier_run_left_retained_makes_no_bed() -> None:
    story = Story(worker=False)
    story.say(status("publisher", "ended", bed="old"), status("worker", "stopped", bed="old"), vitals(100, bed="old"))
    story.say(ActiveAlarms(bed="old", alarms=(alarm(100, bed="old"),)))
    assert story.presenter.beds == ()
