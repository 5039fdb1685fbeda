"""Forecasts, beats, vital signs and status of the worker; order and loss of chunks."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.forecast.personal_forecast import OFFSETS
from model.pipeline.analysis import Models
from model.serving.analyzer import analyze
from stream.records.record import Record
from stream.records.synthetic.presets import synthetic_record
from stream.replay.playhead import ReplayConfig, begin, replay
from stream.timebase import STRIDE
from stream.wire.alarm_messages import ActiveAlarms, Alarm
from stream.wire.messages import Beat, Forecast, Vitals, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.status_messages import BedStatus
from stream.wire.wave_message import Wave
from tests.model.serving.worker_harness import (
    BEGIN_NS,
    SESSION,
    WorkerHarness,
    assert_same_forecasts,
    chunks,
    run,
    summaries,
    until,
)
from tests.waveforms import chunk, wave


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_any_chunking_gives_the_same_forecasts_and_alarms(models: Models, patient: Record, size: int) -> None:
    seconds = 30 if size > 1 else 8
    one = run(models, [[c] for c in until(chunks(patient, 36), seconds)])
    other = run(models, [[c] for c in until(chunks(patient, size), seconds)])
    n = min(len(one.of(Forecast)), len(other.of(Forecast)))
    assert n >= (seconds - 4) * 10
    assert_same_forecasts(one.of(Forecast)[:n], other.of(Forecast)[:n])
    limit = one.of(Forecast)[n - 1].origin - 720
    assert summaries([a for a in one.of(Alarm) if a.onset < limit]) == summaries(
        [a for a in other.of(Alarm) if a.onset < limit]
    )
    if size > 1:
        assert one.of(Alarm)


@pytest.fixture(scope="module")
def streams() -> dict[str, list[Waveform]]:
    """Return 12 s of three beds."""
    patient = synthetic_record()
    return {bed: list(until(chunks(patient, 36, bed, start_s=i * 20.0), 12)) for i, bed in enumerate("abc")}


@pytest.fixture(scope="module")
def alone(models: Models, streams: dict[str, list[Waveform]]) -> dict[str, list[Forecast]]:
    """Return the forecasts of each bed in a worker of its own."""
    return {bed: run(models, [[c] for c in stream]).of(Forecast, bed) for bed, stream in streams.items()}


@settings(max_examples=10)
@given(sizes=st.lists(st.integers(1, 3), min_size=5, max_size=40), random=st.randoms())
def test_beds_in_one_tick_are_independent(
    models: Models, streams: dict[str, list[Waveform]], alone: dict[str, list[Forecast]], sizes: list[int], random: Any
) -> None:
    """Three beds with any number of chunks per tick and in any order."""
    together = WorkerHarness(models)
    place = dict.fromkeys(streams, 0)
    while any(place[bed] < len(streams[bed]) for bed in streams):
        tick = []
        for bed in random.sample(list(streams), 3):
            n = sizes[place[bed] % len(sizes)]
            tick += streams[bed][place[bed] : place[bed] + n]
            place[bed] += n
        together.worker.tick(tick)
    for bed in streams:
        assert_same_forecasts(together.of(Forecast, bed), alone[bed])


def test_duplicates_are_ignored_and_gaps_are_reported(models: Models, patient: Record) -> None:
    stream = until(chunks(patient), 10)
    harness = run(models, [stream[:40], stream[30:50], stream[60:]])
    counters = harness.counters()
    assert counters["duplicates"] == 10
    assert (counters["gaps"], counters["lost_samples"]) == (1, 360)
    assert counters["samples_forecast"] == 3600 - 360
    assert sum(n for *_, n, verdict, _, _ in harness.ledger if verdict != "duplicate") == 3600 - 360
    assert [line[5:7] for line in harness.ledger if line[5] == "gap"] == [("gap", 360)]
    gap = [alarm for alarm in harness.of(Alarm) if alarm.kind == "no_data"]
    assert [(a.phase, a.onset, a.end) for a in gap] == [("raised", 1800, None), ("cleared", 1800, 2160)]
    assert {(a.reason, a.value, a.text) for a in gap} == {("samples_lost", 1.0, "1.0 s of signal lost")}
    after = [f for f in harness.of(Forecast) if f.origin >= 60 * 36]
    assert len(after) == len(stream[60:])


def test_shed_chunks_are_a_gap_with_a_technical_alarm_from_its_begin(models: Models, patient: Record) -> None:
    stream = until(chunks(patient), 10)
    harness = run(models, [stream[:40]])
    harness.worker.shed([*stream[38:50], chunk(0, bed="unknown")])  # two have been processed, one bed is unknown
    harness.worker.shed(stream[50:60])
    raised = harness.of(Alarm)[-1]
    assert (raised.kind, raised.reason, raised.phase, raised.onset) == ("no_data", "samples_lost", "raised", 40 * 36)
    harness.clock.now += 20_000_000_000
    harness.worker.shed(stream[60:65])
    harness.worker.advance_time()
    assert harness.of(Alarm)[-1] == raised, "the bed sends: it is not silent"
    harness.worker.tick(stream[65:])
    cleared = harness.of(Alarm)[-1]
    assert (cleared.phase, cleared.reason, cleared.value, cleared.end) == ("cleared", "samples_lost", 2.5, 65 * 36)
    assert len([a for a in harness.of(Alarm) if a.kind == "no_data"]) == 2
    counters = harness.counters()
    assert (counters["shed_samples"], counters["lost_samples"], counters["gaps"]) == (25 * 36, 25 * 36, 1)


def test_all_outputs_carry_the_lease_after_the_highest_received(models: Models, patient: Record) -> None:
    harness = WorkerHarness(models)
    harness.worker.restore_alarms(ActiveAlarms(bed="bed-1", lease=3))
    for lease in (4, 6, 5):
        harness.worker.observe_lease("bed-1", lease)
    harness.worker.tick(list(chunks(patient)))
    harness.worker.stop()
    assert {type(m) for m in harness.messages} == {Forecast, Beat, Vitals, Numerics, BedStatus, Alarm, ActiveAlarms}
    assert {m.lease for m in harness.messages} == {7}  # type: ignore[attr-defined]
    assert harness.worker.leases == {"bed-1": 7}


def test_a_new_epoch_restarts_the_analysis_and_is_no_gap(models: Models, patient: Record) -> None:
    short = Record("short", patient.leads, patient.gain, patient.zero, patient.adu[:1000], True, "test")
    looped = until(chunks(short, loop=True), 8)
    harness = run(models, [[c] for c in looped])
    epochs = {epoch: [f for f in harness.of(Forecast) if f.epoch == epoch] for epoch in (0, 1)}
    assert [f.origin + 1 for f in epochs[1]] == [1000 + 36 * (k + 1) for k in range(27)], "strides count from the epoch"
    for a, b in zip(epochs[0], epochs[1], strict=True):
        np.testing.assert_allclose(a.mean_mv(), b.mean_mv(), rtol=0, atol=1e-5)
    assert harness.counters()["gaps"] == 0


def test_a_bed_joined_late_keeps_the_grid_of_its_epoch(models: Models, patient: Record) -> None:
    stream = until(chunks(patient, 7), 6)
    late = run(models, [[c] for c in stream[11:]])
    assert all((f.origin + 1) % STRIDE == 0 for f in late.of(Forecast))
    assert late.counters()["gaps"] == 0


def test_a_new_session_resets_the_counters(models: Models, patient: Record) -> None:
    stream = until(chunks(patient), 5)
    again = list(until(replay(patient, ReplayConfig(), BEGIN_NS, "cd" * 16), 5))
    assert run(models, [stream, again]).counters()["samples_forecast"] == 1800


def test_a_contradictory_chunk_is_rejected_and_counted(models: Models, patient: Record) -> None:
    stream = until(chunks(patient), 5)
    wrong = msgspec.structs.replace(stream[10], start=0)
    harness = run(models, [stream[:10], [wrong], stream[10:]])
    assert harness.counters()["rejected"] == 1
    assert harness.counters()["samples_forecast"] == 1800


def test_extreme_amplitudes_are_processed(models: Models, patient: Record) -> None:
    for gain in (1e-3, 1e9):
        record = Record("r", patient.leads, (gain,) * 2, (0, 0), patient.adu[:3600], True, "t")
        assert len(run(models, [[c] for c in chunks(record)]).of(Forecast)) == 100


def test_invalid_samples_and_one_or_two_leads(models: Models, patient: Record) -> None:
    adu = patient.adu[:3600].copy()
    adu[1000:1500] = -32768
    for leads in (1, 2):
        record = Record(
            "holes", patient.leads[:leads], patient.gain[:leads], patient.zero[:leads], adu[:, :leads], True, "t"
        )
        forecasts = run(models, [[c] for c in chunks(record)]).of(Forecast)
        assert len(forecasts) == 100
        assert all(np.isfinite(f.mean_mv()).all() and f.mean_mv().shape == (len(OFFSETS), leads) for f in forecasts)


def test_beats_and_vital_signs_are_published(models: Models, patient: Record) -> None:
    harness = run(models, [[c] for c in chunks(patient)])
    beats = harness.of(Beat)
    assert 20 <= len(beats) <= 60
    assert [b.index for b in beats] == sorted(b.index for b in beats)
    vitals = harness.of(Vitals)
    assert [v.index for v in vitals] == [360 * k + 359 for k in range(30)]
    rates = [v.heart_rate for v in vitals if v.heart_rate is not None]
    assert rates
    assert all(50 < rate < 110 for rate in rates)
    assert vitals[0].heart_rate is None, "no rate without beats"
    assert all(v.quality is not None and v.quality > 0.5 for v in vitals)
    assert vitals[-1].skill is not None
    assert vitals[-1].skill > 0.3


def test_the_worker_learns_again_after_a_gap(models: Models, patient: Record) -> None:
    stream = until(chunks(patient, 7), 30)
    harness = run(models, [[c] for c in [*stream[:900], *stream[910:]]])
    states = [s.state for s in harness.of(BedStatus)]
    back = states.index("forecasting") + states[states.index("forecasting") :].index("learning")
    gap = harness.of(BedStatus)[back]
    assert gap.last_seq == 910
    assert "forecasting" in states[back:]


def test_the_status_is_learning_until_the_first_score(models: Models, patient: Record) -> None:
    harness = run(models, [[c] for c in until(chunks(patient), 40)])
    harness.worker.stop()
    states = [s.state for s in harness.of(BedStatus)]
    assert states[0] == "learning"
    assert states[-2:] == ["forecasting", "stopped"]
    scores = [f.score for f in harness.of(Forecast)]
    known = [score is not None for score in scores]
    assert known == sorted(known)
    assert 0 < known.index(True) < 300


# --- pulses ----------------------------------------------------------------------------------------------------------


SILENCE = ["extreme_bradycardia", "asystole"]
"""Alarms of an ECG that loses its beats."""


def kinds(harness: WorkerHarness) -> list[str]:
    return [alarm.kind for alarm in harness.of(Alarm) if alarm.phase == "raised" and alarm.kind != "residual"]


def stream_with_waves(harness: WorkerHarness, record: Record, size: int, late: int = 0) -> WorkerHarness:
    """Send a record chunk by chunk, each wave ``late`` chunks after its ECG."""
    head = begin(record, ReplayConfig(chunk=size), BEGIN_NS, SESSION)
    waiting: list[Wave] = []
    while head.due_ns is not None:
        waiting += head.next_waves()
        for due in [one for one in waiting if one.seq <= head.seq - late]:
            waiting.remove(due)
            harness.worker.add_wave(due)
        chunk, head = head.next_chunk()
        harness.worker.tick([chunk])
    return harness


@pytest.mark.parametrize("size", [7, 36, 1000])
def test_a_pulse_on_the_wire_contradicts_an_asystole(models: Models, silent: Record, size: int) -> None:
    assert kinds(run(models, [[c] for c in chunks(silent, size)])) == SILENCE
    harness = stream_with_waves(WorkerHarness(models), silent, size)
    assert kinds(harness) == []
    offline = analyze(silent, models)
    assert [alarm.kind for alarm in offline.alarms if alarm.kind != "residual"] == []


@pytest.mark.parametrize("size", [36, 1000])
def test_what_the_waves_give_is_published_each_second_as_offline(models: Models, silent: Record, size: int) -> None:
    harness = stream_with_waves(WorkerHarness(models), silent, size)
    published = harness.of(Numerics)
    assert all(message.derived and message.lease == 1 for message in published)
    offline = {values.index: values.values for values in analyze(silent, models).derived}
    assert {message.index: message.values for message in published}.items() <= offline.items()
    assert len(published) >= (28 if size == 36 else 10)
    rate = published[-1].value_of("pulse_rate")
    assert rate is not None
    assert rate.value == pytest.approx(75, abs=1)


def test_a_bed_without_waves_publishes_no_numerics(models: Models, patient: Record) -> None:
    assert run(models, [[c] for c in until(chunks(patient, 360), 3)]).of(Numerics) == []


def test_a_wave_may_be_one_chunk_late(models: Models, silent: Record) -> None:
    assert kinds(stream_with_waves(WorkerHarness(models), silent, 36, late=1)) == []
    assert kinds(stream_with_waves(WorkerHarness(models), silent, 36, late=60)) == SILENCE


def test_waves_of_a_stranger_change_nothing(models: Models, silent: Record) -> None:
    harness = WorkerHarness(models)
    for number in range(200):
        harness.worker.add_wave(wave(number, bed=f"x{number}", signal="abp", unit="mmHg"))
        harness.worker.add_wave(wave(number, start=1e15 - number * 500))
        harness.worker.add_wave(wave(number, session=SESSION, start=1e15 - number * 500))
    assert kinds(stream_with_waves(harness, silent, 36)) == []
