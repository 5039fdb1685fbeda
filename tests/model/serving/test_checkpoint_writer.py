"""When checkpoints are written, and what in between."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from model.pipeline.analysis import Models
from model.serving import checkpoint, progress
from model.serving.checkpoint_store import CheckpointStore
from model.serving.checkpoint_writer import INTERVAL_NS, CheckpointWriter, next_checkpoint_ns
from stream.records.record import Record
from tests.model.serving.worker_harness import ManualClock, WorkerHarness, chunks, served_bed


@given(st.text("abc-123", min_size=1, max_size=8), st.integers(0, 10**18))
def test_each_bed_has_its_own_moment_once_per_interval(name: str, now_ns: int) -> None:
    due_ns = next_checkpoint_ns(name, now_ns)
    assert now_ns < due_ns <= now_ns + INTERVAL_NS
    assert next_checkpoint_ns(name, due_ns - 1) == due_ns
    assert next_checkpoint_ns(name, due_ns) == due_ns + INTERVAL_NS


def test_progress_is_appended_and_a_checkpoint_written_when_due(
    models: Models, patient: Record, tmp_path: Path
) -> None:
    first, second = list(chunks(patient))[:2]
    clock = ManualClock()
    with CheckpointStore(tmp_path, checkpoint.fingerprint(models)) as store:
        writer, bed = CheckpointWriter(store, clock), served_bed(models, first)
        writer.save_progress([bed], clock.now)
        assert bed.checkpoint == 1, "the first one at once"
        bed.chunk = second
        writer.save_progress([bed], clock.now)
        assert bed.checkpoint == 1
        [saved] = progress.read(tmp_path).values()
        assert (saved.after, saved.seq) == (1, 1)
        clock.now = bed.next_checkpoint_ns
        writer.save_progress([bed], clock.now)
        assert bed.checkpoint == 2


def test_without_a_store_nothing_is_written(models: Models, patient: Record) -> None:
    clock = ManualClock()
    writer, bed = CheckpointWriter(None, clock), served_bed(models, next(chunks(patient)))
    writer.save_progress([bed], clock.now)
    writer.save_alarms(bed.chunk.bed, bed.alarms.saved.state, ())
    assert bed.checkpoint == 1


def test_checkpoints_of_many_beds_are_staggered(models: Models, patient: Record, tmp_path: Path) -> None:
    names = [f"bed-{n}" for n in range(10)]
    streams = [list(chunks(patient, bed=name)) for name in names]
    with CheckpointStore(tmp_path, checkpoint.fingerprint(models)) as store:
        written: list[str] = []
        write = store.write
        store.write = lambda saved: (written.append(saved.chunk.bed), write(saved))[1]  # type: ignore[method-assign]
        harness = WorkerHarness(models, store)
        for n in range(25):
            harness.clock.now += 100_000_000
            harness.worker.tick([stream[n] for stream in streams])
            if n == 0:
                assert sorted(written) == sorted(names)
            if n in (0, 14):
                written.clear()
            if n == 15:
                assert len(written) < len(names) // 2, "not all at once"
        assert sorted(written) == sorted(names), "each once per second"
