"""Statistics of one bed from its messages: sample rate, data age, latency, and the worker's reports. No sockets."""

from __future__ import annotations

from collections import deque

import numpy as np

from stream.timebase import STRIDE
from stream.wire import ordering
from stream.wire.alarm_messages import ADVISORIES, ActiveAlarms, Alarm
from stream.wire.bed_stream import Arrival, Stream
from stream.wire.lease import Leases
from stream.wire.messages import Forecast, Message, Vitals, Waveform
from stream.wire.status_messages import BedStatus

_RATE_WINDOW_NS = 5_000_000_000
_MAX_LATENCIES = 200_000
_KEPT_CHUNKS = 1000

MAX_RAISED = 10_000
"""Largest number of alarms that are counted."""


class BedStats:
    """Statistics of one bed.

    Attributes
    ----------
    waveform : Waveform or None
        The latest chunk.
    forecast : Forecast or None
        The latest forecast; its score is None while the worker is learning.
    skill : float or None
        1 − error of the forecast / error of persistence, 100 ms ahead over the last minute: the latest value from the
        worker.
    latencies_ms : deque of float
        From chunk due to forecast published.
    active : tuple of Alarm
        The active alarms.
    raised : set of str
        Ids of all alarms raised, without advisories; at most `MAX_RAISED`.
    publisher, worker : BedStatus or None
        The latest status in each role.
    """

    def __init__(self) -> None:
        self.waveform: Waveform | None = None
        self.forecast: Forecast | None = None
        self.skill: float | None = None
        self.latencies_ms: deque[float] = deque(maxlen=_MAX_LATENCIES)
        self.active: tuple[Alarm, ...] = ()
        self.raised: set[str] = set()
        self.publisher: BedStatus | None = None
        self.worker: BedStatus | None = None
        self._leases = Leases()
        self._stream: Stream | None = None
        self._due: dict[int, int] = {}
        self._recent: deque[tuple[int, int]] = deque()

    def update(self, message: Message, received_ns: int) -> None:
        """Process a message of this bed; `received_ns` is monotonic."""
        if not self._leases.accept(message):
            return
        match message:
            case Waveform():
                arrival, self._stream = ordering.receive(self._stream, message, received_ns)
                self._add(arrival, received_ns)
            case Forecast():
                self._add_forecast(message)
            case Vitals(skill=float(skill)):
                self.skill = skill
            case Alarm(phase="raised") if message.kind not in ADVISORIES and len(self.raised) < MAX_RAISED:
                self.raised.add(message.alarm_id)
            case ActiveAlarms():
                self.active = message.alarms
            case BedStatus(role="publisher"):
                self.publisher = message
                if message.state == "ended" and self._stream is not None:
                    arrival, self._stream = ordering.release(self._stream, message.session, received_ns)
                    self._add(arrival, received_ns)
            case BedStatus(role="worker"):
                self.worker = message
                if self._stream is not None:
                    self._stream = ordering.expect(self._stream, message.session)

    @property
    def superseded(self) -> int:
        """Number of messages of a worker that another one has replaced (`stream.wire.lease`); they are ignored."""
        return self._leases.dropped

    def rate(self, now_ns: int) -> float:
        """Return the samples per second received over the last 5 s, at a monotonic time in ns."""
        self._drop_old(now_ns)
        if len(self._recent) < 2:
            return 0.0
        # The first chunk only marks the start of the interval.
        samples = sum(n for _, n in self._recent) - self._recent[0][1]
        return samples * 1e9 / max(self._recent[-1][0] - self._recent[0][0], 1)

    def age_s(self, now_ns: int) -> float | None:
        """Return the seconds since the latest sample was due, at a Unix time in ns; None before the first."""
        return None if self.waveform is None else (now_ns - self.waveform.due_ns) / 1e9

    @property
    def caught_up(self) -> bool:
        """True when every whole stride received has its forecast."""
        chunk, forecast = self.waveform, self.forecast
        if chunk is None:
            return True
        return forecast is not None and forecast.session == chunk.session and chunk.end - (forecast.origin + 1) < STRIDE

    def _drop_old(self, now_ns: int) -> None:
        while self._recent and self._recent[0][0] < now_ns - _RATE_WINDOW_NS:
            self._recent.popleft()

    def _add(self, arrival: Arrival, received_ns: int) -> None:
        for taken in arrival.taken:
            self._add_waveform(taken.chunk, received_ns)

    def _add_waveform(self, chunk: Waveform, received_ns: int) -> None:
        last = self.waveform
        if last is None or chunk.session != last.session:
            self._due.clear()
        self.waveform = chunk
        self._due[chunk.seq] = chunk.due_ns
        while len(self._due) > _KEPT_CHUNKS:
            del self._due[next(iter(self._due))]
        self._recent.append((received_ns, chunk.n))
        self._drop_old(received_ns)

    def _add_forecast(self, forecast: Forecast) -> None:
        self.forecast = forecast
        if self.waveform is not None and forecast.session == self.waveform.session:
            due_ns = self._due.get(forecast.seq)
            if due_ns is not None:
                self.latencies_ms.append((forecast.published_ns - due_ns) / 1e6)


def quantiles_ms(latencies: deque[float]) -> dict[str, float | None]:
    """Return the median and the 99th percentile, rounded to 0.01 ms."""
    if not latencies:
        return {"p50": None, "p99": None}
    p50, p99 = np.percentile(np.fromiter(latencies, np.float64), [50, 99])
    return {"p50": round(float(p50), 2), "p99": round(float(p99), 2)}
