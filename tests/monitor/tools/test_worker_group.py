"""Which process gets which shard, and when one is replaced; real ones: tests/system/test_worker_group.py."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.tools import worker_group as module
from monitor.tools.process_group import ChildExitError, ForcedEndError, ProcessGroup
from monitor.tools.worker_group import ALONE, Assignment, ChildLog, ProcessMember, WorkerError, WorkerGroup, exit_status
from stream.wire.shard import Shard
from tests.stream.wire.test_shard import SHARDS

pytestmark = pytest.mark.usefixtures("no_tasks_left")


class FakeChild:
    """A child that ends when told to; also its process and its standard input."""

    def __init__(self) -> None:
        self.returncode: int | None = None
        self.told: list[str] = []
        self.ends_with = -signal.SIGTERM
        self.last_line = "error: a worker serves already"
        self._ended = asyncio.Event()
        self.process = self.stdin = self

    def write(self, line: bytes) -> None:
        self.told.append(line.decode().strip())

    def die(self, code: int) -> None:
        self.returncode = code
        self._ended.set()

    async def wait(self) -> int:
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    async def end(self) -> None:
        if self.returncode is None:
            self.die(self.ends_with)
        if self.returncode == -signal.SIGKILL:
            raise ForcedEndError
        if self.returncode not in (0, -signal.SIGTERM):
            raise ChildExitError


class FakeGroup:
    """Starts such children, and remembers all of them in `started`."""

    def __init__(self) -> None:
        self.children: list[FakeChild] = []
        self.started: list[FakeChild] = []
        self.arguments: set[tuple[str, ...]] = set()
        self.full = False

    async def start(self, *arguments: str, **options: Any) -> FakeChild:
        await asyncio.sleep(0)
        if self.full:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        child = FakeChild()
        self.children.append(child)
        self.started.append(child)
        self.arguments.add(arguments)
        return child

    def told(self) -> list[list[str]]:
        return [child.told for child in self.started]


class Running:
    """A worker group of two shards, inside its context."""

    def __init__(self) -> None:
        self.group = FakeGroup()
        self.workers = WorkerGroup(self.start, 2)

    async def start(self) -> ProcessMember:
        group = cast("ProcessGroup", self.group)
        return ProcessMember(group, await group.start("worker", "--child"))

    async def __aenter__(self) -> Running:
        self.task = asyncio.create_task(self.workers.run())
        await self.settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def settle(self) -> None:
        for _ in range(30):
            await asyncio.sleep(0)


async def test_each_shard_has_a_process_and_one_is_spare() -> None:
    async with Running() as running:
        assert sorted(running.group.told()) == [[], ["0 2 0"], ["1 2 0"]]
        assert running.group.arguments == {("worker", "--child")}


async def test_the_spare_process_replaces_one_that_died(caplog: pytest.LogCaptureFixture) -> None:
    async with Running() as running:
        [victim] = [child for child in running.group.started if child.told == ["1 2 0"]]
        [spare] = [child for child in running.group.started if not child.told]
        with caplog.at_level(logging.WARNING):
            victim.die(-signal.SIGKILL)
            await running.settle()
        assert spare.told == ["1 2 1"]
        assert len(running.group.started) == 4
        assert running.group.started[-1].told == [], "the next spare one"
        assert [r.getMessage() for r in caplog.records] == [
            "the process of shard 1/2 has ended (killed by SIGKILL); another goes on with its beds"
        ]
    assert running.workers.status == 0, "what was mended does not count"


async def test_a_spare_process_that_died_is_not_used() -> None:
    async with Running() as running:
        [spare] = [child for child in running.group.started if not child.told]
        spare.die(-signal.SIGKILL)
        running.group.started[0].die(1)
        await running.settle()
        assert spare.told == []
        assert sum(told == ["0 2 1"] for told in running.group.told()) == 1
        assert spare not in running.group.children


async def test_a_process_that_cannot_be_started_is_tried_again_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DELAYS_S", (0.0, 0.0, 3600.0))
    async with Running() as running:
        running.group.full = True
        running.group.started[0].die(1)
        await running.settle()
        [second] = [child for child in running.group.started if child.told == ["0 2 1"]]
        with caplog.at_level(logging.WARNING):
            second.die(1)
            await running.settle()
        assert "could not be started: Resource temporarily unavailable" in caplog.text
        assert not running.task.done()
        [other] = [child for child in running.group.started if child.told == ["1 2 0"]]
        assert other.returncode is None


async def test_a_process_that_dies_at_once_is_replaced_ever_more_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DELAYS_S", (0.0, 3600.0))
    async with Running() as running:
        for life in range(5):
            for child in running.group.started:
                if child.told == [f"0 2 {life}"]:
                    child.die(1)
            await running.settle()
        assert {told[0] for told in running.group.told() if told} == {"0 2 0", "0 2 1", "1 2 0"}


async def test_one_that_lived_for_long_is_replaced_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DELAYS_S", (0.0, 3600.0))
    monkeypatch.setattr(module, "STEADY_S", 0.0)
    async with Running() as running:
        for life in range(5):
            next(child for child in running.group.started if child.told == [f"0 2 {life}"]).die(1)
            await running.settle()
        assert ["0 2 5"] in running.group.told()


async def test_an_error_of_the_user_ends_all() -> None:
    async with Running() as running:
        running.group.started[0].die(2)
        with pytest.raises(WorkerError, match=r"^a worker serves already$"):
            await asyncio.wait_for(running.task, 5)
        assert all(child.returncode is not None for child in running.group.started)


def test_errors_that_all_processes_print_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        ChildLog().write("worker: error: no broker\n")
        ChildLog().write("worker: worker is ready\n")
    assert [record.getMessage() for record in caplog.records] == ["worker is ready"]


async def test_a_spare_process_that_died_before_the_end_is_no_failure() -> None:
    async with Running() as running:
        [spare] = [child for child in running.group.started if not child.told]
        spare.die(-signal.SIGKILL)
    assert running.workers.status == 0


@pytest.mark.parametrize(("ends_with", "status"), [(0, 0), (1, 1), (-signal.SIGKILL, 137)])
async def test_the_status_is_the_worst_of_all(ends_with: int, status: int) -> None:
    async with Running() as running:
        running.group.started[1].ends_with = ends_with
    assert all(child.returncode is not None for child in running.group.started)
    assert running.workers.status == status


def test_exit_statuses_are_those_of_a_shell() -> None:
    assert [exit_status(code) for code in (0, 2, -signal.SIGTERM, -signal.SIGKILL)] == [0, 2, 0, 137]


@given(SHARDS, st.integers(0, 10**6))
def test_an_assignment_is_read_as_written(shard: Shard, life: int) -> None:
    assert Assignment.parse(Assignment(shard, life).line) == Assignment(shard, life)


@given(
    st.lists(st.builds(Assignment, st.sampled_from([Shard(i, 3) for i in range(3)]), st.integers(0, 20)), unique=True)
)
def test_no_two_processes_share_a_ledger(assignments: list[Assignment]) -> None:
    ledgers = [assignment.ledger(Path("out/worked.csv")) for assignment in assignments]
    assert len(set(ledgers)) == len(ledgers)


def test_what_differs_between_processes() -> None:
    assert Assignment(Shard(1, 2), 0).ledger(Path("out/worked.csv")) == Path("out/worked-1.csv")
    assert Assignment(Shard(1, 2), 3).ledger(Path("out/worked.csv")) == Path("out/worked-1-3.csv")
    assert ALONE.ledger(Path("out/worked.csv")) == Path("out/worked.csv")
    assert ALONE.ledger(None) is None
    assert ALONE.connect_timeout_s < Assignment(Shard(1, 2), 1).connect_timeout_s
    assert Assignment(Shard(1, 2), 3).metrics_port(9000) == 9001
    assert Assignment(Shard(1, 2), 3).metrics_port(None) is None
