"""Payloads and signals that nobody should have sent."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
import paho.mqtt.client as paho

from tests.reliability import oracle, signals
from tests.reliability.kills import eventful_beds
from tests.reliability.proxy import Publish
from tests.reliability.row import Bench, Checks, Outcome, Row
from tests.reliability.scene import UNBOUNDED, Scene

MIB = 2**20
TOPICS = (
    "bed-1/ecg",
    "bed-1/command",
    "bed-1/alarms/active",
    "bed-1/wave/pleth",
    "bed-1/wave/abp",
    "bed-1/numerics",
    "bed-1/numerics/derived",
    "bed-1/alarms",
    "bed-1/vitals",
    "bed-1/forecast",
    "bed-1/status/worker",
    "bed-7/ecg",
    "_/status/worker/zz",
    "_/ward/3/ecg",
    "_/ward/3/forecast",
)


def malformed(rng: random.Random) -> bytes:
    """Return a payload that is a message of no topic."""
    kind = rng.randrange(7)
    if kind == 0:
        return rng.randbytes(rng.randint(1, 400))
    if kind == 1:
        return b"[" * rng.randint(1, 5000)
    if kind == 2:
        return json.dumps({"v": 1, "bed": "bed-1", "session": 10**400, "counters": {"a": "NaN"}}).encode()
    if kind == 3:
        return msgspec.msgpack.encode({"v": 1, "bed": "bed-1", "seq": -1, "samples": b"\0" * 3})
    if kind == 4:
        return json.dumps({"v": 2, "bed": "bed-1"}).encode()
    if kind == 5:
        return b'{"v":1,"bed":"<img src=x>","role":"worker","when":"2099-01-01T00:00:00Z"'
    return b"\xdf\xff\xff\xff\xff" + rng.randbytes(20)  # a MessagePack map of 4 billion entries


class Flood:
    """Publishes malformed payloads at a steady rate in a thread."""

    def __init__(self, port: int, count: int, per_s: float) -> None:
        self.sent = 0
        self.finished = threading.Event()
        self._stop = threading.Event()
        self._count, self._per_s = count, per_s
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.connect("127.0.0.1", port)
        self._thread = threading.Thread(target=self._run, name="flood")

    def start(self) -> None:
        """Begin."""
        self._client.loop_start()
        self._thread.start()

    def stop(self) -> None:
        """End it, if it has not finished."""
        self._stop.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _run(self) -> None:
        rng, started_s = random.Random(4), time.monotonic()
        while self.sent < self._count and not self._stop.is_set():
            due = min(int((time.monotonic() - started_s) * self._per_s) + 1, self._count)
            for _ in range(due - self.sent):
                self._client.publish(f"{oracle.ROOT}/{rng.choice(TOPICS)}", malformed(rng), qos=1)
                self.sent += 1
            time.sleep(0.01)
        self.finished.set()


def latencies_s(watch: oracle.Watch, bed: str, first_s: float, last_s: float) -> list[float]:
    """Return the time from each chunk to the first forecast of it, for chunks that arrived in an interval."""
    chunks: dict[tuple[str, int], float] = {}
    waits: dict[tuple[str, int], float] = {}
    for message in list(watch.messages):
        if message.topic not in (f"{oracle.ROOT}/{bed}/ecg", f"{oracle.ROOT}/{bed}/forecast"):
            continue
        fields = message.fields
        if fields is None or not isinstance(fields.get("seq"), int) or "session" not in fields:
            continue
        key = (fields["session"], fields["seq"])
        if message.topic.endswith("/ecg"):
            chunks.setdefault(key, message.at_s)
        elif key in chunks:
            waits.setdefault(key, message.at_s - chunks[key])
    return [wait for key, wait in waits.items() if first_s <= chunks[key] < last_s]


def malformed_payloads(bench: Bench) -> Outcome:
    """Flood all roles with malformed payloads while a good bed streams."""
    count, per_s, checks = bench.size(100_000, 3_000), bench.size(1_500, 1_500), Checks()
    baseline_s = bench.size(30, 3)
    with Scene(bench, watch=("bed-2/ecg", "bed-2/forecast"), settings=UNBOUNDED) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        monitor = scene.ward.start("monitor", "--station")
        replay = scene.start_replay({"bed-2": signals.regular(1200)})
        bench.need(lambda: scene.watch.online("monitor"), "the window")
        scene.need_taken(bench.size(200, 30))
        rejected = dict.fromkeys(("worker", "logger", "monitor"), 0.0)

        def counters() -> dict[str, float]:
            latest = dict(rejected)
            for message in list(scene.watch.latest.values()):
                if "/_/status/" in message.topic and (fields := message.fields) and "counters" in fields:
                    found = fields["counters"]
                    if fields.get("role") in latest and isinstance(found, dict):
                        latest[fields["role"]] = found.get("rejected", 0) + found.get("waves_rejected", 0)
            return latest

        quiet_s = time.monotonic()
        bench.sleep(baseline_s)
        flood = Flood(scene.ward.port, count, per_s)
        flood_s = time.monotonic()
        flood.start()
        try:
            bench.say(f"{count} malformed payloads, {per_s} each second")
            bench.need(flood.finished.is_set, "the end of the flood", 4 * count / per_s + 30)
        finally:
            flood.stop()
        calm_s = time.monotonic()
        chunks = sum(m.topic.endswith("bed-2/ecg") and flood_s <= m.at_s < calm_s for m in list(scene.watch.messages))

        def forecasts() -> list[float]:
            return latencies_s(scene.watch, "bed-2", flood_s, calm_s)

        bench.wait_until(lambda: min(counters().values()) > count / len(TOPICS) / 2, bench.limit_s(10))
        bench.sleep(baseline_s)
        bench.wait_until(lambda: len(forecasts()) >= 0.95 * chunks, bench.limit_s(10), every_s=1.0)
        end_s = time.monotonic()
        calm = latencies_s(scene.watch, "bed-2", quiet_s, flood_s) + latencies_s(
            scene.watch, "bed-2", calm_s + 5, end_s
        )
        under = forecasts()
        baseline_ms, flood_ms = (1e3 * oracle.percentile(values, 99) for values in (calm, under))
        checks.add(
            len(under) >= 0.95 * chunks > 0,
            "a forecast for each chunk of the good bed",
            f"{len(under)} forecasts for {chunks} chunks of the good bed",
        )
        checks.add(
            bench.short or flood_ms <= 2 * baseline_ms,
            "p99 latency of the good bed at most twice its baseline",
            f"p99 latency {flood_ms:.0f} ms, baseline {baseline_ms:.0f} ms",
        )
        found = counters()
        least = min(found.values())
        checks.add(
            least > count / len(TOPICS) / 2,
            "each role counts what it rejects",
            "rejected: " + ", ".join(f"{role} {n:.0f}" for role, n in found.items()),
        )
        scene.drain(replay)
        sums = oracle.total(a for (bed, _), a in scene.accounts().items() if bed == "bed-2")
        checks.equal((sums.unaccounted, sums.named), (0, 0), "samples of the good bed (unaccounted, lost)")
        scene.check_processes(checks, worker, logger, monitor)
    return checks.outcome(f"{count} malformed payloads on {len(TOPICS)} topics, {per_s} each second")


def bad_signals(bench: Bench) -> Outcome:
    """Send a flat, a saturated and an invalid bed beside a good one."""
    checks, speed = Checks(), 2
    bad = {"bed-2": signals.flat(600), "bed-3": signals.saturated(600), "bed-4": signals.invalid(600)}
    with Scene(bench, watch=("+/vitals",), settings=UNBOUNDED) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        replay = scene.start_replay({"bed-1": signals.regular(600, 75.0), **bad}, speed=speed)
        scene.need_taken(round(4 * 10 * bench.size(60, 20)), 120)
        scene.await_events()
        scene.drain(replay)
        good = [v["heart_rate"] for v in scene.watch.of("bed-1/vitals") if v["index"] > 12 * signals.FS]
        right = [rate for rate in good if rate is not None and abs(rate - 75) <= 3]
        checks.add(
            len(right) >= 0.98 * len(good) > 0,
            "heart rate of the good bed 75 ± 3/min",
            f"{len(right)} of {len(good)} heart rates of the good bed are 75 ± 3/min",
        )
        alarms = {event["kind"] for event in scene.events().values() if event["bed"] == "bed-1"}
        checks.equal(", ".join(sorted(alarms - {"residual"})) or "none", "none", "alarms of the good bed")
        for bed in bad:
            rates = {v["heart_rate"] for v in scene.watch.of(f"{bed}/vitals") if v["index"] > 12 * signals.FS}
            checks.add(
                rates == {None}, f"no heart rate of {bed}", f"heart rates of {bed}: {sorted(map(str, rates))[:3]}"
            )
            kinds = {event["kind"] for event in scene.events().values() if event["bed"] == bed}
            checks.add(
                kinds & {"lead_off", "saturation", "noise", "no_data", "asystole"},
                f"an alarm of {bed}",
                f"{bed}: {', '.join(sorted(kinds)) or 'no alarm'}",
            )
        scene.check_samples(checks)
        scene.check_events(checks)
        scene.check_processes(checks, worker, logger)
    return checks.outcome("a flat, a saturated and an invalid bed beside a good one")


class BitFlips:
    """An edit that flips one bit in the payload of 2 % of a publisher's messages."""

    def __init__(self) -> None:
        self.active = True
        self.count = 0
        self._rng = random.Random(6)

    def __call__(self, publish: Publish) -> Sequence[bytes]:
        """Return what is forwarded instead of a packet."""
        if not self.active or not publish.payload or self._rng.random() > 0.02:
            return [publish.packet]
        payload = bytearray(publish.payload)
        # Half of the flips hit the header, where session, seq and start are.
        size = len(payload) if self._rng.random() < 0.5 else min(200, len(payload))
        payload[self._rng.randrange(size)] ^= 1 << self._rng.randrange(8)
        self.count += 1
        return [publish.with_payload(bytes(payload))]


