"""Injections and faults of the wire at the publisher: by command, at any time, and named as truth."""

from __future__ import annotations

import contextlib
import itertools
import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stream.errors import UsageError
from stream.records.record import Record, RecordedNumeric, RecordedWave
from stream.replay.playhead import ReplayConfig, begin
from stream.replay.publisher import Publisher
from stream.replay.wire_faults import HeldBack
from stream.timebase import FS
from stream.wire.alarm_messages import Action
from stream.wire.detail import IN_FULL
from stream.wire.messages import INVALID, Message, Waveform
from stream.wire.numerics_message import UNIT_OF, Numerics
from stream.wire.replay_actions import Inject, Seek, SetPlaying, StopInjection
from stream.wire.status_messages import BedStatus
from stream.wire.truth_message import Truth
from stream.wire.ward_messages import WardEcg
from stream.wire.wave_message import Wave
from tests.stream.replay.publisher_harness import FakeClock, command, publisher, statuses, waveforms
from tests.stream.replay.test_playhead import BEGIN_NS, traceable
from tests.waveforms import chunk

Sent = list[tuple[int, Message]]


def flat(seconds: int) -> Record:
    """Return a record of two leads at 0 mV, a pressure and a pulse, with their numerics."""
    adu = np.zeros((seconds * FS, 2), np.int16)
    pulse = np.rint(1000 + 200 * np.sin(2 * np.pi * 1.2 * np.arange(seconds * 125) / 125)).astype(np.int16)
    waves = (RecordedWave("abp", "mmHg", 125.0, 10.0, 0, pulse), RecordedWave("pleth", "NU", 125.0, 1000.0, 0, pulse))
    values = {"spo2": 97.0, "abp_systolic": 120.0, "abp_diastolic": 80.0, "abp_mean": 100.0}
    numerics = tuple(
        RecordedNumeric(name, UNIT_OF[name], 1.0, np.full(seconds, value))  # type: ignore[index, arg-type]
        for name, value in values.items()
    )
    return Record("flat", ("I", "II"), (200.0,) * 2, (0,) * 2, adu, True, "test", waves=waves, numerics=numerics)


async def replayed(*actions: tuple[float, Action], record: Record | None = None, **config: Any) -> Sent:
    """Return what is sent of a replay with commands at times in s; those at 0 come before the first chunk."""
    sent: Sent = []
    clock = FakeClock()
    made = publisher([begin(record or flat(20), ReplayConfig(**config), BEGIN_NS)], sent, clock)
    clock.until = BEGIN_NS + 60_000_000_000
    for number, (at, action) in enumerate(actions):

        def execute(number: int = number, action: Action = action) -> None:
            made.commands.execute(command(number, action, clock.now))

        if at:
            clock.plan[BEGIN_NS + round(at * 1e9)] = execute
        else:
            execute()
    with contextlib.suppress(TimeoutError):
        await made.run()
    made.stop()
    return sent


def truths(sent: Sent) -> list[tuple[str, str, int]]:
    return [(one.name, one.phase, one.index) for _, one in sent if isinstance(one, Truth)]


def lead(sent: Sent, number: int) -> np.ndarray[Any, Any]:
    return np.concatenate([one.adu()[:, number] for _, one in waveforms(sent, "bed-1")])


