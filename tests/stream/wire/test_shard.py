import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import MessageError, UsageError
from stream.wire import codec
from stream.wire.shard import ALL_BEDS, MAX_SHARDS, Shard
from stream.wire.status_messages import ProcessStatus

BEDS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,31}", fullmatch=True)
COUNTS = st.integers(1, MAX_SHARDS)
SHARDS = COUNTS.flatmap(lambda count: st.builds(Shard, st.integers(0, count - 1), st.just(count)))


@given(BEDS, COUNTS)
def test_each_bed_belongs_to_exactly_one_shard(bed: str, count: int) -> None:
    assert sum(bed in Shard(index, count) for index in range(count)) == 1
    assert bed in ALL_BEDS


def test_the_shard_of_a_bed_never_changes() -> None:
    """Workers of different versions must agree."""
    assert [next(i for i in range(4) if f"bed-{n}" in Shard(i, 4)) for n in range(1, 9)] == [0, 2, 0, 3, 1, 3, 1, 0]


@pytest.mark.parametrize("count", [2, 3, 4, 8])
def test_numbered_beds_are_spread_evenly(count: int) -> None:
    for name in ("bed-{}", "icu-{:03d}", "{}a"):
        beds = [name.format(number) for number in range(1, 65)]
        assert max(sum(bed in Shard(i, count) for bed in beds) for i in range(count)) <= 1.3 * 64 / count


@given(SHARDS, SHARDS)
def test_two_shards_overlap_if_a_hash_belongs_to_both(one: Shard, other: Shard) -> None:
    period = math.lcm(one.count, other.count)
    hashes = range(one.index, period, one.count)
    assert one.overlaps(other) == any(value % other.count == other.index for value in hashes)
    assert one.overlaps(other) == other.overlaps(one)


@given(SHARDS)
def test_a_worker_of_all_beds_competes_with_each_other_one(shard: Shard) -> None:
    assert shard.overlaps(ALL_BEDS)
    assert shard.overlaps(shard)


@pytest.mark.parametrize(("index", "count"), [(0, 0), (1, 1), (-1, 2), (0, MAX_SHARDS + 1)])
def test_a_shard_that_does_not_exist_is_an_error(index: int, count: int) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        Shard(index, count)


def test_a_status_with_a_shard_that_does_not_exist_is_rejected() -> None:
    status = ProcessStatus(role="worker", instance="a", state="online", when="", shard=1, shards=2)
    topic, fields = codec.topic_of(status), msgspec.json.decode(codec.encode(status))
    for changes in ({"shard": 2}, {"shard": -1}, {"shards": 0}, {"shards": MAX_SHARDS + 1}):
        with pytest.raises(MessageError):
            codec.decode(topic, msgspec.json.encode({**fields, **changes}))


def test_a_worker_of_an_older_version_serves_all_beds() -> None:
    old = ProcessStatus(role="worker", instance="a", state="online", when="")
    fields = msgspec.json.decode(codec.encode(old))
    decoded = codec.decode(
        codec.topic_of(old), msgspec.json.encode({k: v for k, v in fields.items() if not k.startswith("shard")})
    )
    assert isinstance(decoded, ProcessStatus)
    assert Shard(decoded.shard, decoded.shards) == ALL_BEDS
