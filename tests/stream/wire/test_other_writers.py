"""Which of several writers is served, and when another one takes over."""

from __future__ import annotations

import pytest

from stream.wire.ordering import release
from stream.wire.other_writers import CONTEST_NS, PATIENCE_NS
from tests.stream.wire.consumer import CHUNK_NS, OTHER, Consumer, N
from tests.waveforms import SESSION, chunk


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