def bit_flips(bench: Bench) -> Outcome:
    """Flip bits between publisher and broker."""
    edit, checks, beds = BitFlips(), Checks(), bench.size(3, 2)
    with Scene(bench, edit=edit) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        monitor = scene.ward.start("monitor")
        replay = scene.start_replay(eventful_beds(beds), speed=bench.size(4, 2))
        scene.need_taken(bench.size(4000, 250), 240)
        edit.active = False
        scene.need_taken(120 * beds)  # more than the hundred of each bed that are looked at
        bench.sleep(bench.size(10, 5))
        before = {
            bed: status.get("last_seq")
            for bed in map("bed-{}".format, range(1, beds + 1))
            if (status := scene.watch.last(f"{bed}/status/worker"))
        }
        bench.sleep(5)
        scene.drain(replay)
        rows: Counter[str] = Counter()
        last = {row["bed"]: int(row["seq"]) for row in oracle.ledger(scene.published)}
        for row in oracle.ledger(scene.folder / "worked-0.csv"):
            if row["verdict"] in ("taken", "gap") and int(row["seq"]) > last.get(row["bed"], 0) - 100:
                rows[row["bed"]] += 1
        checks.add(edit.count > 0, "bits flipped", f"{edit.count} bits flipped")
        recovered = [bed for bed in last if rows[bed] >= 95]
        checks.equal(len(recovered), beds, "beds that recovered within 10 s")
        checks.equal(len(before), beds, "beds with a status of the worker")
        sums = oracle.total(scene.accounts().values())
        checks.equal(sums.unaccounted, 0, "samples neither taken nor named")
        scene.check_processes(checks, worker, logger, monitor)
    return checks.outcome(f"one bit flipped in 2 % of the messages of {beds} beds")


