import asyncio
import logging
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import paho.mqtt.client as paho
import paho.mqtt.publish
import pytest

from stream.errors import BrokerError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import CONNECT_TIMEOUT_S, Client, Received
from stream.mqtt.connection import LOGGER_NAME
from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.messages import Vitals, Waveform
from stream.wire.shard import Shard
from stream.wire.status_messages import BedStatus, ProcessStatus
from stream.wire.topics import Kind, Role, Topic, pattern
from tests.brokers import Mosquitto
from tests.waveforms import SESSION, chunk

pytestmark = pytest.mark.usefixtures("no_tasks_left")


VITALS = Vitals(bed="bed-1", session=SESSION, index=0, when="2026-01-31T12:00:00Z", heart_rate=None, rr_ms=None,
                pvc_per_min=None, rhythm="unknown", quality=None, score=None, skill=None)  # fmt: skip


async def next_of(client: Client, kind: Kind, timeout_s: float = 10) -> Received:
    async with asyncio.timeout(timeout_s):
        while (received := await client.receive()).topic.kind is not kind:
            pass
    return received


async def receive_chunks(client: Client, n: int, timeout_s: float = 20) -> list[int]:
    seqs = []
    for _ in range(n):
        message = (await next_of(client, Kind.ECG, timeout_s)).message
        assert isinstance(message, Waveform)
        seqs.append(message.seq)
    return seqs


def raw_publish(address: BrokerAddress, topic: str, payload: bytes) -> None:
    paho.mqtt.publish.single(topic, payload, qos=1, hostname=address.host, port=address.port)


async def test_messages_arrive_once_and_in_order(broker: BrokerAddress) -> None:
    async with (
        Client(broker, role=None, subscriptions=[pattern(Kind.ECG)]) as listener,
        Client(broker, role=None) as sender,
    ):
        for seq in range(250):
            sender.send(chunk(seq))
        assert await sender.flush(20)
        assert await receive_chunks(listener, 250) == list(range(250))
        assert listener.receive_nowait() is None


async def test_a_process_publishes_online_and_offline(broker: BrokerAddress) -> None:
    async with Client(broker, role=None, subscriptions=[pattern(Kind.PROCESS)]) as listener:
        async with Client(broker, role=Role.PUBLISHER) as publisher:
            received = await next_of(listener, Kind.PROCESS)
            assert isinstance(received.message, ProcessStatus)
            assert (received.message.state, received.message.instance) == ("online", publisher.instance)
        while received.message.state == "online":
            received = await next_of(listener, Kind.PROCESS)
            assert isinstance(received.message, ProcessStatus)
        assert received.message.state == "offline"


async def test_an_overload_is_reported_at_once(broker: BrokerAddress) -> None:
    topics = [pattern(Kind.PROCESS)]
    async with Client(broker, role=None, subscriptions=topics) as reader, Client(broker, role=Role.WORKER) as worker:
        assert not (await next_of(reader, Kind.PROCESS)).message.overloaded  # type: ignore[union-attr]
        worker.report_overload(True)
        worker.report_overload(True)
        assert (await next_of(reader, Kind.PROCESS)).message.overloaded  # type: ignore[union-attr]
        worker.report_overload(False)
        assert not (await next_of(reader, Kind.PROCESS)).message.overloaded  # type: ignore[union-attr]


async def test_a_subscriber_learns_the_shard_of_a_worker_and_the_beds_that_it_refuses(broker: BrokerAddress) -> None:
    topics = [pattern(Kind.PROCESS)]
    beds = [bed for n in range(200) if (bed := f"bed-{n}") in Shard(1, 2)][:9]
    foreign = next(bed for n in range(9) if (bed := f"bed-{n}") not in Shard(1, 2))
    async with (
        Client(broker, role=None, subscriptions=topics) as reader,
        Client(broker, role=Role.WORKER, subscriptions=[pattern(Kind.ECG)], shard=Shard(1, 2), places=8) as worker,
        Client(broker, role=None) as sender,
        asyncio.timeout(30),
    ):
        status = (await next_of(reader, Kind.PROCESS)).message
        assert isinstance(status, ProcessStatus)
        assert (status.shard, status.shards, status.refused) == (1, 2, ())
        for bed in (foreign, *beds):
            sender.send(chunk(0, bed=bed))
        await sender.flush(5)
        while not status.refused:
            status = (await next_of(reader, Kind.PROCESS)).message
            assert isinstance(status, ProcessStatus)
        assert status.refused == (beds[-1],)
        assert worker.counters["received"] == 8


