import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.pipeline.analysis import Models, load_models
from model.serving.service import serve
from model.serving.worker import Worker
from stream.clock import SteadyClock, rfc3339
from stream.errors import UsageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.records.catalog import Catalog
from stream.records.library import Library
from stream.records.record import Record
from stream.records.synthetic import synthetic_patient
from stream.replay.playhead import ReplayConfig, replay
from stream.replay.service import serve as publish
from stream.timebase import STRIDE
from stream.wire.alarm_messages import Acknowledge, Action, ActiveAlarms, Alarm, Command, Limits, PauseAudio, SetLimits
from stream.wire.messages import Beat, BedStatus, Forecast, Message, ProcessStatus, Vitals, Waveform
from stream.wire.replay_actions import Seek
from stream.wire.topics import Kind, Role, pattern
from tests.brokers import Mosquitto
from tests.stream.wire.test_codec import alarm

SESSION = "ab" * 16
BEGIN_NS = 1_700_000_000_000_000_000


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models()


@pytest.fixture(scope="module")
def patient() -> Record:
    """The synthetic patient from 80 s to 110 s: time to learn, and the first PVC."""
    whole = synthetic_patient()
    return Record(whole.name, whole.leads, whole.gain, whole.zero, whole.adu[80 * 360 : 110 * 360], True, whole.source)


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = BEGIN_NS
        self.stepped_ns = 0

    def now_ns(self) -> int:
        return self.now

    async def sleep_until(self, moment_ns: int) -> None:
        self.now = max(self.now, moment_ns)


