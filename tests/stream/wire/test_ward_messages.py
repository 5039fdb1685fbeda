import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.errors import MessageError
from stream.wire import codec
from stream.wire.fields import MAX_GAIN, MAX_INDEX, MAX_SPEED, MIN_GAIN, MIN_SPEED
from stream.wire.messages import Forecast, Message, Waveform
from stream.wire.shard import ALL_BEDS, WARD_SHARDS, ward_shard
from stream.wire.topics import Kind, Topic
from stream.wire.ward_batches import ward_ecg
from stream.wire.ward_messages import MAX_SAMPLES, MAX_WARD_BEDS, WardEcg, WardForecast
from tests.stream.wire.test_codec import forecast
from tests.stream.wire.ward_forecasts import ward_forecast
from tests.waveforms import chunk

SHARD = 3
BEDS = [name for number in range(1, 2000) if ward_shard(name := f"icu-{number:04}") == SHARD]
ECG, FORECAST = Topic(Kind.WARD_ECG, shard=SHARD), Topic(Kind.WARD_FORECAST, shard=SHARD)
LEADS = st.lists(st.text(min_size=1, max_size=16), min_size=1, max_size=2, unique=True).map(tuple)


@st.composite
def waveforms(draw: st.DrawFn) -> Waveform:
    leads, n = draw(LEADS), draw(st.integers(1, 60))
    start = draw(st.integers(0, MAX_INDEX - MAX_SAMPLES))
    zeros = st.integers(-32767, 32767)
    return chunk(
        draw(st.integers(0, MAX_INDEX - MAX_SAMPLES)),
        session=draw(st.binary(min_size=16, max_size=16)).hex(),
        epoch=draw(st.integers(0, 2**40)),
        start=start,
        epoch_start=draw(st.integers(0, start)),
        t0_ns=draw(st.integers(0, 2**62)),
        position=draw(st.integers(0, MAX_INDEX - MAX_SAMPLES)),
        speed=draw(st.floats(MIN_SPEED, MAX_SPEED)),
        leads=leads,
        gain=tuple(draw(st.floats(MIN_GAIN, MAX_GAIN)) for _ in leads),
        zero=tuple(draw(zeros) for _ in leads),
        samples=draw(st.binary(min_size=2 * n * len(leads), max_size=2 * n * len(leads))),
        record=draw(st.text(max_size=20)),
        synthetic=draw(st.booleans()),
    )


def with_beds(items: Sequence[Any]) -> list[Any]:
    return [msgspec.structs.replace(item, bed=bed) for item, bed in zip(items, BEDS, strict=False)]


@given(st.lists(waveforms(), min_size=1, max_size=12).map(with_beds))
def test_each_chunk_arrives_as_its_bed_would_send_it(chunks: list[Waveform]) -> None:
    message = codec.decode(ECG, codec.encode(ward_ecg(chunks)))
    assert isinstance(message, WardEcg)
    assert list(message.chunks(ALL_BEDS)) == chunks
    assert list(message.chunks({chunks[-1].bed})) == chunks[-1:]
    assert list(message.chunks(())) == []
    assert message.due_ns().tolist() == pytest.approx([one.due_ns for one in chunks], abs=1, rel=0)
    assert message.durations_s().tolist() == pytest.approx([one.n / (360 * one.speed) for one in chunks])


@st.composite
def forecasts(draw: st.DrawFn) -> Forecast:
    leads = draw(LEADS)
    values = st.lists(st.floats(-10, 10, width=32), min_size=96 * len(leads), max_size=96 * len(leads))
    mean = np.array(draw(values), "<f4").tobytes()
    return forecast(
        leads=leads,
        mean=mean,
        scale=mean,
        origin=draw(st.integers(0, MAX_INDEX)),
        score=draw(st.none() | st.floats(-100, 100)),
        lease=draw(st.integers(0, 10**9)),
    )


@settings(max_examples=25)
@given(st.lists(forecasts(), min_size=1, max_size=4).map(with_beds))
def test_each_forecast_arrives_with_the_samples_at_the_offsets(made: list[Forecast]) -> None:
    offsets = (1, 12, 96)
    message = codec.decode(FORECAST, codec.encode(ward_forecast(made, offsets)))
    assert isinstance(message, WardForecast)
    assert message.names == tuple(one.bed for one in made)
    assert message.lead_names() == [one.leads for one in made]
    assert message.integers("origin").tolist() == [one.origin for one in made]
    assert message.integers("lease").tolist() == [one.lease for one in made]
    np.testing.assert_array_equal(message.scores(), [math.nan if one.score is None else one.score for one in made])
    expected = np.concatenate([one.mean_mv()[[0, 11, 95]].ravel() for one in made])
    np.testing.assert_array_equal(message.means_mv(), expected)


def ecg(count: int = 3, **changes: Any) -> WardEcg:
    return ward_ecg([chunk(5, bed=bed, **changes) for bed in BEDS[:count]])


