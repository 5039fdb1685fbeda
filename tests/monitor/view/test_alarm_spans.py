"""What an alarm changes on a trace that has been drawn."""

from __future__ import annotations

import numpy as np

from monitor.view.alarm_spans import first_changed, marked
from monitor.view.trace import AlarmSpan, Trace


def trace_with(alarm_spans: tuple[AlarmSpan, ...]) -> Trace:
    """Return a trace of the samples 100 to 999 with stretches in alarm."""
    nothing = np.zeros((900, 1), np.float32)
    return Trace(
        session="s",
        revision=1,
        leads=("MLII",),
        first=100,
        cursor=1000,
        span=2160,
        gap=144,
        mv=nothing,
        predicted=nothing,
        score=nothing[:, 0],
        threshold=3.0,
        fan=None,
        alarm_spans=alarm_spans,
        ranges=((-1.0, 1.0),),
    )


def changed(before: tuple[AlarmSpan, ...], after: tuple[AlarmSpan, ...]) -> int:
    return first_changed(before, trace_with(after))


def test_only_what_an_alarm_changes_is_drawn_anew() -> None:
    open_, closed, old = AlarmSpan(800, None, "high"), AlarmSpan(800, 900, "high"), AlarmSpan(20, 90, "low")
    assert changed((), ()) == 1000
    assert changed((), (open_,)) == 800
    assert changed((open_,), (closed,)) == 900, "what it was until its end it stays"
    assert changed((closed,), ()) == 800
    assert changed((old,), ()) == 1000, "it had left the sweep"
    assert changed((), (AlarmSpan(20, None, "low"),)) == 100
    assert changed((AlarmSpan(500, 600, "low"), open_), (closed,)) == 500


def test_the_most_urgent_wins_and_the_line_out_of_a_stretch_belongs_to_it() -> None:
    alarm_spans = (AlarmSpan(100, 110, "low"), AlarmSpan(105, None, "high"))
    masks = dict(marked(trace_with(alarm_spans), np.arange(98, 112)))
    assert np.flatnonzero(masks["low"]).tolist() == [2, 3, 4, 5, 6, 7]
    assert np.flatnonzero(masks["high"]).tolist() == list(range(7, 14))
    assert marked(trace_with(()), np.arange(98, 112)) == []
