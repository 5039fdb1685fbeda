"""Metrics of a process for Prometheus, over HTTP on the loopback interface. The only importer of prometheus_client.

All figures are those that the process keeps anyway: the counters of its client and of the status of its beds. They are
read when somebody asks, in a thread of the HTTP server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING

from stream.errors import UsageError
from stream.mqtt.client import Client, Watch, watch_nothing
from stream.mqtt.lateness import BOUNDS_S

if TYPE_CHECKING:
    from prometheus_client import Metric

HOST = "127.0.0.1"


@contextmanager
def metrics_server(port: int | None) -> Iterator[Watch]:
    """Serve the metrics of this process at ``http://127.0.0.1:port/metrics`` while the context is active.

    Parameters
    ----------
    port : int or None
        None: nothing is served, and prometheus_client is not imported.

    Yields
    ------
    callable
        To be called with each client that this process opens.

    Raises
    ------
    UsageError
        The port cannot be opened.
    """
    if port is None:
        yield watch_nothing
        return
    if not 1 <= port <= 65_535:
        raise UsageError(f"--metrics {port}: use a port from 1 to 65535")

    from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, start_http_server

    figures = _Figures()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(figures)
    try:
        server, thread = start_http_server(port, HOST, registry)
    except OSError as error:
        raise UsageError(
            f"--metrics {port}: {HOST}:{port} cannot be opened ({error.strerror}): choose another"
        ) from None
    try:
        yield figures.watch
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Figures:
    """The figures of the watched client, as prometheus_client asks for them."""

    def __init__(self) -> None:
        self._client: Client | None = None

    def watch(self, client: Client) -> None:
        """Show the figures of this client from now on."""
        self._client = client

    def collect(self) -> Iterator[Metric]:
        """Yield one metric family after the other."""
        from prometheus_client.metrics_core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
            InfoMetricFamily,
        )

        client = self._client
        if client is None:
            return
        role = str(client.role or "observer")
        yield InfoMetricFamily("bedside", "This process", {"role": role, "instance": client.instance})
        for name, number, text in (
            ("connected", client.connected, "Whether the broker is connected"),
            ("overloaded", client.overloaded, "Whether the worker receives more than it can analyse"),
            ("unsent_messages", client.unsent, "Messages that the broker has not acknowledged yet"),
            ("beds", len(client.beds), "Beds that this process serves"),
            ("refused_beds", len(client.refused), "Beds that send and for which this process has no place"),
        ):
            yield GaugeMetricFamily(f"bedside_{name}", text, float(number))
        for name, count in sorted(dict(client.counters).items()):
            yield CounterMetricFamily(f"bedside_{name}", f"Counter {name} of the process", float(count))
        by_name: dict[str, list[tuple[str, float]]] = {}
        for status in client.bed_statuses:
            for name, value in status.counters.items():
                by_name.setdefault(name, []).append((status.bed, value))
        for name, counts in sorted(by_name.items()):
            family = CounterMetricFamily(
                f"bedside_bed_{name}", f"Counter {name} of the bed in its session", labels=["bed"]
            )
            for bed, value in sorted(counts):
                family.add_metric([bed], value)
            yield family
        lateness = client.lateness
        bounds = [*(str(bound) for bound in BOUNDS_S), "+Inf"]
        buckets = list(zip(bounds, map(float, accumulate(lateness.counts)), strict=True))
        yield HistogramMetricFamily(
            "bedside_chunk_lateness_seconds",
            "Time from when a chunk of ECG was due until this process sent or received it",
            buckets=buckets,
            sum_value=lateness.total_s,
        )
