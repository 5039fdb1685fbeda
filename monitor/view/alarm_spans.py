"""Stretches in alarm on a trace: which samples have their colours, and what has changed since. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitor.view.trace import AlarmSpan, Trace


def first_changed(before: Sequence[AlarmSpan], trace: Trace) -> int:
    """Return the first sample that looks different than with the spans before, or the cursor.

    One that ended meanwhile looks different from its end on.
    """
    lost, new = set(before) - set(trace.alarm_spans), set(trace.alarm_spans) - set(before)
    places = [trace.cursor]
    for alarm_span in lost | new:
        if alarm_span.stop is not None and alarm_span.stop <= trace.first:
            continue
        others = new if alarm_span in lost else lost
        same = next((s for s in others if (s.first, s.priority) == (alarm_span.first, alarm_span.priority)), None)
        if same is None:
            places.append(alarm_span.first)
        else:
            places += [s.stop for s in (alarm_span, same) if s.stop is not None]
    return max(min(place for place in places if place is not None), trace.first)


def marked(trace: Trace, index: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return the samples to draw in the colour of an alarm, by priority: a mask each, the most urgent wins."""
    if not trace.alarm_spans:
        return []
    priorities = np.full(len(index), "", dtype="<U9")
    for alarm_span in trace.alarm_spans:  # the least urgent first
        inside = index >= alarm_span.first
        if alarm_span.stop is not None:
            inside &= index < alarm_span.stop
        priorities[inside] = alarm_span.priority
    found = []
    for priority in sorted({alarm_span.priority for alarm_span in trace.alarm_spans}):
        here = priorities == priority
        here[1:] |= here[:-1]  # the line into the next sample belongs to the span too
        found.append((priority, here))
    return found
