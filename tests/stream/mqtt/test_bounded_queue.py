import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.mqtt.bounded_queue import MAX_BYTES, BoundedQueue, Durations
from stream.wire import codec
from stream.wire.topics import Kind, Topic
from stream.wire.ward_batches import ward_ecg
from stream.wire.ward_messages import WardEcg
from tests.stream.wire.test_codec import WARD_BEDS
from tests.waveforms import chunk

ECG = [Topic(Kind.ECG, "bed-1"), Topic(Kind.ECG, "bed-2"), Topic(Kind.WAVE, "bed-1", signal="abp")]
ALARMS = Topic(Kind.ALARMS, "bed-1")
ACTIVE = Topic(Kind.ALARMS_ACTIVE, "bed-1")


def drain(queue: BoundedQueue[int]) -> list[tuple[Topic, int]]:
    out = []
    while (entry := queue.pop()) is not None:
        out.append((entry.topic, entry.item))
    return out


@given(st.lists(st.sampled_from([*ECG, ALARMS, ACTIVE]), max_size=60))
def test_fifo_order_with_a_bound_per_topic(puts: list[Topic]) -> None:
    queue: BoundedQueue[int] = BoundedQueue(limit_s=5.0)
    for number, topic in enumerate(puts):
        queue.put(topic, number, seconds=1.0)
    out = drain(queue)
    numbers = [number for _, number in out]
    assert numbers == sorted(numbers)
    for topic in ECG:
        sent = [n for n, t in enumerate(puts) if t == topic]
        assert [n for t, n in out if t == topic] == sent[-5:]
        assert queue.dropped[topic] == max(len(sent) - 5, 0)
    assert [n for t, n in out if t == ALARMS] == [n for n, t in enumerate(puts) if t == ALARMS]
    active = [n for n, t in enumerate(puts) if t == ACTIVE]
    assert [n for t, n in out if t == ACTIVE] == [*active[:1], *active[1:][-1:]], "the oldest and the latest"
    assert len(queue) == 0


