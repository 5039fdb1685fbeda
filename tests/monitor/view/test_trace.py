"""What lies on the sweep: samples, predicted ECG, fan and scores, each at its sample index."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from monitor.view.bed import GAP
from monitor.view.presenter import VIEW
from monitor.view.signal_buffer import LEAD_TIME
from monitor.view.trace import Drawn, Trace, View
from monitor.view.view_model import Arrivals
from stream.wire.messages import INVALID
from tests.monitor.stories import (
    SECOND,
    alarm,
    arrives,
    forecast,
    received,
    vitals,
)
from tests.monitor.view.story import ONLINE, Story
from tests.waveforms import chunk


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
    assert frame.arrivals.gaps == 1


def test_invalid_samples_are_blank() -> None:
    story = Story().stream(10)
    story.presenter.process(arrives(10, samples=np.full(36, INVALID, "<i2").tobytes()))
    story.next_seq = 11
    trace = story.stream(10).frame().trace
    assert np.isnan(trace.mv[:, 0]).sum() == 36


def test_a_chunk_that_comes_again_changes_nothing_and_is_counted() -> None:
    story = Story().stream(20)
    before = story.frame().trace
    story.presenter.process(arrives(15, samples=np.zeros(36, "<i2").tobytes()))
    frame = story.frame()
    np.testing.assert_array_equal(frame.trace.mv, before.mv)
    assert frame.arrivals.duplicates == 1
    assert frame.arrivals.gaps == 0


def test_a_new_session_starts_with_an_empty_sweep() -> None:
    story = Story().stream(50)
    t0 = story.now + SECOND
    for seq in range(5):
        made = chunk(seq, session="f" * 32, t0_ns=t0 + seq * SECOND // 10)
        story.presenter.process(received(made, made.due_ns))
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
    story.presenter.process(received(resumed, resumed.due_ns))
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
        made_at = trace.predicted[row, 0] * 36 + 35
        assert np.isnan(made_at) or LEAD_TIME < index - made_at <= LEAD_TIME + 36
    assert np.isfinite(trace.predicted).mean() > 0.8


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


def test_the_skill_is_the_one_that_the_worker_sends() -> None:
    story = Story().stream(30).say(vitals(719, skill=0.75))
    assert story.frame().patient.vitals == vitals(719, skill=0.75)


def test_no_number_without_a_value() -> None:
    frame = Story(worker=False).stream(5, forecasts=False).frame()
    assert frame.forecast is None
    assert frame.patient.vitals is None
    assert frame.arrivals == Arrivals(jitter_ms=0.0)


def test_the_score_lies_under_the_stretch_that_it_judges() -> None:
    story = Story()
    for seq in range(10):
        story.stream(1, forecasts=False).say(forecast(seq * 36 + 35, score=float(seq) if seq > 2 else None))
    trace = story.frame().trace
    assert np.isnan(trace.score[: 3 * 36]).all()
    for seq in range(3, trace.cursor // 36):
        assert (trace.score[seq * 36 : (seq + 1) * 36] == seq).all()


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
        assert len(trace.mv) == len(trace.predicted) == len(trace.score) == trace.cursor - trace.first


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
        story.presenter.process(received(made, made.due_ns))
        story.now = made.due_ns + SECOND // 5
    (frame,) = story.presenter.frames(story.now, ONLINE, {"bed-1": (view, drawn)})
    assert frame.trace.whole


def test_a_sample_beyond_the_lane_moves_it() -> None:
    story = Story()
    pieces(story, VIEW, 20)
    before = story.frame().trace.ranges
    story.presenter.process(arrives(20, samples=np.full(36, 2047, "<i2").tobytes(), gain=(50.0,)))
    story.now += SECOND
    after = story.frame().trace.ranges
    assert before[0][1] < (2047 - 1024) / 50 <= after[0][1]


def test_where_height_is_scarce_the_first_lead_alone_is_handed_over() -> None:
    story = Story()
    two = {"leads": ("MLII", "V1"), "gain": (200.0, 200.0), "zero": (1024, 1024)}
    for seq in range(10):
        made = chunk(seq, 36, samples=np.zeros((36, 2), "<i2").tobytes(), **two)
        story.presenter.process(received(made, made.due_ns))
        story.presenter.process(received(forecast(made.end - 1, leads=made.leads), made.due_ns))
        story.now = made.due_ns
    (frame,) = story.presenter.frames(story.now, ONLINE, {"bed-1": (View(most_leads=1), None)})
    assert frame.trace.leads == ("MLII",)
    assert frame.trace.mv.shape[1] == frame.trace.predicted.shape[1] == frame.trace.fan.mean.shape[1] == 1
    assert len(frame.trace.ranges) == 1
