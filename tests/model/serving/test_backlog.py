from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from model.serving.backlog import BATCH_SAMPLES, CATCH_UP_WAIT_S, Backlog
from stream.wire.both_ways import WardChunks
from stream.wire.messages import Message, Waveform
from stream.wire.ward_batches import ward_ecg
from stream.wire.wave_message import Wave
from tests.model.serving.worker_harness import publisher_status
from tests.stream.wire.test_codec import WARD_BEDS
from tests.waveforms import chunk, wave

SECOND = 1_000_000_000


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["chunk", "wave", "status"])), max_size=60))
def test_each_bed_keeps_its_order_and_a_round_has_one_chunk_of_each(puts: list[tuple[str, str]]) -> None:
    backlog = Backlog()
    expected: dict[str, list[Message]] = {bed: [] for bed in "abc"}
    for number, (bed, kind) in enumerate(puts):
        made = {"chunk": chunk(number, bed=bed), "wave": wave(number, bed=bed), "status": publisher_status("playing")}
        backlog.put(bed, made[kind], number)
        expected[bed].append(made[kind])
    got: dict[str, list[Message]] = {bed: [] for bed in "abc"}
    while backlog:
        others, chunks, _ = backlog.next_round()
        assert len({c.bed for c in chunks}) == len(chunks)
        for message in (*others, *chunks):
            if message.bed in got:  # type: ignore[attr-defined]
                got[message.bed].append(message)  # type: ignore[attr-defined]
    for bed in "abc":
        assert got[bed] == [m for m in expected[bed] if m.bed == bed]  # type: ignore[attr-defined]
    assert backlog.next_round() == ([], [], [])


