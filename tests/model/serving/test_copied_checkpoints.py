"""Checkpoints of which copies are sent to another machine, and a worker there that goes on from the copies."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.pipeline.analysis import Models
from model.serving import checkpoint
from model.serving.copied_checkpoints import CopiedStore, copied_checkpoints
from stream.records.record import Record
from stream.timebase import FS
from stream.wire.alarm_messages import Alarm
from stream.wire.messages import Waveform
from tests.model.serving.test_restart import named, push, worker
from tests.model.serving.worker_harness import WorkerHarness, chunks


@pytest.fixture(scope="module")
def stream(patient: Record) -> list[Waveform]:
    """Return 30 s, of which the first PVC comes at 23.3 s."""
    return list(chunks(patient))


class Elsewhere:
    """Another machine: a folder; of each copy that was waited for, the alarm events sent before, and those in it."""

    def __init__(self, folder: Path, fingerprint: bytes) -> None:
        self.folder = folder
        self.harness: WorkerHarness | None = None
        self.waited: list[tuple[int, set[str]]] = []
        self._fingerprint = fingerprint

    def copy(self, name: str, content: bytes, wait: bool) -> None:
        (self.folder / name).write_bytes(content)
        if wait and self.harness is not None:
            events = checkpoint.decode(content, self._fingerprint).alarms.recent
            self.waited.append((len(self.harness.of(Alarm)), {event.event_id for event in events}))


@pytest.fixture
def elsewhere(models: Models, tmp_path: Path) -> Elsewhere:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return Elsewhere(folder, checkpoint.fingerprint(models))


def serve(models: Models, folder: Path, elsewhere: Elsewhere, stream: list[Waveform]) -> WorkerHarness:
    with CopiedStore(folder, checkpoint.fingerprint(models), elsewhere.copy) as store:
        harness = elsewhere.harness = WorkerHarness(models, store, "first")
        harness.clock.now += 20 * 10**9
        push(harness, stream)
    return harness


def test_each_alarm_event_is_copied_before_it_is_sent(
    models: Models, stream: list[Waveform], tmp_path: Path, elsewhere: Elsewhere
) -> None:
    sent = serve(models, tmp_path, elsewhere, [*stream[:150], *stream[170:]]).of(Alarm)
    assert len(sent) > 2
    for index, event in enumerate(sent):
        assert any(before <= index and event.event_id in events for before, events in elsewhere.waited)


def test_a_worker_on_another_machine_goes_on_and_names_what_was_not_copied(
    models: Models, stream: list[Waveform], tmp_path: Path, elsewhere: Elsewhere
) -> None:
    serve(models, tmp_path, elsewhere, stream[:157])
    with worker(models, elsewhere.folder) as second:
        push(second, stream[170:])
    start, end = 157 * 36, 170 * 36
    [(*_, began, ended, reason)] = [alarm for alarm in named(second) if alarm[0] == "cleared"]
    assert reason == "samples_lost"
    assert ended == end
    assert start - FS - 36 <= began <= start, "at most what was processed in the second before"
    assert "residual" in {alarm.kind for alarm in second.of(Alarm)}, "the patient stays known"


def test_a_bed_that_starts_anew_does_so_elsewhere_too(
    models: Models, stream: list[Waveform], tmp_path: Path, elsewhere: Elsewhere
) -> None:
    for slot in (0, 1):
        (elsewhere.folder / f"bed-1.bed{slot}").write_bytes(b"refused")
    serve(models, tmp_path, elsewhere, stream[:1])
    assert sorted(path.read_bytes() for path in elsewhere.folder.iterdir())[0] == b""
    assert not any(path.read_bytes() == b"refused" for path in elsewhere.folder.iterdir())


def test_without_a_receiver_nothing_is_copied(models: Models, tmp_path: Path, elsewhere: Elsewhere) -> None:
    with copied_checkpoints(tmp_path / "here", models, None) as store:
        assert store is not None
        assert not isinstance(store, CopiedStore)
    with copied_checkpoints(None, models, elsewhere.copy) as store:
        assert store is None
    with copied_checkpoints(tmp_path / "here", models, elsewhere.copy) as store:
        assert isinstance(store, CopiedStore)
