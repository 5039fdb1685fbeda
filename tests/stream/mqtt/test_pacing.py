from hypothesis import given
from hypothesis import strategies as st

from stream.mqtt.pacing import BURST_S, CATCH_UP, Pacer
from stream.wire.shard import WARD_SHARDS, ward_shard
from stream.wire.topics import Kind, Role, Topic

ECG = Topic(Kind.ECG, "bed-1")
CHUNK_S = 0.1


def send_all(pacer: Pacer, topic: Topic, count: int, now_s: float) -> list[float]:
    """Send a backlog as fast as the pace allows; return the times."""
    times = []
    for _ in range(count):
        now_s = max(now_s, pacer.ready_s(topic))
        pacer.sent(topic, CHUNK_S, now_s)
        times.append(now_s)
    return times


def test_a_backlog_is_sent_at_the_speed_of_the_catch_up() -> None:
    times = send_all(Pacer(), ECG, 250, 1000.0)
    seconds = times[-1] - times[0]
    assert abs(seconds - (250 * CHUNK_S - BURST_S) / CATCH_UP) < CHUNK_S


@given(st.lists(st.floats(0, 0.4), max_size=300))
def test_chunks_that_are_sent_as_they_arise_are_never_delayed(delays: list[float]) -> None:
    """A publisher sends each chunk up to 400 ms late, and then those due meanwhile at once."""
    pacer, ready_s = Pacer(), 0.0
    for i, delay_s in enumerate(delays):
        ready_s = max(ready_s, i * CHUNK_S + delay_s)
        assert pacer.ready_s(ECG) <= ready_s
        pacer.sent(ECG, CHUNK_S, ready_s)


def test_beds_have_a_pace_of_their_own() -> None:
    pacer = Pacer()
    send_all(pacer, ECG, 50, 0.0)
    assert pacer.ready_s(ECG) > 0
    assert pacer.ready_s(Topic(Kind.ECG, "bed-2")) <= 0


def test_what_belongs_to_the_stream_waits_with_it_and_all_else_passes() -> None:
    pacer = Pacer()
    send_all(pacer, ECG, 50, 0.0)
    status = Topic(Kind.STATUS, "bed-1", Role.PUBLISHER)
    for topic in (Topic(Kind.WAVE, "bed-1", signal="abp"), Topic(Kind.ANNOTATIONS, "bed-1"), status):
        assert pacer.ready_s(topic) == pacer.ready_s(ECG)
    process = Topic(Kind.PROCESS, role=Role.PUBLISHER, instance="ab12")
    for topic in (process, Topic(Kind.ALARMS, "bed-1"), Topic(Kind.STATUS, "bed-1", Role.WORKER)):
        assert pacer.ready_s(topic) <= 0


def test_chunks_of_less_than_a_millisecond_are_not_paced() -> None:
    pacer = Pacer()
    for _ in range(10_000):
        assert pacer.ready_s(ECG) <= 0
        pacer.sent(ECG, 1e-3, 0.0)


def test_a_shard_has_a_pace_and_what_belongs_to_its_beds_waits_with_it() -> None:
    pacer, shard = Pacer(), ward_shard("bed-1")
    times = send_all(pacer, Topic(Kind.WARD_ECG, shard=shard), 250, 1000.0)
    assert abs(times[-1] - times[0] - (250 * CHUNK_S - BURST_S) / CATCH_UP) < CHUNK_S
    assert pacer.ready_s(Topic(Kind.STATUS, "bed-1", Role.PUBLISHER)) == pacer.ready_s(
        Topic(Kind.WARD_ECG, shard=shard)
    )
    assert pacer.ready_s(Topic(Kind.WARD_ECG, shard=(shard + 1) % WARD_SHARDS)) <= 0
    assert pacer.ready_s(Topic(Kind.WARD_FORECAST, shard=shard)) <= 0
