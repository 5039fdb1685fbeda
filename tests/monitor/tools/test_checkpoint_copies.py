"""Copies of checkpoints on their way to another machine, and there."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from monitor.tools import checkpoint_copies as module
from monitor.tools.checkpoint_copies import MAX_AGE_S, Copier, CopyError, StateKeeper
from monitor.tools.worker_group import Assignment
from stream.wire.shard import ALL_BEDS, Shard
from tests.system.commands import wait_until

EVEN, ODD = Shard(0, 2), Shard(1, 2)
BED = {shard: next(f"bed-{n}" for n in range(1, 9) if f"bed-{n}" in shard) for shard in (EVEN, ODD)}


def test_a_process_receives_what_those_before_it_have_sent(tmp_path: Path) -> None:
    first = StateKeeper(tmp_path)
    for shard, bed in BED.items():
        assert first.begin(Assignment(shard, 0)) == {}
        assert first.put(Assignment(shard, 0), {f"{bed}.bed0": b"old", f"{bed}.bed1": b"1"})
    assert first.put(Assignment(EVEN, 0), {f"{BED[EVEN]}.bed0": b"new"})
    assert first.begin(Assignment(EVEN, 1)) == {f"{BED[EVEN]}.bed0": b"new", f"{BED[EVEN]}.bed1": b"1"}
    assert len(StateKeeper(tmp_path).begin(Assignment(ALL_BEDS, 0))) == 4, "another number of shards, later"
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_what_has_become_empty_is_not_kept(tmp_path: Path) -> None:
    keeper = StateKeeper(tmp_path)
    assert keeper.put(Assignment(EVEN, 0), {"bed-a.bed0": b"1", "bed-a.bed1": b"2"})
    assert keeper.put(Assignment(EVEN, 0), {"bed-a.bed0": b"", "bed-b.bed0": b""})
    assert [path.name for path in tmp_path.iterdir()] == ["bed-a.bed1"]


def test_what_a_replaced_process_still_sends_is_refused(tmp_path: Path) -> None:
    keeper = StateKeeper(tmp_path)
    keeper.begin(Assignment(EVEN, 0))
    keeper.begin(Assignment(EVEN, 1))
    assert keeper.put(Assignment(EVEN, 1), {"bed-a.bed0": b"new"})
    assert not keeper.put(Assignment(EVEN, 0), {"bed-a.bed0": b"late"})
    assert (tmp_path / "bed-a.bed0").read_bytes() == b"new"
    assert keeper.put(Assignment(ODD, 0), {"bed-b.bed0": b"1"}), "another shard"


def test_a_keeper_that_was_restarted_takes_what_is_sent(tmp_path: Path) -> None:
    assert StateKeeper(tmp_path).put(Assignment(EVEN, 3), {"bed-a.bed0": b"1"})


def test_files_of_beds_that_are_long_gone_are_deleted(tmp_path: Path) -> None:
    for name, age_s in (("gone", MAX_AGE_S + 60), ("here", MAX_AGE_S - 60)):
        path = tmp_path / f"{name}.bed0"
        path.write_bytes(b"1")
        os.utime(path, (time.time() - age_s,) * 2)
    assert set(StateKeeper(tmp_path).begin(Assignment(ALL_BEDS, 0))) == {"here.bed0"}


class Keeper:
    """Takes files, refuses them, or is not there."""

    def __init__(self) -> None:
        self.received: list[dict[str, bytes]] = []
        self.answer: bool | None = True
        self.replaced = threading.Event()
        self.copier = Copier(self.put, self.replaced.set)

    def put(self, files: Mapping[str, bytes]) -> bool:
        if self.answer is None:
            raise CopyError("no answer")
        self.received.append(dict(files))
        return self.answer


@pytest.fixture
def keeper(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "COPY_EVERY_S", 3600.0)
    keeper = Keeper()
    yield keeper
    keeper.copier.stop()


def test_the_newest_content_is_sent_and_one_that_is_waited_for_at_once(keeper: Keeper) -> None:
    keeper.copier("a.bed0", b"1", False)
    keeper.copier("a.bed0", b"2", False)
    assert keeper.received == []
    keeper.copier("b.bed1", b"3", True)
    assert keeper.received == [{"a.bed0": b"2", "b.bed1": b"3"}]
    keeper.copier("a.bed1", b"4", False)
    keeper.copier.stop()
    assert keeper.received[1:] == [{"a.bed1": b"4"}], "the last ones are sent at the end"


def test_copies_are_sent_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COPY_EVERY_S", 0.01)
    keeper = Keeper()
    keeper.copier("a.bed0", b"1", False)
    wait_until(lambda: bool(keeper.received), "the copy")
    keeper.copier.stop()


def test_while_copies_fail_nobody_waits_and_nothing_is_lost(keeper: Keeper, caplog: pytest.LogCaptureFixture) -> None:
    keeper.answer = None
    with caplog.at_level(logging.INFO):
        keeper.copier("a.bed0", b"1", True)
        keeper.copier("a.bed0", b"2", True)
        keeper.copier("b.bed0", b"3", True)
        keeper.answer = True
        assert keeper.received == []
        keeper.copier.send()
    assert keeper.received == [{"a.bed0": b"2", "b.bed0": b"3"}]
    assert [record.getMessage() for record in caplog.records] == [
        "checkpoints cannot be copied (no answer): on another machine, beds start anew",
        "checkpoints can be copied again",
    ]


def test_a_process_that_was_replaced_learns_it(keeper: Keeper) -> None:
    keeper.answer = False
    keeper.copier("a.bed0", b"1", True)
    assert keeper.replaced.is_set()