def stranger(bench: Bench) -> Outcome:
    """Wipe and forge retained topics, invent beds, send a huge payload."""
    invented, checks = bench.size(3000, 300), Checks()
    with Scene(
        bench, watch=("bed-2/numerics", "bed-2/numerics/derived"), env={"BEDSIDE_PLACES": "64"}
    ) as scene:  # a small ward: what is above it must take no memory
        worker, logger = scene.start_worker(), scene.start_logger()
        monitor = scene.ward.start("monitor", "--station")
        bench.need(lambda: scene.watch.online("monitor"), "the window")
        # A quiet bed: its list is not published anyway.
        replay = scene.start_replay({"bed-1": signals.regular(1200)})
        scene.need_taken(10)
        action = {"do": "set_limits", "limits": {"heart_rate_low": 41, "heart_rate_high": 141}}
        scene.watch.publish("bed-1/command", oracle.command("bed-1", action))

        def limits() -> object:
            return (scene.watch.last("bed-1/alarms/active") or {}).get("limits")

        bench.need(lambda: "41" in str(limits()), "the list with limits")
        own_limits = limits()
        whole = scene.ward.start(
            "replay", "--bed", "bed-2=synthetic", "--loop", "--ledger", str(scene.folder / "whole.csv")
        )
        scene.need_taken(bench.size(200, 40))
        roles = {"worker": worker, "alarm log": logger, "window": monitor}
        memory = {role: process.memory_bytes() for role, process in roles.items()}
        session = next(row["session"] for row in oracle.ledger(scene.published))

        def sent_and(topic: str, payload: bytes, restored: Callable[[], bool]) -> bool:
            """Send a retained payload; return whether what its owner has sent there comes after it."""
            since = len(scene.watch.messages)
            scene.watch.publish(topic, payload, retain=True)
            # The owner may be faster than this loop: look at all that has come, not at the latest message.
            bench.need(lambda: payload in [m.payload for m in scene.watch.messages[since:]], "its own message")
            return bench.wait_until(restored, bench.limit_s(10)) is not None

        def restored_after(payload: bytes) -> bool:
            return sent_and("bed-1/alarms/active", payload, lambda: limits() == own_limits)

        restored = restored_after(b"")
        checks.equal(restored, True, "a wiped list of alarms is restored within 10 s")

        kinds = ["ventricular_tachycardia", "extreme_tachycardia", "extreme_bradycardia", "pvc_run", "heart_rate_high"]
        forged = {"v": 1, "bed": "bed-1", "alarms": [], "limits": {"heart_rate_low": 20, "off": kinds}}
        restored = restored_after(json.dumps(forged).encode())
        checks.equal(restored, True, "a forged list with alarms switched off is replaced within 10 s")
        for topic in ("bed-2/numerics", "bed-2/numerics/derived"):
            bench.need(lambda topic=topic: scene.watch.last(topic), topic)  # type: ignore[misc]
            own = scene.watch.last(topic) or {}
            forged = {**own, "values": [{**value, "value": 1.0} for value in own["values"]]}

            def is_own(topic: str = topic, forged: oracle.Fields = forged) -> bool:
                last = scene.watch.last(topic) or {}
                return last.get("session") == forged["session"] and last.get("values") != forged["values"]

            for what, payload in (("wiped", b""), ("forged", json.dumps(forged).encode())):
                restored = sent_and(topic, payload, is_own)
                checks.equal(restored, True, f"{what} {topic} of another bed are replaced within 10 s")

        status = {"v": 1, "role": "worker", "instance": "f" * 12, "state": "online", "when": "2099-01-01T00:00:00.000Z"}
        scene.watch.publish(f"_/status/worker/{'f' * 12}", json.dumps(status).encode(), retain=True)
        for i in range(invented):
            chunk = {
                "v": 1, "bed": f"x{i}", "session": session, "epoch": 0, "seq": 0, "start": 0, "epoch_start": 0,
                "t0_ns": time.time_ns(), "speed": 1.0, "fs": 360, "leads": ["MLII"], "gain": [200.0], "zero": [0],
                "samples": b"\0\0" * 36, "record": "<img src=x>", "position": 0, "synthetic": False,
            }  # fmt: skip
            scene.watch.publish(f"x{i}/ecg", msgspec.msgpack.encode(chunk))
            if i % 50 == 49:
                bench.sleep(0.1)
        scene.watch.publish("bed-1/alarms/active", b" " * bench.size(200 * MIB, 20 * MIB), qos=0)
        bench.sleep(bench.size(20, 4))
        for role, process in roles.items():
            growth = (process.memory_bytes() - memory[role]) / MIB if process.alive else float("nan")
            checks.add(growth <= 64, f"{role} grows by at most 64 MiB", f"{role} grew by {growth:.0f} MiB")
        before = scene.taken()
        goes_on = bench.wait_until(lambda: scene.taken() > before, bench.limit_s(2)) is not None
        checks.add(goes_on, "the good bed goes on", f"{scene.taken() - before} further chunks")
        scene.check_processes(checks, worker, logger, monitor, whole)
        for signal in ("pleth", "abp", "resp"):
            # The last second may be on its way.
            published = {row["seq"] for row in oracle.ledger(scene.folder / "whole.csv", signal)[:-20]}
            named = oracle.ledger(scene.folder / "worked-0.csv", signal)
            missing = published - {row["seq"] for row in named if row["verdict"] in ("taken", "gap")}
            first = min((int(row["seq"]) for row in named), default=0)
            lost = sum(int(seq) >= first for seq in missing)
            checks.equal((bool(named), lost), (True, 0), f"chunks of {signal} (any taken, not taken)")
        whole.stop()
        scene.drain(replay)
        sums = oracle.total(a for (bed, _), a in scene.accounts().items() if bed == "bed-1")
        checks.equal(sums.unaccounted, 0, "samples of the good bed neither taken nor named")
    size = bench.size(200, 20)
    return checks.outcome(
        f"alarm list and numerics wiped and forged, a worker's status dated 2099, {invented} invented beds, "
        f"a payload of {size} MiB"
    )


ROWS = [
    Row(
        "malformed payloads",
        "Malformed payloads stop nobody, are counted, and hardly slow a good bed.",
        malformed_payloads,
        alone=True,
    ),
    Row("bad signals", "A bad signal is an alarm of its own bed; other beds do not notice.", bad_signals),
    Row("bit flips", "Flipped bits cost the messages they hit, and no bed is lost.", bit_flips),
    Row("stranger", "An unauthenticated client can neither wipe, forge, silence nor bloat.", stranger),
]
