"""A worker that goes on from the checkpoints of one that died."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from model.pipeline.analysis import Models
from model.serving import checkpoint
from model.serving.checkpoint_store import CheckpointStore
from stream.records.record import Record
from stream.wire.alarm_messages import Acknowledge, ActiveAlarms, Alarm, Limits, SetLimits
from stream.wire.messages import Waveform
from tests.model.serving.worker_harness import SESSION, WorkerHarness, chunks, command, publisher_status
from tests.stream.wire.test_codec import alarm


@pytest.fixture(scope="module")
def stream(patient: Record) -> list[Waveform]:
    """Return 30 s, of which the first PVC comes at 23.3 s."""
    return list(chunks(patient))


@contextmanager
def worker(
    models: Models, folder: Path, instance: str = "second", served_by: Mapping[str, str] | None = None, after_s: int = 0
) -> Iterator[WorkerHarness]:
    """Start a worker on a folder of checkpoints; at the end it is killed: nothing is saved."""
    with CheckpointStore(folder, checkpoint.fingerprint(models)) as store:
        harness = WorkerHarness(models, store, instance)
        harness.clock.now += (20 + after_s) * 10**9
        harness.worker.restore_beds(read_now(store, harness), served_by or {})
        yield harness


def read_now(store: CheckpointStore, harness: WorkerHarness) -> list[checkpoint.BedCheckpoint]:
    """Read as at the manual time, long ago."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("model.serving.checkpoint_store.time.time_ns", harness.clock.now_ns)
        return store.read_all()


def push(harness: WorkerHarness, stream: list[Waveform]) -> None:
    for chunk in stream:
        harness.clock.now += 100_000_000
        harness.worker.tick([chunk])


def named(harness: WorkerHarness) -> list[tuple[str, int, int | None, str | None]]:
    return [(a.phase, a.onset, a.end, a.reason) for a in harness.of(Alarm) if a.kind == "no_data" and not a.resent]


def test_the_blind_interval_is_named_and_the_patient_stays_known(
    models: Models, stream: list[Waveform], tmp_path: Path
) -> None:
    with worker(models, tmp_path, "first") as first:
        push(first, stream[:150])
    with worker(models, tmp_path) as second:
        push(second, stream[170:])
        start, end = 150 * 36, 170 * 36
        assert named(second) == [
            ("raised", start, None, "samples_lost"),
            ("cleared", start, end, "samples_lost"),
        ]
        assert second.ledger[0][5:7] == ("gap", end - start)
        counters = second.counters()
        assert (counters["gaps"], counters["lost_samples"]) == (1, end - start)
        residual = [a.phase for a in second.of(Alarm) if a.kind == "residual"]
        assert "raised" in residual, "the PVC 6 s later: 12 s of learning would have missed it"


def test_a_bed_that_was_away_for_too_long_is_learned_anew_and_the_interval_is_named(
    models: Models, stream: list[Waveform], tmp_path: Path
) -> None:
    with worker(models, tmp_path, "first") as first:
        push(first, stream[:150])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("model.serving.next_chunk.MAX_BRIDGED", 360)
        with worker(models, tmp_path, after_s=3600) as second:
            assert second.worker.beds == (), "nothing is expected of a bed that was away for an hour"
            push(second, stream[170:])
            assert named(second)[1] == ("cleared", 150 * 36, 170 * 36, "samples_lost")
            assert not [a for a in second.of(Alarm) if a.kind == "residual"]


def test_a_new_session_is_no_gap(models: Models, stream: list[Waveform], tmp_path: Path) -> None:
    with worker(models, tmp_path, "first") as first:
        push(first, stream[:50])
    with worker(models, tmp_path) as second:
        for chunk in stream[60:70]:
            second.worker.tick([msgspec.structs.replace(chunk, session="cd" * 16)])
        assert named(second) == []
        assert second.counters()["gaps"] == 0


def test_alarms_and_limits_continue_and_events_are_sent_again(
    models: Models, stream: list[Waveform], tmp_path: Path
) -> None:
    with worker(models, tmp_path, "first") as first:
        push(first, stream[:20])
        first.worker.commands.execute(
            command(SetLimits(limits=Limits(heart_rate_low=41, heart_rate_high=44)), first.clock.now)
        )
        push(first, stream[20:120])
        raised = [a for a in first.of(Alarm) if a.kind == "heart_rate_high"]
        assert [a.phase for a in raised] == ["raised"]
    with worker(models, tmp_path) as second:
        # The retained list of the broker is older than the checkpoint, or lost.
        second.worker.advance_time()
        assert [(a.event_id, a.resent) for a in second.of(Alarm)] == [(raised[0].event_id, True)]
        second.worker.commands.execute(command(Acknowledge(alarm_id=raised[0].alarm_id), second.clock.now, number=2))
        assert [a.phase for a in second.of(Alarm)[1:]] == ["acknowledged"]
        push(second, stream[130:])
        again = [a for a in second.of(Alarm) if a.kind == "heart_rate_high" and not a.resent]
        assert [a.phase for a in again] == ["acknowledged"], "confirmed under its id, neither raised again nor cleared"
        assert second.of(ActiveAlarms)[-1].limits.heart_rate_low == 41
        [listed] = [a for a in second.of(ActiveAlarms)[-1].alarms if a.kind == "heart_rate_high"]
        assert listed.alarm_id == raised[0].alarm_id


