"""The usual experiment: publisher, worker, alarm log and a subscriber on one ward, each with a ledger to compare."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.reliability import oracle, signals
from tests.reliability.processes import Process, Ward
from tests.reliability.proxy import Edit, Proxy
from tests.reliability.row import Bench, Checks

DRAIN_S = 90.0
"""How long the last chunks and events may be on their way."""

ENOUGH_EVENTS = 4
"""Alarm events of an experiment that says something about alarm events."""

UNBOUNDED = "allow_anonymous true\nmax_queued_messages 0"
"""Settings with which the broker drops nothing on a slow machine, where its queue is not the subject."""


class Scene:
    """A ward with publisher, worker and alarm log; the worker's events are recorded on their way to the broker.

    Parameters
    ----------
    bench : Bench
    settings : str
        Of Mosquitto.
    edit : callable, optional
        What a proxy between publisher and broker does; see `proxy.Edit`.
    watch : tuple of str
        What the subscriber receives, beside alarms and status.
    env : dict of str to str, optional
        Further environment variables of all processes.
    """

    def __init__(
        self,
        bench: Bench,
        *,
        settings: str = "allow_anonymous true",
        edit: Edit | None = None,
        watch: tuple[str, ...] = (),
        env: dict[str, str] | None = None,
    ) -> None:
        self.bench = bench
        self.folder = bench.folder
        self.published = self.folder / "published.csv"
        self.store = self.folder / "alarms.sqlite"
        self.worker_ledgers: list[str] = []
        self._read: dict[Path, tuple[int, int]] = {}
        # On a machine that is busy with other tests, the broker's queue would overflow; it is not the subject there.
        self._settings, self._edit, self._env = UNBOUNDED if bench.short else settings, edit, env
        self._filters = ("+/alarms", "+/alarms/active", "+/status/+", "_/status/#", *watch)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        # A fork has read its environment before; a process with one of its own starts anew.
        forks = None if self._env else self.bench.forks
        with self._stack:
            self.ward = self._stack.enter_context(Ward(self.folder, self._settings, self._env, forks))
            port = self.ward.port
            self.sent = self._stack.enter_context(Proxy(port, record=oracle.is_alarm_topic))
            self.wire = self._stack.enter_context(Proxy(port, edit=self._edit))
            self.watch = self._stack.enter_context(oracle.Watch(port, self._filters))
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    # --- processes ----------------------------------------------------------------------------------------------

    def start_worker(self, *arguments: str, wait: bool = True, sheds: bool = False) -> Process:
        """Start a worker with a ledger of its own, or several processes (``--workers``); wait until one is online.

        With ``sheds`` it leaves out beds under load, as shipped. Without, what rows that run beside this one take of
        the processor does not show as lost samples.
        """
        known = self.watch.online("worker")
        ledger = self.folder / f"worked-{len(self.worker_ledgers)}.csv"
        self.worker_ledgers.append(str(ledger))
        patient = () if sheds else ("--max-wait", "600")
        worker = self.ward.start("worker", *arguments, "--ledger", str(ledger), *patient, via=self.sent.port)
        if wait:
            self.bench.need(lambda: self.watch.online("worker") - known or not worker.alive, "the worker")
        return worker

    def start_logger(self, *arguments: str) -> Process:
        """Start the alarm log; wait until it is online."""
        known = self.watch.online("logger")
        logger = self.ward.start("alarms", "--db", str(self.store), *arguments)
        self.bench.need(lambda: self.watch.online("logger") - known or not logger.alive, "the alarm log")
        return logger

    def start_replay(
        self, beds: Mapping[str, signals.Samples], *, speed: float = 1.0, chunk: int = 36, ledger: str = "published.csv"
    ) -> Process:
        """Start a publisher of records in a loop."""
        paths: dict[int, str] = {}
        for bed, samples in beds.items():
            paths.setdefault(id(samples), signals.write(self.folder / "records", bed, samples))
        arguments = [f"--bed={bed}={paths[id(samples)]}" for bed, samples in beds.items()]
        return self.ward.start(
            "replay",
            *arguments,
            "--loop",
            f"--speed={speed:g}",
            f"--chunk={chunk}",
            f"--ledger={self.folder / ledger}",
            via=self.wire.port,
        )

    # --- what was observed --------------------------------------------------------------------------------------

    def taken(self, worker: int = -1) -> int:
        """Return the number of chunks that a worker has taken."""
        return sum(map(self._taken, self._ledgers(worker)))

    def _ledgers(self, worker: int = -1) -> list[Path]:
        """Return the ledgers of a worker, or of the processes that share its beds, the later after the earlier."""
        name = f"worked-{worker % len(self.worker_ledgers)}"
        paths = [*self.folder.glob(f"{name}.csv"), *self.folder.glob(f"{name}-*.csv")]
        return sorted(paths, key=lambda path: [int(number) for number in path.stem.split("-")[1:]])

    def _taken(self, path: Path) -> int:
        offset, count = self._read.get(path, (0, 0))
        with path.open("rb") as file:
            file.seek(offset)
            new = file.read().rpartition(b"\n")
        of_ecg = (line for line in new[0].splitlines() if line.rstrip().endswith(b",ecg"))
        count += sum(b",taken," in line or b",gap," in line for line in of_ecg)
        self._read[path] = (offset + len(new[0]) + len(new[1]), count)
        return count

    def need_taken(self, more: int, timeout_s: float = 60.0) -> None:
        """Wait until the last worker has taken further chunks."""
        before = self.taken()
        self.bench.need(lambda: self.taken() >= before + more, f"{more} chunks at the worker", timeout_s)

    def need_beds(self, *beds: str) -> None:
        """Wait until the last worker has taken 30 chunks of each of some beds."""

        def served() -> bool:
            rows = [row["bed"] for path in self._ledgers() for row in oracle.ledger(path)]
            return all(rows.count(bed) >= 30 for bed in beds)

        self.bench.need(served, f"30 chunks of {', '.join(beds)} at the worker")

    def need_vitals(self, more: int) -> None:
        """Wait until further vital signs are received; needs `watch` of vitals."""
        before = len(self.watch.of("/vitals"))
        self.bench.need(lambda: len(self.watch.of("/vitals")) >= before + more, "vital signs")

    def await_events(self) -> None:
        """Wait until enough alarm events were sent for `check_events`, while the publishers go on.

        When the first of them comes depends on how much of the signal was processed: on a slow machine, late.
        """
        self.bench.wait_until(lambda: len(self.events()) >= ENOUGH_EVENTS, DRAIN_S, every_s=0.5)

    def drain(self, *publishers: Process) -> None:
        """End the publishers; wait until the last chunk is taken and each event that the worker sent is stored."""
        # A publisher that is terminated gives up what waits for the broker: let it catch up first.
        self.bench.wait_until(lambda: oracle.tail_is_taken(self.published, self._ledgers(), 10), DRAIN_S, every_s=1.0)
        for publisher in publishers:
            publisher.stop()
        self.bench.wait_until(lambda: oracle.tail_is_taken(self.published, self._ledgers()), DRAIN_S, every_s=0.5)
        self.bench.sleep(1.0)
        self.bench.wait_until(lambda: not self.missing_events(), DRAIN_S, every_s=0.5)

    def accounts(self) -> dict[oracle.Key, oracle.Account]:
        """Return the account of each bed and session; gaps are those that events on the wire name."""
        workers = [oracle.ledger(path) for i in range(len(self.worker_ledgers)) for path in self._ledgers(i)]
        gaps = oracle.named_gaps(self.events().values())
        return oracle.account(oracle.ledger(self.published), workers, gaps)

    def events(self) -> dict[str, oracle.Fields]:
        """Return the events that workers sent."""
        return oracle.events_of(self.sent.published)

    def missing_events(self) -> set[str]:
        """Return the events that a worker sent and that are not stored."""
        return set(self.events()) - {event["event_id"] for event in oracle.stored_events(self.store)}

    # --- checks -------------------------------------------------------------------------------------------------

    def finish(self, checks: Checks, publisher: Process, *processes: Process) -> None:
        """Wait for alarm events, end the publisher, then check samples, events and processes."""
        self.await_events()
        self.drain(publisher)
        self.check_samples(checks)
        self.check_events(checks)
        self.check_processes(checks, *processes)

    def check_samples(self, checks: Checks, *, both_s: float = 0.0) -> None:
        """Check that each sample was taken once or named; at most `both_s` seconds of each bed were both."""
        accounts = self.accounts()
        sums = oracle.total(accounts.values())
        checks.add(sums.published, "samples published", f"{sums.published} samples published, {sums.named} named lost")
        checks.equal(sums.unaccounted, 0, "samples neither taken nor named")
        checks.equal(sums.twice, 0, "samples taken twice")
        checks.equal(sums.invented + sums.disordered, 0, "samples invented or out of order")
        both = max((one.taken_and_named for one in accounts.values()), default=0)
        checks.add(
            both <= both_s * signals.FS,
            f"samples of a bed both taken and named: at most {both_s * signals.FS:.0f}",
            f"samples of a bed both taken and named: {both}",
        )

    def check_events(self, checks: Checks) -> None:
        """Check that the store holds what the worker sent, and no alarm that stays raised."""
        sent, stored = self.events(), oracle.stored_events(self.store)
        ids = [event["event_id"] for event in stored]
        checks.add(len(sent) >= ENOUGH_EVENTS, "alarm events sent", f"{len(sent)} alarm events sent")
        checks.equal(len(set(sent) - set(ids)), 0, "events not stored")
        checks.equal(len(ids) - len(set(ids)), 0, "events stored twice")
        checks.equal(len(set(ids) - set(sent)), 0, "events stored but never sent")
        checks.equal(len(oracle.never_cleared(stored)), 0, "alarms raised for ever in the store")

    def check_processes(self, checks: Checks, *processes: Process) -> None:
        """Check that processes are alive, and that none printed a traceback."""
        ended = [process.name for process in processes if not process.alive]
        checks.equal(", ".join(ended) or "none", "none", "processes that ended")
        checks.equal(", ".join(self.ward.tracebacks()) or "none", "none", "tracebacks")
