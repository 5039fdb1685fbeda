"""Alarm spans on a trace: the first sample that must be drawn again when they change. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.view.trace import AlarmSpan, Trace


def first_changed(before: Sequence[AlarmSpan], trace: Trace) -> int:
    """Return the first sample whose alarm bar has changed since an earlier set of spans; the cursor if none has.

    A span that has ended since changes from its end on.
    """
    removed, added = set(before) - set(trace.alarm_spans), set(trace.alarm_spans) - set(before)
    changes = [trace.cursor]
    for alarm_span in removed | added:
        if alarm_span.stop is not None and alarm_span.stop <= trace.first:
            continue
        others = added if alarm_span in removed else removed
        same = next((s for s in others if (s.first, s.priority) == (alarm_span.first, alarm_span.priority)), None)
        if same is None:
            changes.append(alarm_span.first)
        else:
            changes += [s.stop for s in (alarm_span, same) if s.stop is not None]
    return max(min(sample for sample in changes if sample is not None), trace.first)
