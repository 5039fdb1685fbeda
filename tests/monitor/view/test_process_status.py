"""Services: publishers and workers by their retained status."""

from __future__ import annotations

import msgspec

from monitor.view.process_status import MAX_PROCESSES, Services
from stream.wire.messages import Message
from stream.wire.status_messages import BedStatus
from stream.wire.topics import Kind, Role, Topic
from tests.monitor.message_samples import process, received, removed, status, vitals


def services(*messages: Message) -> Services:
    known = Services()
    for message in messages:
        known.process(received(message, 0))
    return known


def state(found: BedStatus | None) -> str | None:
    return None if found is None else found.state


def test_nothing_is_known_at_first() -> None:
    known = Services()
    assert (known.publisher("bed-1"), known.last_publisher("bed-1"), known.worker("bed-1")) == (None, None, None)


def test_a_status_counts_only_while_its_process_is_online() -> None:
    known = services(status("publisher", "playing"), status("worker", "forecasting"))
    assert (known.publisher("bed-1"), known.worker("bed-1")) == (None, None)
    known.process(received(process("publisher"), 0))
    known.process(received(process("worker"), 0))
    assert (state(known.publisher("bed-1")), state(known.worker("bed-1"))) == ("playing", "forecasting")
    assert known.publisher("bed-2") is None


def test_an_offline_publisher_keeps_its_last_status() -> None:
    known = services(process("publisher"), status("publisher", "playing"), process("publisher", "offline"))
    assert known.publisher("bed-1") is None
    assert state(known.last_publisher("bed-1")) == "playing"


def test_a_stopped_worker_serves_no_bed() -> None:
    known = services(process("worker"), status("worker", "stopped"))
    assert known.worker("bed-1") is None
    known.process(received(status("worker", "learning"), 0))
    assert state(known.worker("bed-1")) == "learning"


def test_the_status_belongs_to_one_instance() -> None:
    known = services(process("worker"), status("worker", "forecasting", instance="another"))
    assert known.worker("bed-1") is None


def test_a_removed_status_is_dropped() -> None:
    known = services(process("publisher"), status("publisher", "playing"))
    known.process(removed(Topic(Kind.STATUS, "bed-1", Role.PUBLISHER), 0))
    assert known.last_publisher("bed-1") is None
    known = services(process("worker"), status("worker", "forecasting"))
    known.process(removed(Topic(Kind.PROCESS, role=Role.WORKER, instance="worker"), 0))
    assert known.worker("bed-1") is None


def test_other_messages_are_ignored() -> None:
    known = services(process("worker"), status("worker", "forecasting"), vitals(100))
    assert state(known.worker("bed-1")) == "forecasting"


def test_invented_processes_do_not_displace_those_that_serve_a_bed() -> None:
    known = services(process("worker"), status("worker", "forecasting"))
    for n in range(3 * MAX_PROCESSES):
        invented = msgspec.structs.replace(process("worker"), instance=f"invented-{n}")
        known.process(received(invented, 0))
    assert len(known._online) == MAX_PROCESSES
    assert state(known.worker("bed-1")) == "forecasting"
