"""Beds without ECG in the worker: hours in, outlooks and alarms out, and what a killed worker leaves."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from model.pipeline.analysis import Models
from model.serving import charted_checkpoints
from model.serving.charted_checkpoints import ChartedCheckpoints
from model.serving.checkpoint import fingerprint
from model.serving.checkpoint_store import CheckpointStore
from model.trends.forecaster import TrendForecaster
from stream.records.record import Record
from stream.wire import codec
from stream.wire.alarm_messages import Acknowledge, Action, ActiveAlarms, Alarm, Command, SetLimits
from stream.wire.messages import Message
from stream.wire.numerics_message import NumericName, Numerics
from stream.wire.outlook_message import HOUR, Outlook, Reason
from stream.wire.status_messages import BedStatus, ProcessStatus
from tests.model.serving.worker_harness import BEGIN_NS, WorkerHarness, chunks, command, publisher_status, summaries
from tests.outlooks import alone
from tests.waveforms import SESSION as CHARTED

Hour = dict[NumericName, float | None]

DAY: list[Hour] = [
    {"nibp_mean": 80.0, "heart_rate": 90.0},
    {"nibp_mean": 58.0, "heart_rate": None},
    {"nibp_mean": None, "heart_rate": 125.0},
    {"nibp_mean": 55.0, "heart_rate": 128.0},
    {"nibp_mean": 72.0, "heart_rate": 100.0},
    {"nibp_mean": 85.0, "spo2": 78.0},
    {"nibp_mean": 85.0, "spo2": 97.0},
]


def day(**changes: Any) -> list[Numerics]:
    return [alone(hour, values, **changes) for hour, values in enumerate(DAY)]


def serve(harness: WorkerHarness, messages: Iterable[Numerics], seconds: float = 0.5) -> None:
    for message in messages:
        harness.worker.add_numerics(message)
        harness.clock.now += round(seconds * 1e9)
        harness.worker.advance_time()


def ended(session: str = CHARTED) -> BedStatus:
    return msgspec.structs.replace(publisher_status("ended"), session=session)


@pytest.fixture(autouse=True)
def same_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the age of a checkpoint count by the clock of the worker."""
    monkeypatch.setattr("model.serving.charted_checkpoints.time.time_ns", lambda: BEGIN_NS)


def test_each_hour_brings_an_outlook_as_measured_and_limits_raise_alarms(models: Models) -> None:
    harness = WorkerHarness(models)
    serve(harness, day(), seconds=3600)  # in real time: an hour between two messages is no silence
    outlooks = harness.of(Outlook)
    assert [outlook.hour for outlook in outlooks] == list(range(len(DAY)))
    assert all(codec.decode(codec.topic_of(outlook), codec.encode(outlook)) == outlook for outlook in outlooks)
    assert {part.name for part in outlooks[-1].parts} >= {"spo2", "consciousness"}
    past = {one.name: one.values for one in outlooks[-1].past}
    assert past["nibp_mean"] == tuple(hour.get("nibp_mean") for hour in DAY)
    assert past["spo2"] == (None, None, None, None, None, 78.0, 97.0)
    assert summaries([alarm for alarm in harness.of(Alarm) if alarm.kind != "early_warning"]) == [
        ("raised", "abp_mean_low", "medium", HOUR, None),
        ("raised", "heart_rate_high", "medium", 2 * HOUR, None),
        ("cleared", "heart_rate_high", "medium", 2 * HOUR, 4 * HOUR),
        ("cleared", "abp_mean_low", "medium", HOUR, 4 * HOUR),
        ("raised", "desaturation", "high", 5 * HOUR, None),
        ("cleared", "desaturation", "high", 5 * HOUR, 6 * HOUR),
    ]
    assert harness.worker.beds == ("bed-1",)
    assert harness.of(BedStatus)[-1].counters["messages"] == len(DAY)


def comparable(messages: Iterable[Message]) -> list[Message]:
    """Return what a worker has sent of a bed, without its wall time and lease, and what is sent again."""
    kept = [m for m in messages if isinstance(m, Outlook | Alarm) and not getattr(m, "resent", False)]
    return [msgspec.structs.replace(m, when="", lease=0) for m in kept]


