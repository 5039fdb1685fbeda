"""The hours of a bed with ECG: medians of its numerics by the time of the record, and the worker that sends them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from model.conditions.numeric_values import NumericSamples
from model.pipeline.analysis import Models
from model.serving import bed_hours
from model.serving.bed_hours import MINUTE, BedHours
from model.serving.checkpoint import fingerprint
from model.serving.checkpoint_store import CheckpointStore
from model.signal.state_codec import pack, unpack
from model.trends.forecaster import TrendForecaster
from model.trends.outlook import Outlook as Expected
from stream.records.record import Record
from stream.timebase import FS
from stream.wire.messages import Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.outlook_message import HOUR, Outlook
from tests.model.serving.worker_harness import SESSION, WorkerHarness, chunks
from tests.waveforms import chunk, numeric


@pytest.fixture(scope="module")
def forecaster() -> TrendForecaster:
    return TrendForecaster.load()


def minute(number: int, pressure: float | None = 80.0, **changes: float) -> NumericSamples:
    """Return the values 20 s after a minute of the record."""
    values = (numeric("abp_mean", pressure, **changes), numeric("pulse_rate", 70.0))
    return NumericSamples(number * MINUTE + 20 * FS, values)


def follow(
    forecaster: TrendForecaster, samples: Sequence[NumericSamples], source: Waveform, *, saved: bool = False
) -> tuple[BedHours | None, list[Expected]]:
    state, found = None, []
    for own in samples:
        state, outlook = bed_hours.step(forecaster, state, source, [own])
        if saved and state is not None:
            state = unpack(pack(state), BedHours)
        found += [] if outlook is None else [outlook]
    return state, found


def test_an_hour_is_the_median_of_its_minutes_and_comes_with_the_next_hour(forecaster: TrendForecaster) -> None:
    pressures = [70.0] * 20 + [None] * 10 + [90.0] * 30 + [60.0]
    samples = [minute(number, value) for number, value in enumerate(pressures)]
    within = [
        NumericSamples(own.index + 5 * FS, minute(0, 200.0).values) for own in samples
    ]  # not the first of a minute
    mixed = sorted([*samples, *within], key=lambda own: own.index)
    state, [outlook] = follow(forecaster, mixed, chunk(0))
    assert (outlook.hour, outlook.median.keys()) == (1.0, {"nibp_mean"})
    assert state is not None
    assert [(row.hour, row.values) for row in state.hours.past] == [(1, {"abp_mean": 90.0})]
    assert state.values == {"abp_mean": (60.0,)}


def test_hours_count_in_the_time_of_the_record_whatever_the_cuts_and_a_new_epoch_begins_anew(
    forecaster: TrendForecaster,
) -> None:
    samples = [minute(number) for number in (*range(0, 60, 7), *range(200, 260, 9))]
    state, found = follow(forecaster, samples, chunk(0), saved=True)
    whole, last = bed_hours.step(forecaster, None, chunk(0), samples)
    assert state is not None
    assert whole is not None
    assert pack(whole) == pack(state)
    assert [outlook.hour for outlook in found] == [1.0, 4.0], "from 1:00 to 3:20 nothing came"
    assert last is not None
    assert last.hour == 4.0
    assert [row.hour for row in state.hours.past] == [1, 2, 3, 4]
    later = msgspec.structs.replace(chunk(0), position=5 * HOUR)  # the same samples are another time of the record
    _, found = follow(forecaster, [minute(number) for number in (0, 59, 61)], later)
    assert [outlook.hour for outlook in found] == [6.0]
    anew, _ = bed_hours.step(forecaster, state, msgspec.structs.replace(chunk(0), epoch=1), [minute(1)])
    assert anew is not None
    assert anew.hours.past == ()


def test_old_uncertain_and_other_values_are_no_hourly_ones(forecaster: TrendForecaster) -> None:
    samples = [minute(0, 80.0, age_s=61.0), minute(1, 81.0, quality=0.2), minute(2, None)]
    assert follow(forecaster, samples, chunk(0)) == (None, [])


def test_a_worker_sends_an_hour_once_also_after_it_was_replaced(
    models: Models, patient: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = [
        msgspec.structs.replace(own, position=own.position + HOUR - 5 * FS)
        for own in chunks(patient)
        if own.start < 9 * FS
    ]
    instance = "first"
    messages: list[Outlook] = []
    for part in (stream[:70], stream[70:]):
        with CheckpointStore(tmp_path, fingerprint(models)) as store:
            harness = WorkerHarness(models, store, instance)
            monkeypatch.setattr("model.serving.checkpoint_store.time.time_ns", harness.clock.now_ns)
            harness.worker.restore_beds(store.read_all(), {"bed-1": "first"})
            for own in part:
                if own.start % FS == 0:
                    values = (numeric("abp_mean", 80.0), numeric("heart_rate", 90.0))
                    harness.worker.add_numerics(
                        Numerics(
                            bed="bed-1",
                            session=SESSION,
                            epoch=0,
                            index=own.start,
                            when="",
                            values=values,
                            synthetic=True,
                        )
                    )
                harness.clock.now += 100_000_000
                harness.worker.tick([own])
            messages += harness.of(Outlook)
            instance = "second"
    [outlook] = messages
    assert (outlook.hour, outlook.record, outlook.advisory_hour) == (1, patient.name, None)
    assert {one.name: one.values for one in outlook.past} == {"abp_mean": (80.0,), "heart_rate": (90.0,)}
    assert outlook.probability("hypotension_6h") is not None
