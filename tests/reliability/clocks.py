"""The wall clock leaps by an hour, both ways, under running processes.

Each process has a wall clock that the row can set (`injected_clock`); its monotonic clock is the real one. Mosquitto
and the suite keep the real clock.
"""

from __future__ import annotations

import datetime
from pathlib import Path

from tests.reliability import oracle
from tests.reliability.kills import eventful_beds
from tests.reliability.row import Bench, Checks, Outcome, Row
from tests.reliability.scene import Scene

INJECTED = Path(__file__).parent / "injected_clock"
STEP_S = 3600
PAUSE_S = 20


def clock_steps(bench: Bench) -> Outcome:
    """Set the clock by an hour forwards, back, and backwards, with a pause of alarms at one of the steps."""
    checks, rest_s, speed = Checks(), bench.size(15, 4), bench.size(1, 2)
    clock = bench.folder / "clock"

    def set_clock(offset_s: int) -> None:
        new = clock.with_suffix(".new")
        new.write_text(f"{offset_s:+d}\n")
        new.replace(clock)

    set_clock(0)
    env = {"PYTHONPATH": str(INJECTED), "RELIABILITY_CLOCK": str(clock)}
    with Scene(bench, env=env, watch=("+/vitals",)) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        replay = scene.start_replay(eventful_beds(2), speed=speed)
        scene.need_taken(100)
        bench.need(lambda: scene.watch.last("bed-1/alarms/active"), "the list of alarms")

        def listed(field: str) -> object:
            return (scene.watch.last("bed-2/alarms/active") or {}).get(field)

        steps = (STEP_S, 0, -STEP_S)
        for i, offset_s in enumerate(steps):
            last = i == len(steps) - 1
            if last:
                pause = {"do": "pause_audio", "seconds": PAUSE_S}
                scene.watch.publish("bed-2/command", oracle.command("bed-2", pause))
                bench.need(lambda: listed("commands"), "the pause of the tones")
            set_clock(offset_s)
            bench.say(f"wall clock at {offset_s / 3600:+g} h")
            bench.sleep(rest_s)
        # A pause ends by itself, or by an alarm: in no case later than its seconds.
        ended_s = bench.wait_until(lambda: not listed("audio_paused_until"), PAUSE_S + 10)
        checks.add(
            ended_s is not None,
            f"a pause of {PAUSE_S} s ends in time although the clock is set back",
            "the pause has ended" if ended_s is not None else f"it still lasts {PAUSE_S + 10 + rest_s:.0f} s later",
        )
        latest = str((scene.watch.of("/vitals") or [{}])[-1].get("when", ""))
        off_s = 0.0
        if latest:
            when = datetime.datetime.fromisoformat(latest)
            off_s = (when - datetime.datetime.now(datetime.UTC)).total_seconds()
        checks.add(
            abs(off_s + STEP_S) < 60, "the worker's wall clock was set", f"the worker's clock is off by {off_s:.0f} s"
        )
        scene.await_events()
        scene.drain(replay)
        false_alarms = [event for event in scene.events().values() if event["kind"] == "no_data"]
        checks.equal(len(false_alarms), 0, "alarms of missing data")
        scene.check_samples(checks)
        scene.check_events(checks)
        scene.check_processes(checks, worker, logger)
    return checks.outcome("wall clock of worker, publisher and alarm log set by +1 h, −1 h and −1 h")


ROWS = [
    Row(
        "clock steps",
        "A wall clock that leaps neither invents missing data nor prolongs a pause; intervals are monotonic.",
        clock_steps,
    )
]
