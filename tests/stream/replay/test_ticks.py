from hypothesis import given
from hypothesis import strategies as st

from stream.replay.playhead import ReplayConfig, begin
from stream.replay.playhead_actions import execute
from stream.replay.ticks import MOMENTS, ROUNDING_NS, on_tick
from stream.wire.replay_actions import Seek, SetPlaying
from stream.wire.shard import ward_shard
from tests.stream.replay.test_playhead import BEGIN_NS, traceable

BEDS = st.integers(0, 500).map("icu-{:03}".format)
LATER_NS = st.integers(0, 10**11)


@given(BEDS, LATER_NS, st.sampled_from([36, 10, 7]), st.sampled_from([1.0, 2.0, 0.3]), LATER_NS)
def test_a_bed_is_moved_to_the_next_tick_of_its_shard(
    bed: str, later_ns: int, chunk: int, speed: float, stepped_ns: int
) -> None:
    head = begin(traceable(3600), ReplayConfig(bed=bed, chunk=chunk, speed=speed), BEGIN_NS + later_ns)
    moved = on_tick(head, stepped_ns)
    period_ns = chunk * 1e9 / (360 * speed)
    assert -ROUNDING_NS <= moved.anchor_ns - head.anchor_ns <= period_ns
    assert on_tick(moved, stepped_ns) == moved


@given(BEDS, LATER_NS)
def test_with_chunks_of_100_ms_the_ticks_are_those_of_the_unix_time(bed: str, later_ns: int) -> None:
    head = on_tick(begin(traceable(3600), ReplayConfig(bed=bed), BEGIN_NS + later_ns))
    assert abs(head.anchor_ns % 100_000_000 - 100_000_000 * (ward_shard(bed) % MOMENTS) / MOMENTS) <= 1


@given(LATER_NS, LATER_NS, LATER_NS)
def test_beds_of_a_shard_send_together_whatever_was_commanded(begin_ns: int, paused_ns: int, sought_ns: int) -> None:
    heads = []
    for bed, at_ns in (("icu-032", 0), ("icu-039", begin_ns)):
        heads.append(on_tick(begin(traceable(36_000), ReplayConfig(bed=bed), BEGIN_NS + at_ns)))
    now_ns = max(head.anchor_ns for head in heads)
    for action, at_ns in (
        (SetPlaying(playing=False), paused_ns),
        (SetPlaying(playing=True), 0),
        (Seek(position=99), sought_ns),
    ):
        now_ns += at_ns
        heads[1] = on_tick(execute(heads[1], action, now_ns))
    due = [head.due_ns or 0 for head in heads]
    assert (due[0] - due[1]) % 100_000_000 in (0, 1, 99_999_999)
