"""What the network or a second sender does to a bed's stream: duplicates, swaps, gaps, intruders, takeovers."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence

import msgspec
import paho.mqtt.client as paho

from tests.reliability import oracle, signals
from tests.reliability.kills import eventful_beds
from tests.reliability.proxy import Publish
from tests.reliability.row import Bench, Checks, Outcome, Row
from tests.reliability.scene import DRAIN_S, UNBOUNDED, Scene

RECOVERY_S = 10.0


class Disorder:
    """An edit that sends 10 % of the chunks twice, and exchanges 5 % with the next one."""

    def __init__(self) -> None:
        self.active = True
        self.counts: Counter[str] = Counter()
        self._rng = random.Random(5)
        self._held: dict[str, bytes] = {}

    def __call__(self, publish: Publish) -> Sequence[bytes]:
        """Return what is forwarded instead of a packet."""
        if not publish.topic.endswith("/ecg"):
            return [publish.packet]
        held = self._held.pop(publish.topic, None)
        if held is not None:
            self.counts["swapped"] += 1
            return [publish.packet, held]
        draw = self._rng.random() if self.active else 1.0
        if draw < 0.05:
            self._held[publish.topic] = publish.packet
            return []
        if draw < 0.15:
            self.counts["doubled"] += 1
            return [publish.packet, publish.packet]
        return [publish.packet]


def disorder(bench: Bench) -> Outcome:
    """Double and swap chunks between publisher and broker."""
    beds, edit, checks = bench.size(4, 2), Disorder(), Checks()
    with Scene(bench, edit=edit, settings=UNBOUNDED) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        replay = scene.start_replay(eventful_beds(beds), speed=bench.size(4, 2))
        scene.need_taken(bench.size(6000, 200), 240)
        edit.active = False
        bench.sleep(1)
        scene.await_events()
        scene.drain(replay)
        made = f"{edit.counts['doubled']} chunks doubled, {edit.counts['swapped']} swapped"
        checks.add(min(edit.counts["doubled"], edit.counts["swapped"]) > 5, "chunks doubled and swapped", made)
        sums = oracle.total(scene.accounts().values())
        checks.equal(sums.named, 0, "samples named as lost")
        scene.check_samples(checks)
        scene.check_events(checks)
        scene.check_processes(checks, worker, logger)
    return checks.outcome(f"10 % of the chunks of {beds} beds doubled, 5 % exchanged with the next one")


class Gaps:
    """An edit that drops runs of chunks of given lengths.

    Parameters
    ----------
    sizes : dict of str to list of int
        Samples to drop, by bed, one gap after the other; whole numbers of chunks.
    between : int
        Samples that pass between two gaps.
    """

    def __init__(self, sizes: dict[str, list[int]], between: int) -> None:
        self.dropped: dict[str, list[tuple[int, int]]] = {bed: [] for bed in sizes}
        self._remaining = {bed: list(some) for bed, some in sizes.items()}
        self._resume = dict.fromkeys(sizes, 0)
        self._next = dict.fromkeys(sizes, 2 * between)
        self._between = between

    @property
    def done(self) -> bool:
        """Whether all gaps were made."""
        return not any(self._remaining.values())

    def __call__(self, publish: Publish) -> Sequence[bytes] | None:
        """Return what is forwarded instead of a packet."""
        fields = oracle.decode(publish.topic, publish.payload) if publish.topic.endswith("/ecg") else None
        if fields is None or fields["bed"] not in self._remaining:
            return [publish.packet]
        bed, start = str(fields["bed"]), int(fields["start"])
        if start < self._resume[bed]:
            return None
        if self._remaining[bed] and start >= self._next[bed]:
            self._resume[bed] = start + self._remaining[bed].pop(0)
            self._next[bed] = self._resume[bed] + self._between
            self.dropped[bed].append((start, self._resume[bed]))
            return None
        return [publish.packet]


def gaps(bench: Bench) -> Outcome:
    """Drop 1 to 3,600 samples between publisher and broker."""
    sizes = {
        "bed-1": [1, 2, 3, 5, 17, 36] if not bench.short else [1, 36],
        "bed-2": [36, 72, 180, 360, 720] if not bench.short else [360],
        "bed-3": [360, 1080, 1800, 3600] if not bench.short else [3600],
    }
    edit, checks = Gaps(sizes, 180), Checks()
    with Scene(bench, edit=edit, settings=UNBOUNDED) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        replays = [
            scene.start_replay({"bed-1": signals.regular(300)}, chunk=1, speed=0.25, ledger="published-1.csv"),
            scene.start_replay({"bed-2": signals.regular(300)}, chunk=36, speed=4, ledger="published-2.csv"),
            scene.start_replay({"bed-3": signals.regular(300)}, chunk=360, speed=8),
        ]
        bench.need(lambda: edit.done, "all gaps", 90)

        def named() -> dict[str, list[tuple[int, int]]]:
            return {bed: some for (bed, _), some in oracle.named_gaps(scene.events().values()).items()}

        made_count = sum(map(len, sizes.values()))
        bench.wait_until(lambda: sum(map(len, named().values())) >= made_count, DRAIN_S, every_s=0.5)
        bench.sleep(1)
        for replay in replays[:2]:
            replay.stop()
        scene.drain(replays[2])
        found = named()
        for bed, made in edit.dropped.items():
            checks.add(
                sorted(found.get(bed, [])) == sorted(made),
                f"each of the {len(made)} gaps of {bed} named to the sample",
                f"{len(set(found.get(bed, [])) & set(made))} of {len(made)} gaps of {bed} named to the sample, "
                f"{len(set(found.get(bed, [])) - set(made))} others",
            )
        stored = {bed: some for (bed, _), some in oracle.named_gaps(oracle.stored_events(scene.store)).items()}
        checks.equal(sum(map(len, stored.values())), sum(map(len, found.values())), "gaps in the store")
        scene.check_processes(checks, worker, logger)
    return checks.outcome("runs of 1 to 3,600 samples dropped, in chunks of 1, 36 and 360 samples")


class Intruder:
    """Sends chunks of another session to a bed, ten each second, until `stop`."""

    def __init__(self, scene: Scene, template: oracle.Fields) -> None:
        self._scene = scene
        self._template = {**template, "session": "e" * 32, "epoch": 0, "epoch_start": 0}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="intruder")
        self._thread.start()

    def _run(self) -> None:
        seq = 0
        while not self._stop.wait(0.1):
            chunk = {**self._template, "seq": seq, "start": 36 * seq, "position": 36 * seq, "t0_ns": time.time_ns()}
            self._scene.watch.publish("bed-1/ecg", msgspec.msgpack.encode(chunk))
            seq += 1

    def stop(self) -> None:
        """End it."""
        self._stop.set()
        self._thread.join()


def two_publishers(bench: Bench) -> Outcome:
    """Start a second publisher, intrude with a foreign session, and send single absurd chunks."""
    checks, seconds, limit_s = Checks(), bench.size(20, 6), bench.limit_s(RECOVERY_S)
    with Scene(bench, watch=("bed-1/ecg",)) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        first = scene.start_replay({"bed-1": signals.eventful(1200)})
        scene.need_taken(60)

        second = scene.start_replay({"bed-1": signals.regular(300)}, ledger="published-2.csv")
        status = second.ended(bench.limit_s(15))
        checks.add(
            status == 2 and "error:" in second.text.strip().splitlines()[-1],
            "a second publisher ends with status 2 and one line",
            f"a second publisher: {'goes on' if status is None else f'status {status}'}",
        )
        second.stop()

        ecg = [fields for fields in scene.watch.of("bed-1/ecg") if fields["session"] != "e" * 32]
        template = ecg[-1]
        intruder = Intruder(scene, template)

        def inop(phase: str) -> bool:
            return any(
                event["kind"] == "two_publishers" and event["phase"] == phase for event in scene.watch.of("/alarms")
            )

        try:
            raised_s = bench.wait_until(lambda: inop("raised"), bench.limit_s(seconds))
            bench.sleep(max(seconds - (raised_s or seconds), 0))
        finally:
            intruder.stop()
        cleared_s = bench.wait_until(lambda: inop("cleared"), limit_s) if raised_s is not None else None
        checks.add(
            raised_s is not None and raised_s <= limit_s,
            f"two_publishers raised within {limit_s:.0f} s",
            "two_publishers not raised" if raised_s is None else f"two_publishers raised after {raised_s:.1f} s",
        )
        checks.add(
            cleared_s is not None,
            f"cleared within {limit_s:.0f} s of the intruder's end",
            "not cleared" if cleared_s is None else f"cleared {cleared_s:.1f} s after the intruder's end",
        )

        big = 2**53 - 1000
        absurd: list[dict[str, object]] = [
            {"session": "d" * 32, "seq": 0, "start": 0, "epoch": 0, "epoch_start": 0},
            {"session": "d" * 32, "seq": big, "start": big},
            {"seq": big, "start": big},
            {"epoch": big, "epoch_start": big, "seq": big, "start": big},
            {"t0_ns": 7_258_118_400_000_000_000, "seq": big},
            {"start": 0, "epoch_start": 0, "seq": big},
        ]
        for changes in absurd[: bench.size(len(absurd), 3)]:
            latest = [m for m in scene.watch.of("bed-1/ecg") if m["session"] == template["session"] and m["seq"] < big][
                -1
            ]
            changed = {**latest, "seq": latest["seq"] + 5, "start": latest["start"] + 180, **changes}
            scene.watch.publish("bed-1/ecg", msgspec.msgpack.encode(changed))
            bench.sleep(bench.size(4, 1))
        bench.sleep(bench.size(10, 3))
        scene.await_events()
        scene.drain(first)
        sums = oracle.total(scene.accounts().values())
        limit = round(RECOVERY_S * signals.FS)
        checks.add(
            sums.named <= limit, f"samples named as lost: at most {limit}", f"samples named as lost: {sums.named}"
        )
        ledger = scene.folder / "worked-0.csv"
        checks.add(
            oracle.tail_is_taken(scene.published, [ledger]), "the first publisher's last chunk is taken", "last chunk"
        )
        foreign = [row for row in oracle.ledger(ledger) if row["session"] != template["session"]]
        taken = [row for row in foreign if row["verdict"] in ("taken", "gap")]
        checks.equal(len(taken), 0, "foreign chunks taken")
        scene.check_samples(checks)
        scene.check_events(checks)
        scene.check_processes(checks, worker, logger)
    return checks.outcome(
        f"a second replay; {seconds} s of a foreign session; {bench.size(len(absurd), 3)} single absurd chunks"
    )


def two_workers(bench: Bench) -> Outcome:
    """Start a second worker; then hang the first, let the second take over, and wake the first."""
    checks = Checks()
    with Scene(bench, watch=("+/vitals",)) as scene:
        first, logger = scene.start_worker(), scene.start_logger()
        replay = scene.start_replay(eventful_beds(2), speed=bench.size(1, 2))
        scene.need_taken(60)
        second = scene.start_worker(wait=False)
        status = second.ended(bench.limit_s(30))
        checks.add(
            status == 2 and "error:" in second.text.strip().splitlines()[-1],
            "a second worker ends with status 2 and one line",
            f"a second worker: {'goes on' if status is None else f'status {status}'}",
        )
        second.stop()
        scene.need_vitals(1)
        lease_before = max(vitals.get("lease", 0) for vitals in scene.watch.of("/vitals"))
        first.pause()
        started_s = time.monotonic()
        bench.sleep(1)
        since = len(scene.watch.messages)
        # Whoever starts while the first still counts as alive is refused; the next one is not.
        while time.monotonic() - started_s < 60:
            second = scene.start_worker(wait=False)
            candidate = second
            bench.wait_until(lambda c=candidate: not c.alive or scene.taken() > 0, 30)
            if second.alive:
                break
        waited_s = time.monotonic() - started_s
        checks.add(second.alive, "another worker takes over from one that hangs", f"takeover after {waited_s:.0f} s")
        bench.wait_until(lambda: scene.watch.of("/vitals", since), DRAIN_S)
        bench.sleep(bench.size(10, 3))
        after = [vitals.get("lease", 0) for vitals in scene.watch.of("/vitals", since)]
        checks.add(
            bool(after) and min(after) > lease_before,
            "its outputs carry a higher lease",
            f"lease {lease_before} before, {min(after, default=None)} after",
        )
        sent_before = len(scene.sent.published)
        awake = scene.watch.online("worker")
        first.resume()
        status = first.ended(bench.limit_s(20))
        checks.add(
            status == 2 and "error:" in first.text.strip().splitlines()[-1],
            "the first ends with status 2 and one line when it wakes",
            f"woken, the first {'goes on' if status is None else f'ends with status {status}'}",
        )
        bench.sleep(bench.size(10, 2))
        stale = {
            event_id
            for event_id, event in oracle.events_of(scene.sent.published[sent_before:]).items()
            if event.get("lease", 0) <= lease_before
        }
        again = set(oracle.events_of(scene.sent.published[:sent_before])) & stale
        stored = {event["event_id"] for event in oracle.stored_events(scene.store)}
        checks.equal(len((stale - again) & stored), 0, "events of the woken worker that were believed")
        checks.add(second.alive, "the second worker goes on", f"{len(awake)} workers online before the first woke")
        scene.drain(replay)
        scene.check_processes(checks, second, logger)
    return checks.outcome("a second worker beside a live one; then the first stopped, replaced and continued")


def takeovers(bench: Bench) -> Outcome:
    """Connect with the client ids of worker, publisher and alarm log: the broker throws the owner out."""
    count, checks = bench.size(20, 3), Checks()
    with Scene(bench) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        replay = scene.start_replay(eventful_beds(2), speed=bench.size(1, 2))
        scene.need_taken(bench.size(60, 200))
        log_id = oracle.query(scene.store, "SELECT value FROM meta WHERE name = 'client_id'")[0][0]
        bench.need(lambda: scene.watch.online("publisher"), "the publisher")
        instances = {role: min(scene.watch.online(role)) for role in ("worker", "publisher")}
        ids = [*(f"bedside-{role}-{instance}" for role, instance in instances.items()), log_id]
        for i in range(count):
            thief = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=ids[i % 3])
            thief.connect("127.0.0.1", scene.ward.port)
            ends_s = time.monotonic() + 0.3
            while time.monotonic() < ends_s and thief.loop(0.1) == paho.MQTT_ERR_SUCCESS:
                pass
            thief.disconnect()
            bench.sleep(bench.size(2, 1))
        for role in ("worker", "publisher", "logger"):
            back = bench.wait_until(lambda role=role: scene.watch.online(role), bench.limit_s(RECOVERY_S))
            checks.add(
                back is not None, f"{role} is online again", f"{role} {'online' if back is not None else 'offline'}"
            )
        bench.sleep(bench.size(10, 3))

        def reconnects() -> int:
            return sum(process.text.count("reconnecting") for process in (worker, replay, logger))

        thrown_out = bench.wait_until(lambda: reconnects() >= count * 2 / 3, bench.limit_s(10)) is not None
        checks.add(thrown_out, "the owners were thrown out", f"{reconnects()} connections lost")
        scene.finish(checks, replay, worker, logger)
    return checks.outcome(f"{count} connections with the client ids of worker, publisher and alarm log")


ROWS = [
    Row("duplicates and swaps", "A repeated chunk is dropped, swapped neighbours are put in order: no gap.", disorder),
    Row("gaps", "A gap of any size is named to the sample.", gaps),
    Row(
        "two publishers",
        "One writer per bed: an intruder is an alarm, loses the bed within 10 s, and no single message poisons it.",
        two_publishers,
    ),
    Row("two workers", "One worker per bed: outputs of a worker that was replaced are not believed.", two_workers),
    Row("takeovers", "Clients whose client id is taken come back; no event is lost.", takeovers),
]
