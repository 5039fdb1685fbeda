import msgspec
import numpy as np

from model.serving.forecast_output import OFFSETS, ForecastOutput
from stream.wire.detail import IN_FULL, LEASE_S
from stream.wire.messages import Forecast, Message
from stream.wire.shard import ward_shard
from stream.wire.ward_messages import WardForecast
from tests.stream.wire.test_codec import forecast

NAMES = tuple(f"icu-{number:03}" for number in range(1, IN_FULL + 2))


def put_all(output: ForecastOutput, now_s: float) -> None:
    for name in NAMES:
        output.put(forecast(bed=name))
    output.flush(now_s)


def test_a_small_ward_has_forecasts_of_its_own() -> None:
    sent: list[Message] = []
    output = ForecastOutput(sent.append)
    output.beds = IN_FULL
    output.set_detail(NAMES[0], 0.0)
    put_all(output, 0.0)
    assert sent == [forecast(bed=name) for name in NAMES]


def test_the_beds_of_a_large_ward_share_messages() -> None:
    sent: list[Message] = []
    output = ForecastOutput(sent.append)
    output.beds = IN_FULL + 1
    put_all(output, 0.0)
    shards = [message for message in sent if isinstance(message, WardForecast)]
    assert len(sent) == len(shards) == len({ward_shard(name) for name in NAMES})
    assert sorted(name for message in shards for name in message.names) == sorted(NAMES)
    assert {message.offsets for message in shards} == {OFFSETS}
    rows = forecast().mean_mv()[np.array(OFFSETS) - 1]
    np.testing.assert_array_equal(shards[0].means_mv()[: rows.size].reshape(rows.shape), rows)


def test_a_bed_that_somebody_asks_for_has_all_of_its_forecast_until_its_lease_is_over() -> None:
    sent: list[Message] = []
    output = ForecastOutput(sent.append)
    output.beds = IN_FULL + 1
    assert output.set_detail(NAMES[3], 10.0)
    for now_s, in_full in ((10.0, True), (10.0 + LEASE_S, True), (10.1 + LEASE_S, False)):
        sent.clear()
        put_all(output, now_s)
        assert [message for message in sent if isinstance(message, Forecast)] == [forecast(bed=NAMES[3])] * in_full
        assert sum(NAMES[3] in message.names for message in sent if isinstance(message, WardForecast)) == 1


def test_a_bed_with_several_forecasts_at_once_has_as_many_messages() -> None:
    sent: list[Message] = []
    output = ForecastOutput(sent.append)
    output.beds = IN_FULL + 1
    made = [msgspec.structs.replace(forecast(bed=NAMES[0]), origin=origin) for origin in (35, 71, 107)]
    for one in made:
        output.put(one)
    output.flush(0.0)
    origins = [message.integers("origin").tolist() for message in sent if isinstance(message, WardForecast)]
    assert origins == [[35], [71], [107]]


def test_forecasts_of_a_shorter_horizon_are_sent_as_far_as_they_go() -> None:
    sent: list[Message] = []
    output = ForecastOutput(sent.append)
    output.beds = IN_FULL + 1
    short = np.zeros((30, 2), "<f4").tobytes()
    output.put(forecast(bed=NAMES[0], mean=short, scale=short))
    output.flush(0.0)
    [message] = sent
    assert isinstance(message, WardForecast)
    assert message.offsets == (12, 24)