@pytest.mark.parametrize("killed", [1, 3, 6])
def test_a_worker_that_replaces_a_killed_one_goes_on_exactly(models: Models, tmp_path: Path, killed: int) -> None:
    whole = WorkerHarness(models)
    serve(whole, day())
    with CheckpointStore(tmp_path, fingerprint(models)) as store:
        first = WorkerHarness(models, store, "first")
        serve(first, day()[:killed])
    with CheckpointStore(tmp_path, fingerprint(models)) as store:
        second = WorkerHarness(models, store, "second")
        second.clock.now = first.clock.now
        second.worker.restore_beds(store.read_all(), {"bed-1": "first"})
        assert second.of(ActiveAlarms)[-1].alarms == tuple(
            msgspec.structs.replace(alarm, lease=2) for alarm in first.of(ActiveAlarms)[-1].alarms
        )
        serve(second, day()[killed - 1 :])  # the retained message comes again
        assert second.worker.leases == {"bed-1": 2}
    assert comparable([*first.messages, *second.messages]) == comparable(whole.messages)


def with_threshold(threshold: float) -> TrendForecaster:
    """Return the shipped forecaster with another threshold of its advisory."""
    weights = TrendForecaster.load().weights
    return TrendForecaster(replace(weights, settings={**weights.settings, "threshold": threshold}))