async def test_flush_to_lets_the_connection_work(broker: BrokerAddress) -> None:
    async with Client(broker, role=Role.PUBLISHER) as publisher:
        for seq in range(100):
            publisher.send(chunk(seq))
        assert publisher.unsent >= 100
        await publisher.flush_to(10, 20)
        assert publisher.unsent <= 10


async def test_the_last_status_follows_what_was_sent_before(broker: BrokerAddress) -> None:
    topics = [pattern(Kind.PROCESS), pattern(Kind.ECG)]
    async with Client(broker, role=None, subscriptions=topics) as reader:
        async with Client(broker, role=Role.PUBLISHER) as publisher:
            for seq in range(100):
                publisher.send(chunk(seq))
        received = []
        async with asyncio.timeout(20):
            while not (received and isinstance(received[-1], ProcessStatus) and received[-1].state == "offline"):
                received.append((await reader.receive()).message)
        assert sum(isinstance(message, Waveform) for message in received) == 100


async def test_the_last_will_of_a_killed_process_is_published(broker: BrokerAddress) -> None:
    async with Client(broker, role=None, subscriptions=[pattern(Kind.PROCESS)]) as listener:
        async with Client(broker, role=Role.WORKER) as worker:
            await next_of(listener, Kind.PROCESS)
            assert worker._link.connection is not None
            worker._link.connection._mqtt._client.socket().shutdown(
                socket.SHUT_RDWR
            )  # no DISCONNECT, as if the process had been killed
            while True:
                received = await next_of(listener, Kind.PROCESS)
                assert isinstance(received.message, ProcessStatus)
                if received.message.state == "offline":
                    break


async def test_late_subscribers_get_retained_messages_until_they_are_removed(broker: BrokerAddress) -> None:
    status = BedStatus(
        bed="bed-1", role="worker", instance="ab12", state="learning", when="", record="r", session=SESSION
    )
    async with Client(broker, role=None) as worker:
        worker.send(ActiveAlarms(bed="bed-1"))
        worker.send(status)
        assert await worker.flush(10)
        kinds = [pattern(Kind.ALARMS_ACTIVE), pattern(Kind.STATUS)]
        async with Client(broker, role=None, subscriptions=kinds) as late:
            got = [await late.receive(), await late.receive()]
            assert {type(r.message) for r in got} == {ActiveAlarms, BedStatus}
            assert all(r.retained for r in got)
            worker.remove(Topic(Kind.ALARMS_ACTIVE, "bed-1"))
            assert (await next_of(late, Kind.ALARMS_ACTIVE)).message is None


async def test_only_subscribed_topics_are_received(broker: BrokerAddress) -> None:
    async with (
        Client(broker, role=Role.PUBLISHER) as publisher,
        Client(broker, role=None, subscriptions=["bedside/v1/#"]) as observer,
    ):
        publisher.send(ActiveAlarms(bed="bed-1"))
        await next_of(observer, Kind.ALARMS_ACTIVE)
        async with Client(broker, role=None, subscriptions=[pattern(Kind.ECG)]) as listener:
            publisher.send(chunk(0))
            assert (await listener.receive()).topic.kind is Kind.ECG
            assert listener.receive_nowait() is None


async def test_malformed_payloads_are_counted_and_do_not_stop_the_client(broker: BrokerAddress) -> None:
    async with (
        Client(broker, role=None, subscriptions=["bedside/v1/#"]) as listener,
        Client(broker, role=None) as sender,
    ):
        for topic in ("bedside/v1/bed-1/ecg", "bedside/v1/bed-1/alarms", "bedside/v1/Nobody/ecg", "bedside/v1/x/y/z"):
            await asyncio.to_thread(raw_publish, broker, topic, b"\xc1 not a message")
        sender.send(chunk(0))
        assert await receive_chunks(listener, 1) == [0]
        assert listener.counters["rejected"] == 4


async def test_a_slow_reader_loses_the_oldest_messages_and_they_are_counted(broker: BrokerAddress) -> None:
    """350 chunks of 100 ms for an inbox of 30 s: the oldest 50 are dropped."""
    async with (
        Client(broker, role=None, subscriptions=[pattern(Kind.ECG)]) as listener,
        Client(broker, role=None) as sender,
    ):
        for begin in range(0, 350, 50):
            for seq in range(begin, begin + 50):
                sender.send(chunk(seq))
            assert await sender.flush(20)
        while listener.counters["received"] < 350:
            await asyncio.sleep(0.01)
        assert await receive_chunks(listener, 300) == list(range(50, 350))
        assert listener.counters["inbox_dropped"] == 50


