"""Who is served, and in which order: takeover, swapped neighbours, gaps, chunks of strangers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.wire.messages import MAX_INDEX, Waveform
from stream.wire.ordering import CONTEST_NS, PATIENCE_NS, Stream, Taken, flush, receive, release
from tests.waveforms import SESSION, chunk

N = 36
CHUNK_NS = 100_000_000
OTHER, THIRD = "f" * 32, "e" * 32


@dataclass
class Consumer:
    """Processes chunks, one per 100 ms unless another time is given."""

    stream: Stream | None = None
    now_ns: int = 1_000_000_000
    taken: list[Taken] = field(default_factory=list)
    refused: list[Waveform] = field(default_factory=list)
    duplicates: int = 0

    def receive(self, *chunks: Waveform, every_ns: int = CHUNK_NS) -> Consumer:
        for one in chunks:
            self.now_ns += every_ns
            arrival, self.stream = receive(self.stream, one, self.now_ns)
            self.taken += arrival.taken
            self.refused += arrival.refused
            self.duplicates += arrival.duplicate
        return self

    def seqs(self, *seqs: int, **changes: Any) -> Consumer:
        return self.receive(*(chunk(seq, N, **changes) for seq in seqs))

    def served(self, session: str = SESSION) -> list[int]:
        return [one.chunk.seq for one in self.taken if one.chunk.session == session]

    @property
    def lost(self) -> int:
        return sum(one.check.lost_samples for one in self.taken)

    @property
    def contested(self) -> bool:
        assert self.stream is not None
        return self.stream.is_contested(self.now_ns)


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


# --- one writer ------------------------------------------------------------------------------------------------------


def both(consumer: Consumer, seqs: range) -> Consumer:
    for seq in seqs:
        consumer.receive(chunk(seq), chunk(seq, session=OTHER), every_ns=CHUNK_NS // 2)
    return consumer


def test_the_first_of_two_writers_keeps_the_bed() -> None:
    consumer = both(Consumer(), range(50))
    assert consumer.served() == list(range(50))
    assert consumer.served(OTHER) == []
    assert len(consumer.refused) == 50 - (consumer.stream is not None and consumer.stream.contender is not None)


def test_two_writers_are_contested_until_one_ends() -> None:
    consumer = both(Consumer(), range(50))
    assert consumer.contested
    consumer.seqs(*range(50, 50 + CONTEST_NS // CHUNK_NS + 2))
    assert not consumer.contested


@pytest.mark.parametrize("session", [OTHER, SESSION])
def test_a_single_stray_chunk_is_no_contest(session: str) -> None:
    consumer = Consumer().seqs(0, 1, 2).receive(chunk(3, session=session, start=2**40)).seqs(3, 4)
    assert not consumer.contested
    assert consumer.served() == [0, 1, 2, 3, 4]


def test_the_second_writer_takes_over_when_the_first_is_silent() -> None:
    consumer = both(Consumer(), range(20))
    consumer.seqs(*range(20, 60), session=OTHER)
    served = consumer.served(OTHER)
    assert served == list(range(served[0], 60))
    silent_ns = (served[0] - 20 + 1) * CHUNK_NS
    assert PATIENCE_NS <= silent_ns <= PATIENCE_NS + 2 * CHUNK_NS
    assert consumer.lost == (served[0] - 19) * N, "what it sent since the last chunk of the first is lost"
    consumer.seqs(*range(20, 30))
    assert consumer.served() == list(range(20)), "the first one is now the second"


def test_the_second_writer_takes_over_at_once_when_the_first_has_ended() -> None:
    consumer = both(Consumer(), range(20))
    assert consumer.stream is not None
    _, consumer.stream = release(consumer.stream, SESSION, consumer.now_ns)
    consumer.seqs(20, 21, session=OTHER)
    assert consumer.served(OTHER) == [20, 21]
    assert consumer.lost == N, "its chunk after the last one of the first"


def test_a_writer_that_goes_on_after_its_reported_end_keeps_the_bed() -> None:
    consumer = Consumer().seqs(0, 1)
    assert consumer.stream is not None
    _, consumer.stream = release(consumer.stream, SESSION, consumer.now_ns)
    consumer.seqs(2)
    both(consumer, range(3, 10))
    assert consumer.served() == list(range(10))


def test_a_new_session_reports_its_lost_samples() -> None:
    consumer = Consumer().seqs(7, 8)
    assert consumer.stream is not None
    _, consumer.stream = release(consumer.stream, SESSION, consumer.now_ns)
    consumer.seqs(2, 3, session=OTHER)
    assert consumer.served(OTHER) == [2, 3]
    assert consumer.lost == 2 * N


def test_an_old_chunk_before_the_first_of_a_session_is_no_gap() -> None:
    consumer = Consumer().seqs(4000, session=OTHER).seqs(557, 558, 559)
    assert consumer.served() == [557, 558, 559]
    assert consumer.lost == 0


def test_one_chunk_does_not_take_over_a_silent_bed() -> None:
    consumer = Consumer().seqs(0, 1, 2)
    consumer.now_ns += 10 * PATIENCE_NS
    consumer.seqs(0, session=OTHER).seqs(3, 4)
    assert consumer.served() == [0, 1, 2, 3, 4]
    assert consumer.served(OTHER) == []


def test_long_chunks_give_their_writer_time_once_they_are_observed() -> None:
    long = [chunk(seq, 3600) for seq in range(4)]
    consumer = Consumer().receive(*long[:3], every_ns=10_000_000_000)
    consumer.now_ns += 8_000_000_000
    consumer.seqs(0, 1, session=OTHER)
    assert consumer.served(OTHER) == []
    consumer.now_ns += 17_000_000_000
    consumer.seqs(2, 3, session=OTHER)
    assert consumer.served(OTHER) == [2, 3]


def test_a_stranger_cannot_reserve_a_bed_by_announcing_slow_chunks() -> None:
    consumer = Consumer().seqs(0, 1, session=OTHER, speed=0.01)
    consumer.now_ns += PATIENCE_NS
    consumer.seqs(0, 1)
    assert consumer.served() == [0, 1]


def test_after_a_stall_of_the_consumer_the_gap_is_taken_at_once() -> None:
    """Chunks from before the stall come first, then those after it: in no time between them."""
    consumer = Consumer().seqs(*range(10))
    consumer.now_ns += 600_000_000_000
    consumer.receive(*(chunk(seq) for seq in range(10, 15)), every_ns=1000)
    consumer.receive(*(chunk(seq) for seq in range(6010, 6013)), every_ns=1000)
    assert consumer.served()[-3:] == [6010, 6011, 6012]
    assert consumer.lost == (6010 - 15) * N


def test_a_gap_longer_than_the_time_that_has_passed_is_taken_when_the_old_line_is_silent() -> None:
    """As after a suspension of the consumer's machine, for which its monotonic clock stops."""
    consumer = Consumer().seqs(*range(10)).seqs(*range(40_000, 40_050))
    served = consumer.served()
    assert served[-10:] == list(range(40_040, 40_050))
    assert len(served) * N + consumer.lost == 40_050 * N
