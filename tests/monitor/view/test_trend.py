"""Trend: the values of each second over hours, across sessions; numbers; CSV."""

from __future__ import annotations

import csv
import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.view.bed_numerics import Reading, State
from monitor.view.presenter import Presenter
from monitor.view.trend import HISTORY_S, NUMBERS, SPANS_S, Trend
from monitor.view.trend_export import trend_csv, trend_stem
from stream.wire.alarm_messages import PRIORITIES, ActiveAlarms
from tests.monitor.message_samples import SECOND, T0, alarm, received, received_chunk, vitals
from tests.waveforms import numeric, numerics

NOW = T0 // SECOND


def test_each_second_has_the_values_received_in_it() -> None:
    trend = Trend()
    for second in range(5):
        trend.add(vitals(360 * second, heart_rate=60.0 + second, score=second / 10), T0 + second * SECOND, None)
    snapshot = trend.snapshot(T0 + 4 * SECOND)
    assert (snapshot.first, snapshot.stop) == (NOW + 5 - SPANS_S[0], NOW + 5)
    np.testing.assert_allclose(snapshot.heart_rate[-5:], [60, 61, 62, 63, 64])
    np.testing.assert_allclose(snapshot.score[-5:], [0, 0.1, 0.2, 0.3, 0.4], atol=1e-6)
    assert np.isnan(snapshot.heart_rate[:-5]).all()
    assert (snapshot.priority == -1).all()


def test_a_fast_replay_keeps_the_last_rate_and_the_highest_score() -> None:
    trend = Trend()
    for rate, score in ((60.0, 0.1), (90.0, 5.0), (70.0, None)):
        trend.add(vitals(0, heart_rate=rate, score=score), T0, None)
    trend.add(vitals(0, heart_rate=None, score=0.3), T0, None)
    snapshot = trend.snapshot(T0)
    assert (snapshot.heart_rate[-1], snapshot.score[-1]) == (70.0, 5.0)


def test_seconds_without_values_are_nan() -> None:
    trend = Trend()
    trend.add(vitals(0), T0, None)
    trend.add(vitals(360), T0 + 10 * SECOND, None)
    snapshot = trend.snapshot(T0 + 12 * SECOND)
    assert np.flatnonzero(np.isfinite(snapshot.heart_rate)).tolist() == [
        len(snapshot.score) - 13,
        len(snapshot.score) - 3,
    ]


def test_the_span_grows_with_the_history_up_to_eight_hours() -> None:
    trend = Trend()
    spans = []
    for second in (0, 500, 3000, 8000, HISTORY_S + 500):
        trend.add(vitals(0, heart_rate=50.0 + second / 1000), T0 + second * SECOND, None)
        snapshot = trend.snapshot(T0 + second * SECOND)
        spans.append(snapshot.stop - snapshot.first)
    assert spans == [600, 600, 3600, HISTORY_S, HISTORY_S]
    assert np.nanmin(snapshot.heart_rate) > 50.5, "the first second has been dropped"


def test_a_clock_set_back_by_hours_is_ignored() -> None:
    trend = Trend()
    trend.add(vitals(0), T0, None)
    trend.add(vitals(0, heart_rate=99.0), T0 - 2 * HISTORY_S * SECOND, None)
    snapshot = trend.snapshot(T0)
    assert np.nanmax(snapshot.heart_rate) < 99


def test_the_most_urgent_alarm_of_a_second_is_kept() -> None:
    trend = Trend()
    trend.mark(T0, "low")
    trend.mark(T0, "high")
    trend.add(vitals(0), T0, "medium")
    assert PRIORITIES[trend.snapshot(T0).priority[-1]] == "high"


def test_alarms_are_marked_while_active_and_when_raised() -> None:
    presenter = Presenter()

    def receive(second: int, *messages: object) -> None:
        for message in messages:
            presenter.process(received(message, T0 + second * SECOND))  # type: ignore[arg-type]

    presenter.process(received_chunk(0))
    receive(1, vitals(0))
    raised = alarm(0, priority="high")
    receive(2, raised, ActiveAlarms(bed="bed-1", alarms=(raised,)), vitals(360))
    receive(3, vitals(720))
    over = alarm(0, "cleared", end=900, priority="high", latched=True)
    receive(4, over, ActiveAlarms(bed="bed-1", alarms=(over,)), vitals(1080))
    receive(5, alarm(1300), alarm(1300, "cleared", end=1400), vitals(1440))
    receive(6, vitals(1800))
    bed = presenter.bed("bed-1")
    assert bed is not None
    marked = bed.trend.snapshot(T0 + 6 * SECOND).priority[-6:].tolist()
    high, low = PRIORITIES.index("high"), PRIORITIES.index("low")
    assert marked == [-1, high, high, -1, low, -1], "a latched alarm is not marked; a short one within a second is"


