"""What strangers can make a recorder write is bounded; what the beds of the ward send is recorded."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stream.errors import StorageError
from stream.recording.folder import RecordingFolder
from stream.recording.recorder import Recorder
from stream.timebase import FS
from stream.wire.bed_places import PLACES_VARIABLE, SILENT_S
from tests.waveforms import chunk

SECOND_NS = 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RecordingFolder]:
    with RecordingFolder(tmp_path / "out") as entered:
        yield entered


def recorder_of(folder: RecordingFolder, **options: Any) -> Recorder:
    return Recorder(folder, (), rotate=3600 * FS, **options)


def push(recorder: Recorder, bed: str, now_s: float, n: int = 2 * FS) -> None:
    recorder.process(chunk(0, n, bed=bed), round(now_s * SECOND_NS))


def test_folders_of_beds_are_as_many_as_places_however_many_names_come(
    folder: RecordingFolder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(PLACES_VARIABLE, "3")
    (folder.path / "ward-1").mkdir()
    recorder = recorder_of(folder)
    now_s = 100.0
    for number in range(20):
        now_s += 2 * SILENT_S
        push(recorder, f"stranger-{number}", now_s)
    push(recorder, "ward-1", now_s + 2 * SILENT_S)
    recorder.close()
    assert recorder.summary().startswith("3 records of 3 beds")
    assert {path.name for path in folder.path.iterdir() if path.is_dir()} == {"ward-1", "stranger-0", "stranger-1"}
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [warning.partition(":")[0] for warning in warnings] == [f"{folder.path} has folders of 3 beds"]
    assert "set BEDSIDE_PLACES" in caplog.text


def test_a_bed_that_begins_a_record_with_each_message_is_left_out_for_a_while(
    folder: RecordingFolder, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = recorder_of(folder, short=10)
    chunks = [msgspec.structs.replace(chunk(i, 2 * FS), record=f"r{i % 2}") for i in range(200)]
    for i, one in enumerate(chunks[:100]):
        recorder.process(one, (1000 + i) * SECOND_NS)
        push(recorder, "ward-1", 1000 + i)
    assert len(list((folder.path / "bed-1").glob("*.hea"))) == 10
    assert caplog.text.count("bed bed-1 has had 10 records of less than 10 s") == 1
    for i, one in enumerate(chunks[100:]):  # an hour later, as many again; and a record goes on
        recorder.process(msgspec.structs.replace(one, record="r0"), (5000 + i) * SECOND_NS)
    recorder.close()
    [*_, last] = sorted((folder.path / "bed-1").glob("*.hea"))
    assert f"# first sample: {200 * FS}\n" in last.read_text()
    assert f"gap: samples {20 * FS} to {200 * FS - 1} of the session (180.00 s) were not recorded" in last.read_text()
    assert len(list((folder.path / "ward-1").glob("*.hea"))) == 1


def test_recording_ends_before_the_disk_is_full(folder: RecordingFolder) -> None:
    recorder = recorder_of(folder, min_free=2 * shutil.disk_usage(folder.path).total)
    push(recorder, "bed-1", 100.0)
    with pytest.raises(StorageError, match=r"GB free, less than the .* of --min-free: make room"):
        recorder.tick(101 * SECOND_NS)
    recorder.close()
    assert recorder.summary().startswith("1 records of 1 beds")
