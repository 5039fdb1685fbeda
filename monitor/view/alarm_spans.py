"""Alarm spans on a trace: the samples of each priority, and the first sample that must be drawn again. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitor.view.trace import AlarmSpan, Trace


def first_changed(before: Sequence[AlarmSpan], trace: Trace) -> int:
    """Return the first sample whose colour has changed since an earlier set of spans; the cursor if none has.

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


def alarm_masks(trace: Trace, index: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return pairs of a priority and the mask of the samples in its colour; the most urgent priority wins."""
    if not trace.alarm_spans:
        return []
    priorities = np.full(len(index), "", dtype="<U9")
    for alarm_span in trace.alarm_spans:  # in order of rising urgency
        inside = index >= alarm_span.first
        if alarm_span.stop is not None:
            inside &= index < alarm_span.stop
        priorities[inside] = alarm_span.priority
    masks = []
    for priority in sorted({alarm_span.priority for alarm_span in trace.alarm_spans}):
        mask = priorities == priority
        mask[1:] |= mask[:-1]  # the line to the next sample belongs to the span
        masks.append((priority, mask))
    return masks
