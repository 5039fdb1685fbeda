import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.checkpoint import Checkpoint
from model.forecaster import load_forecaster
from model.worker import Worker, serve
from stream.address import BrokerAddress
from stream.client import Client
from stream.clock import SteadyClock
from stream.errors import UsageError
from stream.messages import STRIDE, ActiveAlarms, Alarm, BedStatus, Forecast, Message, ProcessStatus, Waveform
from stream.publisher import serve as publish
from stream.record import Record
from stream.replay import ReplayConfig, replay
from stream.synthetic import synthetic_patient
from stream.topics import Kind, Role, pattern
from tests.stream.test_codec import alarm

SESSION = "ab" * 16
BEGIN_NS = 1_700_000_000_000_000_000


@pytest.fixture(scope="module")
def forecaster() -> Checkpoint:
    return load_forecaster()


@pytest.fixture(scope="module")
def patient() -> Record:
    """The synthetic patient from 80 s to 110 s: time to learn, and the first PVC."""
    whole = synthetic_patient()
    return Record(whole.name, whole.leads, whole.gain, whole.zero, whole.adu[80 * 360 : 110 * 360], True, whole.source)


class Outbox:
    """Takes what a worker sends, and the lines of its ledger."""

    def __init__(self, forecaster: Checkpoint) -> None:
        self.messages: list[Message] = []
        self.ledger: list[tuple[Any, ...]] = []
        self.worker = Worker(
            forecaster,
            send=self.messages.append,
            instance="ab12",
            clock=SteadyClock(),
            write=lambda *values: self.ledger.append(values),
        )

    def of(self, kind: type[Any], bed: str = "bed-1") -> list[Any]:
        return [m for m in self.messages if isinstance(m, kind) and m.bed == bed]

    def counters(self, bed: str = "bed-1") -> dict[str, float]:
        self.worker.stop()
        counters: dict[str, float] = self.of(BedStatus, bed)[-1].counters
        return counters


def chunks(record: Record, size: int = 36, bed: str = "bed-1", **config: Any) -> Iterator[Waveform]:
    return replay(record, ReplayConfig(bed=bed, chunk=size, **config), BEGIN_NS, SESSION)


def first(chunks: Iterator[Waveform], seconds: float) -> list[Waveform]:
    taken = []
    for chunk in chunks:
        if chunk.end > seconds * 360:
            break
        taken.append(chunk)
    return taken


def run(forecaster: Checkpoint, ticks: Sequence[Sequence[Waveform]]) -> Outbox:
    out = Outbox(forecaster)
    for tick in ticks:
        out.worker.tick(tick)
    return out


def same_forecasts(one: list[Forecast], other: list[Forecast]) -> None:
    assert [f.origin for f in one] == [f.origin for f in other]
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a.mean_mv(), b.mean_mv(), rtol=0, atol=1e-5)
        np.testing.assert_allclose(a.scale_mv(), b.scale_mv(), rtol=0, atol=1e-5)


def story(alarms: list[Alarm]) -> list[tuple[Any, ...]]:
    return [(a.phase, a.kind, a.priority, a.onset, a.end) for a in alarms]


