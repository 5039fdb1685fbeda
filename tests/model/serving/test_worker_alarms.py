"""Alarms and commands of the worker, with and without a restart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from model.conditions.numeric_values import NumericSamples
from model.datasets.record_numerics import numeric_samples
from model.pipeline.analysis import Models
from model.serving import resending
from model.serving.analyzer import analyze
from stream.records.record import Record, RecordedNumeric
from stream.wire.alarm_messages import Acknowledge, ActiveAlarms, Alarm, Limits, PauseAudio, SetLimits
from stream.wire.lease import with_lease
from stream.wire.numerics_message import Numerics
from stream.wire.replay_actions import Seek
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
from tests.stream.wire.test_codec import alarm


def test_alarms_carry_evidence_and_are_followed_by_the_list(models: Models, patient: Record) -> None:
    harness = run(models, [[chunk] for chunk in chunks(patient)])
    alarms = harness.of(Alarm)
    residual = [event for event in alarms if event.kind == "residual"]
    assert [a.phase for a in residual].count("raised") >= 1
    for event in residual:
        assert event.score >= event.threshold
        assert event.alarm_id == f"{SESSION}-residual-{event.onset}"
        assert event.event_id == f"{event.alarm_id}-{event.phase}"
        samples = patient.mv()[event.onset : event.onset + 1080]
        assert np.isclose(samples, event.observed, atol=1e-6).any(), "observed is a sample of the anomaly"
    index = {id(m): i for i, m in enumerate(harness.messages)}
    for event in alarms:
        listed = harness.messages[index[id(event)] + 1]
        assert isinstance(listed, ActiveAlarms)
        if event.kind == "residual":
            assert event not in listed.alarms
            assert listed.advisory is not None
            assert listed.advisory.latest == event
        else:
            assert (event in listed.alarms) == (event.phase == "raised")
    raised = [event.kind for event in alarms if event.phase == "raised"]
    assert harness.counters()["alarms"] == len(raised) - raised.count("residual")


def test_a_restarted_worker_continues_with_the_retained_alarms(models: Models, patient: Record) -> None:
    stream = list(chunks(patient))
    half = next(i for i in range(len(stream)) if stream[i].end > 14 * 360)
    before = run(models, [[c] for c in stream[:half]])
    open_alarm = alarm(session=SESSION, kind="noise", priority="technical", alarm_id=f"{SESSION}-noise-7", onset=7)
    before.worker.stop()
    retained = msgspec.structs.replace(
        before.of(ActiveAlarms)[-1], alarms=(open_alarm,), limits=Limits(heart_rate_low=33)
    )
    after = WorkerHarness(models)
    after.worker.restore_alarms(retained)
    after.worker.tick(stream[half : half + 1])
    assert after.of(Alarm) == [], "neither raised again nor cleared"
    assert after.of(ActiveAlarms)[0] == with_lease(retained, 1), "the retained list is published unchanged"
    for chunk in stream[half + 1 :]:
        after.worker.tick([chunk])
    after.worker.advance_time()
    assert after.of(ActiveAlarms)[-1].limits.heart_rate_low == 33


def test_events_are_sent_again_in_order_some_at_a_time(
    models: Models, patient: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resending, "EVENTS_PER_CHECK", 1)
    harness = run(models, [[c] for c in chunks(patient)])
    first = harness.of(Alarm)
    count = len(first)
    assert count >= 2
    harness.worker.resend_events()
    for sent in (*range(count, 2 * count + 1), 2 * count):
        assert len(harness.of(Alarm)) == sent
        harness.worker.advance_time()
    again = harness.of(Alarm)[count:]
    assert all(event.resent for event in again)
    assert [msgspec.structs.replace(event, resent=False) for event in again] == first


def test_alarms_of_another_session_are_cleared_when_the_bed_sends(models: Models, patient: Record) -> None:
    harness = WorkerHarness(models)
    retained = alarm(session="cd" * 16, kind="noise")
    harness.worker.restore_alarms(ActiveAlarms(bed="bed-1", alarms=(retained,)))
    harness.worker.tick(until(chunks(patient), 1))
    [ended] = harness.of(Alarm)
    assert (ended.alarm_id, ended.phase, ended.event_id) == (
        retained.alarm_id,
        "cleared",
        f"{retained.alarm_id}-cleared",
    )
    assert harness.of(ActiveAlarms)[0].alarms == ()


def test_commands_change_the_alarms_of_their_bed(models: Models, patient: Record) -> None:
    harness = run(models, [until(chunks(patient), 2)])
    limits = Limits(heart_rate_low=40, heart_rate_high=140)
    harness.worker.commands.execute(command(SetLimits(limits=limits), harness.clock.now))
    assert harness.of(ActiveAlarms)[-1].limits == limits
    assert harness.of(ActiveAlarms)[-1].commands[-1].who == "nurse 1"
    lists = len(harness.of(ActiveAlarms))
    harness.worker.commands.execute(command(Acknowledge(alarm_id="nothing"), harness.clock.now, number=2))
    harness.worker.commands.execute(command(SetLimits(limits=limits), harness.clock.now, bed="bed-9", number=3))
    harness.worker.commands.execute(command(Seek(position=0), harness.clock.now, number=4))
    assert len(harness.of(ActiveAlarms)) == lists
    counters = harness.counters()
    assert (counters["commands"], counters["rejected"]) == (1, 1)


def test_an_acknowledgement_is_an_event(models: Models, patient: Record) -> None:
    harness = WorkerHarness(models)
    harness.worker.restore_alarms(ActiveAlarms(bed="bed-1", alarms=(alarm(session=SESSION, kind="noise"),)))
    harness.worker.tick(until(chunks(patient), 1))
    harness.worker.commands.execute(command(Acknowledge(alarm_id=alarm().alarm_id), harness.clock.now))
    [event] = harness.of(Alarm)
    assert (event.phase, event.acknowledged_by) == ("acknowledged", "nurse 1")


def test_commands_apply_to_restored_alarms_before_the_bed_sends(models: Models, patient: Record) -> None:
    harness = WorkerHarness(models)
    retained = alarm(
        session=SESSION, kind="asystole", alarm_id=f"{SESSION}-asystole-7", onset=7, end=2000, latched=True
    )
    harness.worker.restore_alarms(ActiveAlarms(bed="bed-1", alarms=(retained,)))
    limits = Limits(heart_rate_low=33)
    harness.worker.commands.execute(command(SetLimits(limits=limits), harness.clock.now))
    harness.worker.commands.execute(command(PauseAudio(seconds=60), harness.clock.now, number=2))
    harness.worker.commands.execute(command(Acknowledge(alarm_id=retained.alarm_id), harness.clock.now, number=3))
    [event] = harness.of(Alarm)
    assert (event.phase, event.alarm_id, event.acknowledged_by) == ("acknowledged", retained.alarm_id, "nurse 1")
    listed = harness.of(ActiveAlarms)[-1]
    assert (listed.alarms, listed.limits, listed.audio_paused_until is None) == ((), limits, False)
    harness.clock.now += 61_000_000_000
    harness.worker.advance_time()
    harness.worker.tick(until(chunks(patient), 1))
    listed = harness.of(ActiveAlarms)[-1]
    assert (listed.alarms, listed.limits, listed.audio_paused_until) == ((), limits, None)
    assert [command.command_id[-1] for command in listed.commands] == ["1", "2", "3"]


@pytest.mark.parametrize("sends", [False, True])
def test_the_end_of_the_record_clears_restored_alarms(models: Models, patient: Record, sends: bool) -> None:
    harness = WorkerHarness(models)
    retained = alarm(session=SESSION, kind="asystole", priority="high", end=None, phase="raised")
    harness.worker.restore_alarms(ActiveAlarms(bed="bed-1", alarms=(retained,)))
    if sends:
        harness.worker.tick(until(chunks(patient), 1))
    harness.worker.statuses.update(publisher_status("ended"))
    harness.worker.statuses.update(publisher_status("ended"))
    [ended] = harness.of(Alarm)
    assert (ended.alarm_id, ended.phase, ended.latched) == (retained.alarm_id, "cleared", True)
    assert [a.latched for a in harness.of(ActiveAlarms)[-1].alarms] == [True]


def test_the_end_of_the_record_clears_no_data(models: Models, patient: Record) -> None:
    harness = run(models, [until(chunks(patient), 2)])
    for _ in range(6):
        harness.clock.now += 1_000_000_000
        harness.worker.advance_time()
    harness.worker.statuses.update(publisher_status("ended"))
    harness.worker.advance_time()
    assert [(a.kind, a.phase) for a in harness.of(Alarm)] == [("no_data", "raised"), ("no_data", "cleared")]
    assert harness.of(ActiveAlarms)[-1].alarms == ()


def test_no_data_is_raised_for_a_silent_bed_and_cleared_when_it_sends(models: Models, patient: Record) -> None:
    stream = until(chunks(patient), 4)
    harness = run(models, [stream[:20]])
    harness.clock.now += 4_900_000_000
    harness.worker.advance_time()
    assert harness.of(Alarm) == []
    harness.clock.now += 200_000_000
    harness.worker.advance_time()
    harness.worker.advance_time()
    assert [(a.kind, a.priority, a.phase) for a in harness.of(Alarm)] == [("no_data", "technical", "raised")]
    harness.worker.tick(stream[20:21])
    assert [(a.kind, a.phase) for a in harness.of(Alarm)[1:]] == [("no_data", "cleared")]
    assert [(a.reason, a.text) for a in harness.of(Alarm)] == [
        ("bed_silent", "No data for 5 s"),
        ("data_resumed", "Data received again"),
    ]


@pytest.mark.parametrize("state", ["paused", "ended"])
def test_no_data_is_not_raised_in_a_pause_or_after_the_end(models: Models, patient: Record, state: Any) -> None:
    harness = run(models, [until(chunks(patient), 2)])
    for _ in range(30):
        harness.worker.statuses.update(publisher_status(state))
        harness.clock.now += 2_000_000_000
        harness.worker.advance_time()
    assert harness.of(Alarm) == []


def test_the_end_of_the_record_clears_all_alarms(models: Models, patient: Record) -> None:
    harness = run(models, [[c] for c in chunks(patient)])
    harness.worker.statuses.update(publisher_status("ended"))
    harness.worker.statuses.update(publisher_status("ended"))
    alarms = harness.of(Alarm)
    phases = [a.phase for a in alarms]
    assert phases.count("raised") == phases.count("cleared") > 0
    assert all(a.latched for a in harness.of(ActiveAlarms)[-1].alarms)


def test_values_of_the_publisher_raise_the_same_alarms_live_and_offline(models: Models, patient: Record) -> None:
    """In chunks of 100 ms, each message of values some chunks after its ECG; one message is too late."""
    values = np.interp(np.arange(60.0), [0, 3, 4, 20, 21, 60], [97, 97, 84, 84, 97, 97])
    numerics = (RecordedNumeric("spo2", "%", 1.0, values),)
    record = replace(patient, numerics=numerics)
    harness, waiting = WorkerHarness(models), list(numeric_samples(record))
    for chunk in chunks(record):
        while waiting and waiting[0].index < chunk.start - 5 * 36:
            harness.worker.add_numerics(numerics_message(waiting.pop(0)))
        harness.worker.tick([chunk])
        if chunk.seq == 250:
            harness.worker.add_numerics(numerics_message(NumericSamples(0, numeric_samples(record)[0].values)))
    found = [event for event in harness.of(Alarm) if event.kind == "spo2_low"]
    expected = [event for event in analyze(record, models).alarms if event.kind == "spo2_low"]
    assert [event.phase for event in found] == ["raised", "cleared"]
    assert summaries(found) == summaries(expected)
    assert (found[0].value, found[0].limit, found[1].text) == (84.0, 90.0, "SpO2 low: down to 84 %, below 90 %")
    rows = [row for row in harness.ledger if row[-1] == "numerics"]
    assert [row[3] for row in rows if row[5] == "taken"] == [one.index for one in numeric_samples(record)]
    assert [row[3] for row in rows if row[5] == "refused"] == [0]
    assert harness.counters()["numerics_dropped"] == 1


def numerics_message(samples: NumericSamples) -> Numerics:
    when = "2026-01-31T12:00:00Z"
    return Numerics(
        bed="bed-1", session=SESSION, epoch=0, index=samples.index, when=when, values=samples.values, synthetic=True
    )
