"""The steps of a scenario in the order in which they are to be expected, and which comes next. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

from stream.wire.scenario_status import ScenarioStep


def in_order(steps: Sequence[ScenarioStep]) -> tuple[int, ...]:
    """Return the numbers of the steps, by their times; one that waits follows what it waits for.

    A step waits since the step before it in the file, so that is its earliest time while no other is known.
    """
    earliest: list[float] = []
    for step in steps:
        at_s = step.at_s
        if at_s is None:
            wait, at_s = step.after, earliest[-1] if earliest else 0.0
            if wait is not None and wait.on == "step":
                named = (begun for begun, other in zip(earliest, steps, strict=False) if other.name == wait.name)
                at_s = next(named, at_s) + wait.seconds
        earliest.append(at_s)
    return tuple(sorted(range(len(steps)), key=earliest.__getitem__))


def next_step(steps: Sequence[ScenarioStep]) -> int | None:
    """Return the number of the step that comes next, as far as times are known; None: there is none."""
    coming = [(step.at_s, number) for number, step in enumerate(steps) if not step.happened and step.at_s is not None]
    return min(coming)[1] if coming else None