def test_alarms_come_with_their_explanation_and_the_list_of_what_lasts(forecaster: Checkpoint, patient: Record) -> None:
    out = run(forecaster, [[chunk] for chunk in chunks(patient)])
    alarms = out.of(Alarm)
    assert [a.phase for a in alarms].count("raised") >= 1
    for event in alarms:
        assert event.score >= event.threshold
        assert event.alarm_id == f"{SESSION}-residual-{event.onset}"
        assert event.event_id == f"{event.alarm_id}-{event.phase}"
        samples = patient.mv()[event.onset : event.onset + 1080]
        assert np.isclose(samples, event.observed, atol=1e-6).any(), "observed is a sample of the stretch"
    index = {id(m): i for i, m in enumerate(out.messages)}
    for event in alarms:
        listed = out.messages[index[id(event)] + 1]
        assert isinstance(listed, ActiveAlarms)
        assert (event in listed.alarms) == (event.phase == "raised")
    assert out.counters()["alarms"] == [a.phase for a in alarms].count("raised")


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_any_chunking_gives_the_same_forecasts_and_alarms(forecaster: Checkpoint, patient: Record, size: int) -> None:
    seconds = 30 if size > 1 else 8
    one = run(forecaster, [[c] for c in first(chunks(patient, 36), seconds)])
    other = run(forecaster, [[c] for c in first(chunks(patient, size), seconds)])
    n = min(len(one.of(Forecast)), len(other.of(Forecast)))
    assert n >= (seconds - 4) * 10
    same_forecasts(one.of(Forecast)[:n], other.of(Forecast)[:n])
    limit = one.of(Forecast)[n - 1].origin - 720
    assert story([a for a in one.of(Alarm) if a.onset < limit]) == story(
        [a for a in other.of(Alarm) if a.onset < limit]
    )
    if size > 1:
        assert one.of(Alarm)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 3), min_size=5, max_size=40), st.randoms())
def test_beds_in_one_tick_are_as_if_alone(forecaster_once: Checkpoint, takes: list[int], random: Any) -> None:
    """Three beds, whose chunks arrive in any number per tick and any order of beds."""
    patient = synthetic_patient()
    streams = {bed: list(first(chunks(patient, 36, bed, start_s=i * 20.0), 12)) for i, bed in enumerate("abc")}
    alone = {bed: run(forecaster_once, [[c] for c in stream]) for bed, stream in streams.items()}
    together = Outbox(forecaster_once)
    place = dict.fromkeys(streams, 0)
    while any(place[bed] < len(streams[bed]) for bed in streams):
        tick = []
        for bed in random.sample(list(streams), 3):
            n = takes[place[bed] % len(takes)]
            tick += streams[bed][place[bed] : place[bed] + n]
            place[bed] += n
        together.worker.tick(tick)
    for bed in streams:
        same_forecasts(together.of(Forecast, bed), alone[bed].of(Forecast, bed))


@pytest.fixture(scope="module")
def forecaster_once(forecaster: Checkpoint) -> Checkpoint:
    return forecaster


def test_duplicates_move_nothing_and_gaps_are_named(forecaster: Checkpoint, patient: Record) -> None:
    stream = first(chunks(patient), 10)
    out = run(forecaster, [stream[:40], stream[30:50], stream[60:]])
    counters = out.counters()
    assert counters["duplicates"] == 10
    assert (counters["gaps"], counters["lost_samples"]) == (1, 360)
    assert counters["samples_forecast"] == 3600 - 360
    assert sum(n for *_, n, verdict, _ in out.ledger if verdict != "duplicate") == 3600 - 360
    assert [line[-2:] for line in out.ledger if line[-2] == "gap"] == [("gap", 360)]
    after = [f for f in out.of(Forecast) if f.origin >= 60 * 36]
    same_forecasts(after, run(forecaster, [stream[60:]]).of(Forecast))


def test_an_epoch_starts_anew_and_is_no_gap(forecaster: Checkpoint, patient: Record) -> None:
    short = Record("short", patient.leads, patient.gain, patient.zero, patient.adu[:1000], True, "test")
    looped = first(chunks(short, loop=True), 8)
    out = run(forecaster, [[c] for c in looped])
    epochs = {epoch: [f for f in out.of(Forecast) if f.epoch == epoch] for epoch in (0, 1)}
    assert [f.origin + 1 for f in epochs[1]] == [1000 + 36 * (k + 1) for k in range(27)], "strides count from the epoch"
    for a, b in zip(epochs[0], epochs[1], strict=True):
        np.testing.assert_allclose(a.mean_mv(), b.mean_mv(), rtol=0, atol=1e-5)
    assert out.counters()["gaps"] == 0