class Outbox:
    """Takes what a worker sends, and the lines of its ledger."""

    def __init__(self, models: Models) -> None:
        self.messages: list[Message] = []
        self.ledger: list[tuple[Any, ...]] = []
        self.clock = Hand()
        self.worker = Worker(
            models,
            send=self.messages.append,
            instance="ab12",
            clock=self.clock,
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


def run(models: Models, ticks: Sequence[Sequence[Waveform]]) -> Outbox:
    out = Outbox(models)
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


def test_alarms_come_with_their_explanation_and_the_list_of_what_lasts(models: Models, patient: Record) -> None:
    out = run(models, [[chunk] for chunk in chunks(patient)])
    alarms = out.of(Alarm)
    residual = [event for event in alarms if event.kind == "residual"]
    assert [a.phase for a in residual].count("raised") >= 1
    for event in residual:
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
def test_any_chunking_gives_the_same_forecasts_and_alarms(models: Models, patient: Record, size: int) -> None:
    seconds = 30 if size > 1 else 8
    one = run(models, [[c] for c in first(chunks(patient, 36), seconds)])
    other = run(models, [[c] for c in first(chunks(patient, size), seconds)])
    n = min(len(one.of(Forecast)), len(other.of(Forecast)))
    assert n >= (seconds - 4) * 10
    same_forecasts(one.of(Forecast)[:n], other.of(Forecast)[:n])
    limit = one.of(Forecast)[n - 1].origin - 720
    assert story([a for a in one.of(Alarm) if a.onset < limit]) == story(
        [a for a in other.of(Alarm) if a.onset < limit]
    )
    if size > 1:
        assert one.of(Alarm)


@pytest.fixture(scope="module")
def streams() -> dict[str, list[Waveform]]:
    """The chunks of three beds."""
    patient = synthetic_patient()
    return {bed: list(first(chunks(patient, 36, bed, start_s=i * 20.0), 12)) for i, bed in enumerate("abc")}


@pytest.fixture(scope="module")
def alone(models: Models, streams: dict[str, list[Waveform]]) -> dict[str, list[Forecast]]:
    """The forecasts of each bed in a worker of its own."""
    return {bed: run(models, [[c] for c in stream]).of(Forecast, bed) for bed, stream in streams.items()}


@settings(max_examples=10)
@given(takes=st.lists(st.integers(1, 3), min_size=5, max_size=40), random=st.randoms())
def test_beds_in_one_tick_are_as_if_alone(
    models: Models, streams: dict[str, list[Waveform]], alone: dict[str, list[Forecast]], takes: list[int], random: Any
) -> None:
    """Three beds, whose chunks arrive in any number per tick and any order of beds."""
    together = Outbox(models)
    place = dict.fromkeys(streams, 0)
    while any(place[bed] < len(streams[bed]) for bed in streams):
        tick = []
        for bed in random.sample(list(streams), 3):
            n = takes[place[bed] % len(takes)]
            tick += streams[bed][place[bed] : place[bed] + n]
            place[bed] += n
        together.worker.tick(tick)
    for bed in streams:
        same_forecasts(together.of(Forecast, bed), alone[bed])


def test_duplicates_move_nothing_and_gaps_are_named(models: Models, patient: Record) -> None:
    stream = first(chunks(patient), 10)
    out = run(models, [stream[:40], stream[30:50], stream[60:]])
    counters = out.counters()
    assert counters["duplicates"] == 10
    assert (counters["gaps"], counters["lost_samples"]) == (1, 360)
    assert counters["samples_forecast"] == 3600 - 360
    assert sum(n for *_, n, verdict, _ in out.ledger if verdict != "duplicate") == 3600 - 360
    assert [line[-2:] for line in out.ledger if line[-2] == "gap"] == [("gap", 360)]
    gap = [alarm for alarm in out.of(Alarm) if alarm.kind == "no_data"]
    assert [(a.phase, a.onset, a.end) for a in gap] == [("raised", 1800, None), ("cleared", 1800, 2160)]
    assert {(a.reason, a.value, a.text) for a in gap} == {("samples_lost", 1.0, "1.0 s of signal lost")}
    after = [f for f in out.of(Forecast) if f.origin >= 60 * 36]
    same_forecasts(after, run(models, [stream[60:]]).of(Forecast))


def test_an_epoch_starts_anew_and_is_no_gap(models: Models, patient: Record) -> None:
    short = Record("short", patient.leads, patient.gain, patient.zero, patient.adu[:1000], True, "test")
    looped = first(chunks(short, loop=True), 8)
    out = run(models, [[c] for c in looped])
    epochs = {epoch: [f for f in out.of(Forecast) if f.epoch == epoch] for epoch in (0, 1)}
    assert [f.origin + 1 for f in epochs[1]] == [1000 + 36 * (k + 1) for k in range(27)], "strides count from the epoch"
    for a, b in zip(epochs[0], epochs[1], strict=True):
        np.testing.assert_allclose(a.mean_mv(), b.mean_mv(), rtol=0, atol=1e-5)
    assert out.counters()["gaps"] == 0


def test_a_bed_that_is_joined_late_keeps_the_grid_of_its_epoch(models: Models, patient: Record) -> None:
    stream = first(chunks(patient, 7), 6)
    late = run(models, [[c] for c in stream[11:]])
    assert all((f.origin + 1) % STRIDE == 0 for f in late.of(Forecast))
    assert late.counters()["gaps"] == 0


def test_a_new_session_counts_anew(models: Models, patient: Record) -> None:
    stream = first(chunks(patient), 5)
    again = list(first(replay(patient, ReplayConfig(), BEGIN_NS, "cd" * 16), 5))
    assert run(models, [stream, again]).counters()["samples_forecast"] == 1800


def test_a_chunk_that_contradicts_its_past_is_counted(models: Models, patient: Record) -> None:
    stream = first(chunks(patient), 5)
    wrong = msgspec.structs.replace(stream[10], start=0)
    out = run(models, [stream[:10], [wrong], stream[10:]])
    assert out.counters()["rejected"] == 1
    assert out.counters()["samples_forecast"] == 1800


def test_a_second_publisher_of_a_bed_is_named_and_moves_nothing(
    models: Models, patient: Record, caplog: pytest.LogCaptureFixture
) -> None:
    one = first(chunks(patient), 5)
    two = first(replay(patient, ReplayConfig(), BEGIN_NS, "cd" * 16), 5)
    out = run(models, [[c] for pair in zip(one, two, strict=True) for c in pair])
    assert out.counters()["samples_forecast"] == 1800, "the later publisher is served"
    assert out.counters()["rejected"] == 49
    assert "two publishers send bed bed-1" in caplog.text
    assert len(caplog.records) < 10


def test_amplitudes_at_the_limits_pass_through(models: Models, patient: Record) -> None:
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
        assert all(np.isfinite(f.mean_mv()).all() and f.mean_mv().shape == (96, leads) for f in forecasts)


def test_a_worker_that_restarts_goes_on_with_the_alarms_it_finds(models: Models, patient: Record) -> None:
    stream = list(chunks(patient))
    half = next(i for i in range(len(stream)) if stream[i].end > 14 * 360)
    before = run(models, [[c] for c in stream[:half]])
    lasting = alarm(session=SESSION, kind="noise", priority="technical", alarm_id=f"{SESSION}-noise-7", onset=7)
    before.worker.stop()
    left = msgspec.structs.replace(before.of(ActiveAlarms)[-1], alarms=(lasting,), limits=Limits(heart_rate_low=33))
    after = Outbox(models)
    after.worker.restore_alarms(left)
    after.worker.tick(stream[half : half + 1])
    assert after.of(Alarm) == [], "neither raised again nor ended"
    assert after.of(ActiveAlarms)[0] == left, "the retained list is sent again as it was"
    for chunk in stream[half + 1 :]:
        after.worker.tick([chunk])
    after.worker.advance_time()
    assert after.of(ActiveAlarms)[-1].limits.heart_rate_low == 33


def test_alarms_of_another_session_end_when_the_bed_sends_again(models: Models, patient: Record) -> None:
    out = Outbox(models)
    left = alarm(session="cd" * 16)
    out.worker.restore_alarms(ActiveAlarms(bed="bed-1", alarms=(left,)))
    out.worker.tick(first(chunks(patient), 1))
    [ended] = out.of(Alarm)
    assert (ended.alarm_id, ended.phase, ended.event_id) == (left.alarm_id, "cleared", f"{left.alarm_id}-cleared")
    assert out.of(ActiveAlarms)[0].alarms == ()


def test_commands_change_the_alarms_of_their_bed(models: Models, patient: Record) -> None:
    out = run(models, [first(chunks(patient), 2)])
    limits = Limits(heart_rate_low=40, heart_rate_high=140)
    out.worker.execute(order(SetLimits(limits=limits), out.clock.now))
    assert out.of(ActiveAlarms)[-1].limits == limits
    assert out.of(ActiveAlarms)[-1].commands[-1].who == "nurse 1"
    lists = len(out.of(ActiveAlarms))
    out.worker.execute(order(Acknowledge(alarm_id="nothing"), out.clock.now, number=2))
    out.worker.execute(order(SetLimits(limits=limits), out.clock.now, bed="bed-9", number=3))
    out.worker.execute(order(Seek(position=0), out.clock.now, number=4))
    assert len(out.of(ActiveAlarms)) == lists
    counters = out.counters()
    assert (counters["commands"], counters["rejected"]) == (1, 1)


def test_an_acknowledgement_is_an_event(models: Models, patient: Record) -> None:
    out = Outbox(models)
    out.worker.restore_alarms(ActiveAlarms(bed="bed-1", alarms=(alarm(session=SESSION),)))
    out.worker.tick(first(chunks(patient), 1))
    out.worker.execute(order(Acknowledge(alarm_id=alarm().alarm_id), out.clock.now))
    [event] = out.of(Alarm)
    assert (event.phase, event.acknowledged_by) == ("acknowledged", "nurse 1")


def test_alarms_found_in_the_list_can_be_dealt_with_before_the_bed_sends(models: Models, patient: Record) -> None:
    out = Outbox(models)
    left = alarm(session=SESSION, kind="asystole", alarm_id=f"{SESSION}-asystole-7", onset=7, end=2000, latched=True)
    out.worker.restore_alarms(ActiveAlarms(bed="bed-1", alarms=(left,)))
    limits = Limits(heart_rate_low=33)
    out.worker.execute(order(SetLimits(limits=limits), out.clock.now))
    out.worker.execute(order(PauseAudio(seconds=60), out.clock.now, number=2))
    out.worker.execute(order(Acknowledge(alarm_id=left.alarm_id), out.clock.now, number=3))
    [event] = out.of(Alarm)
    assert (event.phase, event.alarm_id, event.acknowledged_by) == ("acknowledged", left.alarm_id, "nurse 1")
    listed = out.of(ActiveAlarms)[-1]
    assert (listed.alarms, listed.limits, listed.audio_paused_until is None) == ((), limits, False)
    out.clock.now += 61_000_000_000
    out.worker.advance_time()
    out.worker.tick(first(chunks(patient), 1))
    listed = out.of(ActiveAlarms)[-1]
    assert (listed.alarms, listed.limits, listed.audio_paused_until) == ((), limits, None)
    assert [command.command_id[-1] for command in listed.commands] == ["1", "2", "3"]


@pytest.mark.parametrize("sends", [False, True])
def test_alarms_found_in_the_list_end_with_the_record(models: Models, patient: Record, sends: bool) -> None:
    out = Outbox(models)
    left = alarm(session=SESSION, kind="asystole", priority="high", end=None, phase="raised")
    out.worker.restore_alarms(ActiveAlarms(bed="bed-1", alarms=(left,)))
    if sends:
        out.worker.tick(first(chunks(patient), 1))
    out.worker.update_status(publishing("ended"))
    out.worker.update_status(publishing("ended"))
    [ended] = out.of(Alarm)
    assert (ended.alarm_id, ended.phase, ended.latched) == (left.alarm_id, "cleared", True)
    assert [a.latched for a in out.of(ActiveAlarms)[-1].alarms] == [True]


def test_the_end_of_the_record_ends_a_silence(models: Models, patient: Record) -> None:
    out = run(models, [first(chunks(patient), 2)])
    out.clock.now += 6_000_000_000
    out.worker.advance_time()
    out.worker.update_status(publishing("ended"))
    out.worker.advance_time()
    assert [(a.kind, a.phase) for a in out.of(Alarm)] == [("no_data", "raised"), ("no_data", "cleared")]
    assert out.of(ActiveAlarms)[-1].alarms == ()


def test_a_bed_that_falls_silent_has_a_technical_alarm_until_it_sends_again(models: Models, patient: Record) -> None:
    stream = first(chunks(patient), 4)
    out = run(models, [stream[:20]])
    out.clock.now += 4_900_000_000
    out.worker.advance_time()
    assert out.of(Alarm) == []
    out.clock.now += 200_000_000
    out.worker.advance_time()
    out.worker.advance_time()
    assert [(a.kind, a.priority, a.phase) for a in out.of(Alarm)] == [("no_data", "technical", "raised")]
    out.worker.tick(stream[20:21])
    assert [(a.kind, a.phase) for a in out.of(Alarm)[1:]] == [("no_data", "cleared")]
    assert [(a.reason, a.text) for a in out.of(Alarm)] == [
        ("bed_silent", "No data for 5 s"),
        ("data_resumed", "Data received again"),
    ]


@pytest.mark.parametrize("state", ["paused", "ended"])
def test_a_pause_and_an_end_are_no_silence(models: Models, patient: Record, state: Any) -> None:
    out = run(models, [first(chunks(patient), 2)])
    out.worker.update_status(publishing(state))
    out.clock.now += 60_000_000_000
    out.worker.advance_time()
    assert out.of(Alarm) == []


def test_when_the_record_ends_so_does_what_lasts(models: Models, patient: Record) -> None:
    out = run(models, [[c] for c in chunks(patient)])
    out.worker.update_status(publishing("ended"))
    out.worker.update_status(publishing("ended"))
    alarms = out.of(Alarm)
    phases = [a.phase for a in alarms]
    assert phases.count("raised") == phases.count("cleared") > 0
    assert all(a.latched for a in out.of(ActiveAlarms)[-1].alarms)


def test_beats_and_vitals_are_told(models: Models, patient: Record) -> None:
    out = run(models, [[c] for c in chunks(patient)])
    beats = out.of(Beat)
    assert 20 <= len(beats) <= 60
    assert [b.index for b in beats] == sorted(b.index for b in beats)
    sent = out.of(Vitals)
    assert [v.index for v in sent] == [360 * k + 359 for k in range(30)]
    rates = [v.heart_rate for v in sent if v.heart_rate is not None]
    assert rates
    assert all(50 < rate < 110 for rate in rates)
    assert sent[0].heart_rate is None, "nothing is invented"
    assert all(v.quality is not None and v.quality > 0.5 for v in sent)
    assert sent[-1].skill is not None
    assert sent[-1].skill > 0.3


def order(action: Action, now_ns: int, bed: str = "bed-1", number: int = 1) -> Command:
    return Command(command_id=f"{number:032x}", bed=bed, who="nurse 1", when=rfc3339(now_ns), action=action)


def publishing(state: Any) -> BedStatus:
    return BedStatus(bed="bed-1", role="publisher", instance="p", state=state, when="", record="p", session=SESSION)


def test_it_learns_again_after_a_gap(models: Models, patient: Record) -> None:
    stream = first(chunks(patient, 7), 30)
    out = run(models, [[c] for c in [*stream[:900], *stream[910:]]])
    states = [s.state for s in out.of(BedStatus)]
    back = states.index("forecasting") + states[states.index("forecasting") :].index("learning")
    gap = out.of(BedStatus)[back]
    assert gap.last_seq == 910
    assert "forecasting" in states[back:]


def test_it_says_learning_until_it_knows_the_patient(models: Models, patient: Record) -> None:
    out = run(models, [[c] for c in first(chunks(patient), 40)])
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
async def test_live_and_offline_agree(broker: BrokerAddress, models: Models, patient: Record, tmp_path: Path) -> None:
    kinds = [
        pattern(Kind.FORECAST),
        pattern(Kind.ALARMS),
        pattern(Kind.STATUS, role=Role.WORKER),
        pattern(Kind.PROCESS),
    ]
    record = Record("p", patient.leads, patient.gain, patient.zero, patient.adu, True, "test")
    got: list[Message] = []
    async with Client(broker, role=None, subscriptions=kinds) as listener, asyncio.timeout(60):
        worker = asyncio.create_task(serve(broker, models, ledger_path=None))
        while not isinstance((await listener.receive()).message, ProcessStatus):
            pass
        replays = [(record, ReplayConfig(speed=10.0))]
        publisher = asyncio.create_task(
            publish(
                broker, replays, library=Library(Catalog(cache_dir=tmp_path)), ledger_path=None, clock=SteadyClock()
            )
        )
        async for received in listener:
            if received.message is not None:
                got.append(received.message)
            if sum(isinstance(m, Forecast) for m in got) == record.n // 36 and not worker.cancelling():
                worker.cancel()
            if isinstance(received.message, BedStatus) and received.message.state == "stopped":
                break
        await asyncio.gather(worker, publisher, return_exceptions=True)
    offline = run(models, [[c] for c in chunks(record)])
    offline.worker.update_status(publishing("ended"))
    same_forecasts([m for m in got if isinstance(m, Forecast)], offline.of(Forecast))
    assert story([m for m in got if isinstance(m, Alarm)]) == story(offline.of(Alarm))
    assert offline.of(Alarm)


@pytest.mark.usefixtures("no_tasks_left")
async def test_of_two_workers_that_start_together_one_serves(broker: BrokerAddress, models: Models) -> None:
    both = [asyncio.create_task(serve(broker, models, ledger_path=None)) for _ in range(2)]
    done, serving = await asyncio.wait(both, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1
    assert isinstance(done.pop().exception(), UsageError)
    await asyncio.sleep(0.3)
    assert not serving.copy().pop().done()
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)


@pytest.mark.usefixtures("no_tasks_left")
async def test_a_second_worker_refuses_while_the_first_lives(broker: BrokerAddress, models: Models) -> None:
    watch = [pattern(Kind.PROCESS, role=Role.WORKER)]
    async with Client(broker, role=None, subscriptions=watch) as listener, asyncio.timeout(30):
        first_worker = asyncio.create_task(serve(broker, models, ledger_path=None))
        while not isinstance((await listener.receive()).message, ProcessStatus):
            pass
        with pytest.raises(UsageError, match=r"serves .* already"):
            await serve(broker, models, ledger_path=None)
        first_worker.cancel()
        await asyncio.gather(first_worker, return_exceptions=True)
        third = asyncio.create_task(serve(broker, models, ledger_path=None))
        await asyncio.sleep(0.5)
        assert not third.done()
        third.cancel()
        await asyncio.gather(third, return_exceptions=True)


@pytest.mark.usefixtures("no_tasks_left")
async def test_a_worker_that_was_away_yields_to_the_one_that_took_its_place(
    mosquitto: Mosquitto, models: Models
) -> None:
    broker = mosquitto.address
    watch = [pattern(Kind.PROCESS, role=Role.WORKER)]
    async with Client(broker, role=None, subscriptions=watch) as listener, asyncio.timeout(30):
        away = asyncio.create_task(serve(broker, models, ledger_path=None))
        received = await listener.receive()
        assert isinstance(received.message, ProcessStatus)
        now = rfc3339(SteadyClock().now_ns())
        other = ProcessStatus(role="worker", instance="another", state="online", when=now)
        listener.send(other)
        await listener.flush(5)
        await asyncio.sleep(0.3)
        assert not away.done(), "whoever comes later yields"
        # The broker ends the connection of the first with the same id.
        usurper = aiomqtt.Client(broker.host, broker.port, identifier=f"bedside-worker-{received.message.instance}")
        async with usurper:
            pass
        with pytest.raises(UsageError, match=r"another.* already"):
            await away
