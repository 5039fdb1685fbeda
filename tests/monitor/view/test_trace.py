"""Data of the sweep: samples, predicted ECG, fan and scores, each at its sample index."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from monitor.view.presenter import DEFAULT_VIEW
from monitor.view.signal_buffer import LEAD_TIME
from monitor.view.trace import FORECAST_GAP, GAP, GAP_MARGIN, Drawn, Trace, View
from monitor.view.view_model import Arrivals
from stream.wire.messages import INVALID
from tests.monitor.message_samples import (
    HORIZON,
    OFFSETS,
    SECOND,
    alarm,
    forecast,
    received,
    received_chunk,
    status,
    vitals,
)
from tests.monitor.view.scenario import ONLINE, Scenario
from tests.waveforms import chunk


def test_every_sample_is_at_its_index() -> None:
    trace = Scenario().stream(100).frame().trace
    index = np.arange(trace.first, trace.cursor)
    np.testing.assert_allclose(trace.mv[:, 0], (index - 1024) / 200, atol=1e-5)
    assert trace.cursor - trace.first == DEFAULT_VIEW.span - FORECAST_GAP


def test_a_lost_chunk_is_nan_and_counted() -> None:
    scenario = Scenario().stream(10)
    scenario.next_seq = 12
    frame = scenario.stream(10).frame()
    blank = np.flatnonzero(np.isnan(frame.trace.mv[:, 0])) + frame.trace.first
    assert blank.tolist() == list(range(360, 432))
    assert frame.arrivals.gaps == 1


def test_invalid_samples_are_nan() -> None:
    scenario = Scenario().stream(10)
    scenario.presenter.process(received_chunk(10, samples=np.full(36, INVALID, "<i2").tobytes()))
    scenario.next_seq = 11
    trace = scenario.stream(10).frame().trace
    assert np.isnan(trace.mv[:, 0]).sum() == 36


def test_a_repeated_chunk_is_ignored_and_counted() -> None:
    scenario = Scenario().stream(20)
    before = scenario.frame().trace
    scenario.presenter.process(received_chunk(15, samples=np.zeros(36, "<i2").tobytes()))
    frame = scenario.frame()
    np.testing.assert_array_equal(frame.trace.mv, before.mv)
    assert frame.arrivals.duplicates == 1
    assert frame.arrivals.gaps == 0


def test_a_new_session_starts_with_an_empty_sweep() -> None:
    scenario = Scenario().stream(50)
    t0 = scenario.now + SECOND
    scenario.receive(status("worker", "forecasting", session="f" * 32))
    for seq in range(5):
        made = chunk(seq, session="f" * 32, t0_ns=t0 + seq * SECOND // 10)
        scenario.presenter.process(received(made, made.due_ns))
        scenario.now = made.due_ns
    trace = scenario.frame().trace
    assert trace.session == "f" * 32
    assert trace.first == 0
    assert trace.fan is None
    assert np.isnan(trace.score).all()


def test_a_late_monitor_starts_at_its_first_received_chunk() -> None:
    scenario = Scenario()
    scenario.next_seq = 1000
    trace = scenario.stream(5).frame().trace
    assert trace.first == 36_000
    assert np.isfinite(trace.mv).all()


def test_the_cursor_never_moves_back_when_due_times_change() -> None:
    scenario = Scenario().stream(20)
    cursors = [scenario.frame(0.1 * i).trace.cursor for i in range(8)]
    resumed = chunk(20, t0_ns=scenario.now + 5 * SECOND)
    scenario.presenter.process(received(resumed, resumed.due_ns))
    scenario.now = resumed.due_ns
    cursors += [scenario.frame(0.05 * i).trace.cursor for i in range(8)]
    assert cursors == sorted(cursors)
    assert cursors[-1] == 21 * 36


# --- forecasts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("later_s", [0.0, 0.03, 0.07, 0.099])
def test_the_fan_was_made_from_drawn_samples_only(later_s: float) -> None:
    trace = Scenario().stream(50).frame(later_s).trace
    origin = trace.fan.first
    assert origin < trace.cursor
    assert trace.cursor - origin <= 36  # and it is the latest
    assert trace.cursor < trace.fan.stop


def test_the_whole_forecast_fits_into_the_gap_of_a_sweep() -> None:
    trace = Scenario().stream(50).frame().trace
    assert trace.gap == FORECAST_GAP
    assert trace.fan.stop == trace.fan.first + HORIZON + 1 <= trace.cursor + trace.gap - GAP_MARGIN


def test_a_view_without_a_forecast_has_a_smaller_gap() -> None:
    scenario = Scenario().stream(100)
    (frame,) = scenario.presenter.frames(scenario.now, ONLINE, {"bed-1": (View(gap=GAP), None)})
    trace = frame.trace
    assert trace.gap == GAP
    assert trace.cursor - trace.first == trace.span - GAP


def test_the_fan_is_the_90_percent_interval() -> None:
    scenario = Scenario().stream(20, forecasts=False)
    scenario.receive(forecast(600, mean=0.5, scale=0.2))
    fan = scenario.frame().trace.fan
    for offset in OFFSETS:
        assert fan.low[offset, 0] == pytest.approx(0.5 - 1.645 * 0.2)
        assert fan.high[offset, 0] == pytest.approx(0.5 + 1.645 * 0.2)


def test_predicted_samples_were_forecast_100_to_200_ms_ahead() -> None:
    scenario = Scenario()
    for seq in range(40):
        scenario.stream(1, forecasts=False).receive(forecast(seq * 36 + 35, mean=float(seq)))
    trace = scenario.frame().trace
    for row, index in enumerate(range(trace.first, trace.cursor)):
        made_at = trace.predicted[row, 0] * 36 + 35
        assert np.isnan(made_at) or LEAD_TIME < index - made_at <= LEAD_TIME + 36
    assert np.isfinite(trace.predicted).mean() > 0.8


def test_a_forecast_of_another_session_is_not_drawn() -> None:
    scenario = Scenario().stream(20, forecasts=False).receive(forecast(700, session="e" * 32))
    assert scenario.frame().trace.fan is None


def test_a_forecast_ends_with_its_epoch() -> None:
    scenario = Scenario().stream(20)
    assert scenario.frame().trace.fan is not None
    scenario.stream(2, forecasts=False, epoch=1, epoch_start=720)
    trace = scenario.frame(0.09).trace
    assert trace.cursor > 720
    assert trace.fan is None


def test_the_skill_is_the_latest_from_the_worker() -> None:
    scenario = Scenario().stream(30).receive(vitals(719, skill=0.75))
    assert scenario.frame().patient.vitals == vitals(719, skill=0.75)


def test_missing_values_are_none() -> None:
    frame = Scenario(worker=False).stream(5, forecasts=False).frame()
    assert frame.forecast is None
    assert frame.patient.vitals is None
    assert frame.arrivals == Arrivals(jitter_ms=0.0)


def test_a_score_is_assigned_to_the_samples_of_its_stride() -> None:
    scenario = Scenario()
    for seq in range(10):
        scenario.stream(1, forecasts=False).receive(forecast(seq * 36 + 35, score=float(seq) if seq > 2 else None))
    trace = scenario.frame().trace
    assert np.isnan(trace.score[: 3 * 36]).all()
    for seq in range(3, trace.cursor // 36):
        assert (trace.score[seq * 36 : (seq + 1) * 36] == seq).all()


def pieces(scenario: Scenario, view: View, count: int) -> tuple[list[Trace], Drawn | None]:
    """Return successive traces, each requested by a sweep that has drawn the previous ones."""
    drawn, traces = None, []
    for _ in range(count):
        scenario.stream(1)
        (frame,) = scenario.presenter.frames(scenario.now, ONLINE, {"bed-1": (view, drawn)})
        trace = frame.trace
        drawn = Drawn(trace.session, trace.revision, trace.span, trace.rows, trace.cursor)
        traces.append(trace)
    return traces, drawn


def test_only_new_samples_are_returned() -> None:
    scenario = Scenario()
    traces, _ = pieces(scenario, DEFAULT_VIEW, 10)
    assert traces[0].whole
    for before, trace in itertools.pairwise(traces[3:]):
        assert not trace.whole
        assert trace.first == before.cursor - 1, "with the sample that connects to the drawn ones"
        assert len(trace.mv) == len(trace.predicted) == len(trace.score) == trace.cursor - trace.first


def test_the_increments_add_up_to_the_whole_trace() -> None:
    scenario, other = Scenario(), Scenario()
    traces, _ = pieces(scenario, DEFAULT_VIEW, 60)
    whole = other.stream(60).frame().trace
    since = max(index for index, trace in enumerate(traces) if trace.whole)
    first, *rest = traces[since:]
    joined = np.concatenate([first.mv, *(trace.mv[1:] for trace in rest)])
    np.testing.assert_array_equal(joined[-len(whole.mv) :], whole.mv[-len(joined) :])


@pytest.mark.parametrize("change", ["alarm", "view", "session", "leads"])
def test_a_change_of_the_display_returns_the_whole_trace(change: str) -> None:
    scenario, view = Scenario(), DEFAULT_VIEW
    _, drawn = pieces(scenario, view, 20)
    if change == "alarm":
        scenario.receive(alarm(300))
    elif change == "view":
        view = View(span=1000)
    elif change == "leads":
        drawn = dataclasses.replace(drawn, rows=(0, 1))
    else:
        scenario.receive(status("worker", "forecasting", session="f" * 32))
        made = chunk(0, session="f" * 32, t0_ns=scenario.now)
        scenario.presenter.process(received(made, made.due_ns))
        scenario.now = made.due_ns + SECOND // 5
    (frame,) = scenario.presenter.frames(scenario.now, ONLINE, {"bed-1": (view, drawn)})
    assert frame.trace.whole


def test_a_clipped_sample_changes_the_range() -> None:
    scenario = Scenario()
    pieces(scenario, DEFAULT_VIEW, 20)
    before = scenario.frame().trace.ranges
    scenario.presenter.process(received_chunk(20, samples=np.full(36, 2047, "<i2").tobytes(), gain=(50.0,)))
    scenario.now += SECOND
    after = scenario.frame().trace.ranges
    assert before[0][1] < (2047 - 1024) / 50 <= after[0][1]


def test_a_low_view_gets_only_the_first_lead() -> None:
    scenario = Scenario()
    two = {"leads": ("MLII", "V1"), "gain": (200.0, 200.0), "zero": (1024, 1024)}
    for seq in range(10):
        made = chunk(seq, 36, samples=np.zeros((36, 2), "<i2").tobytes(), **two)
        scenario.presenter.process(received(made, made.due_ns))
        scenario.presenter.process(received(forecast(made.end - 1, leads=made.leads), made.due_ns))
        scenario.now = made.due_ns
    (frame,) = scenario.presenter.frames(scenario.now, ONLINE, {"bed-1": (View(max_leads=1), None)})
    assert frame.trace.leads == ("MLII",)
    assert frame.trace.mv.shape[1] == 1
    assert frame.trace.predicted.shape[1] == 2
    assert len(frame.trace.ranges) == 1


def test_a_view_names_the_leads_that_it_shows() -> None:
    scenario, names = Scenario(), ("II", "V1", "I", "aVF")
    four = {"leads": names, "gain": (200.0,) * 4, "zero": (1024,) * 4}
    adu = np.tile(np.array([1024, 1224, 1424, 1624], "<i2"), 36).tobytes()
    for seq in range(10):
        made = chunk(seq, 36, samples=adu, **four)
        scenario.presenter.process(received(made, made.due_ns))
        scenario.presenter.process(received(forecast(made.end - 1, leads=made.analysed), made.due_ns))
        scenario.now = made.due_ns

    def shown(view: View) -> Trace:
        (frame,) = scenario.presenter.frames(scenario.now, ONLINE, {"bed-1": (view, None)})
        return frame.trace

    trace = shown(View(leads=("avf", "V9", "V1")))
    assert (trace.leads, trace.rows) == (("aVF", "V1"), (3, 1))
    np.testing.assert_allclose(trace.mv[-1], [3.0, 1.0])
    assert trace.predicted.shape[1] == trace.fan.mean.shape[1] == 2, "of the analysed leads"
    assert shown(View()).leads == ("II", "V1"), "by default those that are analysed"
    assert shown(View(leads=("V9",))).leads == ("II", "V1"), "a bed without the leads that are named"
    assert shown(View(max_leads=12)).leads == names
