"""A real Mosquitto from the files of deploy/ grants what the table of docs/topics.md says, and nothing else."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from stream.wire.topics import Kind, Topic, parse
from tests.deploy.peer import Peer
from tests.deploy.ward import ROLES, Ward

Rights = dict[str, dict[str, set[str]]]

PLACES = {"{bed}": "bed-1", "{signal}": "pleth", "{instance}": "ab12", "{shard}": "3"}
FOREIGN = ("bedside/v1/bed-1/unknown", "bedside/v2/bed-1/ecg", "other/topic", "bedside", "$SYS/broker/uptime")
MARK = "bedside/v1/_/status/monitor/mark"
"""A topic that all roles read, and monitor writes."""


def documented() -> Rights:
    """Return the rights of each role by topic, from the table in docs/topics.md."""
    text = (Path(__file__).parents[2] / "docs/topics.md").read_text().partition("## Access control")[2]
    header, _, *rows = [
        [cell.strip(" `") for cell in line.strip("|").split("|")]
        for line in re.findall(r"^\|.*\|$", text, re.MULTILINE)
    ]
    assert tuple(header[1:]) == ROLES
    rights: Rights = {}
    for topic, *cells in rows:
        for place, value in PLACES.items():
            topic = topic.replace(place, value)
        rights[topic] = {role: set(cell.split(", ")) - {""} for role, cell in zip(ROLES, cells, strict=True)}
    return rights


RIGHTS: Rights = {**documented(), **{topic: {role: set() for role in ROLES} for topic in FOREIGN}}


def kind_of(topic: str) -> str:
    return "events/request" if topic.endswith("_/events/request") else parse(topic).kind


def test_the_table_contains_all_kinds_of_topic() -> None:
    assert {kind_of(topic) for topic in documented()} == {*Kind, "events/request"}
    assert all(any("write" in rights for rights in roles.values()) for roles in documented().values())
    assert len(RIGHTS) * len(ROLES) * 2 >= 40


@pytest.fixture(scope="module", params=["certificate", "password"])
def peers(request: pytest.FixtureRequest, ward: Ward) -> Iterator[dict[str, Peer]]:
    with ExitStack() as stack:
        address = ward.with_certificate if request.param == "certificate" else ward.with_password
        yield {role: stack.enter_context(Peer(address(role))) for role in ROLES}


@pytest.fixture(scope="module")
def observed(peers: dict[str, Peer]) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Each role publishes on each topic; return (role, topic) of what is accepted, and of what is received."""
    accepted = {
        (role, topic) for topic in RIGHTS for role in ROLES if peers[role].publish(topic, f"{role} {topic}".encode())
    }
    assert peers["monitor"].publish(MARK, b"the end")
    for peer in peers.values():
        peer.wait_for(b"the end")
    delivered = {(role, topic) for role, peer in peers.items() for topic, _ in peer.received if topic != MARK}
    senders = {payload.decode() for peer in peers.values() for topic, payload in peer.received if topic != MARK}
    assert senders == {f"{role} {topic}" for role, topic in accepted}, "what is refused is not delivered to anybody"
    return accepted, delivered


@pytest.mark.parametrize("topic", RIGHTS)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_writes_and_reads_what_the_table_says(
    role: str, topic: str, observed: tuple[set[tuple[str, str]], set[tuple[str, str]]]
) -> None:
    accepted, delivered = observed
    assert ((role, topic) in accepted) == ("write" in RIGHTS[topic][role])
    assert ((role, topic) in delivered) == ("read" in RIGHTS[topic][role])


def test_the_common_name_of_a_certificate_is_the_user_whatever_user_is_named(ward: Ward) -> None:
    with Peer(replace(ward.with_certificate("observer"), username="worker", password="x")) as peer:
        assert not peer.publish(str(Topic(Kind.ALARMS, "bed-1")), b"{}")


def test_nobody_connects_without_certificate_or_password(ward: Ward) -> None:
    for user, password in ((None, None), ("worker", None), ("worker", "wrong"), ("nobody", "x")):
        with Peer(replace(ward.with_password("worker"), username=user, password=password)) as peer:
            assert peer.refused, user
    for address in (ward.with_certificate("worker"), ward.with_password("worker")):
        with Peer(replace(address, tls=False)) as peer:
            assert peer.refused, "connected without TLS"


def test_with_mqtt_3_a_refused_message_is_acknowledged_and_dropped(ward: Ward) -> None:
    """The reason why bedside uses MQTT 5."""
    with Peer(ward.with_certificate("observer"), paho.MQTTv311) as peer:
        assert peer.publish("bedside/v1/bed-1/alarms", b"dropped")
        assert peer.received == [] or all(payload != b"dropped" for _, payload in peer.received)
