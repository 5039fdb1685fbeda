"""Stretches in alarm on a trace: which samples have their colours, and what has changed since. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitor.view.trace import Stretch, Trace


def first_changed(before: Sequence[Stretch], trace: Trace) -> int:
    """Return the first sample that looks different than with the stretches before, or the cursor.

    One that ended meanwhile looks different from its end on.
    """
    lost, new = set(before) - set(trace.stretches), set(trace.stretches) - set(before)
    places = [trace.cursor]
    for stretch in lost | new:
        if stretch.stop is not None and stretch.stop <= trace.first:
            continue
        others = new if stretch in lost else lost
        same = next((s for s in others if (s.first, s.priority) == (stretch.first, stretch.priority)), None)
        if same is None:
            places.append(stretch.first)
        else:
            places += [s.stop for s in (stretch, same) if s.stop is not None]
    return max(min(place for place in places if place is not None), trace.first)


def marked(trace: Trace, index: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return the samples to draw in the colour of an alarm, by priority: a mask each, the most urgent wins."""
    if not trace.stretches:
        return []
    priorities = np.full(len(index), "", dtype="<U9")
    for stretch in trace.stretches:  # the least urgent first
        inside = index >= stretch.first
        if stretch.stop is not None:
            inside &= index < stretch.stop
        priorities[inside] = stretch.priority
    found = []
    for priority in sorted({stretch.priority for stretch in trace.stretches}):
        here = priorities == priority
        here[1:] |= here[:-1]  # the line into the next sample belongs to the stretch too
        found.append((priority, here))
    return found
