"""A live patient in the publisher: steered by command, without a new epoch, and told to those who may know."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from stream.errors import UsageError
from stream.records.synthetic.generator import generate
from stream.records.synthetic.patient import Segment
from stream.records.synthetic.presets import SEED, STABLE, live_record, synthetic_record
from stream.replay.playhead import ReplayConfig, begin
from stream.timebase import FS
from stream.wire.alarm_messages import Action
from stream.wire.messages import Annotation, Message, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.replay_actions import Seek, SetRhythm, SetVitals
from stream.wire.status_messages import BedStatus
from stream.wire.truth_message import Truth
from stream.wire.wave_message import Wave
from tests.stream.replay.publisher_harness import FakeClock, command, publisher
from tests.stream.replay.test_playhead import BEGIN_NS


def run(chunk: int) -> list[Message]:
    """Return what is sent in 30 s of a patient who gets a ventricular tachycardia after 10 s, and recovers after 20."""
    sent: list[tuple[int, Message]] = []
    clock = FakeClock()
    clock.until = BEGIN_NS + 30_000_000_000
    streaming = publisher([begin(live_record(), ReplayConfig(chunk=chunk), BEGIN_NS)], sent, clock, annotations=True)
    actions: tuple[tuple[int, Action], ...] = (
        (10, SetRhythm(rhythm="VT", rate=180)),
        (10, SetVitals(values={"spo2": 80}, seconds=5)),
        (20, SetRhythm(rhythm="N")),
    )
    for number, (second, action) in enumerate(actions):
        clock.plan[BEGIN_NS + second * 10**9 + number] = lambda n=number, a=action: streaming.commands.execute(
            command(n, a, clock.now)
        )
    with pytest.raises(TimeoutError):
        asyncio.run(streaming.run())
    return [message for _, message in sent]


def test_a_steered_patient_goes_on_in_the_same_epoch() -> None:
    sent = run(chunk=36)
    chunks = [message for message in sent if isinstance(message, Waveform)]
    assert {(chunk.epoch, chunk.synthetic, chunk.record) for chunk in chunks} == {(0, True, "synthetic/live")}
    truths = [message for message in sent if isinstance(message, Truth)]
    assert [(truth.what, truth.phase, truth.name, truth.level) for truth in truths] == [
        ("rhythm", "begin", "VT", 180),
        ("vitals", "at", "spo2", 80),
        ("rhythm", "end", "VT", 180),
        ("rhythm", "begin", "N", None),
    ]
    begun, vitals, ended, _ = truths
    assert (begun.truth_id, vitals.values) == (ended.truth_id, {"seconds": 5.0})
    assert 10.29 * FS <= begun.index <= 10.6 * FS
    known = generate(
        replace(
            STABLE,
            rhythm=(
                Segment(0, "sinus"),
                Segment(begun.index / FS, "ventricular tachycardia"),
                Segment(ended.index / FS, "sinus"),
            ),
            heart_rate=((ended.index / FS, 72), (ended.index / FS, 75)),
            vt_rate=((begun.index / FS, 150), (begun.index / FS, 180)),
        ),
        31,
        SEED,
    )
    samples = np.concatenate([chunk.adu() for chunk in chunks])
    assert np.array_equal(samples, known.adu[: len(samples)])
    assert known.annotations is not None
    sent_notes = [(one.index, one.symbol, one.aux) for one in sent if isinstance(one, Annotation)]
    rows = zip(known.annotations.sample.tolist(), known.annotations.symbol, known.annotations.aux, strict=True)
    assert sent_notes == [row for row in rows if row[0] < len(samples)]


def test_the_size_of_the_chunks_changes_no_sample() -> None:
    def joined(sent: list[Message]) -> tuple[bytes, ...]:
        ecg = b"".join(message.samples for message in sent if isinstance(message, Waveform))
        abp = b"".join(message.samples for message in sent if isinstance(message, Wave) and message.signal == "abp")
        return ecg[: 29 * FS * 4], abp[: 29 * 125 * 2]

    assert joined(run(chunk=36)) == joined(run(chunk=360))


def test_a_status_says_who_can_be_steered() -> None:
    statuses = [message for message in run(chunk=36) if isinstance(message, BedStatus)]
    assert {(status.steerable, status.duration) for status in statuses} == {(True, 0)}
    numerics = [message for message in run(chunk=36) if isinstance(message, Numerics)]
    assert [message.index // FS for message in numerics] == list(range(30))


def test_other_patients_are_not_steered_and_a_live_one_has_no_place_to_go_to() -> None:
    sent: list[tuple[int, Message]] = []
    record = synthetic_record("synthetic/vf")
    streaming = publisher([begin(record, ReplayConfig(), BEGIN_NS)], sent, FakeClock())
    with pytest.raises(UsageError, match="cannot be steered: synthetic/vf was made before; replay synthetic/live"):
        streaming.commands.execute(command(1, SetRhythm(rhythm="VT"), BEGIN_NS))
    streaming = publisher([begin(live_record(), ReplayConfig(), BEGIN_NS)], sent, FakeClock())
    with pytest.raises(UsageError, match="cannot seek"):
        streaming.commands.execute(command(1, Seek(position=0), BEGIN_NS))
    with pytest.raises(UsageError, match="spo2 of 101: use 0 to 100"):
        streaming.commands.execute(command(2, SetVitals(values={"spo2": 101}), BEGIN_NS))
    assert not sent
