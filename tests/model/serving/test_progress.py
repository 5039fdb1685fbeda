"""The positions of the beds of a process between their checkpoints."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.serving import progress
from model.serving.progress import MAX_AGE_NS, BedProgress, ProgressFiles
from tests.waveforms import SESSION


def position(seq: int, bed: str = "bed-1", after: int = 1) -> BedProgress:
    return BedProgress(bed, seq, after, SESSION, 0, seq, 36 * (seq + 1), ("MLII",), {"gaps": seq})


def last(folder: Path) -> dict[str, tuple[int, int]]:
    """Return number of the checkpoint and of the last chunk of each bed."""
    found: dict[str, tuple[int, int]] = {}
    for (bed, after, _), read in progress.read(folder).items():
        found[bed] = max(found.get(bed, (0, 0)), (after, read.seq))
    return found


STEPS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["chunk", "chunk", "chunk", "checkpoint"])), max_size=80
)


@given(STEPS, st.integers(1, 1500))
def test_at_any_moment_the_last_position_of_each_bed_is_known(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]], file_bytes: int
) -> None:
    """The process is killed after each step: what is read then is what was written."""
    folder = tmp_path_factory.mktemp("progress")
    files, expected, numbers = ProgressFiles(folder, "a1"), dict[str, tuple[int, int]](), dict.fromkeys("abc", 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "FILE_BYTES", file_bytes)
        for seq, (bed, kind) in enumerate(steps):
            if kind == "checkpoint":
                numbers[bed] += 1
                files.forget(bed)
                expected.pop(bed, None)
            else:
                files.append([position(seq, bed, numbers[bed])])
                expected[bed] = numbers[bed], seq
            found = last(folder)
            assert {bed: found.get(bed) for bed in expected} == expected
    files.close()


@given(st.integers(0, 2000))
def test_an_incomplete_entry_is_ignored(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("progress")
    files = ProgressFiles(folder, "a1")
    files.append([position(1)])
    whole = (folder / "a1.progress0").stat().st_size
    files.append([position(2)])
    files.close()
    data = (folder / "a1.progress0").read_bytes()
    (folder / "a1.progress0").write_bytes(data[: whole + cut])
    assert last(folder)["bed-1"][1] == (2 if whole + cut >= len(data) - 8 else 1)


def test_the_files_stay_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "FILE_BYTES", 4000)
    files = ProgressFiles(tmp_path, "a1")
    for seq in range(1000):
        files.append([position(seq, f"bed-{seq % 3}")])
    files.close()
    assert all(path.stat().st_size < 5000 for path in tmp_path.iterdir())


def test_of_two_processes_each_has_its_files_and_old_ones_are_deleted(tmp_path: Path) -> None:
    for by, seq in (("a1", 1), ("b2", 2)):
        files = ProgressFiles(tmp_path, by)
        files.append([position(seq)])
        files.close()
    assert {by: read.seq for (_, _, by), read in progress.read(tmp_path).items()} == {"a1": 1, "b2": 2}
    old_s = time.time() - MAX_AGE_NS / 1e9 - 60
    for number in (0, 1):
        os.utime(tmp_path / f"a1.progress{number}", (old_s, old_s))
    assert [by for _, _, by in progress.read(tmp_path)] == ["b2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b2.progress0", "b2.progress1"]


def test_a_damaged_file_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "a1.progress0").write_bytes(progress.part(b"nonsense"))
    (tmp_path / "a1.progress1").write_bytes(b"nonsense")
    assert progress.read(tmp_path) == {}
