"""``bedside bench ward``: how many beds a publisher, a broker and the workers of this machine keep up with."""

from __future__ import annotations

import time
from typing import Any

from monitor.tools.process_usage import Usage
from monitor.tools.ward_meter import MAX_LATENCY_MS, MAX_LATENESS_MS, PROMPT_MS, Gaps
from monitor.tools.ward_processes import Say, WardSetup, ward_processes

LINE_S = 5.0
"""Interval of the lines of progress."""

WARM_UP_S = 15.0
"""Time from when all beds are served to the start of the measurement: during its first 12 s the worker learns."""


async def bench_ward(setup: WardSetup, seconds: float, say: Say, warm_up_s: float = WARM_UP_S) -> dict[str, Any]:
    """Run a ward and measure it.

    Parameters
    ----------
    setup : WardSetup
    seconds : float
        Duration, at least 1.
    say : callable
        Shows a line of progress.
    warm_up_s : float

    Returns
    -------
    dict
        ``beds``, ``workers`` (processes that share the beds), ``seconds``, ``broker`` (``mosquitto`` or ``embedded``);
        ``kept_up``: all beds served, no gap, no overload, 99 % of the latencies at most `MAX_LATENCY_MS`, and of the
        publisher's lateness `MAX_LATENESS_MS`; ``prompt``: kept up, and 99 % of the latencies at most `PROMPT_MS`;
        ``latency_ms`` (chunk due → forecast received; vitals if the worker sends no forecast, of some beds) and
        ``lateness_ms`` (chunk due → queued for the broker), each with p50 and p99; ``publisher_us_per_bed_s``,
        ``broker_us_per_bed_s``, ``worker_us_per_bed_s``: processor time, that of all worker processes together;
        ``gaps``, ``unexplained_gaps``, see `monitor.tools.ward_meter.Gaps`; ``beds_served``, ``overloaded``;
        ``memory_mb`` by role. Processor time and memory are None without /proc.

    Raises
    ------
    ChildExitError
        A process exited unexpectedly.
    """
    async with ward_processes(setup, say) as ward:
        meter = ward.meter
        await ward.run(warm_up_s, LINE_S, lambda at_s, line: say(f"warming up, {at_s:.0f} of {warm_up_s:g} s: {line}"))
        meter.measuring, meter.overloaded = True, bool(meter.overloaded_now)
        before, began_s = ward.usages(), time.monotonic()
        await ward.run(seconds, LINE_S, lambda at_s, line: say(f"measuring, {at_s:.0f} of {seconds:g} s: {line}"))
        after, ended_s = ward.usages(), time.monotonic()
        meter.measuring = False
        overloaded, served = meter.overloaded, meter.served
        say("stopping")
        lateness = (await ward.end())["lateness_ms"]
    bed_seconds = len(setup.names) * (ended_s - began_s)
    gaps, latency = meter.gaps(), meter.latency_ms
    kept_up = (
        served == len(setup.names)
        and not overloaded
        and gaps == Gaps(0, 0)
        and _within(latency["p99"], MAX_LATENCY_MS)
        and _within(lateness["p99"], MAX_LATENESS_MS)
    )
    return {
        "beds": len(setup.names),
        "workers": setup.workers or 1,
        "seconds": seconds,
        "broker": ward.broker,
        "kept_up": kept_up,
        "prompt": kept_up and _within(latency["p99"], PROMPT_MS),
        "latency_ms": latency,
        "lateness_ms": {"p50": lateness["p50"], "p99": lateness["p99"]},
        **{f"{role}_us_per_bed_s": _us_per_bed_s(before[role], after[role], bed_seconds) for role in after},
        "gaps": gaps.gaps,
        "unexplained_gaps": gaps.unexplained,
        "beds_served": served,
        "overloaded": overloaded,
        "memory_mb": {role: None if used is None else round(used.memory_mb, 1) for role, used in after.items()},
    }


def _within(value_ms: float | None, limit_ms: float) -> bool:
    return value_ms is not None and value_ms <= limit_ms


def _us_per_bed_s(before: Usage | None, after: Usage | None, bed_seconds: float) -> float | None:
    if before is None or after is None:
        return None
    return round((after.cpu_s - before.cpu_s) / bed_seconds * 1e6, 1)