async def test_an_injection_begins_with_the_next_chunk_and_ends_by_its_time(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bedside.publisher")
    inject = Inject(injection_id="a", kind="mains", lead="II", level=0.5, seconds=3.0)
    sent = await replayed((2.05, inject))
    begun = 2 * FS
    assert truths(sent) == [("mains", "begin", begun), ("mains", "end", begun + 3 * FS)]
    [first, _] = [one for _, one in sent if isinstance(one, Truth)]
    assert (first.truth_id, first.what, first.signal, first.lead, first.level, first.unit) == (
        "a", "injection", "ecg", "II", 0.5, "mV",
    )  # fmt: skip
    assert first.text == "mains, of II, 0.5 mV, 50 Hz, for 3 s"
    assert first.values == {"hz": 50.0, "seconds": 3.0}
    changed = np.flatnonzero(lead(sent, 1))
    assert begun <= changed[0] <= begun + 1
    assert changed[-1] == pytest.approx(begun + 3 * FS - 1, abs=1)
    assert not lead(sent, 0).any()
    shown = [status.injections for status in statuses(sent, "bed-1")]
    assert [[one.injection_id for one in some] for some in shown if some is not None] == [
        [], ["a"], ["a"], [], *[[]] * (len(shown) - 4),
    ]  # fmt: skip
    assert "bed-1: mains, of II, 0.5 mV, 50 Hz, for 3 s, by 'test'" in caplog.text
    at = [place for place, (_, one) in enumerate(sent) if isinstance(one, Truth)]
    assert isinstance(sent[at[0] + 2][1], Wave), "the truth comes before the signal, and the status"


async def test_injections_stay_with_the_bed_until_stopped() -> None:
    inject = Inject(injection_id="a", kind="saturation")
    sent = await replayed((1.0, inject), (2.0, Seek(position=10)), (4.0, StopInjection(injection_id="a")), loop=True)
    assert [phase for _, phase, _ in truths(sent)] == ["begin", "end"]
    [_, end] = [one for _, one in sent if isinstance(one, Truth)]
    assert end.epoch == 1
    sent = await replayed((1.0, inject), record=traceable(1000))
    assert truths(sent) == [("saturation", "begin", 360), ("saturation", "end", 1000)], "the process has ended"


async def test_a_second_command_replaces_the_first() -> None:
    first, second = (Inject(injection_id="a", kind="mains", level=level) for level in (0.1, 1.0))
    sent = await replayed((1.0, first), (2.0, second), (3.0, second))
    assert [phase for _, phase, _ in truths(sent)] == ["begin", "end", "begin", "end", "begin", "end"]
    assert max(lead(sent, 0)[:700]) == 20
    assert max(lead(sent, 0)) == 200


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (Inject(injection_id="x", kind="mains", lead="V1"), "mains of lead V1: bed bed-1 has I, II"),
        (Inject(injection_id="x", kind="disconnected_pressure", signal="cvp"), "bed bed-1 sends ecg, abp, pleth"),
        (Inject(injection_id="x", kind="mains"), "has 16 injections already"),
    ],
)
async def test_what_cannot_be_injected_is_refused_with_the_reason(action: Inject, message: str) -> None:
    sent: Sent = []
    clock = FakeClock()
    made = publisher([begin(flat(5), ReplayConfig(), BEGIN_NS)], sent, clock)
    for number in range(16):
        made.commands.execute(command(number, Inject(injection_id=str(number), kind="mains"), clock.now))
    with pytest.raises(UsageError, match=message):
        made.commands.execute(command(99, action, clock.now))
    assert len(truths(sent)) == 16


