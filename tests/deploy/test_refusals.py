"""A process that may not publish or subscribe ends with one line that names the topic."""

import asyncio
import gc
import json
from dataclasses import replace
from pathlib import Path

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from monitor.view.display_texts import english
from monitor.view.feed import Feed
from stream.errors import BrokerError
from stream.mqtt.client import Client
from stream.wire.alarm_messages import ActiveAlarms
from stream.wire.topics import Kind, Role, pattern
from tests.brokers import Mosquitto
from tests.deploy.peer import Peer
from tests.deploy.ward import Ward
from tests.system.commands import bedside, environment, error_line, wait_until
from tests.waveforms import chunk


@pytest.mark.parametrize(
    ("role", "command", "topic"),
    [
        ("observer", ["replay", "synthetic"], "bedside/v1/_/status/publisher/"),
        ("publisher", ["worker"], "bedside/v1/_/status/worker/"),
        ("worker", ["alarms", "--db", "alarms.sqlite"], "bedside/v1/_/status/logger/"),
    ],
)
def test_a_command_in_the_wrong_role_names_the_topic(
    ward: Ward, role: str, command: list[str], topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = bedside(*command, env=environment(**ward.environment(role)))
    assert result.returncode == 2
    line = error_line(result.stderr)
    assert f"may not publish on {topic}" in line
    assert "Not authorized" in line
    assert "access control list" in line


async def test_a_refused_message_ends_the_client(ward: Ward) -> None:
    """The status of a publisher and its ECG are accepted, its alarms are not."""

    async def publish_alarms() -> None:
        async with Client(ward.with_certificate("publisher"), role=Role.PUBLISHER) as client, asyncio.timeout(20):
            client.send(chunk(0))
            assert await client.flush(10)
            client.send(ActiveAlarms(bed="bed-1"))
            await client.flush(10)

    with pytest.raises(BrokerError, match=r"may not publish on bedside/v1/bed-1/alarms/active") as error:
        await publish_alarms()
    assert error.value.refused
    assert "\n" not in str(error.value)


def test_the_window_names_a_demanded_certificate(ward: Ward) -> None:
    feed = Feed(replace(ward.with_certificate("monitor"), cert=None, key=None))
    feed.start()
    try:
        wait_until(lambda: "it demands a client certificate" in english(feed.phrase), "the problem")
    finally:
        feed.stop()
        gc.collect()


def test_the_window_names_a_refused_topic(ward: Ward) -> None:
    """With the rights of an observer the window may not even publish its status."""
    feed = Feed(ward.with_certificate("observer"))
    feed.start()
    try:
        wait_until(lambda: "it may not publish on bedside/v1/_/status/monitor/" in english(feed.phrase), "the refusal")
    finally:
        feed.stop()
        gc.collect()


@pytest.fixture
def dynamic(tmp_path: Path) -> Path:
    """Return a configuration of Mosquitto's plugin, which, unlike an ACL file, refuses subscriptions."""
    rights = {"publishClientSend": True, "publishClientReceive": True, "subscribe": True, "unsubscribe": True}
    refused = {"acltype": "subscribePattern", "topic": "bedside/v1/+/ecg", "priority": 0, "allow": False}
    content = {
        "defaultACLAccess": rights,
        "anonymousGroup": "all",
        "clients": [],
        "groups": [{"groupname": "all", "clients": [], "roles": [{"rolename": "reader", "priority": 0}]}],
        "roles": [{"rolename": "reader", "acls": [refused]}],
    }
    file = tmp_path / "dynamic.json"
    file.write_text(json.dumps(content))
    return file


def plugin() -> Path:
    found = [
        file for root in ("/usr/lib", "/usr/local/lib") for file in Path(root).rglob("mosquitto_dynamic_security.so")
    ]
    if not found:
        pytest.skip("Mosquitto's plugin mosquitto_dynamic_security.so is not installed; Debian's mosquitto contains it")
    return found[0]


async def test_a_refused_subscription_ends_the_client(tmp_path: Path, dynamic: Path) -> None:
    broker = Mosquitto(
        tmp_path,
        f"allow_anonymous true\nuser root\nplugin {plugin()}\nplugin_opt_config_file {dynamic}",
    )
    broker.start()
    try:
        async with Client(broker.address, role=None, subscriptions=[pattern(Kind.ALARMS)]) as client:
            assert client.connected
        with pytest.raises(BrokerError, match=r"may not subscribe to bedside/v1/\+/ecg: Not authorized") as error:
            async with Client(broker.address, role=None, subscriptions=[pattern(Kind.ALARMS), pattern(Kind.ECG)]):
                pass
        assert error.value.refused
    finally:
        broker.stop()


async def test_the_session_of_mqtt_5_is_persistent(mosquitto: Mosquitto) -> None:
    """Messages sent while the client is away are delivered when it returns, though another client has come and gone."""

    def reader() -> Client:
        return Client(mosquitto.address, role=None, subscriptions=[pattern(Kind.ECG)], persistent_id="reader-3")

    async with reader():
        pass
    async with Client(mosquitto.address, role=None) as sender:
        sender.send(chunk(0))
        assert await sender.flush(10)
    async with reader() as client, asyncio.timeout(10):
        assert (await client.receive()).message == chunk(0)


@pytest.mark.parametrize(("subscription", "rejected"), [("bedside/v1/+/ecg", 0), ("bedside/v1/#", 2)])
async def test_no_packet_beyond_the_maximum_is_taken(mosquitto: Mosquitto, subscription: str, rejected: int) -> None:
    """Neither a large payload nor large properties: the broker delivers none, or the client refuses them.

    It delivers them to a client that takes messages of wards, too. The client stays connected and receives what
    follows.
    """
    properties = Properties(PacketTypes.PUBLISH)
    properties.UserProperty = [("name", "x" * 60_000)] * 4
    async with Client(mosquitto.address, role=None, subscriptions=[subscription]) as client, asyncio.timeout(20):
        with Peer(mosquitto.address) as stranger:
            for payload, extra in ((bytes(1_000_000), None), (b"{}", properties)):
                assert await asyncio.to_thread(stranger.publish, "bedside/v1/bed-1/ecg", payload, extra)
        async with Client(mosquitto.address, role=None) as sender:
            sender.send(chunk(0))
            assert (await client.receive()).message == chunk(0)
        assert (client.counters["rejected"], client.counters["reconnects"]) == (rejected, 0)