def test_the_trend_continues_across_sessions() -> None:
    presenter = Presenter()
    presenter.process(received_chunk(0))
    presenter.process(received(vitals(0), T0))
    presenter.process(received_chunk(0, session="f" * 32))
    bed = presenter.bed("bed-1")
    assert bed is not None
    assert np.isfinite(bed.trend.snapshot(T0).heart_rate).any()


def reading(value: float | None, state: State = "live") -> Reading:
    return Reading(value, "%", "recorded", 0, state)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 3 * HISTORY_S), st.none() | st.integers(0, 250), st.sampled_from(("live", "stale"))),
        max_size=20,
    )
)
def test_the_last_live_number_of_each_second_is_kept(reports: list[tuple[int, int | None, State]]) -> None:
    trend, kept, newest = Trend(), {}, 0
    for second, value, state in reports:
        trend.add_readings({"spo2": reading(value, state)}, T0 + second * SECOND)
        if value is not None and state == "live":
            if second >= newest - HISTORY_S:
                kept[second] = value
            newest = max(newest, second)
    snapshot = trend.snapshot(T0 + newest * SECOND, HISTORY_S)
    shown = {second: value for second, value in kept.items() if second > newest - HISTORY_S}
    assert set(snapshot.numbers) == ({"spo2"} if shown else set())
    if shown:
        values = snapshot.numbers["spo2"]
        assert len(values) == HISTORY_S
        found = {newest - HISTORY_S + 1 + int(at): float(values[at]) for at in np.flatnonzero(np.isfinite(values))}
        assert found == shown


def test_a_bed_with_all_numbers_takes_259_kilobytes_an_hour() -> None:
    trend = Trend()
    trend.add_readings(dict.fromkeys(NUMBERS, reading(1.0)), T0)
    assert trend._numbers is not None
    kept = trend._rows._data.nbytes + trend._numbers._data.nbytes
    assert kept / (HISTORY_S / 3600) == 259_200
    assert Trend()._numbers is None, "a bed with ECG alone"


def test_numbers_of_this_session_are_kept_as_shown() -> None:
    presenter = Presenter()
    early = numerics(values=(numeric("spo2", 50.0),))
    presenter.process(received(early, T0))
    presenter.process(received_chunk(0))
    values = (numeric("spo2", 97.0), numeric("abp_mean", 60.0, age_s=30.0), numeric("temperature", 36.8, age_s=900.0))
    presenter.process(received(numerics(values=values), T0 + SECOND))
    bed = presenter.bed("bed-1")
    assert bed is not None
    shown = bed.trend.snapshot(T0 + 2 * SECOND).numbers
    assert set(shown) == {"spo2", "temperature"}, "the pressure is old"
    np.testing.assert_array_equal(shown["spo2"][-3:], [np.nan, 97.0, np.nan])


def test_csv_has_a_row_per_second_and_a_column_per_number() -> None:
    trend = Trend()
    trend.add(vitals(0, heart_rate=60.0, score=0.25), T0, None)
    trend.add_readings({"temperature": reading(36.8)}, T0)
    trend.mark(T0 + 2 * SECOND, "high")
    trend.add_readings({"temperature": reading(None, "missing"), "spo2": reading(97.0)}, T0 + 3 * SECOND)
    snapshot = trend.snapshot(T0 + 100 * SECOND, HISTORY_S)
    rows = list(csv.reader(io.StringIO(trend_csv(snapshot))))
    assert rows == [
        ["time_utc", "heart_rate (1/min)", "spo2 (%)", "temperature (°C)", "anomaly_score", "alarm"],
        ["2023-11-14T22:13:20Z", "60", "", "36.8", "0.25", ""],
        ["2023-11-14T22:13:21Z", "", "", "", "", ""],
        ["2023-11-14T22:13:22Z", "", "", "", "", "high"],
        ["2023-11-14T22:13:23Z", "", "97", "", "", ""],
    ]
    assert trend_stem("ward/1", snapshot) == "ward_1_trend_20231114T221501Z"
    assert len(trend_csv(Trend().snapshot(T0)).splitlines()) == 1
