import logging
from collections import Counter

import pytest

from stream.mqtt import inbox as module
from stream.mqtt.inbox import Inbox
from stream.wire import codec
from stream.wire.alarm_messages import ActiveAlarms, EventsRequest
from stream.wire.bed_places import SILENT_S, BedPlaces, configured_places
from stream.wire.messages import Waveform
from stream.wire.shard import Shard
from tests.monitor.message_samples import status
from tests.waveforms import chunk


class FakeTime:
    """A fake of the time module; tests set the time."""

    now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s

    def monotonic_ns(self) -> int:
        return round(self.now_s * 1e9)

    def time_ns(self) -> int:
        return 1_700_000_000_000_000_000


@pytest.fixture
def counters() -> Counter[str]:
    return Counter()


def put(inbox: Inbox, topic: str, payload: bytes) -> bool:
    return inbox.put(topic, payload, retained=False, mid=1, connection=1)


async def test_a_message_is_decoded_on_arrival(counters: Counter[str]) -> None:
    inbox = Inbox(30.0, counters)
    assert put(inbox, "bedside/v1/bed-1/ecg", codec.encode(chunk(0)))
    received = inbox.pop()
    assert received is not None
    assert received.message == chunk(0)
    assert inbox.pop() is None
    assert counters == {"received": 1, "inbox_dropped": 0}


async def test_the_oldest_messages_are_dropped_and_counted(counters: Counter[str]) -> None:
    inbox = Inbox(1.0, counters)
    for seq in range(25):
        put(inbox, "bedside/v1/bed-1/ecg", codec.encode(chunk(seq)))
    seqs = []
    while (received := inbox.pop()) is not None:
        assert isinstance(received.message, Waveform)
        seqs.append(received.message.seq)
    assert seqs == list(range(15, 25))
    assert counters["inbox_dropped"] == 15


async def test_all_rejections_are_counted_and_logged_once_per_second(
    counters: Counter[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeTime()
    monkeypatch.setattr(module, "time", clock)
    inbox = Inbox(30.0, counters)
    for now_s in (100.0, 100.2, 100.9, 101.0, 101.5):
        clock.now_s = now_s
        assert not put(inbox, "bedside/v1/bed-1/ecg", b"no message")
    assert counters["rejected"] == 5
    assert [record.message.split(":")[0] for record in caplog.records if record.levelno == logging.WARNING] == [
        "rejected (1 so far)",
        "rejected (4 so far)",
    ]


def active(bed: str) -> bytes:
    return codec.encode(ActiveAlarms(bed=bed))


async def test_messages_of_too_many_beds_are_refused_counted_and_logged_once_per_second(
    counters: Counter[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "time", FakeTime())
    inbox = Inbox(30.0, counters, BedPlaces())
    assert put(inbox, "bedside/v1/bed-1/ecg", codec.encode(chunk(0)))
    for n in range(3000):
        put(inbox, f"bedside/v1/invented-{n}/alarms/active", active(f"invented-{n}"))
    assert counters["beds_refused"] == 3000 - configured_places() + 1
    assert put(inbox, "bedside/v1/bed-1/ecg", codec.encode(chunk(1)))
    assert [record.message for record in caplog.records] == [
        "64 beds send already: bed invented-63 is ignored (1 messages so far)"
    ]


async def test_beds_of_other_shards_are_ignored_unread(
    counters: Counter[str], caplog: pytest.LogCaptureFixture
) -> None:
    inbox = Inbox(30.0, counters, BedPlaces(1), Shard(0, 2))
    mine = next(bed for bed in ("bed-1", "bed-2", "bed-3", "bed-4") if bed in Shard(0, 2))
    for number in range(100):
        if (bed := f"bed-{number}") not in Shard(0, 2):
            assert not put(inbox, f"bedside/v1/{bed}/ecg", b"not a message")
            assert not inbox.put(f"bedside/v1/{bed}/alarms/active", active(bed), retained=True, mid=1, connection=1)
    assert counters == {}
    assert caplog.records == []
    assert put(inbox, f"bedside/v1/{mine}/ecg", codec.encode(chunk(0, bed=mine)))
    assert put(inbox, "bedside/v1/_/events/request", codec.encode(EventsRequest(instance="a"))), "it is of no bed"


async def test_a_bed_without_a_place_is_named_until_another_ends(
    counters: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeTime()
    monkeypatch.setattr(module, "time", clock)
    inbox = Inbox(30.0, counters, BedPlaces(1))

    def send(bed: str, seq: int) -> bool:
        return put(inbox, f"bedside/v1/{bed}/ecg", codec.encode(chunk(seq, 3600, bed=bed)))

    assert send("bed-1", 0)
    assert send("bed-1", 1), "20 s: an established bed"
    assert not put(
        inbox, "bedside/v1/bed-2/status/publisher", codec.encode(status("publisher", "playing", bed="bed-2"))
    )
    assert inbox.refused.current(clock.now_s) == (), "its signal is what is missed"
    assert not send("bed-2", 0)
    assert inbox.refused.current(clock.now_s) == ("bed-2",)
    put(inbox, "bedside/v1/bed-1/status/publisher", codec.encode(status("publisher", "ended")))
    assert not send("bed-2", 1), "a wrong end must not cost a bed that sends on its place"
    clock.now_s += SILENT_S + 0.1
    assert send("bed-2", 2)
    assert inbox.refused.current(clock.now_s) == ()


async def test_retained_messages_without_a_place_follow_when_their_bed_sends(counters: Counter[str]) -> None:
    inbox = Inbox(30.0, counters, BedPlaces())
    for bed in (*(f"invented-{n}" for n in range(3000)), "bed-1"):
        inbox.put(f"bedside/v1/{bed}/alarms/active", active(bed), retained=True, mid=1, connection=1)
    while inbox.pop() is not None:
        pass
    assert put(inbox, "bedside/v1/bed-1/ecg", codec.encode(chunk(0)))
    first, second = inbox.pop(), inbox.pop()
    assert first is not None
    assert second is not None
    assert (first.message, first.retained) == (ActiveAlarms(bed="bed-1"), True)
    assert second.message == chunk(0)


async def test_retained_messages_without_a_place_are_bounded(counters: Counter[str]) -> None:
    inbox = Inbox(30.0, counters, BedPlaces())
    for n in range(3000):
        topic, payload = f"bedside/v1/invented-{n}/alarms/active", bytes(module.MAX_ASIDE_EACH)
        inbox.put(topic, payload, retained=True, mid=1, connection=1)
        inbox.put(topic, payload, retained=True, mid=1, connection=1)
    assert inbox._aside._bytes <= module.MAX_ASIDE
    assert sum(len(p) for kept in inbox._aside._payloads.values() for p in kept.values()) <= module.MAX_ASIDE
    for n in range(3000):
        inbox._aside.take(f"invented-{n}")
    assert inbox._aside._bytes == 0


async def test_a_retained_message_of_a_topic_that_retains_none_is_rejected(counters: Counter[str]) -> None:
    inbox = Inbox(30.0, counters)
    payload = codec.encode(chunk(0))
    assert not inbox.put("bedside/v1/bed-1/ecg", payload, retained=True, mid=1, connection=1)
    assert inbox.pop() is None
    assert counters["rejected"] == 1
