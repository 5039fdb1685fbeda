"""``bedside ward``: a whole ward on this machine to look at, with a line per second on how it does."""

from __future__ import annotations

import asyncio
import contextlib

from monitor.tools.ward_processes import Say, WardSetup, ward_processes

LINE_S = 1.0
"""Interval of the lines."""


async def show_ward(setup: WardSetup, seconds: float | None, say: Say) -> None:
    """Run a ward until its time is over, or until it is cancelled; then end it in order.

    Parameters
    ----------
    setup : WardSetup
    seconds : float or None
        Duration; None: until cancelled.
    say : callable
        Shows a line.

    Raises
    ------
    ChildExitError
        A process exited unexpectedly.
    """
    async with ward_processes(setup, say) as ward:
        say(f"broker at {setup.address}; to see the beds: bedside monitor --station --broker {setup.address}")
        with contextlib.suppress(asyncio.CancelledError):
            await ward.run(float("inf") if seconds is None else seconds, LINE_S, lambda _, line: say(line))
        if (task := asyncio.current_task()) is not None:
            task.uncancel()  # all is still ended in order after Ctrl-C; a second Ctrl-C ends it at once
        say("stopping")
        totals = await ward.end()
    gaps = ward.meter.gaps()
    say(
        f"{totals['beds']} beds, {totals['seconds']:.0f} s: {totals['messages']} messages, "
        f"{ward.meter.raised} alarms raised, {gaps.gaps} gaps, {gaps.unexplained} beds with samples lost on the way"
    )