def test_a_bed_that_is_joined_late_keeps_the_grid_of_its_epoch(forecaster: Checkpoint, patient: Record) -> None:
    stream = first(chunks(patient, 7), 6)
    late = run(forecaster, [[c] for c in stream[11:]])
    assert all((f.origin + 1) % STRIDE == 0 for f in late.of(Forecast))
    assert late.counters()["gaps"] == 0


def test_a_new_session_counts_anew(forecaster: Checkpoint, patient: Record) -> None:
    stream = first(chunks(patient), 5)
    again = list(first(replay(patient, ReplayConfig(), BEGIN_NS, "cd" * 16), 5))
    assert run(forecaster, [stream, again]).counters()["samples_forecast"] == 1800


def test_a_chunk_that_contradicts_its_past_is_counted(forecaster: Checkpoint, patient: Record) -> None:
    import msgspec

    stream = first(chunks(patient), 5)
    wrong = msgspec.structs.replace(stream[10], start=0)
    out = run(forecaster, [stream[:10], [wrong], stream[10:]])
    assert out.counters()["rejected"] == 1
    assert out.counters()["samples_forecast"] == 1800


def test_a_second_publisher_of_a_bed_is_named_and_moves_nothing(
    forecaster: Checkpoint, patient: Record, caplog: pytest.LogCaptureFixture
) -> None:
    one = first(chunks(patient), 5)
    two = first(replay(patient, ReplayConfig(), BEGIN_NS, "cd" * 16), 5)
    out = run(forecaster, [[c] for pair in zip(one, two, strict=True) for c in pair])
    assert out.counters()["samples_forecast"] == 1800, "the later publisher is served"
    assert out.counters()["rejected"] == 49
    assert "two publishers send bed bed-1" in caplog.text
    assert len(caplog.records) < 10


def test_amplitudes_at_the_limits_pass_through(forecaster: Checkpoint, patient: Record) -> None:
    for gain in (1e-3, 1e9):
        record = Record("r", patient.leads, (gain,) * 2, (0, 0), patient.adu[:3600], True, "t")
        assert len(run(forecaster, [[c] for c in chunks(record)]).of(Forecast)) == 100


def test_invalid_samples_and_one_or_two_leads(forecaster: Checkpoint, patient: Record) -> None:
    adu = patient.adu[:3600].copy()
    adu[1000:1500] = -32768
    for leads in (1, 2):
        record = Record(
            "holes", patient.leads[:leads], patient.gain[:leads], patient.zero[:leads], adu[:, :leads], True, "t"
        )
        forecasts = run(forecaster, [[c] for c in chunks(record)]).of(Forecast)
        assert len(forecasts) == 100
        assert all(np.isfinite(f.mean_mv()).all() and f.mean_mv().shape == (96, leads) for f in forecasts)


def test_alarms_left_over_by_an_earlier_worker_end(forecaster: Checkpoint, patient: Record) -> None:
    out = Outbox(forecaster)
    left = alarm(session=SESSION)
    out.worker.take_over(ActiveAlarms(bed="bed-1", alarms=(left,)))
    out.worker.tick(first(chunks(patient), 1))
    ended = out.of(Alarm)[0]
    assert (ended.alarm_id, ended.phase, ended.event_id) == (left.alarm_id, "cleared", f"{left.alarm_id}-cleared")
    assert out.of(ActiveAlarms)[0].alarms == ()


def test_a_worker_that_stops_before_any_bed_sends_ends_them_too(forecaster: Checkpoint) -> None:
    out = Outbox(forecaster)
    out.worker.take_over(ActiveAlarms(bed="bed-1", alarms=(alarm(session=SESSION),)))
    out.worker.take_over(ActiveAlarms(bed="bed-2"))
    out.worker.stop()
    assert [(event.bed, event.phase) for event in out.messages if isinstance(event, Alarm)] == [("bed-1", "cleared")]


