from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.wire import ordering
from stream.wire.bed_stream import Stream, Taken
from stream.wire.other_writers import CONTEST_NS
from stream.wire.ward_batches import ward_ecg
from stream.wire.ward_messages import WardEcg
from stream.wire.ward_run import WardRun
from tests.stream.wire.test_codec import WARD_BEDS
from tests.waveforms import chunk

OTHER = "f" * 32


def tick(number: int, changed: int | None = None, **changes: Any) -> WardEcg:
    """Return a message of all beds; one of them may be unlike the others."""
    made = [chunk(number, bed=bed) for bed in WARD_BEDS]
    if changed is not None:
        made[changed] = msgspec.structs.replace(made[changed], **changes)
    return ward_ecg(made)


def streams(seqs: int) -> list[Stream]:
    """Return the streams of all beds after the first chunks, 100 ms apart."""
    found: dict[str, Stream] = {}
    for seq in range(seqs):
        for one in tick(seq).chunks(WARD_BEDS):
            _, found[one.bed] = ordering.receive(found.get(one.bed), one, seq * 100_000_000)
    return list(found.values())


def run_of(*joined: Stream) -> WardRun:
    run = WardRun(tick(1), 100_000_000)
    for row, stream in enumerate(joined):
        assert joins(run, row, stream)
    return run


def joins(run: WardRun, row: int, stream: Stream) -> bool:
    return run.join(row, chunk(1, bed=WARD_BEDS[row]), stream)


@given(st.lists(st.integers(-10_000_000, 4_000_000_000), min_size=1, max_size=30))
def test_a_run_moves_streams_as_the_order_of_chunks_does(waits_ns: list[int]) -> None:
    expected = streams(2)
    run, now_ns = run_of(*expected), 100_000_000
    for seq, wait_ns in enumerate(waits_ns, start=2):
        now_ns += wait_ns
        message = tick(seq)
        assert run.continued_by(message).all()
        run.take(message, now_ns)
        for row, one in enumerate(message.chunks(WARD_BEDS)):
            arrival, expected[row] = ordering.receive(expected[row], one, now_ns)
            [taken] = arrival.taken
            assert taken == Taken(one, type(taken.check)()), "nothing but the next chunk"
            assert run.chunk(row) == one
            assert (run.seq(row), run.end(row)) == (one.seq, one.end)
    assert [run.stream(row) for row in range(len(WARD_BEDS))] == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"session": OTHER},
        {"epoch": 1},
        {"epoch_start": 36},
        {"seq": 1},
        {"seq": 3},
        {"start": 73},
        {"speed": 2.0},
    ],
)
def test_a_bed_that_does_not_just_go_on_is_not_recognized(changes: dict[str, Any]) -> None:
    run = run_of(*streams(2))
    assert run.continued_by(tick(2, 1, **changes)).tolist() == [True, False, True]


@pytest.mark.parametrize("changes", [{"leads": ("V1",)}, {"gain": (100.0,)}, {"record": "r"}, {"samples": bytes(70)}])
def test_after_a_change_of_sources_or_lengths_no_bed_is_recognized(changes: dict[str, Any]) -> None:
    assert not run_of(*streams(2)).continued_by(tick(2, 1, **changes)).any()


def test_a_message_of_other_beds_continues_none() -> None:
    message = ward_ecg([chunk(2, bed=bed) for bed in WARD_BEDS[:2]])
    assert not run_of(*streams(2)).continued_by(message).any()


def test_a_bed_in_doubt_does_not_join() -> None:
    run = WardRun(tick(1), 100_000_000)
    [first, *_] = streams(1)
    assert not joins(run, 0, first), "a single chunk may be old"
    [second, *_] = streams(2)
    assert joins(run, 0, second)
    assert not joins(run, 0, ordering.expect(second, OTHER))
    _, released = ordering.release(second, second.place.session, 0)
    assert not joins(run, 0, released)
    _, held = ordering.receive(second, chunk(5, bed=WARD_BEDS[0]), 200_000_000)
    assert not joins(run, 0, held)
    _, contested = ordering.receive(second, chunk(9, bed=WARD_BEDS[0], session=OTHER), 200_000_000)
    assert not joins(run, 0, contested)


def test_a_bed_joins_again_once_another_writer_has_been_silent() -> None:
    [stream, *_] = streams(2)
    _, stream = ordering.receive(stream, chunk(9, bed=WARD_BEDS[0], session=OTHER), 200_000_000)
    run = WardRun(tick(1), 200_000_001 + CONTEST_NS)
    assert joins(run, 0, stream)
    assert run.stream(0).rival == stream.rival
