"""Files stay open within a bound, whatever number of them is written."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from model.serving.checkpoint_store import CheckpointStore
from model.serving.file_writing import MAX_OPEN, OpenFiles, write_at
from tests.model.serving.test_checkpoint import ENTRIES, HASH, made


@pytest.fixture
def few_files() -> Iterator[None]:
    """Permit little more open files than the bound."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + MAX_OPEN + 8, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("few_files")
def test_more_files_than_may_be_open_are_written_again_and_again(tmp_path: Path) -> None:
    files = OpenFiles(tmp_path)
    for turn in range(3):
        for number in range(3 * MAX_OPEN):
            write_at(files.get(f"{number}.bed0"), f"{turn} {number}".encode(), 0)
    files.close()
    assert all((tmp_path / f"{i}.bed0").read_bytes().startswith(f"2 {i}".encode()) for i in range(3 * MAX_OPEN))


def test_a_file_is_emptied_or_created_without_content(tmp_path: Path) -> None:
    files = OpenFiles(tmp_path, most=1)
    write_at(files.get("one"), b"content", 0)
    write_at(files.get("two"), b"content", 0)
    files.empty("one")
    files.empty("three")
    files.close()
    assert sorted((path.stat().st_size, path.name) for path in tmp_path.iterdir())[:2] == [(0, "one"), (0, "three")]


@pytest.mark.usefixtures("few_files")
def test_a_store_serves_more_names_than_files_may_be_open(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = [f"bed-{number}" for number in range(MAX_OPEN + 20)]
    with CheckpointStore(tmp_path, HASH) as store:
        for number in (1, 2, 3):
            for name in names:
                checkpoint = made(number=number)
                store.write(replace(checkpoint, chunk=msgspec.structs.replace(checkpoint.chunk, bed=name)))
                store.append(name, ENTRIES[0])
        assert len(list(Path("/proc/self/fd").iterdir())) < MAX_OPEN + 100
    with CheckpointStore(tmp_path, HASH) as store:
        found = {read.chunk.bed: read for read in store.read_all()}
    assert sorted(found) == sorted(names)
    assert {read.number for read in found.values()} == {3}
    assert {read.alarms.state.active for read in found.values()} == {ENTRIES[0].alarms.active}
    assert not caplog.records