def test_limits_of_a_bed_that_has_not_returned_survive_a_reconnect(
    models: Models, stream: list[Waveform], tmp_path: Path
) -> None:
    with worker(models, tmp_path, "first") as first:
        push(first, stream[:20])
        retained = first.of(ActiveAlarms)[-1]
    with worker(models, tmp_path, after_s=3600) as second:
        second.worker.restore_alarms(retained)  # after a reconnect, the broker sends it again
        limits = Limits(heart_rate_low=41)
        second.worker.commands.execute(command(SetLimits(limits=limits), second.clock.now))
        push(second, stream[20:22])
        assert second.of(ActiveAlarms)[-1].limits.heart_rate_low == 41


def test_an_event_that_went_out_before_its_list_is_known(
    models: Models, stream: list[Waveform], tmp_path: Path
) -> None:
    with worker(models, tmp_path, "first") as first:
        push(first, stream[:20])
        sent: list[Alarm] = []

        def die(message: object) -> None:
            if isinstance(message, Alarm):
                sent.append(message)
                raise KeyboardInterrupt

        alarms = first.worker._beds["bed-1"].alarms
        alarms._send = die  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            push(first, stream[25:27])  # a gap: raised, then killed
    assert [a.phase for a in sent] == ["raised"]
    with worker(models, tmp_path) as second:
        push(second, stream[30:40])
        [ended] = [a for a in second.of(Alarm) if a.alarm_id == sent[0].alarm_id and a.phase == "cleared"]
        assert ended.end == 30 * 36


def test_the_end_of_the_record_clears_restored_alarms(models: Models, stream: list[Waveform], tmp_path: Path) -> None:
    with worker(models, tmp_path, "first") as first:
        first.worker.restore_alarms(ActiveAlarms(bed="bed-1", alarms=(alarm(session=SESSION, kind="noise", onset=7),)))
        push(first, stream[:20])
    with worker(models, tmp_path) as second:
        second.worker.statuses.update(publisher_status("ended"))
        assert [(a.kind, a.reason) for a in second.of(Alarm)] == [("noise", "record_ended")]
        assert second.of(ActiveAlarms)[-1].alarms == ()
    with worker(models, tmp_path) as third:
        third.clock.now += 10**10
        third.worker.advance_time()
        assert named(third) == [], "nothing is expected of a record that has ended"


def test_a_bed_that_does_not_return_is_named(models: Models, stream: list[Waveform], tmp_path: Path) -> None:
    with worker(models, tmp_path, "first") as first:
        push(first, stream[:20])
    for instance in ("second", "third"):
        with worker(models, tmp_path, instance) as harness:
            for _ in range(7):
                harness.worker.advance_time()
                harness.clock.now += 10**9
            expected = [("raised", 720, None, "bed_silent")] if instance == "second" else []
            assert named(harness) == expected, "raised by the second worker, continued by the third"
    with worker(models, tmp_path, "fourth") as harness:
        push(harness, stream[100:110])
        assert named(harness) == [("cleared", 720, 3600, "data_resumed")]


def test_another_worker_in_between_outdates_a_checkpoint(
    models: Models, stream: list[Waveform], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with worker(models, tmp_path, "first") as first:
        push(first, stream[:20])
    with worker(models, tmp_path, served_by={"bed-1": "other"}) as second:
        assert second.worker.beds == ()
        assert "another worker has served it" in caplog.text
    with worker(models, tmp_path, served_by={"bed-1": "first"}) as second:
        assert second.worker.beds == ("bed-1",)
    with worker(models, tmp_path, "third", served_by={"bed-1": "first"}) as third:
        assert third.worker.beds == ("bed-1",), "the second went on with it, but published nothing"


def test_what_was_learned_of_another_epoch_is_not_kept(models: Models, patient: Record, tmp_path: Path) -> None:
    stream = list(chunks(patient))
    with worker(models, tmp_path, "first") as first:
        push(first, stream[:150])
        later = msgspec.structs.replace(stream[150], epoch=1, epoch_start=stream[150].start)
        first.worker.tick([later])
    with worker(models, tmp_path) as second:
        saved = second.worker._beds["bed-1"].slot.state()
        assert saved.columns.anomaly.history.blocks[0] == 0, "the new epoch was saved at once"
        for chunk in stream[170:172]:
            other = msgspec.structs.replace(chunk, epoch=1, epoch_start=stream[150].start, leads=("MLII", "V5"))
            second.worker.tick([other])
        assert second.worker._beds["bed-1"].slot.leads == ("MLII", "V5")
