"""What a worker concludes from the statuses of others; see also tests/system/test_workers.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from model.serving.takeover import MAX_KNOWN, OtherWorkers
from stream.mqtt.client import Received
from stream.wire import codec
from stream.wire.messages import Message
from stream.wire.shard import ALL_BEDS, Shard
from stream.wire.status_messages import BedStatus, ProcessStatus
from tests.waveforms import SESSION

SERVED = {"bed-1": 3}


def received(message: Message, retained: bool = False) -> Received:
    return Received(codec.topic_of(message), message, retained, 0, 0, 0, 0)


def process(
    instance: str = "other", state: Literal["online", "offline"] = "online", shard: Shard = ALL_BEDS
) -> ProcessStatus:
    return ProcessStatus(
        role="worker",
        instance=instance,
        state=state,
        when="2099-01-01T00:00:00.000Z",
        shard=shard.index,
        shards=shard.count,
    )


def bed_status(
    lease: int, instance: str = "other", state: Literal["forecasting", "stopped"] = "forecasting", bed: str = "bed-1"
) -> BedStatus:
    return BedStatus(
        bed=bed, role="worker", instance=instance, state=state, when="", record="p", session=SESSION, lease=lease
    )


class Observer:
    """The statuses that a worker named ``me`` receives."""

    def __init__(self, served: Mapping[str, int] = SERVED, shard: Shard = ALL_BEDS) -> None:
        self.others = OtherWorkers("me", shard)
        self.served = served

    def receive(self, *messages: Message, retained: bool = False) -> str | None:
        return [self.others.update(received(message, retained), self.served) for message in messages][-1]


def test_a_retained_status_counts_once_a_live_one_follows() -> None:
    observer = Observer()
    assert observer.receive(process(), process(), retained=True) is None
    assert observer.others.unconfirmed == {"other"}
    assert observer.receive(process()) == "other"


def test_a_worker_that_was_taken_for_ended_does_not_count_when_it_returns() -> None:
    observer = Observer()
    observer.receive(process(), retained=True)
    observer.others.forget_unconfirmed()
    assert observer.receive(process(), bed_status(2)) is None


def test_a_worker_that_ends_meanwhile_does_not_count() -> None:
    observer = Observer()
    observer.receive(process(), retained=True)
    assert observer.receive(process(state="offline"), process()) is None
    assert observer.others.unconfirmed == set()


def test_a_worker_that_starts_later_does_not_count() -> None:
    assert Observer().receive(process(), process()) is None


def test_a_higher_lease_of_an_online_worker_counts_in_either_order() -> None:
    assert Observer().receive(process(), bed_status(4)) == "other"
    assert Observer().receive(bed_status(4), process()) == "other"
    assert Observer().receive(process(), bed_status(4), retained=True) == "other", "after a reconnect"


def test_other_leases_do_not_count() -> None:
    assert Observer().receive(process(), bed_status(2)) is None
    assert Observer().receive(process(), bed_status(4, bed="bed-2")) is None
    assert Observer().receive(process(), bed_status(4, state="stopped")) is None
    assert Observer().receive(bed_status(4), process(state="offline")) is None
    assert Observer().receive(process("me"), bed_status(4, "me")) is None
    assert Observer().receive(bed_status(4)) is None, "a single message ends nobody"


def test_a_worker_of_another_shard_does_not_count() -> None:
    observer = Observer(shard=Shard(1, 4))
    beside = process("beside", shard=Shard(0, 2))
    assert observer.receive(beside, retained=True) is None
    assert observer.receive(beside) is None
    assert observer.others.unconfirmed == set()
    same = process("same", shard=Shard(3, 6))
    observer.receive(same, retained=True)
    assert observer.receive(same) == "same", "a bed can belong to 1/4 and to 3/6"


def test_of_two_workers_with_the_same_lease_exactly_one_ends() -> None:
    assert Observer().receive(process("zz"), bed_status(3, "zz")) == "zz"
    assert Observer().receive(process("aa"), bed_status(3, "aa")) is None


def test_memory_is_bounded() -> None:
    observer = Observer()
    for number in range(3 * MAX_KNOWN):
        observer.receive(process(f"p{number}"), bed_status(1, f"p{number}", bed=f"b{number}"), retained=True)
    assert len(observer.others.unconfirmed) <= MAX_KNOWN
    assert len(observer.others._claims) <= MAX_KNOWN
