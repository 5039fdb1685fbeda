"""What a stranger sends to a worker: it serves its beds, and publishes nothing that it could not receive itself."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.alarms.state import restore, to_message
from model.pipeline.analysis import Models
from model.serving.checkpoint import fingerprint
from model.serving.checkpoint_store import CheckpointStore
from stream.records.record import Record
from stream.wire import codec
from stream.wire.alarm_messages import KINDS, ActiveAlarms, Advisory, Alarm, Limits, SetLimits
from stream.wire.bed_places import PLACES_VARIABLE, configured_places
from stream.wire.fields import MAX_INDEX
from stream.wire.messages import Message
from stream.wire.status_messages import BedStatus
from stream.wire.topics import Kind, Topic
from tests.model.serving.worker_harness import (
    SESSION,
    WorkerHarness,
    chunks,
    command,
    publisher_status,
    run,
    summaries,
    until,
)
from tests.outlooks import alone
from tests.stream.wire.test_codec import alarm


def assert_all_can_be_received(messages: list[Message]) -> None:
    for message in messages:
        assert codec.decode(codec.topic_of(message), codec.encode(message)) == message


@settings(max_examples=15)
@given(start=st.one_of(st.integers(4000, MAX_INDEX - 36), st.just(MAX_INDEX - 36)))
def test_gaps_of_any_size_are_published_so_that_all_can_receive_them(
    models: Models, patient: Record, start: int
) -> None:
    first, second, *_ = until(chunks(patient), 1)
    later = msgspec.structs.replace(second, seq=second.seq + 7, start=start)
    harness = run(models, [[first], [later]])
    harness.worker.stop()
    assert_all_can_be_received(harness.messages)


def test_a_wrong_end_of_the_record_does_not_silence_a_bed(models: Models, patient: Record) -> None:
    """A stranger reports that the record has ended; the bed streams on."""
    stream = list(chunks(patient))
    harness = run(models, [stream[:100]])
    harness.worker.statuses.update(publisher_status("ended"))
    for chunk in stream[100:]:
        harness.worker.tick([chunk])
    again = run(models, [stream[100:]])
    late = [item for item in summaries(harness.of(Alarm)) if item[3] > 25 * 360]
    assert late == [item for item in summaries(again.of(Alarm)) if item[3] > 25 * 360]
    assert [b for b in harness.worker._beds.values() if b.ended] == []


def test_the_status_of_a_worker_is_not_taken_for_that_of_a_publisher(models: Models, patient: Record) -> None:
    harness = run(models, [until(chunks(patient), 15)])
    status = msgspec.structs.replace(publisher_status("ended"), role="worker")
    harness.worker.statuses.update(status)
    assert not harness.worker._beds["bed-1"].ended


def test_a_running_worker_takes_limits_by_command_only(
    models: Models, patient: Record, caplog: pytest.LogCaptureFixture
) -> None:
    off = tuple(kind for kind in KINDS if kind not in ("asystole", "ventricular_fibrillation"))
    forged = ActiveAlarms(bed="bed-1", limits=Limits(off=off))
    stream = until(chunks(patient), 5)
    harness = run(models, [stream[:10]])
    harness.worker.restore_alarms(forged)
    harness.worker.tick(stream[10:])
    assert harness.of(ActiveAlarms)[-1].limits.off == ()
    assert "switched off" not in caplog.text


def test_kinds_that_a_restarted_worker_finds_switched_off_are_logged_and_published(
    models: Models, patient: Record, caplog: pytest.LogCaptureFixture
) -> None:
    harness = WorkerHarness(models)
    harness.worker.restore_alarms(ActiveAlarms(bed="bed-1", limits=Limits(off=("ventricular_tachycardia", "no_data"))))
    assert "bed bed-1: alarms restored as switched off: ventricular_tachycardia, no_data" in caplog.text
    harness.worker.tick(until(chunks(patient), 1))
    assert harness.of(ActiveAlarms)[-1].limits.off == ("ventricular_tachycardia", "no_data")


def test_a_forged_list_cannot_make_the_next_one_too_large() -> None:
    """The largest list that can be received is restored; the largest alarms that a worker raises are added."""
    wide = "\x01" * 200
    forged = tuple(
        alarm(kind=kind, onset=n, alarm_id=f"{n}{'x' * 150}", record=wide, when=wide, text=wide, event_id="e")
        for n, kind in enumerate(KINDS * 4)
    )
    forged = forged[: next(n for n in range(len(forged)) if len(msgspec.json.encode(forged[:n])) > 40_000)]
    loud = command(SetLimits(limits=Limits(off=KINDS[2:])), 0)
    message = ActiveAlarms(
        bed="bed-1",
        alarms=forged,
        advisory=Advisory(count=1, since=wide, last=wide, onsets=tuple(range(64)), latest=alarm(record=wide)),
        commands=tuple(msgspec.structs.replace(loud, who="\x01" * 64) for _ in range(8)),
    )
    state = restore(message, 0)
    assert len({a.kind for a in state.active}) == len(state.active)
    largest = [
        alarm(
            kind=kind,
            record=wide,
            leads=("\x01" * 16,) * 2,
            acknowledged_by="\x01" * 64,
            switched_off_by="\x01" * 64,
            alarm_id=f"{SESSION}-{kind}-{MAX_INDEX}",
            event_id=f"{SESSION}-{kind}-{MAX_INDEX}-acknowledged",
        )
        for kind in KINDS
        if kind not in {a.kind for a in state.active}
    ]
    after = msgspec.structs.replace(to_message("bed-1", state), alarms=(*state.active, *largest))
    assert_all_can_be_received([after])


def test_invented_beds_do_not_grow_the_worker_and_displace_no_bed_that_sends(models: Models, patient: Record) -> None:
    harness = WorkerHarness(models)
    stream = until(chunks(patient), 25)
    for chunk in stream[:120]:
        harness.worker.tick([chunk])
    for n in range(3000):
        harness.worker.restore_alarms(ActiveAlarms(bed=f"invented-{n}"))
        harness.worker.statuses.update(msgspec.structs.replace(publisher_status("playing"), bed=f"invented-{n}"))
    assert len(harness.worker._beds.restored) < configured_places()
    harness.worker.tick([msgspec.structs.replace(stream[0], bed=f"sends-{n}") for n in range(100)])
    harness.clock.now += 11_000_000_000
    harness.worker.tick([msgspec.structs.replace(stream[0], bed=f"later-{n}") for n in range(100)])
    worker = harness.worker
    assert "bed-1" in worker.beds
    assert len(worker.beds) == configured_places()
    assert len(worker._beds.restored) <= configured_places()
    assert Topic(Kind.ALARMS_ACTIVE, "sends-0") in harness.released
    assert {"sends-99", "later-99"} <= set(harness.refused)
    assert [s.state for s in harness.of(BedStatus, "sends-0")][-1] == "stopped"
    harness.worker.tick(stream[120:130])
    assert harness.of(BedStatus)[-1].counters["samples_forecast"] > 0


def test_invented_beds_leave_no_files_behind(
    models: Models, patient: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are files of the beds that are served, with ECG and without; those of the ward stay."""
    monkeypatch.setenv(PLACES_VARIABLE, "3")
    [chart] = [alone(0, {"nibp_mean": 80.0})]
    stream = until(chunks(patient), 25)
    with CheckpointStore(tmp_path, fingerprint(models)) as store:
        harness = WorkerHarness(models, store)
        for n in range(12):
            harness.clock.now += 11_000_000_000
            harness.worker.tick(stream[20 * n : 20 * n + 20])
            harness.worker.tick([msgspec.structs.replace(stream[0], bed=f"invented-{n}")])
            harness.worker.add_numerics(msgspec.structs.replace(chart, bed=f"charted-{n}"))
    names = {path.stem for path in tmp_path.glob("*.bed[01]")} | {path.stem for path in tmp_path.glob("*.chart[01]")}
    assert names == {"bed-1", *(f"{kind}-{n}" for kind in ("invented", "charted") for n in (10, 11)), "charted-9"}
