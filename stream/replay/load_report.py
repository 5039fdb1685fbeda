"""What a publisher sends, each second and in total: for whoever uses it to load a broker, a gateway or a dashboard."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from stream.mqtt.client import Client

INTERVAL_S = 1.0

_BOUNDS_S = np.geomspace(1e-5, 100.0, 1401)
"""Classes of lateness for the total, in s: 200 per decade, so that a percentile is exact within 1.2 %."""


class LoadReport:
    """Counts of one publisher.

    Parameters
    ----------
    beds : int

    Lateness is the time from when a chunk was due until it was queued for the broker; ``waiting`` are the messages that
    the broker has not acknowledged yet.
    """

    def __init__(self, beds: int) -> None:
        self._beds = beds
        self._counts = np.zeros(len(_BOUNDS_S) + 1, np.int64)
        self._max_s = 0.0
        self._max_waiting = 0
        self._sent = (0, 0)
        self._at_s = self._began_s = time.monotonic()
        self._began_cpu_s = time.process_time()
        self._reconnects = 0

    def begin(self, client: Client) -> None:
        """Count from now on."""
        client.lateness.recent = []
        self._at_s = self._began_s = time.monotonic()
        self._began_cpu_s = time.process_time()

    def update(self, client: Client) -> str:
        """Return the line on the time since the last one."""
        now_s = time.monotonic()
        seconds = max(now_s - self._at_s, 1e-9)
        messages, size = (now - before for now, before in zip(client.sent, self._sent, strict=True))
        late_s, client.lateness.recent = np.asarray(client.lateness.recent or []), []
        waiting = client.unsent
        self._counts += np.bincount(np.searchsorted(_BOUNDS_S, late_s), minlength=len(self._counts))
        self._max_s = max(self._max_s, float(late_s.max(initial=0.0)))
        self._max_waiting = max(self._max_waiting, waiting)
        self._sent, self._at_s, self._reconnects = client.sent, now_s, client.counters["reconnects"]
        parts = [f"{self._beds} beds, {messages / seconds:.0f} messages/s, {size / seconds / 1e3:.0f} kB/s"]
        if late_s.size:
            p50, p99 = np.percentile(late_s, [50, 99]) * 1e3
            parts.append(f"lateness {p50:.1f} ms (99 %: {p99:.1f} ms)")
        return ", ".join([*parts, f"{waiting} waiting"])

    def summary(self) -> dict[str, Any]:
        """Return the totals up to the last `update`."""
        seconds = max(self._at_s - self._began_s, 1e-9)
        messages, size = self._sent
        return {
            "beds": self._beds,
            "seconds": round(seconds, 3),
            "messages": messages,
            "bytes": size,
            "messages_per_s": round(messages / seconds, 1),
            "bytes_per_s": round(size / seconds),
            "lateness_ms": {
                "p50": self._percentile_ms(50),
                "p99": self._percentile_ms(99),
                "max": _milliseconds(self._max_s),
            },
            "max_waiting": self._max_waiting,
            "reconnects": self._reconnects,
            "cpu_us_per_bed_s": round((time.process_time() - self._began_cpu_s) / seconds / self._beds * 1e6, 1),
        }

    def _percentile_ms(self, percent: float) -> float | None:
        total = int(self._counts.sum())
        if not total:
            return None
        place = int(np.searchsorted(np.cumsum(self._counts), total * percent / 100))
        return _milliseconds(min(float(_BOUNDS_S[min(place, len(_BOUNDS_S) - 1)]), self._max_s))


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1e3, 3)