def test_a_round_is_bounded_and_the_oldest_bed_comes_first() -> None:
    backlog = Backlog()
    for number in range(4):
        backlog.put(f"bed-{number}", chunk(0, BATCH_SAMPLES // 2, bed=f"bed-{number}"), 10 - number)
    assert [c.bed for c in backlog.next_round()[1]] == ["bed-3", "bed-2"]
    assert [c.bed for c in backlog.next_round()[1]] == ["bed-1", "bed-0"]


def test_shedding_removes_chunks_and_waves_of_one_bed_and_keeps_the_rest() -> None:
    backlog = Backlog()
    for seq in range(3):
        for bed in ("a", "b"):
            backlog.put(bed, wave(seq, bed=bed), 0)
            backlog.put(bed, chunk(seq, bed=bed), 0)
    status = publisher_status("ended")
    backlog.put("a", status, 0)
    assert [c.seq for c in backlog.shed(["a"])] == [0, 1, 2]
    assert [wait.bed for wait in backlog.waiting(0)] == ["b"]
    others, chunks, _ = backlog.next_round()
    assert [m for m in others if m is status]
    assert [c.bed for c in chunks] == ["b"]
    assert backlog.shed(["a", "unknown"]) == []


def test_waits_count_from_the_arrival_of_the_oldest_chunk() -> None:
    backlog = Backlog()
    backlog.put("a", chunk(0, bed="a"), 0)
    backlog.put("a", chunk(1, bed="a"), SECOND)
    [wait] = backlog.waiting(3 * SECOND)
    assert (wait.waited_s, wait.allowed_s) == (3.0, 1.0)
    backlog.next_round()
    [wait] = backlog.waiting(3 * SECOND)
    assert wait.waited_s == 2.0


def test_a_long_chunk_may_wait_as_long_as_it_lasts() -> None:
    backlog = Backlog()
    backlog.put("a", chunk(0, 10_800, bed="a"), 0)
    [wait] = backlog.waiting(0)
    assert wait.allowed_s == 30.0


def test_the_allowed_wait_can_be_longer() -> None:
    backlog = Backlog(max_wait_s=60)
    backlog.put("a", chunk(0, bed="a"), 0)
    [wait] = backlog.waiting(0)
    assert wait.allowed_s == 60


def test_after_an_interruption_a_bed_may_catch_up() -> None:
    backlog = Backlog()

    def put(seq: int, at_s: float) -> float:
        backlog.put("a", chunk(seq, bed="a"), round(at_s * SECOND))
        allowed = backlog.waiting(round(at_s * SECOND))[0].allowed_s
        backlog.next_round()
        return allowed

    assert [put(0, 0), put(1, 0.1), put(2, 2.0)] == [1.0, 1.0, 1.0]
    assert [put(3, 10), put(4, 10.1), put(5, 12), put(6, 14)] == [CATCH_UP_WAIT_S] * 4
    assert put(7, 41.0) == CATCH_UP_WAIT_S, "another interruption"


def test_memory_is_bounded() -> None:
    backlog = Backlog(max_beds=100)
    for number in range(300):
        backlog.put(f"bed-{number}", chunk(0, bed=f"bed-{number}"), number)
        backlog.next_round()
    assert len(backlog._beds) <= 100
    assert isinstance(backlog.next_round()[1], list)
    assert not any(isinstance(message, Waveform) for message in backlog.next_round()[0])


def test_the_bed_of_which_nothing_has_come_for_longest_is_forgotten_first() -> None:
    backlog = Backlog(max_beds=3)
    for number, bed in enumerate("abcad"):
        backlog.put(bed, chunk(number, bed=bed), number)
        backlog.next_round()
    assert list(backlog._beds) == ["c", "a", "d"]


def test_no_bed_of_which_a_chunk_waits_is_forgotten() -> None:
    backlog = Backlog(max_beds=2)
    backlog.put_ward(ward(0), 0)
    assert [wait.bed for wait in backlog.waiting(2 * SECOND)] == list(WARD_BEDS)
    assert [one.bed for one in backlog.shed(WARD_BEDS)] == list(WARD_BEDS)
    assert not backlog


def ward(seq: int, beds: Sequence[str] = WARD_BEDS, **changes: Any) -> WardChunks:
    return WardChunks(ward_ecg([chunk(seq, bed=bed, **changes) for bed in beds]), range(len(beds)))


def in_order(backlog: Backlog) -> dict[str, list[object]]:
    """Return what comes of each bed: numbers of chunks, and other messages."""
    got: dict[str, list[object]] = {bed: [] for bed in WARD_BEDS}
    while backlog:
        others, chunks, wards = backlog.next_round()
        together = [one for message, rows in wards for one in message.chunks_at(rows)]
        beds = [one.bed for one in (*chunks, *together)]
        assert len(set(beds)) == len(beds)
        for message in others:
            got[message.bed].append(type(message))  # type: ignore[attr-defined]
        for one in (*chunks, *together):
            got[one.bed].append(one.seq)
    return got


@given(st.lists(st.sampled_from([*WARD_BEDS, "ward", "ward", "wave"]), max_size=40))
def test_a_bed_keeps_its_order_whether_its_chunks_come_alone_or_with_others(puts: list[str]) -> None:
    backlog, expected = Backlog(), dict[str, list[object]]((bed, []) for bed in WARD_BEDS)
    for number, what in enumerate(puts):
        if what == "ward":
            backlog.put_ward(ward(number), number)
        elif what == "wave":
            backlog.put(WARD_BEDS[0], wave(number, bed=WARD_BEDS[0]), number)
        else:
            backlog.put(what, chunk(number, bed=what), number)
        for bed in WARD_BEDS if what == "ward" else (what,) if what != "wave" else WARD_BEDS[:1]:
            expected[bed].append(Wave if what == "wave" else number)
    assert in_order(backlog) == expected


def test_the_chunks_of_a_shard_stay_together_without_those_of_beds_that_wait() -> None:
    backlog = Backlog()
    backlog.put(WARD_BEDS[0], chunk(0, bed=WARD_BEDS[0]), 0)
    backlog.put_ward(ward(1), 1)
    _, chunks, [(message, rows)] = backlog.next_round()
    assert [one.seq for one in chunks] == [0]
    assert (message, rows) == (ward(1).message, [1, 2])
    assert [one.seq for one in backlog.next_round().chunks] == [1]


def test_a_status_between_two_messages_of_a_shard_takes_none_of_them_apart() -> None:
    backlog, status = Backlog(), publisher_status("playing")
    for seq in (0, 1):
        backlog.put_ward(ward(seq), seq)
        for bed in WARD_BEDS:
            backlog.put(bed, status, seq)
    rounds = [backlog.next_round() for _ in range(3)]
    assert not backlog
    assert [len(one.others) for one in rounds] == [0, 3, 3]
    assert [[list(rows) for _, rows in one.wards] for one in rounds] == [[[0, 1, 2]], [[0, 1, 2]], []]
    assert not any(one.chunks for one in rounds)


def test_it_is_known_whether_a_chunk_that_came_alone_waits() -> None:
    backlog = Backlog()
    assert not backlog.is_together
    backlog.put_ward(ward(0), 0)
    assert backlog.is_together
    backlog.put(WARD_BEDS[0], chunk(1, bed=WARD_BEDS[0]), 0)
    assert not backlog.is_together


def test_long_chunks_come_one_by_one() -> None:
    backlog = Backlog()
    backlog.put_ward(ward(0, n=720), 0)
    others, chunks, wards = backlog.next_round()
    assert (others, wards) == ([], [])
    assert [one.bed for one in chunks] == list(WARD_BEDS)


def test_shedding_takes_a_bed_out_of_the_messages_of_its_shard() -> None:
    backlog = Backlog()
    for seq in (0, 1):
        backlog.put_ward(ward(seq), 0)
    assert [one.seq for one in backlog.shed([WARD_BEDS[1]])] == [0, 1]
    assert [wait.bed for wait in backlog.waiting(3 * SECOND)] == [WARD_BEDS[0], WARD_BEDS[2]]
    assert in_order(backlog)[WARD_BEDS[1]] == []


def test_of_messages_whose_beds_all_rest_nothing_is_kept() -> None:
    backlog = Backlog()
    for seq in range(50):
        backlog.put_ward(ward(seq), 0)
    backlog.shed(WARD_BEDS)
    assert not backlog


def test_the_beds_of_a_shard_that_wait_long_are_named_and_may_catch_up() -> None:
    backlog = Backlog()
    backlog.put_ward(ward(0), 0)
    assert backlog.waiting(SECOND // 2) == []
    assert [(wait.waited_s, wait.allowed_s) for wait in backlog.waiting(SECOND)] == [(1.0, 1.0)] * 3
    backlog.next_round()
    backlog.put_ward(ward(1), 10 * SECOND)
    assert {wait.allowed_s for wait in backlog.waiting(12 * SECOND)} == {CATCH_UP_WAIT_S}
