from __future__ import annotations

import math

import numpy as np
import pytest

from model.anomaly.state import DEFAULT_CONFIG
from model.forecast.personal_forecast import OFFSETS
from model.pipeline.analysis import Models
from model.pipeline.beds import Beds
from model.pipeline.stride_forecasts import GroupForecasts
from model.serving.bed import Bed
from model.serving.forecast_output import SHARED, ForecastOutput
from stream.wire.detail import IN_FULL, LEASE_S
from stream.wire.messages import Forecast, Message
from stream.wire.shard import ward_shard
from stream.wire.ward_messages import WardForecast
from tests.model.serving.worker_harness import served_bed
from tests.waveforms import SESSION, chunk

NAMES = tuple(f"icu-{number:03}" for number in range(1, IN_FULL + 2))


@pytest.fixture(scope="module")
def beds(models: Models) -> list[Bed]:
    analysis = Beds(models)
    return [served_bed(models, chunk(4, bed=name), analysis=analysis) for name in NAMES]


def made(count: int, strides: int = 1) -> GroupForecasts:
    """Return forecasts, each value of which is another one."""
    origin = np.arange(count)[:, None] + 36 * np.arange(strides)
    shape = count, strides, len(OFFSETS), 1
    mean = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    network = np.zeros((count, strides, 96, 1), np.float32)
    unknown = np.full(origin.shape, np.nan)
    return GroupForecasts(origin, np.zeros(origin.shape), network, network, unknown, mean, mean + 1)


def output_of(beds_of_ward: int) -> tuple[ForecastOutput, list[Message]]:
    sent: list[Message] = []
    output = ForecastOutput(sent.append)
    output.beds = beds_of_ward
    return output, sent


def test_a_small_ward_has_forecasts_of_its_own(beds: list[Bed]) -> None:
    output, sent = output_of(IN_FULL)
    output.set_detail(NAMES[0], 0.0)
    output.put(beds, made(len(beds)), 5)
    output.flush(0.0)
    assert [one.bed for one in sent if isinstance(one, Forecast)] == list(NAMES)
    first = sent[0]
    assert isinstance(first, Forecast)
    assert (first.session, first.seq, first.origin, first.published_ns, first.lease) == (SESSION, 4, 0, 5, 1)
    np.testing.assert_array_equal(first.mean_mv()[:, 0], np.arange(len(OFFSETS)))
    assert len(sent) == len(NAMES)


def test_the_beds_of_a_large_ward_share_messages(beds: list[Bed]) -> None:
    output, sent = output_of(IN_FULL + 1)
    forecasts = made(len(beds))
    output.put(beds, forecasts, 5)
    output.flush(0.0)
    shards = [message for message in sent if isinstance(message, WardForecast)]
    assert len(sent) == len(shards) == len({ward_shard(name) for name in NAMES})
    assert sorted(name for message in shards for name in message.names) == sorted(NAMES)
    for message in shards:
        assert message.offsets == tuple(SHARED)
        assert (message.threshold, message.published_ns) == (DEFAULT_CONFIG.threshold, 5)
        own = [NAMES.index(name) for name in message.names]
        rows = [OFFSETS.index(offset) for offset in SHARED]
        np.testing.assert_array_equal(message.means_mv(), forecasts.personal_mean[own, 0][:, rows].ravel())
        np.testing.assert_array_equal(message.scales_mv(), forecasts.personal_scale[own, 0][:, rows].ravel())
        assert message.integers("origin").tolist() == own
        assert message.integers("seq").tolist() == [4] * len(own)
        assert all(map(math.isnan, message.scores()))


def test_a_bed_that_somebody_asks_for_has_all_of_its_forecast_until_its_lease_is_over(beds: list[Bed]) -> None:
    output, sent = output_of(IN_FULL + 1)
    assert output.set_detail(NAMES[3], 10.0)
    for now_s, in_full in ((10.0, True), (10.0 + LEASE_S, True), (10.1 + LEASE_S, False)):
        sent.clear()
        output.put(beds, made(len(beds)), 5)
        output.flush(now_s)
        assert [message.bed for message in sent if isinstance(message, Forecast)] == [NAMES[3]] * in_full
        assert sum(NAMES[3] in message.names for message in sent if isinstance(message, WardForecast)) == 1


def test_a_bed_with_several_forecasts_at_once_has_as_many_messages(beds: list[Bed]) -> None:
    output, sent = output_of(IN_FULL + 1)
    output.put(beds[:1], made(1, strides=3), 5)
    output.flush(0.0)
    origins = [message.integers("origin").tolist() for message in sent if isinstance(message, WardForecast)]
    assert origins == [[0], [36], [72]]


def test_beds_with_one_and_with_two_leads_share_a_message(models: Models) -> None:
    of_shard = [name for name in NAMES if ward_shard(name) == ward_shard(NAMES[0])][:2]
    one = served_bed(models, chunk(0, bed=of_shard[0]))
    two = served_bed(
        models,
        chunk(0, bed=of_shard[1], n=18, leads=("MLII", "V1"), gain=(200.0, 100.0), zero=(0, 0), samples=bytes(72)),
    )
    output, sent = output_of(IN_FULL + 1)
    output.put([one], made(1), 5)
    second = made(1)
    output.put(
        [two],
        second._replace(
            personal_mean=np.tile(second.personal_mean, 2), personal_scale=np.tile(second.personal_scale, 2)
        ),
        5,
    )
    output.flush(0.0)
    [message] = sent
    assert isinstance(message, WardForecast)
    assert message.lead_names() == [("MLII",), ("MLII", "V1")]
