"""More signal than the worker can analyse."""

from __future__ import annotations

import itertools
import time

from tests.reliability import oracle, signals
from tests.reliability.kills import eventful_beds
from tests.reliability.row import Bench, Checks, Outcome, Row
from tests.reliability.scene import UNBOUNDED, Scene

BEDS, CHUNK, LATENCY_S, LOAD = 4, 180, 2.0, 1.5
MEASURED = ("asystole", "ventricular_tachycardia", "pvc_run")


def _capacity(bench: Bench, folder: str) -> float:
    """Return how many samples this worker takes per second when it has no pause."""
    sub = bench.part(folder)
    with Scene(sub) as scene:
        scene.start_worker()
        replay = scene.start_replay(eventful_beds(BEDS), speed=300, chunk=CHUNK)
        scene.need_taken(bench.size(200, 60))
        before, started_s = scene.taken(), time.monotonic()
        bench.sleep(bench.size(10, 2))
        rate = (scene.taken() - before) * CHUNK / (time.monotonic() - started_s)
        replay.kill()
    return rate


def overload(bench: Bench) -> Outcome:
    """Measure the worker's capacity, then send it half as much again."""
    seconds, checks = bench.size(60, 10), Checks()
    capacity = _capacity(bench, "capacity")
    # The short form runs beside other tests: what a worker can do changes from moment to moment.
    load = LOAD if not bench.short else 4 * LOAD
    speed = load * capacity / (BEDS * signals.FS)
    bench.say(f"capacity {capacity / signals.FS:.0f} times real time; {BEDS} beds at {speed:.1f} times for {seconds} s")
    with Scene(bench.part("overload"), settings=UNBOUNDED, watch=("+/vitals",)) as scene:
        worker, logger = scene.start_worker(sheds=True), scene.start_logger()
        since = len(scene.watch.messages)
        unix_s = time.time() - time.monotonic()
        replay = scene.start_replay(eventful_beds(BEDS, 60), speed=speed, chunk=CHUNK)
        scene.need_taken(8)
        started_s = time.monotonic()
        bench.sleep(seconds)

        def says(state: bool, first_s: float) -> bool:
            return any(
                bool(fields.get("overloaded")) is state
                for m in scene.watch.messages[since:]
                if m.at_s >= first_s and "/_/status/worker/" in m.topic and (fields := m.fields)
            )

        def raises() -> bool:
            return any(
                event["phase"] == "raised" and event["kind"] in MEASURED for event in scene.watch.of("/alarms", since)
            )

        if bench.short:  # how long the load takes to show depends on the machine
            bench.wait_until(lambda: says(True, started_s) and raises(), bench.limit_s(seconds))
        during = [m for m in list(scene.watch.messages[since:]) if m.at_s >= started_s]
        overloaded_s = time.monotonic()
        # The streams go on at the speed of life: what was shed last is named before their next chunk.
        for bed in range(1, BEDS + 1):
            action = {"do": "set_speed", "speed": 1.0}
            scene.watch.publish(f"bed-{bed}/command", oracle.command(f"bed-{bed}", action))
        checks.equal(says(True, started_s), True, "the worker says that it is overloaded")
        limit_s = bench.limit_s(20)
        calm_s = bench.wait_until(lambda: says(False, overloaded_s), limit_s)
        checks.equal(calm_s is not None, True, f"it says so no longer within {limit_s:.0f} s of the end")
        outputs = [started_s, *(m.at_s for m in during if m.topic.endswith("/vitals")), overloaded_s]
        mute_s = max(b - a for a, b in itertools.pairwise(outputs))
        checks.add(bench.short or mute_s <= 5, "vital signs at least every 5 s", f"longest silence {mute_s:.1f} s")

        sent = {}
        for row in oracle.ledger(scene.published):
            sent[row["bed"], row["session"], int(row["start"]) // CHUNK] = int(row["sent_ns"]) / 1e9 - unix_s
        waits = []
        for message in scene.watch.messages[since:]:
            event = message.fields if message.topic.endswith("/alarms") else None
            if event and event["phase"] == "raised" and event["kind"] in MEASURED:
                detected = event["onset"] + round(event["duration_s"] * signals.FS) - 1
                at_s = sent.get((event["bed"], event["session"], detected // CHUNK))
                if at_s is not None:
                    waits.append(message.at_s - at_s)
        checks.add(len(waits) >= bench.size(10, 1), "alarms during the overload", f"{len(waits)} alarms")
        checks.add(
            bool(waits) and (bench.short or max(waits) < LATENCY_S),
            f"alarm latency below {LATENCY_S:.0f} s",
            f"alarm latency at most {max(waits, default=float('nan')):.1f} s",
        )
        scene.finish(checks, replay, worker, logger)
    return checks.outcome(f"{load:g} times the measured capacity of the worker for {seconds} s")


ROWS = [
    Row(
        "overload",
        "A worker with too much signal says so, names what it sheds, and raises alarms within 2 s.",
        overload,
        alone=True,
    )
]
