"""What the monitor makes of messages, without a window."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.view.bed import GAP, GHOST
from monitor.view.link import LinkState
from monitor.view.phrases import english
from monitor.view.presenter import VIEW, Broker, Presenter
from monitor.view.view_model import Drawn, Frame, Trace, View
from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.messages import INVALID, MAX_INDEX, Message
from stream.wire.phrases import alarm_phrase, phrase
from stream.wire.topics import Kind, Role, Topic
from tests.monitor.stories import (
    CONNECTED,
    SECOND,
    T0,
    alarm,
    arrives,
    forecast,
    process,
    received,
    removed,
    status,
    vitals,
)
from tests.waveforms import SESSION, chunk

ONLINE = Broker(True, CONNECTED)
OFFLINE = Broker(False, phrase("broker.lost", address="mqtt://test:1883"))


class Story:
    """A presenter, and the moment until which its bed has streamed."""

    def __init__(self, worker: bool = True) -> None:
        self.presenter = Presenter()
        self.now = T0
        self.next_seq = 0
        if worker:
            for message in (process("worker"), process("publisher"), status("worker", "forecasting")):
                self.presenter.take(received(message, T0))

    def stream(self, count: int, forecasts: bool = True, **changes: object) -> Story:
        for seq in range(self.next_seq, self.next_seq + count):
            got = arrives(seq, **changes)
            self.now = got.received_ns
            self.presenter.take(got)
            if forecasts:
                self.presenter.take(received(forecast(seq * 36 + 35), self.now))
        self.next_seq += count
        return self

    def say(self, *messages: object) -> Story:
        for message in messages:
            self.presenter.take(received(message, self.now))  # type: ignore[arg-type]
        return self

    def frame(self, later_s: float = 0.0, broker: Broker = ONLINE) -> Frame:
        return self.presenter.frame(self.now + round(later_s * 1e9), None, broker)


# --- samples --------------------------------------------------------------------------------------------------------


def test_every_sample_lies_at_its_index() -> None:
    trace = Story().stream(100).frame().trace
    index = np.arange(trace.first, trace.cursor)
    np.testing.assert_allclose(trace.mv[:, 0], (index - 1024) / 200, atol=1e-5)
    assert trace.cursor - trace.first == VIEW.span - GAP


def test_a_lost_chunk_is_blank_and_counted() -> None:
    story = Story().stream(10)
    story.next_seq = 12
    frame = story.stream(10).frame()
    blank = np.flatnonzero(np.isnan(frame.trace.mv[:, 0])) + frame.trace.first
    assert blank.tolist() == list(range(360, 432))
    assert frame.numbers.gaps == 1


def test_invalid_samples_are_blank() -> None:
    story = Story().stream(10)
    story.presenter.take(arrives(10, samples=np.full(36, INVALID, "<i2").tobytes()))
    story.next_seq = 11
    trace = story.stream(10).frame().trace
    assert np.isnan(trace.mv[:, 0]).sum() == 36


def test_a_chunk_that_comes_again_changes_nothing_and_is_counted() -> None:
    story = Story().stream(20)
    before = story.frame().trace
    story.presenter.take(arrives(15, samples=np.zeros(36, "<i2").tobytes()))
    frame = story.frame()
    np.testing.assert_array_equal(frame.trace.mv, before.mv)
    assert frame.numbers.duplicates == 1
    assert frame.numbers.gaps == 0


def test_a_new_session_starts_with_an_empty_sweep() -> None:
    story = Story().stream(50)
    t0 = story.now + SECOND
    for seq in range(5):
        made = chunk(seq, session="f" * 32, t0_ns=t0 + seq * SECOND // 10)
        story.presenter.take(received(made, made.due_ns))
        story.now = made.due_ns
    trace = story.frame().trace
    assert trace.session == "f" * 32
    assert trace.first == 0
    assert trace.fan is None
    assert np.isnan(trace.score).all()


def test_a_monitor_that_comes_late_starts_at_the_first_chunk_it_saw() -> None:
    story = Story()
    story.next_seq = 1000
    trace = story.stream(5).frame().trace
    assert trace.first == 36_000
    assert np.isfinite(trace.mv).all()


def test_the_cursor_never_goes_back_when_the_deadlines_move() -> None:
    story = Story().stream(20)
    cursors = [story.frame(0.1 * i).trace.cursor for i in range(8)]
    resumed = chunk(20, t0_ns=story.now + 5 * SECOND)
    story.presenter.take(received(resumed, resumed.due_ns))
    story.now = resumed.due_ns
    cursors += [story.frame(0.05 * i).trace.cursor for i in range(8)]
    assert cursors == sorted(cursors)
    assert cursors[-1] == 21 * 36


# --- forecasts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("later_s", [0.0, 0.03, 0.07, 0.099])
def test_the_fan_was_made_from_drawn_samples_only(later_s: float) -> None:
    trace = Story().stream(50).frame(later_s).trace
    origin = trace.fan.first - 1
    assert origin < trace.cursor
    assert trace.cursor - origin <= 36  # and it is the latest such
    assert trace.fan.first + len(trace.fan.mean) > trace.cursor


def test_the_band_holds_ninety_percent() -> None:
    story = Story().stream(20, forecasts=False)
    story.say(forecast(600, mean=0.5, scale=0.2))
    fan = story.frame().trace.fan
    assert fan.low[0, 0] == pytest.approx(0.5 - 1.645 * 0.2)
    assert fan.high[0, 0] == pytest.approx(0.5 + 1.645 * 0.2)


def test_the_ghost_was_forecast_at_least_100_ms_before() -> None:
    story = Story()
    for seq in range(40):
        story.stream(1, forecasts=False).say(forecast(seq * 36 + 35, mean=float(seq)))
    trace = story.frame().trace
    for row, index in enumerate(range(trace.first, trace.cursor)):
        made_at = trace.ghost[row, 0] * 36 + 35
        assert np.isnan(made_at) or GHOST < index - made_at <= GHOST + 36
    assert np.isfinite(trace.ghost).mean() > 0.8


def test_a_forecast_of_another_session_is_not_drawn() -> None:
    story = Story().stream(20, forecasts=False).say(forecast(700, session="e" * 32))
    assert story.frame().trace.fan is None


def test_a_forecast_ends_with_its_epoch() -> None:
    story = Story().stream(20)
    assert story.frame().trace.fan is not None
    story.stream(2, forecasts=False, epoch=1, epoch_start=720)
    trace = story.frame(0.09).trace
    assert trace.cursor > 720
    assert trace.fan is None


def test_skill_compares_with_persistence() -> None:
    # Sample i holds i adu: 50 ms ahead, "it stays" is wrong by 18 adu, and a constant forecast by what we choose.
    story = Story()
    for seq in range(30):
        story.stream(1, forecasts=False)
        truth = (seq * 36 + 35 + 18 - 1024) / 200
        story.say(forecast(seq * 36 + 35, mean=truth + 0.009))
    numbers = story.frame().numbers
    assert numbers.persistence_mv == pytest.approx(18 / 200)
    assert numbers.forecast_mv == pytest.approx(0.009, abs=1e-5)
    assert numbers.skill == pytest.approx(0.9, abs=1e-3)


def test_no_number_without_a_value() -> None:
    numbers = Story(worker=False).stream(5, forecasts=False).frame().numbers
    assert (numbers.score, numbers.threshold, numbers.forecast_mv, numbers.skill) == (None, None, None, None)


def test_the_score_lies_under_the_stretch_that_it_judges() -> None:
    story = Story()
    for seq in range(10):
        story.stream(1, forecasts=False).say(forecast(seq * 36 + 35, score=float(seq) if seq > 2 else None))
    trace = story.frame().trace
    assert np.isnan(trace.score[: 3 * 36]).all()
    for seq in range(3, trace.cursor // 36):
        assert (trace.score[seq * 36 : (seq + 1) * 36] == seq).all()


# --- alarms ---------------------------------------------------------------------------------------------------------


def test_an_open_alarm_marks_the_trace_until_now_and_a_cleared_one_until_its_end() -> None:
    story = Story().stream(30).say(alarm(400))
    opened = story.frame()
    assert [(s.first, s.stop, s.priority) for s in opened.trace.stretches] == [(400, None, "low")]
    assert [(line.phrase, line.active) for line in opened.active] == [(alarm_phrase(alarm(400)), True)]
    story.say(alarm(400, "cleared", end=700))
    closed = story.frame()
    assert [(s.first, s.stop) for s in closed.trace.stretches] == [(400, 700)]
    assert closed.active == ()
    assert [line.active for line in closed.history] == [False]
    assert closed.trace.revision > opened.trace.revision > 0


def test_an_event_that_comes_again_does_not_raise_a_cleared_alarm() -> None:
    story = Story().stream(30).say(alarm(400), alarm(400, "cleared", end=700), alarm(400))
    assert story.frame().active == ()


def test_who_comes_late_learns_the_active_alarms() -> None:
    story = Story().stream(30).say(ActiveAlarms(bed="bed-1", alarms=(alarm(500),)))
    assert len(story.frame().active) == 1
    story.say(ActiveAlarms(bed="bed-1"))
    assert story.frame().active == ()
    # How long it lasted is known only as far as it was told.
    assert [(s.first, s.stop) for s in story.frame().trace.stretches] == [(500, 860)]


def test_a_removed_list_of_active_alarms_is_an_empty_one() -> None:
    story = Story().stream(30).say(alarm(500))
    story.presenter.take(removed(Topic(Kind.ALARMS_ACTIVE, "bed-1"), story.now))
    assert story.frame().active == ()


def test_the_most_urgent_alarm_comes_first() -> None:
    story = Story().stream(30).say(alarm(300, priority="high"), alarm(400), alarm(500, priority="medium"))
    frame = story.frame()
    assert [line.priority for line in frame.active] == ["high", "medium", "low"]
    assert [line.priority for line in frame.history] == ["medium", "low", "high"]
    assert frame.beds[0].priority == "high"


def test_an_alarm_of_another_session_is_listed_and_not_drawn() -> None:
    frame = Story().stream(30).say(alarm(400, session="e" * 32)).frame()
    assert len(frame.active) == 1
    assert frame.trace.stretches == ()


def test_thousands_of_alarms_stay_bounded_and_the_active_ones_are_kept() -> None:
    story = Story().stream(30).say(alarm(1))
    for onset in range(2, 2000):
        story.say(alarm(onset), alarm(onset, "cleared", end=onset + 10))
    frame = story.frame()
    assert len(frame.history) <= 200
    assert [line.active for line in frame.history].count(True) == 1


# --- honesty --------------------------------------------------------------------------------------------------------


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
        story.presenter.take(arrives(seq, 1000))
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
    story.presenter.take(removed(Topic(Kind.STATUS, "bed-1", Role.WORKER), story.now))
    assert story.frame().link.state is LinkState.NO_WORKER


def test_a_removed_process_is_gone() -> None:
    story = Story().stream(20)
    for _ in range(2):
        story.presenter.take(removed(Topic(Kind.PROCESS, role=Role.WORKER, instance="worker"), story.now))
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


# --- several beds ---------------------------------------------------------------------------------------------------


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
    presenter.take(received(status("publisher", "playing", bed="bed-9"), T0))
    assert presenter.beds == ()
    presenter.take(received(process("publisher"), T0))
    presenter.take(received(status("publisher", "playing", bed="bed-9"), T0))
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
        presenter.take(received(message, at))
        frame = presenter.frame(at + SECOND // 50, "bed-1", ONLINE)
        trace = frame.trace
        if trace is None:
            continue
        count = trace.cursor - trace.first
        assert 0 <= count <= trace.span - trace.gap
        assert trace.mv.shape == trace.ghost.shape == (count, len(trace.leads))
        assert trace.score.shape == (count,)
        if cursor is not None and trace.leads == cursor[0]:
            assert trace.cursor >= cursor[1]
        cursor = (trace.leads, trace.cursor)


def test_frames_are_frozen() -> None:
    frame = Story().stream(5).frame()
    with pytest.raises(AttributeError):
        frame.record = "other"  # type: ignore[misc]
    assert frame.trace.session == SESSION


# --- several beds, and what has been drawn already -------------------------------------------------------------------


def pieces(story: Story, view: View, count: int) -> tuple[list[Trace], Drawn | None]:
    """Ask for one trace after the other, as a sweep does that has drawn those before."""
    drawn, traces = None, []
    for _ in range(count):
        story.stream(1)
        (frame,) = story.presenter.frames(story.now, ONLINE, {"bed-1": (view, drawn)})
        trace = frame.trace
        drawn = Drawn(trace.session, trace.revision, trace.span, len(trace.leads), trace.cursor)
        traces.append(trace)
    return traces, drawn


def test_only_what_is_new_is_handed_over() -> None:
    story = Story()
    traces, _ = pieces(story, VIEW, 10)
    assert traces[0].whole
    for before, trace in itertools.pairwise(traces[3:]):
        assert not trace.whole
        assert trace.first == before.cursor - 1, "and the sample that ties it to what is there"
        assert len(trace.mv) == len(trace.ghost) == len(trace.score) == trace.cursor - trace.first


def test_the_pieces_are_the_whole() -> None:
    story, other = Story(), Story()
    traces, _ = pieces(story, VIEW, 60)
    whole = other.stream(60).frame().trace
    since = max(index for index, trace in enumerate(traces) if trace.whole)
    first, *rest = traces[since:]
    joined = np.concatenate([first.mv, *(trace.mv[1:] for trace in rest)])
    np.testing.assert_array_equal(joined[-len(whole.mv) :], whole.mv[-len(joined) :])


@pytest.mark.parametrize("change", ["alarm", "view", "session", "leads"])
def test_what_changes_the_picture_brings_all_of_it(change: str) -> None:
    story, view = Story(), VIEW
    _, drawn = pieces(story, view, 20)
    if change == "alarm":
        story.say(alarm(300))
    elif change == "view":
        view = View(span=1000)
    elif change == "leads":
        drawn = dataclasses.replace(drawn, leads=2)
    else:
        made = chunk(0, session="f" * 32, t0_ns=story.now)
        story.presenter.take(received(made, made.due_ns))
        story.now = made.due_ns + SECOND // 5
    (frame,) = story.presenter.frames(story.now, ONLINE, {"bed-1": (view, drawn)})
    assert frame.trace.whole


def test_a_sample_beyond_the_lane_moves_it() -> None:
    story = Story()
    pieces(story, VIEW, 20)
    before = story.frame().trace.ranges
    story.presenter.take(arrives(20, samples=np.full(36, 2047, "<i2").tobytes(), gain=(50.0,)))
    story.now += SECOND
    after = story.frame().trace.ranges
    assert before[0][1] < (2047 - 1024) / 50 <= after[0][1]


def test_where_height_is_scarce_the_first_lead_alone_is_handed_over() -> None:
    story = Story()
    two = {"leads": ("MLII", "V1"), "gain": (200.0, 200.0), "zero": (1024, 1024)}
    for seq in range(10):
        made = chunk(seq, 36, samples=np.zeros((36, 2), "<i2").tobytes(), **two)
        story.presenter.take(received(made, made.due_ns))
        story.presenter.take(received(forecast(made.end - 1, leads=made.leads), made.due_ns))
        story.now = made.due_ns
    (frame,) = story.presenter.frames(story.now, ONLINE, {"bed-1": (View(most_leads=1), None)})
    assert frame.trace.leads == ("MLII",)
    assert frame.trace.mv.shape[1] == frame.trace.ghost.shape[1] == frame.trace.fan.mean.shape[1] == 1
    assert len(frame.trace.ranges) == 1


def test_a_bed_whose_publisher_takes_its_status_back_vanishes_and_may_come_again() -> None:
    story = Story()
    story.say(status("publisher", "playing"), status("publisher", "playing", bed="bed-2"))
    story.stream(10)
    assert story.presenter.beds == ("bed-1", "bed-2")
    topic = Topic(Kind.STATUS, "bed-2", Role.PUBLISHER)
    story.presenter.take(removed(topic, story.now))
    story.presenter.take(removed(Topic(Kind.ALARMS_ACTIVE, "bed-2"), story.now))
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
