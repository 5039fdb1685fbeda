"""Broker, worker, alarm log and publisher are killed with SIGKILL."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from pathlib import Path

from tests.reliability import oracle, signals
from tests.reliability.event_source import EventSource
from tests.reliability.processes import Process, Ward
from tests.reliability.row import Bench, Checks, Outcome, Row
from tests.reliability.scene import DRAIN_S, Scene

SPARE_S, LONGEST_DELAY_S = 5.0, 30.0
"""Time in s within which a spare process takes over, and the longest delay of a process that often dies (topics.md)."""


def eventful_beds(count: int, minutes: float = 20) -> dict[str, signals.Samples]:
    """Return beds with many alarms, at six different moments."""
    records = [signals.eventful(60 * minutes, 8 + 4.0 * i) for i in range(min(count, 6))]
    return {f"bed-{i + 1}": records[i % len(records)] for i in range(count)}


def broker_kill(bench: Bench) -> Outcome:
    """Kill the broker, which keeps no state, again and again."""
    kills, beds, rng, checks = bench.size(20, 1), bench.size(20, 2), random.Random(1), Checks()
    with Scene(bench) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        replay = scene.start_replay(eventful_beds(beds), speed=bench.size(1, 2))
        scene.need_taken(bench.size(5, 100) * beds)
        for kill in range(kills):
            bench.sleep(rng.uniform(1.0, 3.0))
            assert scene.ward.broker is not None
            scene.ward.broker.kill()
            bench.sleep(rng.uniform(0.2, 2.0))
            scene.ward.start_broker()
            scene.need_taken(5 * beds)
            bench.say(f"broker killed {kill + 1} of {kills} times")
        bench.sleep(bench.size(10, 3))
        scene.finish(checks, replay, worker, logger)
    return checks.outcome(f"Mosquitto without persistence killed {kills} times under {beds} beds with many alarms")


def worker_kill(bench: Bench) -> Outcome:
    """Kill the worker and start the next one, again and again."""
    kills, beds, rng, checks = bench.size(20, 1), bench.size(4, 2), random.Random(2), Checks()
    with Scene(bench) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        replay = scene.start_replay(eventful_beds(beds), speed=bench.size(1, 2))
        scene.need_taken(bench.size(100, 200))
        for kill in range(kills):
            bench.sleep(rng.uniform(0.5, 4.0))
            worker.kill()
            bench.sleep(rng.uniform(0.0, 1.0))
            worker = scene.start_worker(wait=False)
            scene.need_taken(5 * beds)
            bench.say(f"worker killed {kill + 1} of {kills} times")
        bench.sleep(bench.size(10, 2))
        scene.await_events()
        scene.drain(replay)
        # What was taken after the last checkpoint is named as well: its analysis died with the worker.
        scene.check_samples(checks, both_s=3.0 * kills)
        scene.check_events(checks)
        scene.check_processes(checks, worker, logger)
    return checks.outcome(f"worker killed {kills} times under {beds} beds and replaced at once")


def shard_kill(bench: Bench) -> Outcome:
    """Kill one of two processes that share the beds, and now and then the spare one, again and again."""
    kills, beds, rng, checks = bench.size(20, 1), bench.size(8, 4), random.Random(4), Checks()
    names = eventful_beds(beds)
    with Scene(bench) as scene:
        worker, logger = scene.start_worker("--workers", "2"), scene.start_logger()
        replay = scene.start_replay(names, speed=bench.size(1, 2))
        scene.need_beds(*names)
        waits_s = []
        for kill in range(kills):
            bench.sleep(rng.uniform(0.5, 4.0))
            serving, spare = _children(worker)
            victim = rng.choice(serving)
            os.kill(victim, signal.SIGKILL)
            if kill % 5 == 4 and spare:
                os.kill(spare[0], signal.SIGKILL)
            waits_s.append(bench.need(lambda victim=victim: _replaced(worker, victim), "the next process"))
            scene.need_taken(5 * beds)
            bench.say(f"process killed {kill + 1} of {kills} times")
        bench.sleep(bench.size(10, 2))
        scene.await_events()
        scene.drain(replay)
        scene.check_samples(checks, both_s=3.0 * kills)
        scene.check_events(checks)
        scene.check_processes(checks, worker, logger)
        # A shard whose processes die young waits longer from time to time, up to 30 s.
        first_s, longest_s = bench.limit_s(SPARE_S), bench.limit_s(LONGEST_DELAY_S + SPARE_S)
        checks.add(
            waits_s[0] <= first_s and max(waits_s) <= longest_s,
            f"first replaced within {first_s:.0f} s, after many kills within {longest_s:.0f} s",
            f"replaced after {waits_s[0]:.1f} s, and after {max(waits_s):.1f} s at most",
        )
        checks.equal(worker.stop(), 0, "exit status of the parent")
    return checks.outcome(f"one of two processes of 'worker --workers 2' killed {kills} times under {beds} beds")


def _children(worker: Process) -> tuple[list[int], list[int]]:
    """Return the children of a worker that serve (they have a ledger), and the others."""
    serving, others = [], []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == worker.pid:
                files = [str(path.readlink()) for path in (folder / "fd").iterdir()]
                (serving if any("worked-" in name for name in files) else others).append(int(folder.name))
    return sorted(serving), sorted(others)


def _replaced(worker: Process, victim: int) -> bool:
    serving, _ = _children(worker)
    return len(serving) == 2 and victim not in serving


def logger_kill(bench: Bench) -> Outcome:
    """Kill the alarm log while events arrive."""
    kills, rng, checks = bench.size(100, 4), random.Random(3), Checks()
    store = bench.folder / "alarms.sqlite"
    with contextlib.ExitStack() as stack:
        ward = stack.enter_context(Ward(bench.folder))
        watch = stack.enter_context(oracle.Watch(ward.port, ["_/status/#"]))
        logger = ward.start("alarms", "--db", str(store))
        bench.need(lambda: watch.online("logger"), "the alarm log")
        source = stack.enter_context(EventSource(ward.port, per_s=40))
        killed_while_storing = 0
        for kill in range(kills):
            before = oracle.stored_count(store)
            if rng.random() < 0.7:
                bench.need(lambda before=before: oracle.stored_count(store) > before, "another stored event")
            bench.sleep(rng.uniform(0.0, 0.3))
            killed_while_storing += oracle.stored_count(store) > before
            logger.kill()
            logger = ward.start("alarms", "--db", str(store))
            if kill % 20 == 19:
                bench.say(f"alarm log killed {kill + 1} times")
        sent = source.finish()
        bench.wait_until(lambda: oracle.stored_count(store) >= len(sent), DRAIN_S)
        stored = [event["event_id"] for event in oracle.stored_events(store)]
        checks.add(
            killed_while_storing > kills / 3,
            "at least a third of the kills hit it while it stored",
            f"{killed_while_storing} kills hit it while it stored",
        )
        checks.equal(len(set(sent) - set(stored)), 0, f"of {len(sent)} events not stored")
        checks.equal(len(stored) - len(set(stored)), 0, "stored twice")
        checks.equal([row[0] for row in oracle.query(store, "PRAGMA integrity_check")], ["ok"], "integrity of the file")
        checks.equal(", ".join(ward.tracebacks()) or "none", "none", "tracebacks")
    return checks.outcome(f"alarm log killed {kills} times while 40 events arrived per second")


def publisher_kill(bench: Bench) -> Outcome:
    """Kill one publisher that a user has paused, and one that hangs."""
    checks = Checks()
    limit_s = bench.limit_s(30)
    with Scene(bench) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        paused = scene.start_replay({"bed-1": signals.regular(300)})
        hung = scene.start_replay({"bed-2": signals.regular(300)}, ledger="published-2.csv")
        scene.need_beds("bed-1", "bed-2")
        scene.watch.publish("bed-1/command", oracle.command("bed-1", {"do": "set_playing", "playing": False}))
        bench.need(
            lambda: (scene.watch.last("bed-1/status/publisher") or {}).get("state") == "paused", "the pause of bed-1"
        )
        hung.pause()
        bench.sleep(1)
        paused.kill()
        hung.kill()
        for bed, what in (("bed-1", "paused"), ("bed-2", "hung")):

            def raised(bed: str = bed) -> bool:
                return any(e["kind"] == "no_data" and e["bed"] == bed for e in scene.watch.of(f"{bed}/alarms"))

            waited_s = bench.wait_until(raised, limit_s)
            checks.add(
                waited_s is not None,
                f"no_data within {limit_s:.0f} s of a kill",
                f"{what} publisher: " + ("no alarm" if waited_s is None else "no_data raised"),
            )
        scene.check_processes(checks, worker, logger)
    return checks.outcome("one publisher paused by command and killed, one stopped (SIGSTOP) and killed")


ROWS = [
    Row(
        "broker killed",
        "A broker that dies and forgets everything loses no alarm event; each sample is taken once or named as lost.",
        broker_kill,
    ),
    Row(
        "worker killed",
        "The next worker goes on: the blind interval is named, no event is lost, no alarm stays raised for ever.",
        worker_kill,
    ),
    Row(
        "one of several workers killed",
        "Another process goes on with its beds: each sample is taken or named, and no event is lost.",
        shard_kill,
    ),
    Row("alarm log killed", "Each alarm event is stored once, whenever the alarm log is killed.", logger_kill),
    Row("publisher killed", "A publisher that dies is an alarm, even if it was paused.", publisher_kill),
]