@given(st.lists(st.tuples(st.sampled_from([*ECG, ALARMS, ACTIVE]), st.integers(1, MAX_BYTES // 2)), max_size=40))
def test_received_items_are_bounded_in_bytes(puts: list[tuple[Topic, int]]) -> None:
    queue: BoundedQueue[int] = BoundedQueue(limit_s=100.0)
    for topic, size in puts:
        queue.put(topic, size, seconds=1.0, size=size)
    dropped = dict(queue.dropped)
    kept: dict[Topic, list[int]] = {}
    for topic, size in drain(queue):
        kept.setdefault(topic, []).append(size)
    for topic, sizes in kept.items():
        sent = [size for t, size in puts if t == topic]
        assert sum(sizes) <= MAX_BYTES
        if topic == ACTIVE:
            assert sizes == [*sent[:1], *sent[1:][-1:]], "the oldest and the latest"
        else:
            assert sizes == sent[-len(sizes) :], "the oldest are dropped"
            assert len(sizes) + dropped.get(topic, 0) == len(sent)
    assert not queue._queues


@given(st.lists(st.sampled_from([*ECG, ALARMS]), min_size=1, max_size=40), st.integers(0, 20), st.randoms())
def test_entries_put_back_return_to_their_positions(puts: list[Topic], popped: int, random) -> None:
    queue: BoundedQueue[int] = BoundedQueue(limit_s=100.0)
    for number, topic in enumerate(puts):
        queue.put(topic, number, seconds=1.0)
    entries = [entry for _ in range(popped) if (entry := queue.pop()) is not None]
    random.shuffle(entries)
    for entry in entries:
        queue.put_back(entry)
    assert [number for _, number in drain(queue)] == list(range(len(puts)))


def test_a_retained_value_put_back_is_replaced_by_a_later_one() -> None:
    queue: BoundedQueue[int] = BoundedQueue(limit_s=1.0)
    queue.put(ACTIVE, 1)
    entry = queue.pop()
    assert entry is not None
    queue.put(ACTIVE, 2)
    queue.put_back(entry)
    assert drain(queue) == [(ACTIVE, 2)]


def test_a_retained_value_that_is_updated_all_the_time_leaves_the_queue() -> None:
    queue: BoundedQueue[int] = BoundedQueue(limit_s=5.0)
    left = []
    for number in range(100):
        queue.put(ACTIVE, number)
        queue.put(ALARMS, number)
        queue.put(ALARMS, number)
        left += [entry for _ in range(2) if (entry := queue.pop()) is not None]
    assert len([entry for entry in left if entry.topic == ACTIVE]) > 1


@given(st.lists(st.sampled_from([*ECG, ALARMS, ACTIVE]), max_size=40))
def test_the_most_urgent_kind_leaves_first_each_in_order(puts: list[Topic]) -> None:
    order = {Kind.ALARMS: 0, Kind.ECG: 1, Kind.WAVE: 1, Kind.ALARMS_ACTIVE: 2}
    queue: BoundedQueue[int] = BoundedQueue(limit_s=100.0, priorities=order)
    for number, topic in enumerate(puts):
        queue.put(topic, number)
    out = drain(queue)
    assert out == sorted(out, key=lambda left: (order[left[0].kind], left[1]))


def test_put_back_counts_dropped_items() -> None:
    queue: BoundedQueue[int] = BoundedQueue(limit_s=2.0)
    queue.put(ECG[0], 0, seconds=1.0)
    entry = queue.pop()
    assert entry is not None
    queue.put(ECG[0], 1, seconds=1.0)
    queue.put(ECG[0], 2, seconds=1.0)
    queue.put_back(entry)
    assert [item for _, item in drain(queue)] == [1, 2]
    assert queue.dropped[ECG[0]] == 1


def test_of_two_retained_values_put_back_the_later_is_kept() -> None:
    for order in (1, -1):
        queue: BoundedQueue[int] = BoundedQueue(limit_s=1.0)
        queue.put(ACTIVE, 1)
        old = queue.pop()
        queue.put(ACTIVE, 2)
        new = queue.pop()
        assert old is not None
        assert new is not None
        for entry in (old, new)[::order]:
            queue.put_back(entry)
        assert drain(queue) == [(ACTIVE, 2)]


class Pace:
    """Times from which topics may leave; each departure moves that of its topic."""

    def __init__(self) -> None:
        self.ready: dict[Topic, float] = {}

    def ready_s(self, topic: Topic) -> float:
        return self.ready.get(topic, 0.0)


@given(st.lists(st.tuples(st.sampled_from([*ECG, ALARMS]), st.sampled_from([0.0, 0.5, 3.0])), max_size=40))
def test_topics_that_wait_hold_no_other_back_and_keep_their_order(puts: list[tuple[Topic, float]]) -> None:
    queue, pace, now_s = BoundedQueue[int](limit_s=100.0), Pace(), 0.0
    pauses = dict(enumerate(pause for _, pause in puts))
    for number, (topic, _) in enumerate(puts):
        queue.put(topic, number)
    out: list[tuple[Topic, int]] = []
    while len(queue):
        entry = queue.pop(pace.ready_s, now_s)
        if entry is None:
            assert all(pace.ready_s(topic) > now_s for topic in queue._queues), "what may leave does"
            assert queue.held_until_s == min(pace.ready_s(topic) for topic in queue._queues)
            now_s = queue.held_until_s
            continue
        assert pace.ready_s(entry.topic) <= now_s
        free = [n for n, (topic, _) in enumerate(puts) if pace.ready_s(topic) <= now_s and (topic, n) not in out]
        assert entry.item == free[0], "the oldest of those that may leave"
        pace.ready[entry.topic] = now_s + pauses[entry.item]
        out.append((entry.topic, entry.item))
    assert len(out) == len(puts)


def test_what_waits_leaves_at_once_without_a_pace() -> None:
    queue, pace = BoundedQueue[int](limit_s=100.0), Pace()
    queue.put(ECG[0], 0)
    pace.ready[ECG[0]] = 10.0
    assert queue.pop(pace.ready_s, 1.0) is None
    assert drain(queue) == [(ECG[0], 0)]


def test_a_queue_that_nobody_empties_keeps_one_element_per_topic() -> None:
    queue: BoundedQueue[int] = BoundedQueue(limit_s=3.0)
    for number in range(1000):
        queue.put(ECG[number % 2], number, seconds=1.0)
    assert len(queue) == 6
    assert len(queue._heads) == 2
    assert [number for _, number in drain(queue)] == list(range(994, 1000))


def tick(seq: int, *beds: str, n: int = 36) -> WardEcg:
    return ward_ecg([chunk(seq, n, bed=bed) for bed in beds])


def test_a_topic_of_a_ward_is_bounded_by_time_however_many_messages_its_beds_send() -> None:
    durations = Durations()
    seconds = [durations.seconds(tick(seq, bed)) for seq in range(300) for bed in WARD_BEDS]
    assert sum(seconds) == pytest.approx(300 * 0.1)
    assert durations.seconds(chunk(0)) == pytest.approx(0.1)
    queue: BoundedQueue[int] = BoundedQueue(2.0)
    durations = Durations()
    for seq in range(100):
        for bed in WARD_BEDS:
            message = tick(seq, bed)
            queue.put(codec.topic_of(message), seq, durations.seconds(message))
    assert len(queue) == pytest.approx(3 * 20, abs=3)


def test_a_topic_of_a_ward_may_hold_more_bytes_than_that_of_a_bed() -> None:
    for topic, kept in ((Topic(Kind.WARD_ECG, shard=3), 16), (Topic(Kind.ECG, "bed-1"), 4)):
        queue: BoundedQueue[int] = BoundedQueue(30.0)
        dropped = sum(queue.put(topic, number, 0.01, 1024 * 1024) for number in range(40))
        assert len(queue) == kept
        assert dropped == queue.dropped[topic] == 40 - kept
