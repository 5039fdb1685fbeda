"""Changes of alarm spans on a drawn trace."""

from __future__ import annotations

import numpy as np

from monitor.view.alarm_spans import first_changed
from monitor.view.trace import AlarmSpan, Trace


def trace_with(alarm_spans: tuple[AlarmSpan, ...]) -> Trace:
    """Return a trace of the samples 100 to 999 with alarm spans."""
    nothing = np.zeros((900, 1), np.float32)
    return Trace(
        session="s",
        revision=1,
        leads=("MLII",),
        rows=(0,),
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


def test_the_first_sample_that_changed() -> None:
    open_, closed, old = AlarmSpan(800, None, "high"), AlarmSpan(800, 900, "high"), AlarmSpan(20, 90, "low")
    assert changed((), ()) == 1000
    assert changed((), (open_,)) == 800
    assert changed((open_,), (closed,)) == 900, "unchanged up to its end"
    assert changed((closed,), ()) == 800
    assert changed((old,), ()) == 1000, "it was no longer on the sweep"
    assert changed((), (AlarmSpan(20, None, "low"),)) == 100
    assert changed((AlarmSpan(500, 600, "low"), open_), (closed,)) == 500
