"""A publisher of a large ward: what it sends in shards is what it would send bed by bed."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from typing import Any

import pytest

from stream.errors import UsageError
from stream.records.record import Record
from stream.replay.ledger import discard
from stream.replay.playhead import Playhead, ReplayConfig, begin
from stream.replay.publisher import Publisher
from stream.replay.shard_run import ShardRun, together
from stream.replay.ticks import on_tick
from stream.wire.detail import IN_FULL, LEASE_S, SetDetail
from stream.wire.messages import Annotation, Message, Waveform
from stream.wire.replay_actions import Seek, SetLoop, SetPlaying, SetSpeed
from stream.wire.shard import ALL_BEDS, ward_shard
from stream.wire.status_messages import BedStatus
from stream.wire.ward_messages import WardEcg
from tests.stream.replay.publisher_harness import FakeClock, checked_chunks, command, statuses
from tests.stream.replay.test_playhead import BEGIN_NS, traceable, with_wave

SECOND = 1_000_000_000
NAMES = tuple(f"icu-{number:03}" for number in range(1, 101))


def heads(names: tuple[str, ...] = NAMES, n: int = 7200, **config: Any) -> list[Playhead]:
    records = [traceable(n), traceable(n + 500, 2)]
    return [
        begin(records[i % 2], ReplayConfig(bed=name, loop=True, start_s=(37 * i % (n - 1)) / 360, **config), BEGIN_NS)
        for i, name in enumerate(names)
    ]


class Ward:
    """A publisher in shards with a fake clock, and what it has sent."""

    def __init__(self, playheads: list[Playhead], **options: Any) -> None:
        self.sent: list[tuple[int, Message]] = []
        self.rows: list[tuple[Any, ...]] = []
        self.clock = FakeClock()
        options = {"write": lambda *row: self.rows.append(row), "in_shards": True} | options
        self.publisher = Publisher(
            playheads,
            send=lambda message: self.sent.append((self.clock.now_ns(), message)),
            remove=lambda topic: None,
            dropped=lambda bed: 0,
            instance="ab12",
            clock=self.clock,
            **options,
        )

    def at(self, second: float, bed: str, *actions: Any) -> None:
        def run() -> None:
            for number, action in enumerate(actions):
                self.publisher.commands.execute(command(round(second * 1e6) + number, action, self.clock.now, bed))

        self.clock.plan[BEGIN_NS + round(second * SECOND)] = run

    async def run(self, seconds: float) -> None:
        self.clock.until = BEGIN_NS + round(seconds * SECOND)
        with pytest.raises(TimeoutError):
            await self.publisher.run()

    @property
    def messages(self) -> list[tuple[int, WardEcg]]:
        return [(now, message) for now, message in self.sent if isinstance(message, WardEcg)]

    def in_shards(self) -> list[tuple[int, Message]]:
        """Return the chunks in the messages of the shards, with the times at which they were sent."""
        return [(now, chunk) for now, message in self.messages for chunk in message.chunks(ALL_BEDS)]

    def on_own_topics(self) -> list[tuple[int, Waveform]]:
        return [(now, message) for now, message in self.sent if isinstance(message, Waveform)]


async def test_the_beds_of_a_shard_send_together_each_chunk_when_it_is_due() -> None:
    ward = Ward(heads(), write=discard)
    await ward.run(22)  # each record ends, and is restarted, once or twice
    assert not ward.on_own_topics()
    beds_of = defaultdict(set)
    for now, message in ward.messages:
        beds_of[message.shard] |= set(message.names)
        assert {ward_shard(name) for name in message.names} == {message.shard}
        assert abs(now - message.due_ns()).max() <= 2
    assert set().union(*beds_of.values()) == set(NAMES)
    # A chunk before the end of a record, and the one after it, may come alone.
    alone = sum(len(message.names) < len(beds_of[message.shard]) for _, message in ward.messages)
    assert len(ward.messages) <= len(beds_of) * 220 + alone
    assert alone <= 100 * 2 * 6
    sent = ward.in_shards()
    for name in NAMES[::7]:
        chunks = [chunk for chunk, _ in checked_chunks(sent, name)]
        assert 215 <= len(chunks) <= 225
        assert chunks[0].start == 0
        assert all(one.end == next_.start for one, next_ in itertools.pairwise(chunks))
        assert all((chunk.adu()[:, 0] == range(chunk.position, chunk.position + chunk.n)).all() for chunk in chunks)


async def test_what_is_sent_in_shards_is_what_is_sent_bed_by_bed() -> None:
    ward = Ward(heads())
    one_by_one = Ward([bed.head for bed in Ward(heads()).publisher.beds.values()], in_shards=False)
    for other in (ward, one_by_one):
        await other.run(30)
    own = {(m.bed, m.seq): (now, m) for now, m in one_by_one.on_own_topics()}
    session = {m.bed: m.session for _, m in one_by_one.on_own_topics()}
    found = {(m.bed, m.seq): (now, m) for now, m in ward.in_shards() if isinstance(m, Waveform)}
    assert own.keys() == found.keys()
    for key, (now, chunk) in found.items():
        expected_ns, expected = own[key]
        fields = ("start", "epoch", "epoch_start", "t0_ns", "position", "samples", "leads", "record", "n")
        assert [getattr(chunk, name) for name in fields] == [getattr(expected, name) for name in fields]
        assert abs(now - expected_ns) <= 2
        assert session[key[0]] != chunk.session
    assert Counter(row[0] for row in ward.rows) == Counter(bed for bed, _ in found), "the ledger has a row for each"
    assert {row[5] for row in ward.rows} == {chunk.due_ns for _, chunk in found.values()}


async def test_a_bed_that_somebody_asks_for_is_sent_on_its_own_topic_as_well_until_its_lease_is_over() -> None:
    ward = Ward(heads(), write=discard)
    ward.at(5.05, "icu-007", SetDetail())
    ward.at(20.05, "icu-007", SetDetail())
    await ward.run(60)
    own = ward.on_own_topics()
    assert {chunk.bed for _, chunk in own} == {"icu-007"}
    assert own[0][0] == pytest.approx(BEGIN_NS + 5.1 * SECOND, abs=0.11 * SECOND)
    assert own[-1][0] == pytest.approx(BEGIN_NS + (20.05 + LEASE_S) * SECOND, abs=0.11 * SECOND)
    both = {chunk.seq: chunk for _, chunk in ward.in_shards() if isinstance(chunk, Waveform) and chunk.bed == "icu-007"}
    assert all(both[chunk.seq] == chunk for _, chunk in own), "the same chunks both ways"
    assert [chunk.seq for _, chunk in own] == list(range(own[0][1].seq, own[-1][1].seq + 1))


async def test_beds_beyond_those_of_a_small_ward_are_refused_in_full() -> None:
    ward = Ward(heads(), write=discard)
    for number in range(IN_FULL):
        ward.publisher.commands.execute(command(number, SetDetail(), ward.clock.now, NAMES[number]))
    with pytest.raises(UsageError, match="64 others are"):
        ward.publisher.commands.execute(command(999, SetDetail(), ward.clock.now, NAMES[-1]))


async def test_a_small_ward_is_sent_in_full_whoever_asks() -> None:
    ward = Ward(heads(NAMES[:3]), in_shards=False)
    ward.at(1.0, "icu-001", SetDetail())
    await ward.run(3)
    assert not ward.messages
    assert {chunk.bed for _, chunk in ward.on_own_topics()} == set(NAMES[:3])


async def test_beds_that_were_commanded_send_with_the_others_again() -> None:
    ward = Ward(heads(n=30_000), write=discard)
    ward.at(3.03, "icu-032", SetPlaying(playing=False))
    ward.at(5.05, "icu-032", SetPlaying(playing=True), Seek(position=1111))
    ward.at(6.01, "icu-039", SetSpeed(speed=2.0))
    ward.at(7.77, "icu-039", SetSpeed(speed=1.0))
    ward.at(8.0, "icu-085", SetLoop(loop=False))
    await ward.run(12)
    shard = ward_shard("icu-032")
    last = [message for now, message in ward.messages if message.shard == shard and now > BEGIN_NS + 9 * SECOND]
    assert {message.names for message in last} == {last[0].names}
    assert set(last[0].names) >= {"icu-032", "icu-039", "icu-085"}
    sent = ward.in_shards()
    for name in last[0].names:
        checked_chunks(sent, name)
    assert [status.state for status in statuses(ward.sent, "icu-032")].count("paused") >= 1


async def test_the_status_of_a_bed_tells_what_was_sent() -> None:
    ward = Ward(heads(), write=discard)
    await ward.run(10)
    sent_so_far: dict[str, Waveform] = {}
    for _, message in ward.sent:
        if isinstance(message, WardEcg):
            sent_so_far |= {chunk.bed: chunk for chunk in message.chunks(ALL_BEDS)}
        elif isinstance(message, BedStatus):
            last = sent_so_far[message.bed]
            assert message.last_seq == last.seq
            assert message.counters["samples_published"] == last.end
            assert message.counters["chunks_published"] == last.seq + 1
            assert message.position == last.position + last.n or message.position == 0


async def test_a_clock_step_keeps_the_beds_together() -> None:
    ward = Ward(heads(n=30_000), write=discard)
    ward.clock.plan[BEGIN_NS + 3 * SECOND] = lambda: ward.clock.step(3600 * SECOND + 12_345)
    ward.at(3605.0, "icu-032", Seek(position=500))
    await ward.run(3612)
    late = [message for now, message in ward.messages if now > BEGIN_NS + 3608 * SECOND]
    assert {len(message.names) for message in late if "icu-032" in message.names} == {
        max(len(message.names) for message in late if message.shard == ward_shard("icu-032"))
    }
    checked_chunks(ward.in_shards(), "icu-032")


async def test_annotations_and_waves_of_a_large_ward_are_sent_bed_by_bed() -> None:
    record = with_wave(3600, 125.0)
    playheads = [begin(record, ReplayConfig(bed=name), BEGIN_NS) for name in NAMES[:70]]
    ward = Ward(playheads, write=discard)
    await ward.publisher.run()
    kinds = Counter(type(message).__name__ for _, message in ward.sent)
    assert kinds["Wave"] == 70 * 100
    assert {chunk.bed for _, chunk in ward.in_shards() if isinstance(chunk, Waveform)} == set(NAMES[:70])
    assert not any(isinstance(message, Annotation) for _, message in ward.sent)


def test_only_beds_that_are_due_at_one_moment_make_a_run() -> None:
    one, two, other = (on_tick(head) for head in heads(("icu-032", "icu-039", "icu-085")))
    paused = Playhead(**{name: getattr(two, name) for name in two.__struct_fields__} | {"playing": False})
    assert together([one, two, other]) == sorted([one, two, other], key=lambda head: head.due_ns or 0)
    assert together([one, paused]) == []
    assert together([one]) == []
    run = ShardRun([one, two])
    assert run.left == min((head.record.n - head.position - 1) // 36 for head in (one, two))
    message = run.next_tick()
    assert list(message.chunks(ALL_BEDS)) == [one.next_chunk()[0], two.next_chunk()[0]]
    assert run.head("icu-039") == two.next_chunk()[1]


def test_a_record_may_have_columns_of_another_array() -> None:
    """As that of a record of which only the first lead is sent."""
    record = traceable(3600, 2).first_leads(1)
    assert isinstance(record, Record)
    pair = [on_tick(begin(record, ReplayConfig(bed=bed), BEGIN_NS)) for bed in ("icu-032", "icu-039")]
    message = ShardRun(pair).next_tick()
    assert list(message.chunks(ALL_BEDS)) == [head.next_chunk()[0] for head in pair]
