import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import MessageError, UsageError
from stream.wire import topics
from stream.wire.shard import ALL_BEDS, WARD_SHARDS, Shard
from stream.wire.topics import OF_WARD, Kind, Role, Topic

BEDS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,31}", fullmatch=True)
NOT_OF_A_BED = (Kind.STATUS, Kind.PROCESS, Kind.WAVE, Kind.EVENTS_REQUEST, *OF_WARD)
BED_KINDS = [kind for kind in Kind if kind not in NOT_OF_A_BED]
TOPICS = st.one_of(
    st.builds(Topic, st.sampled_from(BED_KINDS), BEDS),
    st.builds(Topic, st.just(Kind.WAVE), BEDS, signal=st.sampled_from(topics.SIGNALS)),
    st.just(Topic(Kind.EVENTS_REQUEST)),
    st.builds(Topic, st.sampled_from(sorted(OF_WARD)), shard=st.integers(0, WARD_SHARDS - 1)),
    st.builds(Topic, st.just(Kind.STATUS), BEDS, st.sampled_from(Role)),
    st.builds(
        Topic, st.just(Kind.PROCESS), st.none(), st.sampled_from(Role), st.from_regex(r"[a-f0-9]{12}", fullmatch=True)
    ),
)


@given(TOPICS)
def test_topics_round_trip(topic: Topic) -> None:
    assert topics.parse(str(topic)) == topic


def test_topics_are_as_documented() -> None:
    assert str(Topic(Kind.ECG, "bed-1")) == "bedside/v1/bed-1/ecg"
    assert str(Topic(Kind.ALARMS_ACTIVE, "bed-1")) == "bedside/v1/bed-1/alarms/active"
    assert str(Topic(Kind.STATUS, "bed-1", Role.WORKER)) == "bedside/v1/bed-1/status/worker"
    assert str(Topic(Kind.PROCESS, role=Role.WORKER, instance="ab12")) == "bedside/v1/_/status/worker/ab12"
    assert str(Topic(Kind.WAVE, "bed-1", signal="pleth")) == "bedside/v1/bed-1/wave/pleth"
    assert str(Topic(Kind.EVENTS_REQUEST)) == topics.pattern(Kind.EVENTS_REQUEST) == "bedside/v1/_/events/request"
    assert str(Topic(Kind.NUMERICS, "bed-1")) == "bedside/v1/bed-1/numerics"
    assert topics.pattern(Kind.NUMERICS_DERIVED) == "bedside/v1/+/numerics/derived"
    assert topics.pattern(Kind.WAVE) == "bedside/v1/+/wave/+"
    assert topics.pattern(Kind.ALARMS) == "bedside/v1/+/alarms"
    assert topics.pattern(Kind.PROCESS, role=Role.WORKER) == "bedside/v1/_/status/worker/+"
    assert str(Topic(Kind.WARD_ECG, shard=3)) == "bedside/v1/_/ward/3/ecg"
    assert topics.pattern(Kind.WARD_FORECAST) == "bedside/v1/_/ward/+/forecast"


def test_a_worker_subscribes_to_its_shards_of_a_ward() -> None:
    assert topics.ward_patterns(Kind.WARD_ECG, ALL_BEDS) == ["bedside/v1/_/ward/+/ecg"]
    assert topics.ward_patterns(Kind.WARD_ECG, Shard(5, 12)) == ["bedside/v1/_/ward/5/ecg", "bedside/v1/_/ward/17/ecg"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bedside/v1",
        "bedside/v1/",
        "bedside/v2/bed-1/ecg",
        "bedside/v1/bed-1",
        "bedside/v1/bed-1/",
        "bedside/v1/bed-1/ecg/more",
        "bedside/v1/Bed/ecg",
        "bedside/v1/_/ecg",
        "bedside/v1/_/status/worker",
        "bedside/v1/_/status/nurse/ab",
        "bedside/v1/_/status/worker/a b",
        "bedside/v1/bed-1/wave",
        "bedside/v1/bed-1/wave/ecg",
        "bedside/v1/bed-1/wave/pleth/more",
        "bedside/v1/bed-1/status",
        "bedside/v1/bed-1/status/nurse",
        "bedside/v1/bed-1/process",
        "bedside/v1/bed-1/numerics/measured",
        "bedside/v1/_/numerics",
        "bedside/v1/bed-1/events/request",
        "bedside/v1/_/events",
        "bedside/v1/_/events/request/more",
        "bedside/v1/_/ward/24/ecg",
        "bedside/v1/_/ward/03/ecg",
        "bedside/v1/_/ward/-1/ecg",
        "bedside/v1/_/ward/3",
        "bedside/v1/_/ward/3/vitals",
        "bedside/v1/_/ward/3/ecg/more",
        "bedside/v1/bed-1/ward/ecg",
        "other/bedside/v1/bed-1/ecg",
    ],
)
def test_invalid_topics_are_rejected(text: str) -> None:
    with pytest.raises(MessageError):
        topics.parse(text)


@given(st.text())
def test_any_text_is_a_topic_or_a_message_error(text: str) -> None:
    with contextlib.suppress(MessageError):
        assert str(topics.parse(text)) == text


@pytest.mark.parametrize("bed", ["", "_", "-a", "Bed", "bed 1", "a" * 33, "bed/1", "bed+", "bed\n"])
def test_an_invalid_bed_name_is_a_one_line_error(bed: str) -> None:
    with pytest.raises(UsageError) as error:
        topics.check_bed(bed)
    assert repr(bed) in str(error.value)
    assert "\n" not in str(error.value)
