"""In which order chunks are taken: swapped neighbours, gaps, chunks of strangers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.wire.bed_stream import flush
from stream.wire.fields import MAX_INDEX
from stream.wire.messages import Waveform
from stream.wire.ordering import release
from tests.stream.wire.consumer import CHUNK_NS, OTHER, Consumer, N
from tests.waveforms import SESSION, chunk

# --- order -----------------------------------------------------------------------------------------------------------


def test_chunks_in_order_are_taken_at_once() -> None:
    consumer = Consumer().seqs(7)
    assert consumer.taken[0].check.discontinuous
    assert consumer.lost == 0
    consumer.seqs(8, 9)
    assert consumer.served() == [7, 8, 9]
    assert not any(one.check.discontinuous for one in consumer.taken[1:])


def test_swapped_neighbours_are_put_in_order() -> None:
    consumer = Consumer().seqs(0, 1, 3, 2, 4, 6, 5, 7)
    assert consumer.served() == list(range(8))
    assert (consumer.lost, consumer.refused, consumer.duplicates) == (0, [], 0)
    assert not any(one.check.discontinuous for one in consumer.taken[1:])


def test_a_swap_across_the_begin_of_an_epoch_is_put_in_order() -> None:
    later = [chunk(2, epoch=1, epoch_start=72), chunk(3, epoch=1, epoch_start=72)]
    consumer = Consumer().seqs(0, 1).receive(later[1], later[0])
    assert consumer.served() == [0, 1, 2, 3]
    assert consumer.lost == 0


def test_a_jump_that_is_continued_is_a_gap() -> None:
    consumer = Consumer().seqs(0, 1, 5)
    assert consumer.served() == [0, 1]
    consumer.seqs(6)
    assert consumer.served() == [0, 1, 5, 6]
    assert [one.check.lost_samples for one in consumer.taken] == [0, 0, 3 * N, 0]


def test_alternating_losses_are_gaps() -> None:
    consumer = Consumer().seqs(0, 2, 4, 6, 7)
    assert consumer.served() == [0, 2, 4, 6, 7]
    assert consumer.lost == 3 * N


def test_a_swap_amid_a_gap_is_put_in_order() -> None:
    assert Consumer().seqs(0, 1, 5, 4, 6).served() == [0, 1, 4, 5, 6]


def test_repeated_chunks_are_duplicates_also_of_a_held_one() -> None:
    consumer = Consumer().seqs(0, 1, 1, 0, 3, 3, 2, 2, 3, 4)
    assert consumer.served() == [0, 1, 2, 3, 4]
    assert consumer.duplicates == 5


def test_the_end_of_the_publisher_completes_its_stream() -> None:
    consumer = Consumer().seqs(0, 1, 3)
    assert consumer.stream is not None
    arrival, _ = release(consumer.stream, OTHER, consumer.now_ns)
    assert arrival.taken == ()
    arrival, stream = release(consumer.stream, SESSION, consumer.now_ns)
    assert [(one.chunk.seq, one.check.lost_samples) for one in arrival.taken] == [(3, N)]
    assert flush(stream, consumer.now_ns)[0].taken == ()


@given(data=st.data())
@settings(max_examples=60)
def test_every_sample_is_processed_once_or_counted_in_a_gap(data: st.DataObject) -> None:
    """Losses, duplicates and swaps of a stream, among chunks of other sessions and absurd ones of its own."""
    seqs = [seq for seq in range(40) if data.draw(st.integers(0, 9)) > 1]
    order = list(seqs)
    for i in range(len(order) - 1):
        if data.draw(st.integers(0, 9)) == 0:
            order[i], order[i + 1] = order[i + 1], order[i]
    repeated: list[int] = []
    for seq in order:
        repeated.append(seq)
        if data.draw(st.integers(0, 9)) == 0:
            repeated.append(seq)
    consumer = Consumer().seqs(0, 1)
    for seq in [seq for seq in repeated if seq > 1]:
        kind = data.draw(st.integers(0, 9))
        if kind == 0:
            consumer.receive(chunk(data.draw(st.integers(0, 60)), session=OTHER), every_ns=1)
        if kind == 1:
            absurd = data.draw(st.integers(10**7, MAX_INDEX - N))
            consumer.receive(forged(chunk(seq), seq=absurd, start=absurd), every_ns=1)
        consumer.seqs(seq)
    assert consumer.stream is not None
    arrival, stream = flush(consumer.stream, consumer.now_ns)
    taken = [*consumer.taken, *arrival.taken]
    processed = [one.chunk.seq for one in taken]
    assert all(one.chunk.session == SESSION for one in taken)
    assert processed == sorted(set(processed))
    lost = sum(one.check.lost_samples for one in taken)
    assert len(processed) * N + lost == stream.place.end == (processed[-1] + 1) * N
    end = 0
    for one in taken:
        assert one.chunk.start - one.check.lost_samples == end
        end = one.chunk.end


@given(seqs=st.lists(st.integers(2, 30), max_size=60))
def test_any_order_processes_each_sample_once_or_counts_it(seqs: list[int]) -> None:
    consumer = Consumer().seqs(0, 1, *seqs)
    assert consumer.stream is not None
    arrival, _ = flush(consumer.stream, consumer.now_ns)
    taken = [*consumer.taken, *arrival.taken]
    end = 0
    for one in taken:
        assert one.chunk.start - one.check.lost_samples == end
        end = one.chunk.end


@given(swaps=st.sets(st.integers(1, 38)))
def test_swapped_neighbours_alone_lose_nothing(swaps: set[int]) -> None:
    order = list(range(40))
    previous = -2
    for i in sorted(swaps):
        if i > previous + 1:
            order[i], order[i + 1] = order[i + 1], order[i]
            previous = i
    consumer = Consumer().seqs(*order)
    assert consumer.served() == list(range(40))
    assert consumer.lost == 0


# --- messages of a stranger ------------------------------------------------------------------------------------------


def forged(last: Waveform, **changes: Any) -> Waveform:
    return msgspec.structs.replace(last, **changes)


FORGED = {
    "another session": {"session": OTHER, "seq": 0, "start": 0},
    "absurd seq": {"seq": 2**50},
    "absurd start": {"start": 2**50},
    "absurd seq and start": {"seq": 2**50, "start": 2**50},
    "a jump of a minute": {"seq": 610, "start": 610 * N},
    "absurd epoch": {"epoch": 2**50},
    "next, but with many samples": {"samples": bytes(2 * 10_800)},
    "next, in an absurd epoch with many samples": {"epoch": 2**50, "samples": bytes(2 * 10_800)},
    "next, slow": {"speed": 0.01},
    "far future": {"t0_ns": 2**62},
    "other leads": {"leads": ("V5",)},
}


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("lossy", [False, True])
def test_no_single_message_stops_a_bed(name: str, swapped: bool, lossy: bool) -> None:
    consumer = Consumer().seqs(*range(10))
    consumer.receive(forged(chunk(10), **FORGED[name]), every_ns=1_000_000)
    rest = [seq for seq in range(10, 50) if not (lossy and seq == 11)]
    if swapped:
        rest[4], rest[5] = rest[5], rest[4]
    consumer.seqs(*rest)
    served = consumer.served()
    assert served[-30:] == list(range(20, 50))


@pytest.mark.parametrize("name", FORGED)
def test_a_flood_of_forged_chunks_ends_within_ten_seconds(name: str) -> None:
    consumer = Consumer().seqs(*range(10))
    for seq in range(10, 60):
        flood = {"seq": seq, "start": seq * N, **FORGED[name]}
        consumer.receive(forged(chunk(10), **flood), chunk(seq), every_ns=CHUNK_NS // 2)
    if name == "a jump of a minute":
        return  # each pair of them is a plausible gap: it ends when the minute has passed
    consumer.seqs(*range(60, 160))
    assert consumer.served()[-1] == 159
