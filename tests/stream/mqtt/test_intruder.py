"""Another client writes on the retained topics of a process: the process restores them and counts."""

import asyncio

import paho.mqtt.publish
import pytest

from stream.mqtt.client import Client
from stream.wire import codec
from stream.wire.alarm_messages import ActiveAlarms, Limits
from stream.wire.messages import Message
from stream.wire.status_messages import ProcessStatus
from stream.wire.topics import Kind, Role, Topic, pattern
from tests.brokers import Mosquitto

pytestmark = pytest.mark.usefixtures("no_tasks_left")

OURS = ActiveAlarms(bed="bed-1")
FORGED = ActiveAlarms(bed="bed-1", limits=Limits(off=("ventricular_tachycardia", "no_data")))


async def retain(mosquitto: Mosquitto, topic: Topic, message: Message | None) -> None:
    """Publish as a stranger: retained, with QoS 1."""
    payload = b"" if message is None else codec.encode(message)
    await asyncio.to_thread(
        paho.mqtt.publish.single,
        str(topic),
        payload,
        qos=1,
        retain=True,
        hostname=mosquitto.address.host,
        port=mosquitto.port,
    )


async def retained(mosquitto: Mosquitto, topic: Topic) -> Message | None:
    """Return the retained message of a topic that a late subscriber receives."""
    async with Client(mosquitto.address, role=None, subscriptions=[str(topic)]) as late, asyncio.timeout(10):
        return (await late.receive()).message


async def until(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("forged", [None, FORGED])
async def test_a_retained_topic_is_restored_by_its_owner(mosquitto: Mosquitto, forged: ActiveAlarms | None) -> None:
    subscriptions = [pattern(Kind.ALARMS_ACTIVE)]
    async with Client(mosquitto.address, role=Role.WORKER, subscriptions=subscriptions) as worker:
        worker.send(OURS)
        assert await worker.flush(10)
        topic = codec.topic_of(OURS)
        for count in (1, 2):
            await retain(mosquitto, topic, forged)
            await until(lambda count=count: worker.counters["intrusions"] >= count)
            # The second intrusion follows within a second of the first: it is restored with the next status.
            await until(lambda: not worker._owned._owned[str(topic)].overwritten)
            assert await worker.flush(10)
            assert await retained(mosquitto, topic) == OURS
        assert worker.counters["intrusions"] == 2


async def test_the_status_of_a_running_process_is_restored(mosquitto: Mosquitto) -> None:
    async with Client(mosquitto.address, role=Role.PUBLISHER) as publisher:
        assert await publisher.flush(10)
        topic = Topic(Kind.PROCESS, role=Role.PUBLISHER, instance=publisher.instance)
        await retain(
            mosquitto,
            topic,
            ProcessStatus(role="publisher", instance=publisher.instance, state="offline", when="2099-01-01T00:00:00Z"),
        )
        await until(lambda: publisher.counters["intrusions"])
        assert await publisher.flush(10)
        status = await retained(mosquitto, topic)
        assert isinstance(status, ProcessStatus)
        assert status.state == "online"
        assert publisher.receive_nowait() is None, "the application did not subscribe to it"


async def test_own_messages_and_reconnects_are_no_intrusions(mosquitto: Mosquitto) -> None:
    subscriptions = [pattern(Kind.ALARMS_ACTIVE), pattern(Kind.PROCESS)]
    async with Client(mosquitto.address, role=Role.WORKER, subscriptions=subscriptions) as worker:
        for restarts in range(1, 3):
            for i in range(50):
                worker.send(ActiveAlarms(bed="bed-1", limits=Limits(heart_rate_high=100 + i)))
            mosquitto.kill()
            await until(lambda: not worker.connected)
            worker.send(OURS)
            mosquitto.start()
            await until(lambda restarts=restarts: worker.connected and worker.counters["reconnects"] == restarts)
            assert await worker.flush(10)
            assert await retained(mosquitto, codec.topic_of(OURS)) == OURS
        assert worker.counters["intrusions"] == 0


async def test_an_owner_that_gives_a_topic_up_leaves_it_to_the_other(mosquitto: Mosquitto) -> None:
    subscriptions = [pattern(Kind.ALARMS_ACTIVE)]
    async with (
        Client(mosquitto.address, role=Role.WORKER, subscriptions=subscriptions) as first,
        Client(mosquitto.address, role=Role.WORKER, subscriptions=subscriptions) as second,
    ):
        first.send(OURS)
        second.send(FORGED)
        await until(lambda: first.counters["intrusions"] and second.counters["intrusions"])
        second.release(codec.topic_of(FORGED))
        assert await second.flush(10)
        async with asyncio.timeout(10):
            while await retained(mosquitto, codec.topic_of(OURS)) != OURS:
                pass
        count = second.counters["intrusions"]
        first.send(ActiveAlarms(bed="bed-1", limits=Limits(heart_rate_high=111)))
        assert await first.flush(10)
        assert second.counters["intrusions"] == count