async def test_numerics_are_those_of_a_device_that_measures_the_disturbed_signal() -> None:
    sent = await replayed(
        (1.0, Inject(injection_id="1", kind="damped_pressure", seconds=3.0)),
        (5.0, Inject(injection_id="2", kind="disconnected_pressure", seconds=3.0)),
        (9.0, Inject(injection_id="3", kind="cuff_inflation", seconds=10.0)),
    )
    of = {
        name: {one.index // FS: one.value_of(name) for _, one in sent if isinstance(one, Numerics)}  # type: ignore[arg-type]
        for name in ("abp_systolic", "abp_diastolic", "abp_mean", "spo2")
    }
    share = 1 / np.hypot(1 - (1.2 / 3) ** 2, 2 * 1.5 * 1.2 / 3)
    shown = {second: tuple(of[name][second].value for name in of) for second in range(20)}  # type: ignore[union-attr]
    assert shown[0] == (120.0, 80.0, 100.0, 97.0)
    assert shown[2] == pytest.approx((100 + 20 * share, 100 - 20 * share, 100.0, 97.0), rel=0.02)
    assert shown[6] == (0.0, 0.0, 0.0, 97.0)
    assert shown[10] == (120.0, 80.0, 100.0, None)
    assert of["spo2"][10].age_s == pytest.approx(1.0, abs=0.11)  # type: ignore[union-attr]
    assert shown[19] == (120.0, 80.0, 100.0, 97.0)
    told = {one.disturbable for _, one in sent if isinstance(one, BedStatus)}
    assert told == {("ecg", "pleth", "abp", "wire")}


@pytest.mark.parametrize(("lead", "off"), [(None, True), ("II", True), ("V1", False)])
async def test_electrodes_that_are_off_take_the_respiration_by_impedance_with_them(lead: str | None, off: bool) -> None:
    breaths = RecordedWave("resp", "NU", 125.0, 1000.0, 0, np.arange(20 * 125, dtype=np.int16))
    rate = RecordedNumeric("respiration_rate", "1/min", 1.0, np.full(20, 14.0))
    record = replace(flat(20), leads=("II", "V1"), waves=(breaths,), numerics=(rate,))
    inject = Inject(injection_id="a", kind="lead_off", lead=lead, seconds=5.0)
    with_co2 = replace(record, waves=(breaths, replace(breaths, signal="co2", unit="mmHg")))
    for one, missing in ((record, off), (with_co2, False)):
        sent = await replayed((3.0, inject), record=one)
        waves = [w for _, w in sent if isinstance(w, Wave) and w.signal == "resp"]
        sample = np.concatenate([np.frombuffer(wave.samples, "<i2") for wave in waves])
        invalid = np.flatnonzero(sample == INVALID)
        assert invalid.tolist() == (list(range(3 * 125, 8 * 125)) if off else [])
        rates = {n.index // FS: n.value_of("respiration_rate").value for _, n in sent if isinstance(n, Numerics)}  # type: ignore[union-attr]
        assert (rates[5] is None) is missing
        assert (rates[2], rates[9]) == (14.0, 14.0)


async def test_disturbed_chunks_of_any_length_are_the_same_signal() -> None:
    noise = Inject(injection_id="a", kind="electrode_motion", seconds=2.0)
    line = Inject(injection_id="b", kind="damped_pressure")

    async def signal(size: int) -> tuple[bytes, bytes]:
        sent = await replayed((0, noise), (0, line), record=flat(4), chunk=size)
        pressure = [one.samples for _, one in sent if isinstance(one, Wave) and one.signal == "abp"]
        return lead(sent, 0).tobytes(), b"".join(pressure)

    expected = await signal(36)
    for size in (1, 7, 100, 1440):
        assert await signal(size) == expected


async def test_lost_chunks_are_jumps_and_doubles_have_the_same_number() -> None:
    sent = await replayed((0.0, Inject(injection_id="a", kind="loss", level=30.0, seconds=10.0)))
    seqs = [one.seq for _, one in waveforms(sent, "bed-1")]
    assert seqs == sorted(set(seqs))
    assert 100 - 48 < len([seq for seq in seqs if seq < 100]) < 100 - 12
    assert seqs[-100:] == list(range(100, 200))
    lost_waves = [one.seq for _, one in sent if isinstance(one, Wave) and one.signal == "abp"]
    assert set(lost_waves) != set(seqs), "each message by itself"
    again = await replayed((0.0, Inject(injection_id="a", kind="loss", level=30.0, seconds=10.0)))
    assert [one.seq for _, one in waveforms(again, "bed-1")] == seqs
    sent = await replayed((0.0, Inject(injection_id="a", kind="duplicates", level=100.0, seconds=2.0)))
    doubles = [one for _, one in waveforms(sent, "bed-1")]
    assert [one.seq for one in doubles] == sorted([*range(20), *range(200)])
    assert doubles[0] == doubles[1]
    assert ("loss", "begin", 0) in truths(again)


async def test_delays_are_kept_and_nothing_overtakes() -> None:
    sent = await replayed((2.05, Inject(injection_id="a", kind="delay", level=700.0, seconds=5.0)))
    late_ms = {one.seq: (now - one.due_ns) / 1e6 for now, one in waveforms(sent, "bed-1")}
    assert list(late_ms) == list(range(200))
    assert {round(late_ms[seq]) for seq in range(21, 69)} == {700}
    assert late_ms[70] == pytest.approx(600), "what follows does not overtake"
    assert round(late_ms[80]) == 0
    sent = await replayed((2.05, Inject(injection_id="a", kind="jitter", level=400.0, seconds=10.0)))
    late_ms = {one.seq: (now - one.due_ns) / 1e6 for now, one in waveforms(sent, "bed-1")}
    assert list(late_ms) == list(range(200))
    assert 250 < max(late_ms.values()) <= 400
    assert np.std(list(late_ms.values())[20:120]) > 50


@pytest.mark.parametrize("stopped", [False, True])
async def test_a_disconnect_holds_everything_back_and_loses_nothing(stopped: bool) -> None:
    actions: list[tuple[float, Action]] = [(2.05, Inject(injection_id="a", kind="disconnect", seconds=6.0))]
    sent = await replayed(*actions, *[(4.0, StopInjection(injection_id="a"))] * stopped)
    times = [now for now, _ in waveforms(sent, "bed-1")]
    pause_s = max(later - sooner for sooner, later in itertools.pairwise(times)) / 1e9
    assert pause_s == pytest.approx(1.95 if stopped else 6.05, abs=0.11)
    assert [one.seq for _, one in waveforms(sent, "bed-1")] == list(range(200))
    pressures = [one for _, one in sent if isinstance(one, Wave) and one.signal == "abp"]
    assert sum(one.n for one in pressures) == 2500
    assert [phase for _, phase, _ in truths(sent)] == ["begin", "end"]


async def test_what_is_held_back_at_the_end_and_in_a_pause_is_sent() -> None:
    sent = await replayed((18.0, Inject(injection_id="a", kind="disconnect", seconds=30.0)))
    assert [one.seq for _, one in waveforms(sent, "bed-1")] == list(range(200))
    paused = (3.0, SetPlaying(playing=False))
    sent = await replayed((2.0, Inject(injection_id="a", kind="delay", level=2000.0)), paused)
    assert [one.seq for _, one in waveforms(sent, "bed-1")] == list(range(30)), "a delay ends while paused"


def test_held_messages_move_with_a_clock_step() -> None:
    held = HeldBack()
    held.put(chunk(0), 100)
    held.put(chunk(1), 50)
    held.shift(1000)
    assert held.due_ns == 1100
    assert [one.seq for one in held.take(1100)] == [0, 1]  # type: ignore[attr-defined]
    assert not held


async def test_in_a_large_ward_one_bed_is_disturbed_and_the_others_go_on_together() -> None:
    sent: Sent = []
    clock = FakeClock()
    record = replace(flat(8), waves=(), numerics=())
    heads = [begin(record, ReplayConfig(bed=f"b{number}"), BEGIN_NS) for number in range(IN_FULL + 1)]
    made = Publisher(
        heads,
        send=lambda message: sent.append((clock.now_ns(), message)),
        remove=lambda topic: None,
        dropped=lambda bed: 0,
        instance="ab12",
        clock=clock,
        write=lambda *values: None,
        in_shards=True,
    )
    inject = Inject(injection_id="a", kind="gain_error", level=2.0, seconds=2.0)
    mains = Inject(injection_id="b", kind="mains", level=1.0, seconds=2.0)
    for at, number, action in ((2.0, 1, inject), (3.0, 2, mains)):
        clock.plan[BEGIN_NS + round(at * 1e9)] = lambda number=number, action=action: made.commands.execute(  # type: ignore[misc]
            command(number, action, clock.now, bed="b7")
        )
    await made.run()
    assert {one.disturbable for _, one in sent if isinstance(one, BedStatus)} == {("ecg",)}
    of: dict[str, list[Waveform]] = {head.bed: [] for head in heads}
    for _, message in sent:
        if isinstance(message, WardEcg):
            for one in message.chunks(of):
                of[one.bed].append(one)
    for bed, chunks in of.items():
        assert [one.seq for one in chunks] == list(range(len(chunks)))
        adu = np.concatenate([one.adu() for one in chunks])
        assert adu.shape[0] == 8 * FS
        assert (np.ptp(adu) > 0) == (bed == "b7")
    with pytest.raises(UsageError, match="--detail all"):
        made.commands.execute(command(9, Inject(injection_id="c", kind="loss"), clock.now, bed="b7"))
