from typing import Any

import msgspec
import pytest

from monitor.tools.ward_meter import Gaps, WardMeter
from stream.mqtt.client import Received
from stream.wire import codec
from stream.wire.messages import Message, Waveform
from stream.wire.status_messages import BedStatus, ProcessStatus
from tests.monitor.message_samples import alarm, forecast, residual, vitals
from tests.waveforms import SESSION, chunk

MS = 1_000_000


def receive(meter: WardMeter, message: Message, at_ns: int = 0, *, retained: bool = False) -> None:
    meter.process(Received(codec.topic_of(message), message, retained, at_ns, 0, 0, 0))


def status(role: Any, state: Any, bed: str = "bed-1", last_seq: int = 9, **counters: float) -> BedStatus:
    return BedStatus(
        bed=bed,
        role=role,
        instance="i",
        state=state,
        when="",
        record="r",
        session=SESSION,
        last_seq=last_seq,
        counters={"samples_published": 360, "chunks_dropped": 0, **counters} if role == "publisher" else counters,
    )


def test_latency_is_counted_from_the_due_time_while_measuring() -> None:
    meter, first = WardMeter(["bed-1"], 36), chunk(0)
    receive(meter, first)
    for meter.measuring, late_ms in ((False, 500), (True, 10), (True, 20)):
        receive(meter, forecast(first.end - 1, session=SESSION), first.due_ns + late_ms * MS)
    assert meter.latency_ms == {"p50": 15.0, "p99": 19.9}


def test_vital_signs_count_where_no_forecast_is_published() -> None:
    meter, first = WardMeter(["bed-1"], 36), chunk(0)
    meter.measuring = True
    receive(meter, first)
    receive(meter, vitals(first.end - 1, session=SESSION), first.due_ns + 30 * MS)
    receive(meter, vitals(first.end - 1, session=SESSION), first.due_ns + 900 * MS, retained=True)
    receive(meter, vitals(first.end + 1000, session=SESSION), first.due_ns + 900 * MS)
    assert meter.latency_ms == {"p50": 30.0, "p99": 30.0}
    receive(meter, forecast(first.end - 1, session=SESSION), first.due_ns + 5 * MS)
    assert meter.latency_ms == {"p50": 5.0, "p99": 5.0}


def test_the_latency_since_the_last_look_is_known_before_the_measurement() -> None:
    meter, first = WardMeter(["bed-1"], 36), chunk(0)
    receive(meter, first)
    for late_ms in (40, 60):
        receive(meter, forecast(first.end - 1, session=SESSION), first.due_ns + late_ms * MS)
    assert meter.recent_latency_ms() == {"p50": 50.0, "p99": 59.8}
    assert meter.recent_latency_ms() == {"p50": None, "p99": None}
    assert meter.latency_ms == {"p50": None, "p99": None}


def test_alarms_are_counted_once_and_last_until_they_have_an_end() -> None:
    meter = WardMeter(["bed-1"], 36)
    for event in (alarm(100), alarm(200), alarm(100), residual(300), alarm(100, "acknowledged")):
        receive(meter, event)
    assert (meter.active, meter.raised) == (2, 2)
    receive(meter, alarm(100, "cleared", end=500))
    receive(meter, alarm(100, resent=True))
    assert (meter.active, meter.raised) == (1, 2)


@pytest.mark.parametrize(
    ("worker", "expected"),
    [
        ({"samples_forecast": 360}, Gaps(0, 0)),
        ({"samples_forecast": 324, "gaps": 1, "lost_samples": 36}, Gaps(1, 1)),
        ({"samples_forecast": 324, "gaps": 1, "lost_samples": 36, "shed_samples": 36}, Gaps(1, 0)),
        ({"samples_forecast": 324}, Gaps(0, 1)),
        (None, Gaps(0, 1)),
    ],
)
def test_samples_are_analysed_or_shed_or_missing(worker: dict[str, float] | None, expected: Gaps) -> None:
    meter = WardMeter(["bed-1"], 36)
    receive(meter, status("publisher", "ended"))
    if worker is not None:
        receive(meter, status("worker", "stopped", **worker))
    assert meter.gaps() == expected


def test_chunks_that_the_publisher_has_dropped_are_explained() -> None:
    meter = WardMeter(["bed-1"], 36)
    receive(meter, status("publisher", "ended", chunks_dropped=2))
    receive(meter, status("worker", "stopped", samples_forecast=288, gaps=1, lost_samples=72))
    assert meter.gaps() == Gaps(1, 0)


def test_the_end_is_known_from_the_statuses() -> None:
    meter = WardMeter(["bed-1", "bed-2"], 36)
    for bed, state in (("bed-1", "paused"), ("bed-2", "ended")):
        receive(meter, status("publisher", "playing", bed))
        receive(meter, status("worker", "forecasting", bed))
        assert not meter.caught_up
        receive(meter, status("publisher", state, bed))
        receive(meter, status("worker", "forecasting", bed, last_seq=8))
        assert not meter.caught_up
        receive(meter, status("worker", "forecasting", bed))
    assert meter.caught_up
    assert (meter.served, meter.stopped) == (2, False)
    for bed in ("bed-1", "bed-2"):
        receive(meter, status("worker", "stopped", bed))
    assert meter.stopped


def test_an_overload_is_remembered_and_workers_come_and_go() -> None:
    meter = WardMeter(["bed-1"], 36)
    online = ProcessStatus(role="worker", instance="w", state="online", when="")
    for overloaded in (False, True, False):
        receive(meter, msgspec.structs.replace(online, overloaded=overloaded))
        assert meter.overloaded_now == ({"w"} if overloaded else set())
    assert (meter.overloaded, meter.workers) == (True, {"w"})
    receive(meter, msgspec.structs.replace(online, state="offline"))
    assert not meter.workers


def test_the_chunks_kept_are_bounded() -> None:
    meter = WardMeter(["bed-1"], 36)
    for seq in range(2000):
        receive(meter, chunk(seq))
    kept: list[Waveform] = list(meter._chunks["bed-1"])
    assert len(kept) == 600