async def test_buffered_messages_survive_a_broker_restart(mosquitto: Mosquitto) -> None:
    async with Client(mosquitto.address, role=None) as sender:
        sender.send(chunk(0))
        sender.send(ActiveAlarms(bed="bed-1"))
        assert await sender.flush(10)
        mosquitto.kill()
        for seq in range(1, 200):
            sender.send(chunk(seq))
        while sender.connected:
            await asyncio.sleep(0.01)
        mosquitto.start()
        # The sender may reconnect before this listener, so the number of chunks it receives is not determined.
        async with Client(
            mosquitto.address, role=None, subscriptions=[pattern(Kind.ECG), pattern(Kind.ALARMS_ACTIVE)]
        ) as listener:
            assert isinstance((await next_of(listener, Kind.ALARMS_ACTIVE)).message, ActiveAlarms), "retained again"
        assert await sender.flush(20)
        assert sender.dropped(Topic(Kind.ECG, "bed-1")) == 0
        assert sender.counters["reconnects"] == 1


async def test_subscribers_reconnected_within_the_resume_delay_lose_nothing(
    mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    """A killed broker loses its subscriptions; subscribers that return within the delay lose nothing."""
    caplog.set_level(logging.INFO, "bedside.client")
    async with Client(mosquitto.address, role=None, resume_delay_s=2.0) as sender:
        mosquitto.kill()
        while sender.connected:
            await asyncio.sleep(0.01)
        for seq in range(100):
            sender.send(chunk(seq))
        mosquitto.start()
        async with Client(mosquitto.address, role=None, subscriptions=[pattern(Kind.ECG)]) as listener:
            assert await receive_chunks(listener, 100) == list(range(100))
    lost, restored = (record.message for record in caplog.records)
    assert f"connection to {mosquitto.address} lost" in lost
    assert re.fullmatch(rf"connection to {mosquitto.address} restored after \d+\.\d s", restored)


async def test_the_mqtt_libraries_use_one_logger(mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture) -> None:
    """aiomqtt and paho log to one logger, whose level the application sets."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, LOGGER_NAME)  # a command that ran in this process has silenced it
    async with Client(mosquitto.address, role=None) as client:
        client.send(chunk(0))
        assert await client.flush(10)
    assert {record.name for record in caplog.records if "CONNECT" in record.message} == {LOGGER_NAME}
    caplog.clear()
    caplog.set_level(logging.CRITICAL, LOGGER_NAME)
    async with Client(mosquitto.address, role=None) as client:
        mosquitto.kill()
        while client.connected:
            await asyncio.sleep(0.01)
    assert {record.name for record in caplog.records} <= {"bedside.client", "asyncio"}


async def test_beyond_thirty_seconds_the_oldest_chunks_are_dropped_and_counted(mosquitto: Mosquitto) -> None:
    async with Client(mosquitto.address, role=None) as sender:
        mosquitto.kill()
        while sender.connected:
            await asyncio.sleep(0.01)
        for seq in range(400):
            sender.send(chunk(seq))
        assert sender.dropped(Topic(Kind.ECG, "bed-1")) == 100


async def test_unacknowledged_messages_of_a_persistent_session_are_redelivered(mosquitto: Mosquitto) -> None:
    def reader() -> Client:
        return Client(mosquitto.address, role=None, subscriptions=[pattern(Kind.ECG)], persistent_id="reader-1")

    async with Client(mosquitto.address, role=None) as sender:
        async with reader() as first:
            for seq in range(10):
                sender.send(chunk(seq))
            got = [await next_of(first, Kind.ECG) for _ in range(10)]
            for received in got[:4]:
                first.acknowledge(received)
        sender.send(chunk(10))
        assert await sender.flush(10)
        async with reader() as second:
            assert await receive_chunks(second, 7) == list(range(4, 11))


async def test_delivery_stops_at_twenty_unacknowledged_messages(mosquitto: Mosquitto) -> None:
    patterns = [pattern(Kind.ECG), pattern(Kind.VITALS)]
    async with (
        Client(mosquitto.address, role=None, subscriptions=patterns, persistent_id="reader-2") as reader,
        Client(mosquitto.address, role=None) as sender,
    ):
        for seq in range(30):
            sender.send(chunk(seq))
        assert await sender.flush(10)
        got = [await next_of(reader, Kind.ECG) for _ in range(20)]
        # Messages of QoS 0 need no acknowledgement and are still delivered.
        sender.send(VITALS)
        assert (await reader.receive()).message == VITALS
        for received in got:
            reader.acknowledge(received)
        assert await receive_chunks(reader, 10) == list(range(20, 30))


async def test_an_unreachable_broker_is_a_one_line_error() -> None:
    with pytest.raises(BrokerError, match=r"127\.0\.0\.1:1\b.*--broker") as error:
        async with Client(BrokerAddress("127.0.0.1", 1), role=None, connect_timeout_s=0.2):
            pass
    assert "\n" not in str(error.value)


async def test_user_and_password_of_the_url_are_used(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    program = Mosquitto(tmp_path)._program.replace("mosquitto", "mosquitto_passwd").replace("sbin", "bin")
    subprocess.run([program, "-b", "-c", str(passwords), "nurse", "s3cret"], check=True, capture_output=True)
    passwords.chmod(0o644)
    tmp_path.chmod(0o755)
    # As root, Mosquitto changes to another user, who cannot read pytest's private folder.
    broker = Mosquitto(tmp_path, f"allow_anonymous false\nuser root\npassword_file {passwords}")
    broker.start()
    try:
        async with Client(BrokerAddress("127.0.0.1", broker.port, False, "nurse", "s3cret"), role=None) as client:
            assert client.connected
        with pytest.raises(BrokerError, match="user name and password") as error:
            async with Client(BrokerAddress("127.0.0.1", broker.port, False, "nurse", "wrong"), role=None):
                pass
        assert "wrong" not in str(error.value)
    finally:
        broker.stop()


async def connection_error(address: BrokerAddress) -> str:
    """Return the error of a connection attempt."""
    try:
        async with Client(address, role=None, connect_timeout_s=0.2):
            return "none"
    except BrokerError as error:
        return str(error)


async def test_tls_with_a_private_certificate_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    broker = Mosquitto(tmp_path, f"allow_anonymous true\nuser root\ncertfile {certificate}\nkeyfile {key}")
    broker.start()
    try:
        address = BrokerAddress("127.0.0.1", broker.port, tls=True)
        # In a subprocess: paho leaves the socket of a failed handshake to the garbage collector.
        started = time.monotonic()
        result = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "monitor.cli", "tap", "--broker", str(address)],
            capture_output=True,
            text=True,
        )
        assert result.returncode == 2
        assert "--ca" in result.stderr.splitlines()[-1]
        assert time.monotonic() - started < CONNECT_TIMEOUT_S, "no further attempt can help"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        async with Client(address, role=None, subscriptions=[pattern(Kind.ECG)]) as client:
            client.send(chunk(0))
            assert await receive_chunks(client, 1) == [0]
    finally:
        broker.stop()


async def test_an_invalid_address_is_a_one_line_error() -> None:
    assert "a..b" in await connection_error(BrokerAddress("a..b", 1883))


async def test_a_refusal_after_a_reconnect_is_raised(tmp_path: Path) -> None:
    async def send_repeatedly(sender: Client) -> None:
        while True:
            sender.send(chunk(0))
            await asyncio.sleep(0.05)

    broker = Mosquitto(tmp_path)
    broker.start()
    try:
        async with Client(broker.address, role=Role.PUBLISHER) as sender, asyncio.timeout(20):
            broker.stop()
            broker = Mosquitto(tmp_path, "allow_anonymous false", port=broker.port)
            broker.start()
            with pytest.raises(BrokerError, match="user name and password"):
                await send_repeatedly(sender)
    finally:
        broker.stop()


@pytest.mark.parametrize(
    ("settings", "expected"), [("", 20), ("max_inflight_messages 7", 7), ("max_inflight_messages 0", 100)]
)
async def test_as_many_messages_are_in_flight_as_the_broker_takes(tmp_path: Path, settings: str, expected: int) -> None:
    broker = Mosquitto(tmp_path, f"allow_anonymous true\n{settings}")
    broker.start()
    try:
        async with Client(broker.address, role=None) as client:
            assert client._link.connection is not None
            assert client._link.connection.in_flight == expected
            for seq in range(300):
                client.send(chunk(seq))
            assert await client.flush(10)
    finally:
        broker.stop()
