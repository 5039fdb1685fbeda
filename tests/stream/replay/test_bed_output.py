"""What a publisher sends of an interval: waves, ECG, numerics and annotations, in this order."""

import math
from dataclasses import replace

import numpy as np
import pytest

from stream.records.record import Annotations
from stream.replay.playhead import ReplayConfig, begin
from stream.wire.messages import Annotation, Message, Waveform
from stream.wire.numerics_message import Numerics
from stream.wire.status_messages import BedStatus
from stream.wire.topics import Kind, Topic
from stream.wire.wave_message import Wave
from tests.stream.replay.publisher_harness import FakeClock, publisher, statuses, waveforms
from tests.stream.replay.test_playhead import BEGIN_NS, hours, traceable, with_numerics, with_wave


async def test_each_wave_is_sent_just_before_the_ecg_of_its_interval() -> None:
    sent: list[tuple[int, Message]] = []
    await publisher([begin(with_wave(720, 125.0), ReplayConfig(speed=3.0), BEGIN_NS)], sent, FakeClock()).run()
    samples = [message for _, message in sent if isinstance(message, Wave | Waveform)]
    assert [type(message) for message in samples] == [Wave, Waveform] * 20
    assert [message.seq for message in samples] == [seq for seq in range(20) for _ in range(2)]


async def test_numerics_are_sent_after_the_ecg_of_their_sample_and_removed_at_the_end() -> None:
    sent: list[tuple[int, Message]] = []
    removed: list[tuple[int, Topic]] = []
    ledger: list[tuple[object, ...]] = []
    clock, head = FakeClock(), begin(with_numerics(1000, 1.0), ReplayConfig(), BEGIN_NS)
    await publisher([head], sent, clock, removed=removed, ledger=ledger).run()
    order = [message for _, message in sent if isinstance(message, Numerics | Waveform)]
    numerics = [place for place, message in enumerate(order) if isinstance(message, Numerics)]
    assert [order[place].index for place in numerics] == [0, 360, 720]  # type: ignore[union-attr]
    for place in numerics:
        chunk = order[place - 1]
        assert isinstance(chunk, Waveform)
        assert chunk.start <= order[place].index < chunk.end  # type: ignore[union-attr]
    assert removed == [(waveforms(sent, "bed-1")[-1][0], Topic(Kind.NUMERICS, "bed-1"))]
    rows = [row[:5] for row in ledger if row[-1] == "numerics"]
    assert rows == [("bed-1", head.session, "", index, 1) for index in (0, 360, 720)]


async def test_numerics_alone_have_a_status_at_once_and_are_removed_when_the_end_of_their_record_is_due() -> None:
    sent: list[tuple[int, Message]] = []
    removed: list[tuple[int, Topic]] = []
    head = begin(hours(70, math.nan, 80), ReplayConfig(speed=7200), BEGIN_NS)
    ledger: list[tuple[object, ...]] = []
    await publisher([head], sent, FakeClock(), removed=removed, ledger=ledger).run()
    half_s = 500_000_000
    assert [row[3:] for row in ledger] == [
        (3600 * 360 * hour, 1, BEGIN_NS + hour * half_s, BEGIN_NS + hour * half_s, "numerics") for hour in range(3)
    ]
    numerics = [(now - BEGIN_NS, one.values[0].value) for now, one in sent if isinstance(one, Numerics)]
    assert numerics == [(0, 70.0), (half_s, None), (2 * half_s, 80.0)]
    assert not waveforms(sent, "bed-1")
    assert removed == [(BEGIN_NS + 3 * half_s, Topic(Kind.NUMERICS, "bed-1"))]
    found = statuses(sent, "bed-1")
    assert [(found[0].state, found[0].speed), found[-1].state] == [("playing", 7200.0), "ended"]
    assert isinstance(sent[1][1], BedStatus)


async def test_numerics_of_a_chosen_record_replace_those_before() -> None:
    sent: list[tuple[int, Message]] = []
    removed: list[tuple[int, Topic]] = []
    clock = FakeClock()
    heads = [begin(with_numerics(3600, 1.0), ReplayConfig(bed=bed), BEGIN_NS) for bed in ("a", "b")]
    replayed = publisher(heads, sent, clock, removed=removed)
    moment = BEGIN_NS + 2_050_000_000
    clock.plan[moment] = lambda: replayed.actions.choose_record("a", traceable(3600))
    clock.until = BEGIN_NS + 5_000_000_000
    with pytest.raises(TimeoutError):
        await replayed.run()
    [(at, topic)] = removed
    assert topic == Topic(Kind.NUMERICS, "a")
    last = [(now, one) for now, one in sent if isinstance(one, Numerics) and one.bed == "a"][-1]
    assert last[0] <= at, "the other record has none"
    replayed.stop()
    assert [topic.bed for _, topic in removed] == ["a", "b"], "and none is removed twice"


async def test_reference_annotations_are_sent_with_their_chunk() -> None:
    sent: list[tuple[int, Message]] = []
    notes = Annotations(np.array([0, 35, 36, 500]), ("+", "N", "V", "N"), ("(N", "", "", ""))
    record = replace(traceable(720), annotations=notes)
    await publisher([begin(record, ReplayConfig(start_s=0.1), BEGIN_NS)], sent, FakeClock(), annotations=True).run()
    got = [message for _, message in sent if isinstance(message, Annotation)]
    assert [(note.index, note.symbol) for note in got] == [(0, "V"), (464, "N")]
