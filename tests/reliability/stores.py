"""What can happen to the file of the alarm log, and to the pipe that its output goes into."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.reliability import oracle
from tests.reliability.event_source import EventSource
from tests.reliability.processes import Process, Ward
from tests.reliability.row import Bench, Checks, Outcome, Row
from tests.reliability.scene import DRAIN_S


class Log:
    """An alarm log that stores what an `EventSource` sends."""

    def __init__(self, bench: Bench, stack: contextlib.ExitStack, store: Path, per_s: float = 30) -> None:
        self.bench, self.store = bench, store
        self.ward = stack.enter_context(Ward(bench.folder))
        self.watch = stack.enter_context(oracle.Watch(self.ward.port, ["_/status/#"]))
        self.process = self.start()
        self.source = stack.enter_context(EventSource(self.ward.port, per_s))
        self.need_stored(20)

    def start(self, *arguments: str) -> Process:
        """Start the alarm log and wait until it is online or has ended."""
        known = self.watch.online("logger")
        process = self.ward.start("alarms", "--db", str(self.store), *arguments)
        self.bench.need(lambda: self.watch.online("logger") - known or not process.alive, "the alarm log")
        return process

    def stored(self) -> list[str]:
        """Return the stored events by event_id."""
        return [event["event_id"] for event in oracle.stored_events(self.store)]

    def need_stored(self, more: int) -> None:
        """Wait until further events are stored."""
        before = oracle.stored_count(self.store)
        self.bench.need(lambda: oracle.stored_count(self.store) >= before + more, f"{more} stored events")

    def check(self, checks: Checks, before: int, during: int) -> None:
        """Check that events went on while the fault lasted, and that all are stored once after it."""
        sent = self.source.finish()
        self.bench.wait_until(lambda: oracle.stored_count(self.store) >= len(sent), DRAIN_S)
        stored = self.stored()
        checks.add(during - before > 10, "events arrive during the fault", f"{during - before} events during the fault")
        checks.equal(len(set(sent) - set(stored)), 0, f"of {len(sent)} events not stored")
        checks.equal(len(stored) - len(set(stored)), 0, "stored twice")
        checks.equal(self.process.alive, True, "the alarm log runs on")
        text = self.process.text
        reports = [line for line in text.splitlines() if "held until" in line]
        checks.add(len(reports) >= 1, "it says that events are held", f"{len(reports)} lines say that events are held")
        checks.equal("Traceback" in text, False, "traceback")
        checks.equal([row[0] for row in oracle.query(self.store, "PRAGMA integrity_check")], ["ok"], "integrity")


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """Mount a file system of 16 MiB, if this user may; else None."""
    folder.mkdir()
    mounted = (
        os.geteuid() == 0
        and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
        == 0
    )
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def full_disk(bench: Bench) -> Outcome:
    """Fill the disk of the store, and free it again."""
    checks, seconds = Checks(), bench.size(15, 3)
    with contextlib.ExitStack() as stack:
        disk = stack.enter_context(small_disk(bench.folder / "disk"))
        log = Log(bench, stack, (disk or bench.folder) / "alarms.sqlite")
        if disk is not None:
            filler = disk / "filler"
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * 4096)
        else:
            # Without the right to mount: no file of the process may grow.
            limits = resource.prlimit(log.process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(log.process.pid, resource.RLIMIT_FSIZE, (4096, limits[1]))
        bench.sleep(1)
        before = len(log.source.sent)
        bench.wait_until(lambda: "held until" in log.process.text, bench.limit_s(20))
        bench.sleep(seconds)
        bench.need(lambda: len(log.source.sent) > before + 10, "events during the fault")
        during = len(log.source.sent)
        if disk is not None:
            filler.unlink()
        else:
            resource.prlimit(log.process.pid, resource.RLIMIT_FSIZE, limits)
        log.check(checks, before, during)
        log.process.stop()
    how = "a file system of 16 MiB filled" if disk is not None else "the size of its files limited"
    return checks.outcome(f"{how} while events arrive, and freed")


def locked_store(bench: Bench) -> Outcome:
    """Lock the store from another process."""
    checks, seconds = Checks(), bench.size(15, 3)
    with contextlib.ExitStack() as stack:
        log = Log(bench, stack, bench.folder / "alarms.sqlite")
        with contextlib.closing(sqlite3.connect(log.store, timeout=10, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            before = len(log.source.sent)
            bench.wait_until(lambda: "held until" in log.process.text, bench.limit_s(20))
            bench.sleep(seconds)
            bench.need(lambda: len(log.source.sent) > before + 10, "events during the fault")
            during = len(log.source.sent)
            other.execute("ROLLBACK")
        log.check(checks, before, during)
    return checks.outcome("the store locked by another program while events arrive, and released")


def moved_store(bench: Bench) -> Outcome:
    """Move the store away, and back."""
    checks, seconds = Checks(), bench.size(15, 3)
    with contextlib.ExitStack() as stack:
        log = Log(bench, stack, bench.folder / "alarms.sqlite")
        moved = bench.folder / "moved.sqlite"
        log.store.rename(moved)
        before = len(log.source.sent)
        bench.wait_until(lambda: "held until" in log.process.text, bench.limit_s(20))
        bench.sleep(seconds)
        bench.need(lambda: len(log.source.sent) > before + 10, "events during the fault")
        during = len(log.source.sent)
        moved.rename(log.store)
        log.check(checks, before, during)
    return checks.outcome("the store moved away while events arrive, and back")


def read_only_store(bench: Bench) -> Outcome:
    """Start on a store that may not be written; then allow it."""
    checks = Checks()
    folder = bench.folder / "store"
    folder.mkdir()
    # Permissions do not bind root, until it gives up this right.
    prefix = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override") if os.geteuid() == 0 else ()
    with contextlib.ExitStack() as stack:
        log = Log(bench, stack, folder / "alarms.sqlite")
        log.process.stop()
        before = log.stored()
        for path in folder.iterdir():
            path.chmod(0o444)
        folder.chmod(0o555)
        refused = log.ward.start("alarms", "--db", str(log.store), prefix=prefix)
        status = refused.ended(bench.limit_s(20))
        lines = refused.text.strip().splitlines()
        checks.equal(status, 2, "exit status on a read-only store")
        checks.add(
            bool(lines) and "error:" in lines[-1] and "Traceback" not in refused.text,
            "one line that says so",
            lines[-1][:120] if lines else "no output",
        )
        refused.stop()
        folder.chmod(0o755)
        for path in folder.iterdir():
            path.chmod(0o644)
        log.process = log.start()
        log.need_stored(10)
        sent = log.source.finish()
        bench.wait_until(lambda: oracle.stored_count(log.store) >= len(sent), DRAIN_S)
        checks.equal(len(set(sent) - set(log.stored())), 0, f"of {len(sent)} events not stored once it is writable")
        checks.add(set(before) <= set(log.stored()), "earlier events kept", f"{len(before)} earlier events")
    return checks.outcome("the alarm log started on a read-only store, and again once it is writable")


def flipped_store(bench: Bench) -> Outcome:
    """Flip bits in copies of a store, and start the alarm log on each."""
    copies, rng, checks = bench.size(20, 3), random.Random(9), Checks()
    outcomes = {"one line, status 2": 0, "goes on": 0, "traceback": 0, "something else": 0}
    with contextlib.ExitStack() as stack:
        log = Log(bench, stack, bench.folder / "alarms.sqlite", per_s=60)
        log.need_stored(bench.size(200, 40))
        log.source.finish()
        log.process.stop()
        original = log.store.read_bytes()
        for i in range(copies):
            data = bytearray(original)
            # Every other copy is hit in its first page, with header and schema.
            for _ in range(1 if i % 2 else 20):
                data[rng.randrange(4096 if i % 2 else len(data))] ^= 1 << rng.randrange(8)
            copy = bench.folder / f"flipped-{i}.sqlite"
            copy.write_bytes(data)
            known = log.watch.online("logger")
            process = log.ward.start("alarms", "--db", str(copy))
            bench.wait_until(
                lambda p=process, k=known: log.watch.online("logger") - k or not p.alive, bench.limit_s(20)
            )
            status = process.stop() if process.alive else process.popen.poll()
            lines = process.text.strip().splitlines() or [""]
            if "Traceback" in process.text:
                outcomes["traceback"] += 1
            elif status == 2 and "error:" in lines[-1]:
                outcomes["one line, status 2"] += 1
            elif status == 0:
                outcomes["goes on"] += 1
            else:
                outcomes["something else"] += 1
        checks.equal(outcomes["traceback"] + outcomes["something else"], 0, "tracebacks or other ends")
        told = ", ".join(f"{what}: {n}" for what, n in outcomes.items())
        checks.add(outcomes["one line, status 2"] + outcomes["goes on"] == copies, "goes on, or one line", told)
    return checks.outcome(f"bits flipped in {copies} copies of a store, the alarm log started on each")


def stalled_stdout(bench: Bench) -> Outcome:
    """Print events into a pipe that nobody reads, and into one whose reader leaves."""
    checks, events = Checks(), bench.size(1200, 250)
    for reader in ("stalls", "leaves"):
        sub = bench.part(reader)
        with contextlib.ExitStack() as stack:
            ward = stack.enter_context(Ward(sub.folder))
            watch = stack.enter_context(oracle.Watch(ward.port, ["_/status/#"]))
            store = sub.folder / "alarms.sqlite"
            process = ward.start("alarms", "--db", str(store), "--jsonl", stdout=subprocess.PIPE)
            bench.need(lambda watch=watch: watch.online("logger"), "the alarm log")
            if reader == "leaves":
                process.stdout.close()
            source = stack.enter_context(EventSource(ward.port, 120))
            bench.need(lambda source=source: len(source.sent) >= events, f"{events} events", 240)
            sent = source.finish()
            bench.wait_until(lambda store=store, sent=sent: oracle.stored_count(store) >= len(sent), bench.limit_s(20))
            stored = {event["event_id"] for event in oracle.stored_events(store)}
            checks.equal(len(set(sent) - stored), 0, f"reader {reader}: of {len(sent)} events not stored")
            alive = process.alive
            process.popen.send_signal(signal.SIGTERM)
            limit_s = bench.limit_s(10)
            status = process.ended(limit_s)
            checks.add(
                status is not None, f"ends within {limit_s:.0f} s of SIGTERM", f"reader {reader}: exit status {status}"
            )
            if reader == "leaves":
                checks.equal(alive, True, "it runs on when the reader has left")
                checks.add(status not in (0, None), "its exit status tells of the reader that left", f"status {status}")
            checks.equal("Traceback" in process.text, False, f"reader {reader}: traceback")
            if not process.stdout.closed:
                process.stdout.close()
    return checks.outcome(f"alarms --jsonl with {events} events, into a pipe nobody reads, and one whose reader leaves")


def flipped_state(bench: Bench) -> Outcome:
    """Flip bits in what a worker has left on disk, and start the next worker."""
    from tests.reliability.kills import eventful_beds
    from tests.reliability.scene import Scene

    checks, rng = Checks(), random.Random(10)
    with Scene(bench) as scene:
        worker, logger = scene.start_worker(), scene.start_logger()
        replay = scene.start_replay(eventful_beds(2), speed=2)
        scene.need_taken(200)
        worker.kill()
        files = [path for path in (scene.folder / "state").rglob("*") if path.is_file()]
        flips = 0
        for path in files:
            data = bytearray(path.read_bytes())
            for _ in range(5 if data else 0):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
                flips += 1
            path.write_bytes(data)
        checks.add(flips > 0, "the worker leaves its state on disk", f"{flips} bits flipped in {len(files)} files")
        worker = scene.start_worker()
        scene.need_taken(100)
        scene.drain(replay)
        sums = oracle.total(scene.accounts().values())
        checks.add(sums.taken > 0, "the next worker takes chunks", f"{sums.taken} samples taken")
        checks.equal(sums.twice, 0, "samples taken twice")
        checks.equal(len(scene.missing_events()), 0, "events not stored")
        scene.check_processes(checks, worker, logger)
    return checks.outcome("worker killed, bits flipped in its state, the next one started")


ROWS = [
    Row("store on a full disk", "A full disk is reported; events are held and stored once there is room.", full_disk),
    Row("store locked", "A locked store is reported; events are held and stored afterwards.", locked_store),
    Row("store moved", "A store that is moved is reported; events are held until it is back.", moved_store),
    Row("store read-only", "A read-only store is one line; nothing is lost meanwhile.", read_only_store),
    Row("store with bit flips", "A damaged store is one line, never a traceback.", flipped_store),
    Row("state with bit flips", "A damaged checkpoint is refused, and the bed starts anew.", flipped_state),
    Row("stalled stdout", "Storing never depends on the reader of standard output.", stalled_stdout),
]
