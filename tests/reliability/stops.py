"""Each role is stopped with SIGSTOP for a minute, as a full swap would, and continued."""

from __future__ import annotations

from tests.reliability import signals
from tests.reliability.kills import eventful_beds
from tests.reliability.row import Bench, Checks, Outcome, Row
from tests.reliability.scene import Scene

NOTICED_S = 10.0
"""How soon after SIGCONT everything must work again."""


def _seconds(bench: Bench) -> int:
    return bench.size(60, 8)


def _no_data(scene: Scene, bed: str, phase: str) -> bool:
    events = scene.watch.of(f"{bed}/alarms")
    return any(event["kind"] == "no_data" and event["phase"] == phase for event in events)


def stop_publisher(bench: Bench) -> Outcome:
    """Stop one of two publishers."""
    seconds, checks, limit_s = _seconds(bench), Checks(), bench.limit_s(NOTICED_S)
    with Scene(bench) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        other = scene.start_replay(eventful_beds(1), ledger="published-1.csv")
        stopped = scene.start_replay({"bed-9": signals.eventful(1200)})
        scene.need_beds("bed-1", "bed-9")
        stopped.pause()
        bench.say(f"publisher stopped for {seconds} s")
        raised_s = bench.wait_until(lambda: _no_data(scene, "bed-9", "raised"), bench.limit_s(seconds))
        bench.sleep(max(seconds - (raised_s or 0), 0))
        stopped.resume()
        cleared_s = bench.wait_until(lambda: _no_data(scene, "bed-9", "cleared"), 2 * limit_s)
        bench.sleep(bench.size(10, 3))
        checks.add(
            raised_s is not None and raised_s <= limit_s,
            f"no_data within {limit_s:.0f} s",
            "no alarm" if raised_s is None else f"no_data after {raised_s:.1f} s",
        )
        checks.add(
            cleared_s is not None and cleared_s <= limit_s,
            f"cleared within {limit_s:.0f} s of SIGCONT",
            "not cleared" if cleared_s is None else f"cleared {cleared_s:.1f} s after SIGCONT",
        )
        checks.equal(_no_data(scene, "bed-1", "raised"), False, "no_data of the other bed")
        scene.check_processes(checks, worker, logger, other, stopped)
        other.stop()
        scene.drain(stopped)
        scene.check_samples(checks)
    return checks.outcome(f"one of two publishers stopped for {seconds} s")


def stop_worker(bench: Bench) -> Outcome:
    """Stop the only worker."""
    seconds, checks, limit_s = _seconds(bench), Checks(), bench.limit_s(NOTICED_S + 5)
    with Scene(bench, watch=("+/vitals",)) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        replay = scene.start_replay(eventful_beds(2), speed=bench.size(1, 2))
        scene.need_taken(bench.size(100, 200))
        worker.pause()
        bench.say(f"worker stopped for {seconds} s")
        bench.sleep(seconds)
        before = scene.taken()
        since = len(scene.watch.messages)
        worker.resume()
        # What waited in the sockets comes first; live signal is what was published after SIGCONT.
        live_s = bench.wait_until(lambda: scene.taken() > before + 40 and scene.watch.of("/vitals", since), 60)
        checks.add(
            live_s is not None and live_s <= limit_s,
            f"serves again within {limit_s:.0f} s of SIGCONT",
            "does not serve" if live_s is None else f"serves again after {live_s:.1f} s",
        )
        bench.sleep(bench.size(20, 3))
        scene.finish(checks, replay, worker, logger)
    return checks.outcome(f"the only worker stopped for {seconds} s under two beds")


def stop_receivers(bench: Bench) -> Outcome:
    """Stop the alarm log and the window together: neither knows of the other."""
    seconds, checks, limit_s = _seconds(bench), Checks(), bench.limit_s(NOTICED_S)
    with Scene(bench) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        monitor = scene.ward.start("monitor", "--station")
        bench.need(lambda: scene.watch.online("monitor"), "the window")
        replay = scene.start_replay(eventful_beds(2), speed=bench.size(1, 2))
        scene.need_taken(bench.size(60, 200))
        monitor.pause()
        logger.pause()
        bench.say(f"alarm log and window stopped for {seconds} s")
        bench.sleep(seconds)
        monitor.resume()
        logger.resume()
        for role in ("monitor", "logger"):
            waited_s = bench.wait_until(lambda role=role: scene.watch.online(role), limit_s)
            text = f"{role} online within {limit_s:.0f} s of SIGCONT"
            checks.add(waited_s is not None, text, text if waited_s is not None else f"{role} not online")
        bench.sleep(bench.size(20, 3))
        scene.finish(checks, replay, worker, logger, monitor)
        checks.equal(monitor.stop(), 0, "exit status of the window")
    return checks.outcome(f"alarm log and window stopped for {seconds} s under two beds")


def stop_broker(bench: Bench) -> Outcome:
    """Stop the broker."""
    seconds, checks, limit_s = _seconds(bench), Checks(), bench.limit_s(NOTICED_S + 5)
    with Scene(bench) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        replay = scene.start_replay(eventful_beds(2), speed=bench.size(1, 2))
        scene.need_taken(bench.size(60, 200))
        assert scene.ward.broker is not None
        scene.ward.broker.pause()
        bench.say(f"broker stopped for {seconds} s")
        bench.sleep(seconds)
        before = scene.taken()
        scene.ward.broker.resume()
        waited_s = bench.wait_until(lambda: scene.taken() > before + 40, 60)
        checks.add(
            waited_s is not None and waited_s <= limit_s,
            f"the worker is served within {limit_s:.0f} s of SIGCONT",
            "no signal" if waited_s is None else f"signal after {waited_s:.1f} s",
        )
        bench.sleep(bench.size(20, 3))
        scene.finish(checks, replay, worker, logger)
    return checks.outcome(f"Mosquitto stopped for {seconds} s under two beds")


ROWS = [
    Row(
        "publisher stopped", "A publisher that hangs is an alarm within 10 s, and the other beds go on.", stop_publisher
    ),
    Row(
        "worker stopped", "A worker that hung goes on; what it missed is taken or named, no event is lost.", stop_worker
    ),
    Row("receivers stopped", "An alarm log or a window that hung catches up; no event is lost.", stop_receivers),
    Row(
        "broker stopped",
        "A broker that hung is found again; samples are taken or named, no event is lost.",
        stop_broker,
    ),
]
