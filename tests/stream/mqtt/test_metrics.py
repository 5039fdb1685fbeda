"""Metrics over HTTP: what a scraper reads, and what is left afterwards."""

from __future__ import annotations

import socket
import threading
import urllib.request

import pytest

from stream.errors import UsageError
from stream.mqtt.address import BrokerAddress
from stream.mqtt.client import Client
from stream.mqtt.lateness import BOUNDS_S, Lateness
from stream.mqtt.metrics import metrics_server
from stream.wire.topics import Kind, Role, pattern
from tests.brokers import free_port
from tests.monitor.message_samples import status
from tests.waveforms import chunk

pytest.importorskip("prometheus_client")


def read(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


@pytest.mark.usefixtures("no_tasks_left")
async def test_a_scraper_reads_counters_of_the_process_and_of_its_beds(broker: BrokerAddress) -> None:
    port = free_port()
    with metrics_server(port) as watch:
        assert "bedside_received_total" not in read(port)
        async with Client(broker, role=Role.WORKER, subscriptions=[pattern(Kind.ECG)]) as client:
            watch(client)
            client.send(chunk(0))
            client.send(status("worker", "forecasting", counters={"gaps": 2, "lost_samples": 720}))
            await client.receive()
            await client.flush(5)
            figures = read(port)
    assert figures["bedside_connected"] == 1
    assert figures["bedside_received_total"] == client.counters["received"]
    assert figures['bedside_bed_lost_samples_total{bed="bed-1"}'] == 720
    assert figures["bedside_chunk_lateness_seconds_count"] == 2, "sent, and received"
    assert figures["process_resident_memory_bytes"] > 1e6
    assert figures[f'bedside_info{{instance="{client.instance}",role="worker"}}'] == 1


def test_the_server_listens_on_loopback_alone_and_ends_with_its_context() -> None:
    threads, port = threading.active_count(), free_port()
    with metrics_server(port), socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.2", port))  # free: the server has not taken all addresses
    assert threading.active_count() == threads
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"--metrics {port}: .*choose another"), metrics_server(port):
            pass


def test_a_port_out_of_range_is_refused() -> None:
    with pytest.raises(UsageError, match="1 to 65535"), metrics_server(70_000):
        pass


def test_lateness_is_counted_by_class() -> None:
    lateness = Lateness()
    for seconds in (-1.0, BOUNDS_S[0], 0.3, 1e9):
        lateness.add(seconds)
    assert lateness.counts[0] == 2
    assert lateness.counts[BOUNDS_S.index(0.5)] == 1
    assert lateness.counts[-1] == 1
