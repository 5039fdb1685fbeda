"""Hours of signal in minutes: no role grows."""

from __future__ import annotations

import statistics
import time

from tests.reliability import signals
from tests.reliability.row import Bench, Checks, Outcome, Row
from tests.reliability.scene import Scene

SPEED, SHORT_SPEED = 20, 4
"""Multiples of real time. The short form must not leave a slow machine with minutes of signal to catch up."""

SAMPLE_S = 5.0
GROWTH = 0.02
WINDOW = 0.15
"""The first and the last measurements after warm-up that are compared, as a part of all."""


def soak(bench: Bench) -> Outcome:
    """Replay two beds at 20 times real time and measure the memory of each role."""
    seconds, speed, checks = bench.size(900, 6), bench.size(SPEED, SHORT_SPEED), Checks()
    warm_up_s = seconds / 3
    with Scene(bench) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        monitor = scene.ward.start("monitor", "--station")
        bench.need(lambda: scene.watch.online("monitor"), "the window")
        beds = {"bed-1": signals.eventful(3600), "bed-2": signals.regular(3600)}
        replay = scene.start_replay(beds, speed=speed, chunk=180)
        scene.need_taken(40)
        roles = {"worker": worker, "publisher": replay, "alarm log": logger, "window": monitor}
        memory: dict[str, list[tuple[float, int]]] = {role: [] for role in roles}
        started_s, taken = time.monotonic(), scene.taken()
        said_s = started_s
        while (now_s := time.monotonic()) - started_s < seconds:
            for role, process in roles.items():
                if process.alive:
                    memory[role].append((now_s - started_s, process.memory_bytes()))
            if now_s - said_s >= 60:
                said_s = now_s
                now = ", ".join(f"{role} {some[-1][1] / 2**20:.1f} MiB" for role, some in memory.items() if some)
                bench.say(f"{(now_s - started_s) / 60:.0f} min: {now}")
            bench.sleep(SAMPLE_S if not bench.short else 0.5)
        kept = (scene.taken() - taken) * 180 / (len(beds) * signals.FS * (time.monotonic() - started_s))
        checks.add(bench.short or kept >= 0.98 * speed, f"{speed} times real time", f"{kept:.1f} times real time")
        for role, some in memory.items():
            steady = [n for t, n in some if t >= warm_up_s]
            few = max(1, round(len(steady) * WINDOW))
            first, last = steady[:few], steady[-few:]
            growth = statistics.median(last) / statistics.median(first) - 1 if steady else float("nan")
            checks.add(
                growth == growth and (bench.short or growth <= GROWTH),
                f"each role grows by at most {GROWTH:.0%} after warm-up",
                f"{role} {growth:+.1%} to {statistics.median(last) / 2**20:.0f} MiB" if last else f"{role} ended",
            )
        scene.finish(checks, replay, worker, logger, monitor)
    hours = seconds * speed / 3600
    return checks.outcome(f"two beds at {speed} times real time for {seconds} s ({hours:.1f} h of signal)")


ROWS = [Row("soak", "No role grows, however long it runs.", soak)]