def test_it_learns_again_after_a_gap(forecaster: Checkpoint, patient: Record) -> None:
    stream = first(chunks(patient, 7), 30)
    out = run(forecaster, [[c] for c in [*stream[:900], *stream[910:]]])
    states = [s.state for s in out.of(BedStatus)]
    back = states.index("forecasting") + states[states.index("forecasting") :].index("learning")
    gap = out.of(BedStatus)[back]
    assert gap.last_seq == 910
    assert "forecasting" in states[back:]


def test_it_says_learning_until_it_knows_the_patient(forecaster: Checkpoint, patient: Record) -> None:
    out = run(forecaster, [[c] for c in first(chunks(patient), 40)])
    out.worker.stop()
    states = [s.state for s in out.of(BedStatus)]
    assert states[0] == "learning"
    assert states[-2:] == ["forecasting", "stopped"]
    scores = [f.score for f in out.of(Forecast)]
    known = [score is not None for score in scores]
    assert known == sorted(known)
    assert 0 < known.index(True) < 300


# --- over a real broker ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_tasks_left")
async def test_live_and_offline_agree(
    broker: BrokerAddress, forecaster: Checkpoint, patient: Record, tmp_path: Path
) -> None:
    kinds = [
        pattern(Kind.FORECAST),
        pattern(Kind.ALARMS),
        pattern(Kind.STATUS, role=Role.WORKER),
        pattern(Kind.PROCESS),
    ]
    record = Record("p", patient.leads, patient.gain, patient.zero, patient.adu, True, "test")
    got: list[Message] = []
    async with Client(broker, role=None, subscriptions=kinds) as listener, asyncio.timeout(60):
        worker = asyncio.create_task(serve(broker, forecaster, ledger_path=None))
        while not isinstance((await listener.receive()).message, ProcessStatus):
            pass
        replays = [(record, ReplayConfig(speed=10.0))]
        publisher = asyncio.create_task(publish(broker, replays, ledger_path=None, clock=SteadyClock()))
        async for received in listener:
            if received.message is not None:
                got.append(received.message)
            if sum(isinstance(m, Forecast) for m in got) == record.n // 36 and not worker.cancelling():
                worker.cancel()
            if isinstance(received.message, BedStatus) and received.message.state == "stopped":
                break
        await asyncio.gather(worker, publisher, return_exceptions=True)
    offline = run(forecaster, [[c] for c in chunks(record)])
    offline.worker.stop()
    same_forecasts([m for m in got if isinstance(m, Forecast)], offline.of(Forecast))
    assert story([m for m in got if isinstance(m, Alarm)]) == story(offline.of(Alarm))
    assert offline.of(Alarm)


@pytest.mark.usefixtures("no_tasks_left")
async def test_of_two_workers_that_start_together_one_serves(broker: BrokerAddress, forecaster: Checkpoint) -> None:
    both = [asyncio.create_task(serve(broker, forecaster, ledger_path=None)) for _ in range(2)]
    done, serving = await asyncio.wait(both, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1
    assert isinstance(done.pop().exception(), UsageError)
    await asyncio.sleep(0.3)
    assert not serving.copy().pop().done()
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)


@pytest.mark.usefixtures("no_tasks_left")
async def test_a_second_worker_refuses_while_the_first_lives(broker: BrokerAddress, forecaster: Checkpoint) -> None:
    watch = [pattern(Kind.PROCESS, role=Role.WORKER)]
    async with Client(broker, role=None, subscriptions=watch) as listener, asyncio.timeout(30):
        first_worker = asyncio.create_task(serve(broker, forecaster, ledger_path=None))
        while not isinstance((await listener.receive()).message, ProcessStatus):
            pass
        with pytest.raises(UsageError, match=r"serves .* already"):
            await serve(broker, forecaster, ledger_path=None)
        first_worker.cancel()
        await asyncio.gather(first_worker, return_exceptions=True)
        third = asyncio.create_task(serve(broker, forecaster, ledger_path=None))
        await asyncio.sleep(0.5)
        assert not third.done()
        third.cancel()
        await asyncio.gather(third, return_exceptions=True)