def int64(*values: int) -> bytes:
    return np.array(values, "<i8").tobytes()


@pytest.mark.parametrize(
    "changes",
    [
        {"shard": 4},
        {"shard": -1},
        {"shard": WARD_SHARDS},
        {"v": 2},
        {"fs": 250},
        {"beds": ""},
        {"beds": " ".join(BEDS[:2])},
        {"beds": " ".join([BEDS[0], BEDS[1], BEDS[1]])},
        {"beds": "  ".join(BEDS[:3])},
        {"beds": " ".join([BEDS[0], BEDS[1], "Bed"])},
        {"beds": " ".join([BEDS[0], BEDS[1], "bed-of-another-shard"])},
        {"beds": " ".join(BEDS[:3]) + " "},
        {"session": bytes(47)},
        {"seq": bytes(16)},
        {"seq": int64(5, 5, -1)},
        {"epoch": int64(0, 0, 2**62)},
        {"start": int64(180, 180, 2**53)},
        {"epoch_start": int64(0, 0, 181)},
        {"t0_ns": int64(0, 0, -1)},
        {"t0_ns": int64(0, 0, 2**63 - 1)},
        {"position": int64(0, 0, -5)},
        {"speed": np.array([1, 1, 0.0]).tobytes()},
        {"speed": np.array([1, 1, math.nan]).tobytes()},
        {"speed": np.array([1, 1, math.inf]).tobytes()},
        {"sources": []},
        {"source": np.array([0, 0, 1], "<u2").tobytes()},
        {"n": np.array([36, 36, 0], "<u2").tobytes()},
        {"n": np.array([36, 36, 37], "<u2").tobytes()},
        {"samples": b""},
        {"samples": bytes(3 * 72 + 2)},
    ],
    ids=lambda changes: f"{next(iter(changes))} {str(next(iter(changes.values())))[-20:]}",
)
def test_a_malformed_message_of_ecg_is_rejected(changes: dict[str, Any]) -> None:
    fields = msgspec.msgpack.decode(codec.encode(ecg())) | changes
    with pytest.raises(MessageError):
        codec.decode(ECG, msgspec.msgpack.encode(fields))


@pytest.mark.parametrize(
    "changes",
    [
        {"leads": []},
        {"leads": ["I", "II", "III"]},
        {"gain": [200.0, 200.0]},
        {"gain": [0.0]},
        {"gain": [math.nan]},
        {"zero": [-32768]},
        {"record": "x" * 201},
    ],
    ids=str,
)
def test_a_malformed_source_is_rejected(changes: dict[str, Any]) -> None:
    fields = msgspec.msgpack.decode(codec.encode(ecg()))
    fields["sources"][0] |= changes
    with pytest.raises(MessageError):
        codec.decode(ECG, msgspec.msgpack.encode(fields))


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": int64(0, 0, -1)},
        {"lease": int64(0, 0, 10**9 + 1)},
        {"lead_set": np.array([0, 0, 1], "<u2").tobytes()},
        {"lead_sets": []},
        {"offsets": []},
        {"offsets": [0, 12]},
        {"offsets": [12]},
        {"mean": b""},
        {"scale": np.full(12, np.nan, "<f4").tobytes()},
        {"score": np.array([0, 0, np.inf]).tobytes()},
        {"threshold": math.nan},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_malformed_message_of_forecasts_is_rejected(changes: dict[str, Any]) -> None:
    made = ward_forecast([forecast(bed=bed) for bed in BEDS[:3]], (12, 24))
    fields = msgspec.msgpack.decode(codec.encode(made)) | changes
    with pytest.raises(MessageError):
        codec.decode(FORECAST, msgspec.msgpack.encode(fields))


@given(st.sampled_from([(ECG, ecg()), (FORECAST, ward_forecast([forecast(bed=b) for b in BEDS[:2]], (12,)))]),
       st.integers(0, 5000), st.integers(0, 255))  # fmt: skip
def test_a_changed_byte_gives_chunks_that_are_valid_or_an_error(
    made: tuple[Topic, Message], position: int, value: int
) -> None:
    topic, message = made
    payload = bytearray(codec.encode(message))
    payload[position % len(payload)] = value
    try:
        decoded = codec.decode(topic, bytes(payload))
    except MessageError:
        return
    if isinstance(decoded, WardEcg):
        for one in decoded.chunks(ALL_BEDS):
            assert codec.decode(Topic(Kind.ECG, one.bed), codec.encode(one)) == one


def test_the_beds_of_a_message_are_bounded() -> None:
    names = " ".join(f"a{number}" for number in range(MAX_WARD_BEDS + 1))
    fields = msgspec.msgpack.decode(codec.encode(ecg())) | {"beds": names}
    with pytest.raises(MessageError, match="more than 4096 beds"):
        codec.decode(ECG, msgspec.msgpack.encode(fields))