def test_an_early_warning_is_an_advisory_that_says_why(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    forecaster = with_threshold(0.0)  # it warns as long as the pressure is known and not low
    monkeypatch.setattr(TrendForecaster, "load", classmethod(lambda _cls: forecaster))
    harness = WorkerHarness(models)
    pressures = (100.0, None, 85.0, 70.0, 58.0)
    serve(harness, [alone(hour, {"nibp_mean": pressure}) for hour, pressure in enumerate(pressures)])
    warnings = [alarm for alarm in harness.of(Alarm) if alarm.kind == "early_warning"]
    assert summaries(warnings) == [
        ("raised", "early_warning", "low", 0, None),
        ("cleared", "early_warning", "low", 0, 4 * HOUR),
    ]
    last = harness.of(ActiveAlarms)[-1]
    assert [alarm.kind for alarm in last.alarms] == ["abp_mean_low"]
    assert last.advisory.count == 1
    *_, falling, low = harness.of(Outlook)
    assert (falling.advisory, low.advisory, low.reasons) == (True, False, ())
    assert (falling.advisory_hour, low.advisory_hour) == (0, None)
    assert falling.reasons[0] == Reason(code="fell", name="nibp_mean", value=70.0, before=100.0, hours=3)
    assert harness.of(Outlook)[0].reasons[0] == Reason(code="value", name="nibp_mean", value=100.0)
    assert falling.risks[2].probability == falling.past_risk[-1]
    assert low.probability("hypotension_6h") is None  # it is low already
    assert {fan.name for fan in falling.forecasts} == {"nibp_mean"}
    assert falling.horizons == (1, 2, 3, 6)


def test_a_damaged_checkpoint_and_one_of_a_bed_that_another_worker_served_are_refused(
    models: Models, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with CheckpointStore(tmp_path, fingerprint(models)) as store:
        serve(WorkerHarness(models, store, "first"), day()[:3])
        other = WorkerHarness(models, store, "second")
        other.worker.restore_beds([], {"bed-1": "somebody"})
        assert other.worker.beds == ()
        assert "another worker has served it" in caplog.text
    with CheckpointStore(tmp_path, fingerprint(models)) as store:
        of_model = charted_checkpoints.fingerprint
        own = partial(of_model, TrendForecaster.load())
        assert len(ChartedCheckpoints(store, own).read_all()) == 1
        assert ChartedCheckpoints(store, partial(of_model, with_threshold(0.9))).read_all() == []
        assert "it was made with other models" in caplog.text
        for path in tmp_path.glob("bed-1.chart*"):
            path.write_bytes(path.read_bytes()[:-40])
        assert ChartedCheckpoints(store, own).read_all() == []
    assert "it is damaged" in caplog.text


def test_another_session_is_refused_until_the_publisher_of_the_first_has_ended(models: Models) -> None:
    harness = WorkerHarness(models)
    serve(harness, day()[:2])
    serve(harness, day(session="cd" * 16)[:1])
    assert len(harness.of(Outlook)) == 2
    harness.worker.statuses.update(msgspec.structs.replace(publisher_status("playing"), session=CHARTED))
    process = ProcessStatus(role="publisher", instance="p", state="offline", when="")
    harness.worker.statuses.update(process)
    serve(harness, day(session="cd" * 16)[:1])
    assert harness.of(Outlook)[-1].session == "cd" * 16
    assert harness.of(Outlook)[-1].past[0].values == (90.0,)  # nothing of the session before
    [cleared] = [alarm for alarm in harness.of(Alarm) if alarm.phase == "cleared" and alarm.kind == "abp_mean_low"]
    assert (cleared.end, cleared.reason) == (HOUR + 1, "signal_interrupted")


def test_a_forged_message_silences_no_bed(models: Models) -> None:
    harness = WorkerHarness(models)
    forged = alone(0, DAY[0], session="ab" * 16)
    assert forged.alone is not None
    rare = msgspec.structs.replace(forged.alone, interval_s=1e9, speed=0.01)
    serve(harness, [msgspec.structs.replace(forged, alone=rare)], seconds=11)
    playing = msgspec.structs.replace(publisher_status("playing"), session=CHARTED)
    for hour, message in enumerate(day()):
        serve(harness, [message])
        if hour == 2:
            serve(harness, [msgspec.structs.replace(message, index=2**52)])
        for _ in range(10):  # the next hour comes after half a minute, and the publisher reports itself meanwhile
            harness.worker.statuses.update(playing)
            harness.clock.now += 3_000_000_000
        harness.worker.add_numerics(forged)
    assert [(one.session, one.hour) for one in harness.of(Outlook)[1:]] == [(CHARTED, hour) for hour in range(len(DAY))]


def test_the_end_of_the_record_clears_alarms_and_commands_work(models: Models) -> None:
    harness = WorkerHarness(models)
    serve(harness, day()[:6])
    [desaturation] = harness.of(ActiveAlarms)[-1].alarms
    actions: list[Action] = [
        Acknowledge(alarm_id=desaturation.alarm_id),
        SetLimits(limits=harness.of(ActiveAlarms)[-1].limits),
    ]
    for number, action in enumerate(actions, 1):
        made: Command = command(action, harness.clock.now, number=number)
        harness.worker.commands.execute(made)
    assert harness.of(Alarm)[-1].acknowledged_by == "nurse 1"
    harness.worker.statuses.update(ended())
    assert harness.of(Alarm)[-1].reason == "record_ended"
    assert harness.of(ActiveAlarms)[-1].alarms == ()


def test_a_bed_changes_between_ecg_and_none_only_once_the_one_before_has_ended(models: Models, patient: Record) -> None:
    harness = WorkerHarness(models)
    ecg = list(itertools.islice(chunks(patient), 30))
    for chunk in ecg[:20]:
        harness.worker.tick([chunk])
    serve(harness, day()[:1])
    assert harness.of(Outlook) == []
    harness.worker.statuses.update(publisher_status("ended"))
    serve(harness, day()[:2])
    assert [outlook.hour for outlook in harness.of(Outlook)] == [0, 1]
    harness.worker.tick(ecg[:1])
    assert harness.of(Outlook)[-1].session == CHARTED
    harness.worker.statuses.update(ended())
    again = "ef" * 16
    for chunk in ecg:
        harness.worker.tick([msgspec.structs.replace(chunk, session=again)])
    harness.worker.stop()
    assert (harness.of(BedStatus)[-1].session, harness.of(BedStatus)[-1].state) == (again, "stopped")


AGAIN = "ef" * 16


def limits_of(harness: WorkerHarness) -> list[int]:
    """Return the upper limit of the heart rate in each list of alarms."""
    return [active.limits.heart_rate_high for active in harness.of(ActiveAlarms)]


@pytest.mark.parametrize("killed", ["with ECG ended", "without ECG", "without ECG ended", "never"])
def test_what_a_bed_had_before_its_values_without_ecg_does_not_come_back(
    models: Models, patient: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: str
) -> None:
    """ECG, numerics alone, ECG again, with the death of a worker somewhere: the last alarms and limits go on."""
    monkeypatch.setattr("model.serving.checkpoint_store.time.time_ns", lambda: BEGIN_NS)
    ecg = list(itertools.islice(chunks(patient), 40))
    harness = WorkerHarness(models, CheckpointStore(tmp_path, fingerprint(models)), "first")

    def restart() -> WorkerHarness:
        store = CheckpointStore(tmp_path, fingerprint(models))
        second = WorkerHarness(models, store, "second")
        second.clock.now = harness.clock.now + 5_000_000_000
        second.worker.restore_beds(store.read_all(), {"bed-1": "first"})
        return second

    for chunk in ecg:
        harness.clock.now += 100_000_000
        harness.worker.tick([chunk])
    harness.worker.statuses.update(publisher_status("ended"))
    if killed == "with ECG ended":
        harness = restart()
    serve(harness, day()[:3])
    before = harness.of(ActiveAlarms)[-1].limits
    changed = SetLimits(limits=msgspec.structs.replace(before, heart_rate_high=137))
    harness.worker.commands.execute(command(changed, harness.clock.now))
    if killed == "without ECG":
        harness = restart()
        assert limits_of(harness)[-1] == 137
    harness.worker.statuses.update(ended())
    if killed == "without ECG ended":
        harness = restart()
    harness.messages.clear()
    for chunk in ecg:
        harness.clock.now += 100_000_000
        harness.worker.tick([msgspec.structs.replace(chunk, session=AGAIN)])
    assert set(limits_of(harness)) == {137}
    assert not [alarm for alarm in harness.of(Alarm) if alarm.session != AGAIN and not alarm.resent]
    harness.worker.stop()
    status = harness.of(BedStatus)[-1]
    assert (status.session, status.counters["samples_forecast"]) == (AGAIN, sum(chunk.n for chunk in ecg))
    with CheckpointStore(tmp_path, fingerprint(models)) as store:
        [read] = store.read_all()
    assert (read.chunk.session, read.alarms.state.limits.heart_rate_high) == (AGAIN, 137)


@pytest.mark.parametrize("ended_first", [True, False])
def test_ecg_after_values_without_ecg_continues_no_old_checkpoint_even_if_the_clock_was_set_back(
    models: Models, patient: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended_first: bool
) -> None:
    monkeypatch.setattr("model.serving.checkpoint_store.time.time_ns", lambda: BEGIN_NS)
    ecg = list(itertools.islice(chunks(patient), 40))
    first = WorkerHarness(models, CheckpointStore(tmp_path, fingerprint(models)), "first")
    for chunk in ecg[:20]:
        first.clock.now += 100_000_000
        first.worker.tick([chunk])
    first.worker.statuses.update(publisher_status("ended"))
    first.clock.now -= 3_600_000_000_000  # so the ECG has been saved last, by the clock
    first.clock.stepped_ns -= 3_600_000_000_000
    serve(first, day()[:3])
    changed = SetLimits(limits=msgspec.structs.replace(first.of(ActiveAlarms)[-1].limits, heart_rate_high=137))
    first.worker.commands.execute(command(changed, first.clock.now))
    if ended_first:
        first.worker.statuses.update(ended())
    store = CheckpointStore(tmp_path, fingerprint(models))
    second = WorkerHarness(models, store, "second")
    second.clock.now = first.clock.now + 1_000_000_000
    second.worker.restore_beds(store.read_all(), {"bed-1": "first"})
    second.worker.statuses.update(ended())
    for chunk in ecg[20:]:  # the session from before goes on
        second.clock.now += 100_000_000
        second.worker.tick([chunk])
    assert limits_of(second)[-1] == 137
    assert not [alarm for alarm in second.of(Alarm) if alarm.kind == "no_data"], "no gap: it begins anew"
    second.worker.stop()
    assert second.of(BedStatus)[-1].counters["samples_forecast"] == 20 * ecg[0].n
    assert {path.suffix for path in tmp_path.glob("bed-1.*")} <= {".bed0", ".bed1"}


def test_lost_repeated_and_refused_messages_are_in_the_ledger(models: Models) -> None:
    harness, messages = WorkerHarness(models), day()
    later = msgspec.structs.replace(messages[6], epoch=1, index=messages[6].index + 5 * HOUR)
    other = msgspec.structs.replace(messages[6], session="cd" * 16)
    serve(harness, [*messages[:2], messages[1], messages[4], other, later])
    n = len(messages[0].values)
    assert [(*row[:2], *row[3:]) for row in harness.ledger] == [
        ("bed-1", one.session, one.index, n, verdict, lost, "numerics")
        for one, verdict, lost in (
            (messages[0], "taken", 0),
            (messages[1], "taken", 0),
            (messages[1], "duplicate", 0),
            (messages[4], "gap", 2 * HOUR),
            (other, "refused", 0),
            (later, "taken", 0),
        )
    ]
    counters = harness.worker.stop() or harness.of(BedStatus)[-1].counters
    assert [counters[name] for name in ("messages", "gaps", "lost_samples", "duplicates", "rejected")] == [
        4,
        1,
        2 * HOUR,
        1,
        1,
    ]
